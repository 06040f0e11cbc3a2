//! The state as of an earlier revision. Going back costs what changed since,
//! once for each quad however often it changed; it replays nothing. Not for
//! words: search knows the present only.

use crate::commit::Reader;
use crate::graph::Snapshot;
use crate::ledger::{Error, History};
use crate::rdf::QuadIds;
use crate::rdf::Revision;
use crate::rdf::Visibility;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Past states kept for those who ask for them again.
const KEPT: usize = 8;

/// Gives past states. Clones share what is kept.
#[derive(Clone)]
pub struct Past {
    reader: Reader,
    history: History,
    kept: Arc<Mutex<Vec<(Revision, Snapshot)>>>,
}

impl Past {
    /// States before those of a reader.
    #[must_use]
    pub fn new(reader: Reader, history: History) -> Self {
        Self { reader, history, kept: Arc::default() }
    }

    /// The triples as of a revision, as those see them who see this much:
    /// what is hidden now, or was then, stays hidden. `None` if the revision
    /// is not there yet.
    pub fn at(
        &self,
        revision: Revision,
        visibility: Visibility,
    ) -> Result<Option<Snapshot>, Error> {
        let now = self.reader.snapshot();
        if revision > now.revision {
            return Ok(None);
        }
        let whole = self.whole(revision, &now)?;
        let names = self.reader.names();
        let mut hidden = super::hidden_from(&now.graph, names, visibility);
        hidden.extend(super::hidden_from(&whole, names, visibility));
        Ok(Some(whole.without_graphs(hidden)))
    }

    fn whole(&self, revision: Revision, now: &super::Snapshot) -> Result<Snapshot, Error> {
        if revision == now.revision {
            return Ok(now.graph.clone());
        }
        let kept = |list: &[(Revision, Snapshot)]| {
            list.iter().find(|(at, _)| *at == revision).map(|(_, graph)| graph.clone())
        };
        if let Some(graph) = kept(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(graph);
        }
        // The first change of a quad after the revision tells what it was: a
        // quad that was removed held, one that was added did not.
        let mut was: FxHashMap<QuadIds, bool> = FxHashMap::default();
        self.history.each_since(revision, now.revision, |quad, removed| {
            was.entry(quad).or_insert(removed);
        })?;
        let (held, not): (Vec<_>, Vec<_>) = was.into_iter().partition(|(_, held)| *held);
        let quads =
            |list: Vec<(QuadIds, bool)>| list.into_iter().map(|(q, _)| q).collect::<Vec<_>>();
        let graph = Snapshot::new(
            now.graph.dictionary().clone(),
            now.graph.quads().with(&quads(not), &quads(held)),
        );
        let mut list = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= KEPT {
            list.remove(0);
        }
        list.push((revision, graph.clone()));
        Ok(graph)
    }
}

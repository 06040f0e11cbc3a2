//! The only door through which data changes. A change is prepared, recorded in
//! the ledger (the commit point), applied to the views and shown, in this
//! order. Not for reading: readers take a [`Snapshot`].

mod documents;
mod recover;

pub use documents::Documents;

use crate::graph::{Dictionary, GraphPattern};
use crate::index::TextIndex;
use crate::ledger::{ChangeRecord, Ledger};
use crate::problem::Kind;
use crate::rdf::Names;
use crate::rdf::Provenance;
use crate::rdf::Quad;
use crate::rdf::QuadIds;
use crate::rdf::Revision;
use crate::rdf::now;
use rustc_hash::FxHashSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// One revision of all views. Never changes once made.
#[derive(Clone)]
pub struct Snapshot {
    /// The number of the last change in it.
    pub revision: Revision,
    /// When that change was recorded (RFC 3339), empty for revision 0.
    pub time: String,
    /// The triples.
    pub graph: crate::graph::Snapshot,
    /// The words.
    pub text: crate::index::Snapshot,
}

/// Gives the current snapshot. Cloning is cheap; all clones see the same.
#[derive(Clone)]
pub struct Reader {
    current: Arc<RwLock<Arc<Snapshot>>>,
}

impl Reader {
    /// The state as of now. Hold on to it for as long as an answer takes.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The one writer.
pub struct Committer {
    ledger: Ledger,
    text: TextIndex,
    names: Names,
    reader: Reader,
}

/// A change in the making: quads to remove and to add, as numbers.
pub struct Edit {
    before: Arc<Snapshot>,
    dictionary: Dictionary,
    remove: Vec<QuadIds>,
    add: Vec<QuadIds>,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The revision after it; the one before if nothing changed.
    pub revision: Revision,
    /// Quads that no longer hold.
    pub removed: usize,
    /// Quads that hold now and did not before.
    pub added: usize,
}

/// Why a change did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be opened, read or written. Nothing was changed.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::Error),
    /// A view could not follow the ledger. The data is safe.
    #[error(transparent)]
    Text(#[from] crate::index::Error),
    /// The change was prepared on another state than the current one.
    #[error("the data changed from revision {before} to {now} meanwhile; try again")]
    Overtaken {
        /// The state it was prepared on.
        before: Revision,
        /// The state now.
        now: Revision,
    },
}

impl Error {
    /// What a caller can make of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ledger(error) => error.kind(),
            Self::Text(error) => error.kind(),
            Self::Overtaken { .. } => Kind::Busy,
        }
    }
}

impl Edit {
    /// The quad shall no longer hold.
    pub fn remove(&mut self, quad: &Quad) {
        let quad = self.before.graph.number(&mut self.dictionary, quad);
        self.remove.push(quad);
    }

    /// The quad shall hold.
    pub fn add(&mut self, quad: &Quad) {
        let quad = self.before.graph.number(&mut self.dictionary, quad);
        self.add.push(quad);
    }

    /// Quads asked for so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.remove.len() + self.add.len()
    }

    /// Whether nothing was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reduces what was asked for to what will differ. A quad both removed and
    /// added is added (SPARQL 1.1 Update §3.1.3: deletions happen first).
    fn settle(&mut self) {
        let sort = |quads: &mut Vec<QuadIds>| {
            quads.sort_unstable();
            quads.dedup();
        };
        sort(&mut self.add);
        sort(&mut self.remove);
        let before = self.before.graph.quads();
        let add = &self.add;
        self.remove.retain(|quad| before.contains(*quad) && add.binary_search(quad).is_err());
        self.add.retain(|quad| !before.contains(*quad));
    }
}

impl Committer {
    /// Opens the ledger of a folder and brings the views up to it. `progress`
    /// is told what happens, in sentences for a person who waits.
    pub fn open(
        folder: &Path,
        names: &Names,
        purpose: &str,
        progress: &dyn Fn(&str),
    ) -> Result<Self, Error> {
        let ledger = Ledger::open(folder, purpose)?;
        recover::open_views(ledger, folder, names, progress)
    }

    /// Gives the current snapshots.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The ledger, for its history.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Tells other processes what this one does with the folder.
    pub fn describe(&mut self, purpose: &str) {
        self.ledger.describe(purpose);
    }

    /// Begins a change on the current state.
    #[must_use]
    pub fn begin(&self) -> Edit {
        let before = self.reader.snapshot();
        Edit {
            dictionary: before.graph.dictionary().clone(),
            before,
            remove: Vec::new(),
            add: Vec::new(),
        }
    }

    /// Makes a change happen. When it returns, the change is on disk and every
    /// later read sees it. A change that would alter nothing gets no revision.
    pub fn commit(&mut self, mut edit: Edit, provenance: &Provenance) -> Result<Committed, Error> {
        let revision = self.ledger.revision();
        if edit.before.revision != revision {
            return Err(Error::Overtaken { before: edit.before.revision, now: revision });
        }
        edit.settle();
        let (removed, added) = (edit.remove.len(), edit.add.len());
        if removed == 0 && added == 0 {
            return Ok(Committed { revision, removed, added });
        }
        let record = ChangeRecord {
            revision: 0,
            time: now(),
            author: provenance.author.clone(),
            reason: provenance.reason.clone(),
            source: provenance.source.clone(),
            removed: 0,
            added: 0,
        };
        let first = edit.before.graph.dictionary().len() + 1;
        let terms: Vec<&[u8]> = (first..=edit.dictionary.len())
            .filter_map(|id| edit.dictionary.bytes(u32::try_from(id).ok()?))
            .collect();
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        let revision = self.ledger.record(&record, first, &terms, &edit.remove, &edit.add)?;
        self.show(revision, record.time, edit)?;
        Ok(Committed { revision, removed, added })
    }

    /// Brings the views to a recorded change and shows it.
    fn show(&mut self, revision: Revision, time: String, edit: Edit) -> Result<(), Error> {
        let Edit { before, mut dictionary, remove, add } = edit;
        dictionary.settle();
        let quads = before.graph.quads().with(&remove, &add);
        let graph = crate::graph::Snapshot::new(dictionary, quads);
        let touched: FxHashSet<u32> = remove.iter().chain(&add).map(|quad| quad[0]).collect();
        let mut touched: Vec<u32> = touched.into_iter().collect();
        touched.sort_unstable();
        let documents = Documents::new(&graph, &self.names);
        let forget: &[u32] = if before.text.is_empty() { &[] } else { &touched };
        let new = touched.iter().filter_map(|subject| documents.document(*subject));
        if let Err(error) = self.text.apply(revision, forget, new) {
            // The change is on disk already; the view alone is behind.
            tracing::error!(%error, revision, "the text view failed and is made again");
            recover::rebuild_text(&mut self.text, revision, &graph, &self.names)?;
        }
        let snapshot = Snapshot { revision, time, graph, text: self.text.snapshot() };
        *self.reader.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(())
    }

    /// Makes the text view again from the ledger's quads.
    pub fn rebuild(&mut self) -> Result<u64, Error> {
        let snapshot = self.reader.snapshot();
        recover::rebuild_text(&mut self.text, snapshot.revision, &snapshot.graph, &self.names)?;
        let snapshot = Snapshot { text: self.text.snapshot(), ..(*snapshot).clone() };
        let documents = snapshot.text.len();
        *self.reader.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(documents)
    }

    /// What differs between the ledger and the views, one sentence each, at
    /// most `limit`. The ledger is read anew.
    pub fn differences(&self, limit: usize) -> Result<Vec<String>, Error> {
        let snapshot = self.reader.snapshot();
        let state = self.ledger.state(|_, _| {})?;
        let mut found = Vec::new();
        let mut tell = |text: String| {
            if found.len() < limit {
                found.push(text);
            }
        };
        let dictionary = snapshot.graph.dictionary();
        if dictionary.len() != state.terms.len() {
            tell(format!(
                "graph view has {} terms, the ledger {}",
                dictionary.len(),
                state.terms.len()
            ));
        }
        for (id, term) in (1..).zip(&state.terms) {
            if dictionary.bytes(id) != Some(term) {
                tell(format!("graph view: term {id} differs from the ledger's"));
            }
        }
        let stored: FxHashSet<QuadIds> = state.quads.iter().copied().collect();
        let spell = |quad: QuadIds| {
            snapshot.graph.quad(quad).map_or_else(|| format!("{quad:?}"), |quad| quad.to_string())
        };
        for quad in &state.quads {
            if !snapshot.graph.quads().contains(*quad) {
                tell(format!("graph view lacks {}", spell(*quad)));
            }
        }
        for quad in snapshot.graph.quads().matching(None, None, None, GraphPattern::Any) {
            if !stored.contains(&quad) {
                tell(format!("graph view has, and the ledger has not, {}", spell(quad)));
            }
        }
        let documents = Documents::new(&snapshot.graph, &self.names);
        let mut indexed: rustc_hash::FxHashMap<u32, u64> = rustc_hash::FxHashMap::default();
        for (subject, fingerprint) in snapshot.text.fingerprints()? {
            if indexed.insert(subject, fingerprint).is_some() {
                tell(format!("text view has two documents of {}", name(&snapshot, subject)));
            }
        }
        for document in documents.subjects().into_iter().filter_map(|s| documents.document(s)) {
            match indexed.remove(&document.subject) {
                None => tell(format!("text view lacks {}", name(&snapshot, document.subject))),
                Some(fingerprint) if fingerprint != document.fingerprint() => tell(format!(
                    "text view has another document of {} than its quads give",
                    name(&snapshot, document.subject)
                )),
                Some(_) => {}
            }
        }
        for subject in indexed.into_keys() {
            tell(format!(
                "text view has a document of {}, which is no record",
                name(&snapshot, subject)
            ));
        }
        Ok(found)
    }
}

fn name(snapshot: &Snapshot, subject: u32) -> String {
    snapshot.graph.text(subject).unwrap_or_else(|| format!("term {subject}"))
}

#[cfg(test)]
mod tests;

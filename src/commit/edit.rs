//! A change in the making. Not for making it happen.

use crate::graph::{Dictionary, GraphPattern, Snapshot};
use crate::rdf::GraphNameRef;
use crate::rdf::Quad;
use crate::rdf::QuadIds;
use crate::rdf::Revision;

/// A change in the making: quads to remove and to add, as numbers.
pub struct Edit {
    pub(super) before: Snapshot,
    pub(super) revision: Revision,
    pub(super) dictionary: Dictionary,
    pub(super) remove: Vec<QuadIds>,
    pub(super) add: Vec<QuadIds>,
    /// Every quad that an earlier step asked for, and the state after it.
    steps: Option<(Vec<QuadIds>, Snapshot)>,
    pub(super) may_write: Option<MayWrite>,
}

/// Whether a graph may be written to by whoever asks.
pub(super) type MayWrite = Box<dyn Fn(GraphNameRef<'_>) -> bool + Send>;

impl Edit {
    pub(super) fn new(before: Snapshot, revision: Revision) -> Self {
        Self {
            dictionary: before.dictionary().clone(),
            before,
            revision,
            remove: Vec::new(),
            add: Vec::new(),
            steps: None,
            may_write: None,
        }
    }

    /// Lets an update write to some graphs only.
    pub fn restrict(&mut self, may_write: MayWrite) {
        self.may_write = Some(may_write);
    }

    /// The triples as they were before the change.
    #[must_use]
    pub fn before(&self) -> &Snapshot {
        &self.before
    }

    /// The revision that the change follows.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The quad shall no longer hold.
    pub fn remove(&mut self, quad: &Quad) {
        let quad = self.before.number(&mut self.dictionary, quad);
        self.remove.push(quad);
    }

    /// The quad, by its numbers in the state before, shall no longer hold.
    pub fn remove_ids(&mut self, quad: QuadIds) {
        self.remove.push(quad);
    }

    /// The quad shall hold.
    pub fn add(&mut self, quad: &Quad) {
        let quad = self.before.number(&mut self.dictionary, quad);
        self.add.push(quad);
    }

    /// The quad, by its numbers in the state before, shall hold.
    pub fn add_ids(&mut self, quad: QuadIds) {
        self.add.push(quad);
    }

    /// What a change removed shall hold again, and what it added shall not.
    /// Gives the number of quads that another change has undone already: they
    /// stay as they are.
    pub fn undo(&mut self, removed: &[QuadIds], added: &[QuadIds]) -> usize {
        let quads = self.before.quads();
        let gone = added.iter().filter(|quad| !quads.contains(**quad)).count();
        let back = removed.iter().filter(|quad| quads.contains(**quad)).count();
        self.remove.extend(added);
        self.add.extend(removed);
        gone + back
    }

    /// No quad of this graph shall hold; 0 is the default graph.
    pub fn clear(&mut self, graph: crate::rdf::TermId) {
        let quads = self.state();
        let found = quads.quads().matching(None, None, None, GraphPattern::Only(graph));
        self.remove.extend(found);
    }

    /// Quads asked for so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.remove.len() + self.add.len()
    }

    /// Whether nothing was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.steps.is_none()
    }

    /// The triples as they are after what was asked for so far; what is asked
    /// for from now on comes after it.
    pub fn state(&mut self) -> Snapshot {
        if self.remove.is_empty() && self.add.is_empty() {
            return self.steps.as_ref().map_or(&self.before, |(_, state)| state).clone();
        }
        let now = self.steps.as_ref().map_or(&self.before, |(_, state)| state);
        let state = Self::with(now, &self.dictionary, &self.remove, &self.add);
        let mut touched = self.steps.take().map_or_else(Vec::new, |(touched, _)| touched);
        touched.append(&mut self.remove);
        touched.append(&mut self.add);
        self.steps = Some((touched, state.clone()));
        state
    }

    fn with(now: &Snapshot, terms: &Dictionary, remove: &[QuadIds], add: &[QuadIds]) -> Snapshot {
        let mut dictionary = terms.clone();
        dictionary.settle();
        Snapshot::new(dictionary, now.quads().with(remove, add))
    }

    /// Reduces what was asked for to what will differ, and gives the triples
    /// after it. A quad both removed and added in one step is added (SPARQL
    /// 1.1 Update §3.1.3: deletions happen first).
    pub(super) fn settle(&mut self) -> Snapshot {
        let sort = |quads: &mut Vec<QuadIds>| {
            quads.sort_unstable();
            quads.dedup();
        };
        if self.steps.is_some() {
            let after = self.state();
            let (mut touched, _) = self.steps.take().unwrap_or_default();
            sort(&mut touched);
            let before = self.before.quads();
            for quad in touched {
                match (before.contains(quad), after.quads().contains(quad)) {
                    (true, false) => self.remove.push(quad),
                    (false, true) => self.add.push(quad),
                    _ => {}
                }
            }
            return after;
        }
        sort(&mut self.add);
        sort(&mut self.remove);
        let before = self.before.quads();
        let add = &self.add;
        self.remove.retain(|quad| before.contains(*quad) && add.binary_search(quad).is_err());
        self.add.retain(|quad| !before.contains(*quad));
        if self.remove.is_empty() && self.add.is_empty() {
            return self.before.clone();
        }
        Self::with(&self.before, &self.dictionary, &self.remove, &self.add)
    }
}

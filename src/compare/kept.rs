//! What was gathered, kept for as long as its revision is the present one.

use crate::compare::gather::Gathered;
use crate::graph::Snapshot;
use crate::rdf::{Names, Revision, Visibility};
use std::sync::{Arc, Mutex, PoisonError};

/// Of each way to see the data, what was gathered last, and at which revision.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Vec<(Visibility, Revision, Arc<Gathered>)>>);

impl Kept {
    /// What a snapshot shows to those who see this much, gathered if that was
    /// not done yet at its revision.
    #[must_use]
    pub fn gathered(
        &self,
        visibility: Visibility,
        revision: Revision,
        graph: &Snapshot,
        names: &Names,
    ) -> Arc<Gathered> {
        // Who comes meanwhile waits here instead of gathering the same again.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., found)) =
            kept.iter().find(|(seen, at, _)| *seen == visibility && *at == revision)
        {
            return Arc::clone(found);
        }
        let made = Arc::new(Gathered::new(graph, names));
        kept.retain(|(seen, ..)| *seen != visibility);
        kept.push((visibility, revision, Arc::clone(&made)));
        made
    }
}

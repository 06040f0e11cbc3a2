//! What the steps of commits took. Not for limits: nothing depends on it.

use std::time::{Duration, Instant};

/// The time of each step, added up over all commits of a committer, for the
/// benchmark that says where a commit's time goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// Settling the change and judging it by the shapes.
    pub judged: Duration,
    /// Gathering the documents that the change touches.
    pub gathered: Duration,
    /// Recording it in the ledger, flushed to the disk.
    pub recorded: Duration,
    /// Putting its documents into the index of words.
    pub indexed: Duration,
    /// Making the snapshots that readers get.
    pub shown: Duration,
}

impl Steps {
    /// The steps, in their order, with their names.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Duration); 5] {
        [
            ("judge", self.judged),
            ("gather", self.gathered),
            ("record", self.recorded),
            ("index", self.indexed),
            ("show", self.shown),
        ]
    }
}

/// Runs a step and adds its time.
pub(super) fn timed<T>(time: &mut Duration, step: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = step();
    *time += begun.elapsed();
    made
}

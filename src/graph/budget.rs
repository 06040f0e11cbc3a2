//! Time and memory of one query on one thread. The evaluator has no limits of
//! its own and ignores cancellation while it sorts, groups or joins; but it
//! cannot take a step without touching a term, and terms are ours. So every
//! touch counts, and one touch in a few hundred looks at the clock, at the
//! memory and at the client. A query that is over its budget is unwound from
//! there. Not for limits that can be read off the query text.

use crate::graph::allocation::{allocated, give_back};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Touches between two looks at the clock: a touch takes some 10 ns, so this
/// is a few microseconds.
const TOUCHES: u32 = 256;

/// What one query may use.
#[derive(Debug, Clone)]
pub struct Budget {
    /// When the query must have ended.
    pub deadline: Instant,
    /// Bytes of memory that it may hold at once.
    pub memory: usize,
    /// Set when nobody waits for the answer any more.
    pub abandoned: Arc<AtomicBool>,
}

impl Budget {
    /// A budget that ends `time` from now.
    #[must_use]
    pub fn new(time: Duration, memory: usize) -> Self {
        Self { deadline: Instant::now() + time, memory, abandoned: Arc::default() }
    }
}

/// Why a query was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Its deadline passed.
    Timeout,
    /// It held more memory than its budget.
    Memory,
    /// The client went away.
    Abandoned,
    /// It failed in a way that it should not; the panic was logged.
    Fault,
}

/// A query that held more than this (bytes) has its memory given back to the
/// system when it ends: the allocator would keep it for this thread.
const LARGE: isize = 64 << 20;

struct Watch {
    /// The most that was seen allocated.
    most: Cell<isize>,
    touches: Cell<u32>,
    memory: Cell<isize>,
    budget: RefCell<Option<Budget>>,
}

thread_local! {
    static WATCH: Watch = const {
        Watch { most: Cell::new(0), touches: Cell::new(0), memory: Cell::new(isize::MAX), budget: RefCell::new(None) }
    };
}

/// Runs `work` under a budget, on this thread. It is stopped where it looks at
/// the budget, as [`look_at_budget`] does.
pub fn run<T>(budget: &Budget, work: impl FnOnce() -> T) -> Result<T, Stopped> {
    WATCH.with(|watch| {
        let limit = isize::try_from(budget.memory).unwrap_or(isize::MAX);
        watch.most.set(allocated());
        watch.memory.set(allocated().saturating_add(limit));
        watch.touches.set(TOUCHES);
        *watch.budget.borrow_mut() = Some(budget.clone());
    });
    let begun = allocated();
    let result = catch_unwind(AssertUnwindSafe(work));
    WATCH.with(|watch| {
        if watch.most.get().saturating_sub(begun) > LARGE {
            give_back();
        }
        watch.memory.set(isize::MAX);
        *watch.budget.borrow_mut() = None;
    });
    result.map_err(|payload: Box<dyn Any + Send>| {
        payload.downcast_ref::<Stopped>().copied().unwrap_or(Stopped::Fault)
    })
}

/// One step of work. Unwinds with a [`Stopped`] when the budget is used up.
#[inline]
pub(super) fn touch() {
    WATCH.with(|watch| {
        let left = watch.touches.get();
        if left == 0 {
            watch.touches.set(TOUCHES);
            look(watch);
        } else {
            watch.touches.set(left - 1);
        }
    });
}

/// Looks at the budget of this thread, if it has one, now: for steps that may
/// be large. Unwinds with a [`Stopped`] when it is used up.
pub fn look_at_budget() {
    WATCH.with(look);
}

fn look(watch: &Watch) {
    // A second unwinding while the first drops its iterators would abort.
    if std::thread::panicking() {
        return;
    }
    let stopped = {
        let budget = watch.budget.borrow();
        let Some(budget) = budget.as_ref() else { return };
        watch.most.set(watch.most.get().max(allocated()));
        if budget.abandoned.load(Ordering::Relaxed) {
            Stopped::Abandoned
        } else if allocated() > watch.memory.get() {
            Stopped::Memory
        } else if Instant::now() >= budget.deadline {
            Stopped::Timeout
        } else {
            return;
        }
    };
    // Not a panic: no message, no backtrace, only the unwinding.
    resume_unwind(Box::new(stopped));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_within_budget_gives_its_result() {
        assert_eq!(run(&Budget::new(Duration::from_secs(60), 1 << 20), || 7), Ok(7));
    }

    #[test]
    fn endless_work_ends_at_its_deadline() {
        let budget = Budget::new(Duration::from_millis(20), 1 << 30);
        let stopped = run(&budget, || {
            loop {
                touch();
            }
        });
        assert_eq!(stopped, Err::<(), _>(Stopped::Timeout));
    }

    #[test]
    fn hoarding_ends_at_the_memory_limit() {
        let budget = Budget::new(Duration::from_secs(60), 1 << 20);
        let stopped = run(&budget, || {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![0_u8; 1000]);
                touch();
            }
        });
        assert_eq!(stopped, Err::<(), _>(Stopped::Memory));
        assert_eq!(run(&budget, || 1), Ok(1), "the next query starts anew");
    }

    #[test]
    fn nobody_waiting_ends_the_work() {
        let budget = Budget::new(Duration::from_secs(60), 1 << 20);
        budget.abandoned.store(true, Ordering::Relaxed);
        assert_eq!(run(&budget, look_at_budget), Err(Stopped::Abandoned));
    }
}

//! The threads that queries run on: a fixed number, with large stacks, and a
//! bounded queue before them. Not for deadlines: a budget carries those.

use rustc_hash::FxHasher;
use std::cell::Cell;
use std::hash::Hasher;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Stack of one thread (bytes). Parser, planner and evaluator recurse with the
/// nesting of a query; only touched pages take memory.
const STACK: usize = 256 << 20;

/// Stack of the threads that requests are read on (bytes), for the short
/// queries that are answered there.
pub const STACK_OF_READERS: usize = 64 << 20;

thread_local! {
    static LARGE: Cell<bool> = const { Cell::new(false) };
}

/// This thread has a stack of [`STACK_OF_READERS`].
pub fn mark_large_stack() {
    LARGE.set(true);
}

/// Whether this thread's stack is large enough for short queries.
#[must_use]
pub fn has_large_stack() -> bool {
    LARGE.get()
}

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs, a few at a time.
#[derive(Clone)]
pub struct Runner {
    queue: SyncSender<Job>,
    running: Arc<AtomicUsize>,
    long: Arc<[AtomicU64]>,
    threads: usize,
    waiting: usize,
}

/// Texts of long queries that are remembered.
const LONG: usize = 1 << 10;

/// The text of a query, as it is remembered: another text with the same number
/// is taken for it, which costs a little time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known(u64);

impl Known {
    /// Of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        // 0 is nobody's.
        Self(hasher.finish() | 1)
    }
}

/// All threads are at work and the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{threads} queries are running and {waiting} are waiting")]
pub struct Overloaded {
    threads: usize,
    waiting: usize,
}

impl Runner {
    /// A runner of `threads` threads before which at most `waiting` jobs wait.
    pub fn new(threads: usize, waiting: usize) -> io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(waiting.max(1));
        let jobs = Arc::new(Mutex::new(jobs));
        let running = Arc::new(AtomicUsize::new(0));
        for number in 0..threads.max(1) {
            let jobs = Arc::clone(&jobs);
            let running = Arc::clone(&running);
            std::thread::Builder::new()
                .name(format!("query-{number}"))
                .stack_size(STACK)
                .spawn(move || work(&jobs, &running))?;
        }
        let long = (0..LONG).map(|_| AtomicU64::default()).collect();
        Ok(Self { queue, running, long, threads: threads.max(1), waiting: waiting.max(1) })
    }

    /// Whether a query took long when it was last answered, as far as that is
    /// remembered.
    #[must_use]
    pub fn took_long(&self, query: Known) -> bool {
        self.place(query).load(Ordering::Relaxed) == query.0
    }

    /// Remembers whether a query took long.
    pub fn remember(&self, query: Known, long: bool) {
        let place = self.place(query);
        if long {
            place.store(query.0, Ordering::Relaxed);
        } else {
            // Another's place stays as it is, whichever way that goes.
            let _ = place.compare_exchange(query.0, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn place(&self, query: Known) -> &AtomicU64 {
        &self.long[usize::try_from(query.0 >> 1).unwrap_or(0) % LONG]
    }

    /// Hands over a job; it must keep its own deadline.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Overloaded> {
        self.queue.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => self.overloaded(),
        })
    }

    /// What is said to those for whom there was no thread in time.
    #[must_use]
    pub fn overloaded(&self) -> Overloaded {
        Overloaded { threads: self.threads, waiting: self.waiting }
    }

    /// Jobs that are running now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, running: &AtomicUsize) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        running.fetch_add(1, Ordering::Relaxed);
        // A job that panics has told its caller by dropping its channel; the
        // thread goes on.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("a query job panicked");
        }
        running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn queries_that_took_long_are_remembered() {
        let runner = Runner::new(1, 1).expect("threads");
        let [long, short] = ["SELECT * { ?s ?p ?o }", "ASK {}"].map(Known::of);
        assert!(!runner.took_long(long));
        runner.remember(long, true);
        runner.remember(short, false);
        assert!(runner.took_long(long) && !runner.took_long(short));
        runner.remember(long, false);
        assert!(!runner.took_long(long));
    }

    #[test]
    fn a_full_queue_refuses_and_a_panic_does_not_kill() {
        let runner = Runner::new(1, 1).expect("threads");
        let (release, wait) = channel::<()>();
        let (done, finished) = channel::<&str>();
        let (begun, began) = channel::<()>();
        let first = done.clone();
        runner
            .submit(move || {
                begun.send(()).expect("heard");
                wait.recv().expect("released");
                first.send("first").expect("heard");
                panic!("on purpose");
            })
            .expect("free");
        began.recv().expect("the first job runs");
        runner.submit(move || done.send("second").expect("heard")).expect("one may wait");
        assert!(runner.submit(|| {}).is_err(), "the queue is full");
        release.send(()).expect("waiting");
        assert_eq!(finished.recv(), Ok("first"));
        assert_eq!(finished.recv(), Ok("second"), "the thread outlived the panic");
    }
}

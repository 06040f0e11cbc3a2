//! The thread that makes changes: those that wait together are recorded
//! together, with one flush to the disk. Not for what a change is.

use crate::commit::{Committed, Committer, Edit, Error, Rules};
use crate::rdf::Provenance;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Changes recorded together at most. More would make the first of them wait.
const TOGETHER: usize = 64;
/// Changes that may wait; more are refused.
const WAITING: usize = 256;
/// How long a group is waited for at most, when several changes are expected:
/// as long as recording the last one took, since more would not pay.
const PATIENCE: Duration = Duration::from_millis(4);
/// Stack of the thread (bytes): it evaluates updates, which recurse.
const STACK: usize = 256 << 20;

/// Fills an edit, or declines: whoever made the closure keeps the reason.
pub type Prepare = Box<dyn FnOnce(&mut Edit) -> Result<(), Declined> + Send>;

/// The change is not wanted after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declined;

/// A change that waits.
pub struct Wanted {
    /// Fills the edit, on the state at its turn.
    pub prepare: Prepare,
    /// Who, why, whence.
    pub provenance: Provenance,
    /// What the shapes decide.
    pub rules: Rules,
}

type Answer = Box<dyn FnOnce(Result<Committed, Error>) + Send>;

enum Job {
    Change(Wanted, Answer),
    /// Anything that needs the committer for itself.
    Alone(Box<dyn FnOnce(&mut Committer) + Send>),
}

/// Hands changes to the one writer. Clones share it.
#[derive(Clone)]
pub struct Writer {
    queue: SyncSender<Job>,
    /// How many jobs are in it.
    queued: Arc<AtomicUsize>,
}

/// Too many changes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{WAITING} changes are waiting already")]
pub struct Crowded;

impl Writer {
    /// Starts the thread. It ends when the last clone is gone.
    pub fn start(committer: Committer) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(WAITING);
        let queued = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&queued);
        std::thread::Builder::new()
            .name("writer".to_owned())
            .stack_size(STACK)
            .spawn(move || work(committer, &Jobs { jobs, waiting }))?;
        Ok(Self { queue, queued })
    }

    /// Queues a change. `answer` is called on the writer's thread, after the
    /// change is on disk and readers see it.
    pub fn submit(
        &self,
        wanted: Wanted,
        answer: impl FnOnce(Result<Committed, Error>) + Send + 'static,
    ) -> Result<(), Crowded> {
        self.send(Job::Change(wanted, Box::new(answer)))
    }

    /// Queues work that needs the committer for itself.
    pub fn alone(&self, work: impl FnOnce(&mut Committer) + Send + 'static) -> Result<(), Crowded> {
        self.send(Job::Alone(Box::new(work)))
    }

    fn send(&self, job: Job) -> Result<(), Crowded> {
        self.queued.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                Crowded
            }
        })
    }

    /// Queues a change and waits for it. Blocks: not for asynchronous code.
    pub fn make(&self, wanted: Wanted) -> Result<Committed, Error> {
        let (sender, receiver) = sync_channel(1);
        self.submit(wanted, move |result| {
            let _ = sender.send(result);
        })
        .map_err(|_| Error::Crowded)?;
        receiver.recv().map_err(|_| Error::Crowded)?
    }
}

/// The other end of the queue.
struct Jobs {
    jobs: Receiver<Job>,
    /// How many there are.
    waiting: Arc<AtomicUsize>,
}

impl Jobs {
    /// The next one; `None` if nobody can send any more.
    fn next(&self) -> Option<Job> {
        self.counted(self.jobs.recv().ok())
    }

    /// The next one if it comes before this time.
    fn next_until(&self, time: Instant) -> Option<Job> {
        self.counted(self.jobs.recv_timeout(time.saturating_duration_since(Instant::now())).ok())
    }

    fn counted(&self, job: Option<Job>) -> Option<Job> {
        if job.is_some() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        job
    }
}

fn work(mut committer: Committer, jobs: &Jobs) {
    let mut next = None;
    let mut expected = 1;
    let mut patience = Duration::ZERO;
    while let Some(job) = next.take().or_else(|| jobs.next()) {
        let mut together = Vec::new();
        match job {
            Job::Alone(work) => {
                work(&mut committer);
                continue;
            }
            Job::Change(wanted, answer) => together.push((wanted, answer)),
        }
        let begun = Instant::now();
        while together.len() < TOGETHER {
            let wait = if together.len() < expected { patience } else { Duration::ZERO };
            match jobs.next_until(begun + wait) {
                Some(Job::Change(wanted, answer)) => together.push((wanted, answer)),
                Some(alone) => {
                    next = Some(alone);
                    break;
                }
                None => break,
            }
        }
        let (wanted, answers): (Vec<_>, Vec<_>) = together.into_iter().unzip();
        let before = committer.steps().recorded;
        let results = committer.make(wanted);
        patience = committer.steps().recorded.saturating_sub(before).min(PATIENCE);
        // Whoever is answered now is about to ask again: a moment is waited for
        // them and for those who wait already, and the disk is asked once for all.
        expected = answers.len() + jobs.waiting.load(Ordering::Relaxed);
        for (answer, result) in answers.into_iter().zip(results) {
            answer(result);
        }
    }
}

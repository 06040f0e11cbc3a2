//! The two threads that make changes: those that wait together are recorded
//! together, with one flush to the disk, and while one thread does that, the
//! other prepares and judges the next. Not for what a change is.

use crate::commit::{Committed, Committer, Edit, Error, Group, Rules};
use crate::rdf::Provenance;
use std::collections::VecDeque;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Changes recorded together at most. More would make the first of them wait.
const TOGETHER: usize = 64;
/// Changes that may wait; more are refused.
const WAITING: usize = 256;
/// A group is waited for while staging it takes less than so many times what
/// recording takes. Two halves of it that overlap cost more: eight writers make
/// 9,700 changes a second with 1, and 10,600 with 4, where a flush takes .08 ms.
const WORTH: u32 = 4;
/// How long a group is waited for at most.
const PATIENCE: Duration = Duration::from_millis(4);
/// Stack of a thread (bytes): it evaluates updates, which recurse.
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

/// Hands changes to the threads that make them. Clones share them.
#[derive(Clone)]
pub struct Writer {
    door: Arc<Door>,
}

/// Where jobs go in. It is closed when the last writer is gone.
struct Door(Arc<Desk>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.bell.notify_all();
    }
}

/// Too many changes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{WAITING} changes are waiting already")]
pub struct Crowded;

impl Writer {
    /// Starts the threads. They end when the last clone is gone.
    pub fn start(committer: Committer) -> std::io::Result<Self> {
        let desk = Arc::new(Desk::new(committer));
        for name in ["writer", "writer-2"] {
            let desk = Arc::clone(&desk);
            std::thread::Builder::new()
                .name(name.to_owned())
                .stack_size(STACK)
                .spawn(move || desk.work())?;
        }
        Ok(Self { door: Arc::new(Door(desk)) })
    }

    /// Queues a change. `answer` is called on one of the threads, after the
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
        let desk = &self.door.0;
        let mut state = desk.lock();
        if state.jobs.len() >= WAITING || state.ended {
            return Err(Crowded);
        }
        state.jobs.push_back(job);
        drop(state);
        desk.bell.notify_one();
        Ok(())
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

/// Changes that are recorded together, and who waits for them.
struct Staged {
    group: Group,
    waiting: Vec<(Answer, Result<Committed, Error>)>,
    /// What preparing and judging them took.
    took: Duration,
}

impl Staged {
    fn new(group: Group) -> Self {
        Self { group, waiting: Vec::new(), took: Duration::ZERO }
    }

    fn take(&mut self, wanted: Wanted, answer: Answer) {
        let begun = Instant::now();
        self.waiting.push((answer, self.group.take(wanted)));
        self.took += begun.elapsed();
    }
}

/// Tells everybody what came of their change: of one that was staged, that it
/// failed if the group did.
fn tell(waiting: Vec<(Answer, Result<Committed, Error>)>, failure: Option<&Error>) {
    for (answer, result) in waiting {
        answer(match failure {
            Some(error) => result.and(Err(error.of_each())),
            None => result,
        });
    }
}

/// Where the two threads find what is to be done.
struct Desk {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    /// None while a thread records with it.
    committer: Option<Box<Committer>>,
    /// What is to be recorded next; none while nothing is, and while a thread
    /// adds to it.
    staged: Option<Staged>,
    /// A thread adds to what is staged.
    staging: bool,
    /// Why what is being staged will not be: it follows a state that never was.
    void: Option<Error>,
    /// Nobody can send any more.
    closed: bool,
    /// A thread has ended, and nothing more is done.
    ended: bool,
    /// Changes that are known to come: their writers have been answered, or
    /// wait.
    expected: usize,
    /// What recording a group took lately, and staging a change.
    to_record: Duration,
    to_stage: Duration,
    /// Until when those expected are waited for.
    patience: Instant,
}

/// What a thread does next.
enum Step {
    Stage(Staged, Wanted, Answer),
    Record(Box<Committer>, Staged),
    Alone(Box<Committer>, Box<dyn FnOnce(&mut Committer) + Send>),
    /// The committer cannot begin a group.
    Refuse(Answer, Error),
    /// Nothing until the bell rings, or until some time.
    Wait(Option<Instant>),
    End,
}

impl State {
    /// How many changes are staged.
    fn staged(&self) -> usize {
        self.staged.as_ref().map_or(0, |staged| staged.waiting.len())
    }

    fn next(&mut self) -> Step {
        let staged = self.staged();
        let is_over = self.closed && self.jobs.is_empty();
        if self.ended || (is_over && staged == 0 && !self.staging) {
            return Step::End;
        }
        if self.staging {
            return Step::Wait(None);
        }
        let alone = matches!(self.jobs.front(), Some(Job::Alone(_)));
        let due = staged > 0 && (staged >= TOGETHER || alone || is_over || !self.waits());
        if due
            && let Some(committer) = self.committer.take()
            && let Some(staged) = self.staged.take()
        {
            self.staged = Some(Staged::new(staged.group.next()));
            let count = u32::try_from(staged.waiting.len()).unwrap_or(u32::MAX);
            self.to_stage = (self.to_stage + staged.took / count.max(1)) / 2;
            return Step::Record(committer, staged);
        }
        let begins = self.staged.is_none();
        let ready = if alone { staged == 0 } else { staged < TOGETHER };
        if !ready || ((alone || begins) && self.committer.is_none()) {
            return Step::Wait(None);
        }
        match self.jobs.pop_front() {
            Some(Job::Change(wanted, answer)) => {
                let staged = self.staged.take().map_or_else(|| self.begin(), Ok);
                match staged {
                    Ok(staged) => {
                        self.staging = true;
                        Step::Stage(staged, wanted, answer)
                    }
                    Err(error) => Step::Refuse(answer, error),
                }
            }
            Some(Job::Alone(work)) => {
                self.staged = None;
                self.committer.take().map_or(Step::End, |committer| Step::Alone(committer, work))
            }
            None => Step::Wait((staged > 0 && self.committer.is_some()).then_some(self.patience)),
        }
    }

    /// A group on the current state.
    fn begin(&mut self) -> Result<Staged, Error> {
        let committer = self.committer.as_mut().ok_or(Error::Crowded)?;
        Ok(Staged::new(committer.group()?))
    }

    /// Whether more changes are waited for: unless staging all that are expected
    /// takes much longer than recording them.
    fn waits(&self) -> bool {
        let expected = u32::try_from(self.expected).unwrap_or(u32::MAX);
        self.staged() < self.expected.min(TOGETHER)
            && self.to_stage.saturating_mul(expected) < self.to_record * WORTH
            && Instant::now() < self.patience
    }

    fn wait_from_now(&mut self) {
        self.patience = Instant::now() + self.to_record.min(PATIENCE);
    }
}

impl Desk {
    fn new(committer: Committer) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            committer: Some(Box::new(committer)),
            staged: None,
            staging: false,
            void: None,
            closed: false,
            ended: false,
            expected: 1,
            to_record: Duration::ZERO,
            to_stage: Duration::ZERO,
            patience: Instant::now(),
        };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does until nobody can send any more.
    fn work(&self) {
        let _ending = Ending(self);
        let mut state = self.lock();
        loop {
            match state.next() {
                Step::Stage(mut staged, wanted, answer) => {
                    drop(state);
                    staged.take(wanted, answer);
                    state = self.lock();
                    state.staging = false;
                    if staged.waiting.len() == 1 {
                        state.wait_from_now();
                    }
                    match state.void.take() {
                        None => state.staged = Some(staged),
                        Some(error) => {
                            drop(state);
                            tell(staged.waiting, Some(&error));
                            state = self.lock();
                        }
                    }
                }
                Step::Record(committer, staged) => {
                    if !state.jobs.is_empty() {
                        self.bell.notify_one();
                    }
                    drop(state);
                    self.record(committer, staged);
                    state = self.lock();
                }
                Step::Alone(mut committer, work) => {
                    drop(state);
                    work(&mut committer);
                    state = self.lock();
                    state.committer = Some(committer);
                }
                Step::Refuse(answer, error) => {
                    drop(state);
                    answer(Err(error.of_each()));
                    state = self.lock();
                }
                Step::Wait(until) => {
                    state = match until {
                        None => self.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                        Some(until) => {
                            let left = until.saturating_duration_since(Instant::now());
                            let waited = self.bell.wait_timeout(state, left);
                            waited.unwrap_or_else(PoisonError::into_inner).0
                        }
                    };
                }
                Step::End => return,
            }
        }
    }

    /// Records a group and answers those who wait for it.
    fn record(&self, mut committer: Box<Committer>, staged: Staged) {
        let Staged { group, waiting, .. } = staged;
        let begun = Instant::now();
        let failure = committer.finish(group).err();
        let took = begun.elapsed();
        let mut state = self.lock();
        state.committer = Some(committer);
        state.to_record = (state.to_record + took) / 2;
        // Whoever is answered now is about to ask again.
        state.expected = waiting.len() + state.staged() + state.jobs.len();
        state.wait_from_now();
        let mut void = None;
        match &failure {
            Some(error) if !matches!(error, Error::Behind { .. }) => {
                void = state.staged.take();
                state.void = state.staging.then(|| error.of_each());
            }
            // The next group begins on what is shown.
            None if state.staged() == 0 => state.staged = None,
            _ => {}
        }
        drop(state);
        if let Some(error) = &failure {
            tracing::error!(%error, "changes could not be recorded");
        }
        tell(waiting, failure.as_ref());
        if let Some(void) = void {
            tell(void.waiting, failure.as_ref());
        }
    }
}

/// Tells the other thread that this one has ended, however it did.
struct Ending<'a>(&'a Desk);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.jobs.clear();
        drop(state);
        self.0.bell.notify_all();
    }
}

//! The ledger: the numbered changes and the current quads, on disk, the one
//! truth. Everything else can be made again from it. Not for rules on what may
//! be stored, nor for reading by pattern: views do that.

mod backup;
pub mod fault;
mod journal;
mod lock;

pub use backup::{BackupError, restore};
pub use lock::{Lock, LockError};

use self::journal::Journal;
use crate::problem::Kind;
use crate::rdf::QuadIds;
use crate::rdf::Revision;
use crate::rdf::TermId;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    WriteTransaction,
};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const TERMS: TableDefinition<'_, TermId, &[u8]> = TableDefinition::new("terms");
const QUADS: TableDefinition<'_, (u32, u32, u32, u32), ()> = TableDefinition::new("quads");
const CHANGES: TableDefinition<'_, Revision, &[u8]> = TableDefinition::new("changes");
/// (revision, piece) to quads; a piece holds only removals or only additions.
const CHANGE_QUADS: TableDefinition<'_, (Revision, u32), &[u8]> =
    TableDefinition::new("change-quads");

/// (subject, revision): which changes touched a subject.
const SUBJECTS: TableDefinition<'_, (TermId, Revision), ()> = TableDefinition::new("subjects");

/// The format this code writes.
const FORMAT: &[u8] = b"insites-ledger 3";
/// The format before: the same tables, and a journal of one half.
const ONE_HALF: &[u8] = b"insites-ledger 2";
/// The format before that: no journal.
const WITHOUT_JOURNAL: &[u8] = b"insites-ledger 1";
/// The journal's name in the folder.
const JOURNAL: &str = "journal";
/// Quads in one piece of a change: 16 bytes each, so a piece is about 1 MB.
const PIECE: usize = 1 << 16;
const REMOVED: u8 = b'-';
const ADDED: u8 = b'+';
/// redb's page cache. The ledger is read in one pass at start and appended to
/// afterwards, so a large cache would only hold memory (bytes).
const CACHE: usize = 64 << 20;

/// Who, when, why and how much: a change without its quads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// Its number.
    #[serde(default)]
    pub revision: Revision,
    /// When it was recorded: RFC 3339, UTC, seconds.
    pub time: String,
    /// Who made it.
    pub author: String,
    /// Why, in the author's words.
    pub reason: String,
    /// Where it came from.
    pub source: String,
    /// Quads that no longer hold.
    pub removed: u64,
    /// Quads that hold now and did not before.
    pub added: u64,
}

/// A change, ready to be recorded.
#[derive(Debug, Clone)]
pub struct Change {
    /// Who, when, why and how much.
    pub record: ChangeRecord,
    /// The number of the first new term.
    pub first_term: TermId,
    /// New terms, encoded.
    pub terms: Vec<Vec<u8>>,
    /// Quads that no longer hold, sorted.
    pub removed: Vec<QuadIds>,
    /// Quads that hold now, sorted.
    pub added: Vec<QuadIds>,
}

/// Why the ledger cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The folder cannot be made or read.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file was written by another version of this program.
    #[error(
        "the ledger {} has the format {found:?}, this program reads {:?}\n\
         hint: run `insites export` of the version that wrote it, then `insites import` the \
         result into a new folder with this one",
        path.display(), String::from_utf8_lossy(FORMAT)
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// There is no ledger, or an empty one, beside views made from one.
    #[error(
        "the ledger {} is missing or empty, though views made from it are there\n\
         hint: restore the last backup into a new folder; to begin with nothing, remove the folder",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is no space for a change.
    #[error(
        "the disk of the ledger {} is full\n\
         hint: nothing was changed; make space and try again",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged or the disk failed.
    #[error(
        "the ledger {} cannot be used: {detail}\n\
         hint: nothing was changed; check the disk, or restore the last backup into a new folder",
        path.display()
    )]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the storage said.
        detail: String,
    },
    /// The journal beside the file is missing or damaged.
    #[error(
        "the journal {} cannot be read: {detail}\n\
         hint: the last changes may be in it alone, so nothing was changed; restore the last \
         backup into a new folder, or, to go on without them, put a journal of {} zero bytes \
         in its place",
        path.display(), journal::LENGTH
    )]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A test asked for this failure.
    #[error("a fault was asked for at the point {0:?}")]
    Fault(String),
    /// The identifiers ran out, or a record cannot be read.
    #[error("the ledger holds something unreadable: {0}")]
    Damaged(String),
}

impl Error {
    /// What a caller can make of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Full { .. } => Kind::StorageFull,
            _ => Kind::Internal,
        }
    }
}

/// The open file. Clones share it, also when it is opened again.
#[derive(Debug, Clone)]
struct Store {
    database: Arc<RwLock<Option<Database>>>,
    path: PathBuf,
    tail: Arc<Mutex<Tail>>,
    /// Held by whoever enters changes into the tables.
    entering: Arc<Mutex<()>>,
}

/// The changes that the tables on disk do not have: those in the journal.
#[derive(Debug, Default)]
struct Tail {
    changes: Vec<Arc<Change>>,
    /// How many of them the tables in memory have.
    entered: usize,
}

impl Store {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let (database, tail, entering) = Default::default();
        let store = Self { database, path, tail, entering };
        store.reopen()?;
        Ok(store)
    }

    /// Closes the file if it is open, and opens it: makes it if it is not
    /// there, and looks at every page.
    fn reopen(&self) -> Result<(), Error> {
        let mut place = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *place = None;
        let failed = |e: redb::Error| self.error(&e);
        let mut database = Database::builder()
            .set_cache_size(CACHE)
            .create(&self.path)
            .map_err(|e| failed(e.into()))?;
        if !database.check_integrity().map_err(|e| failed(e.into()))? {
            return Err(Error::Storage {
                path: self.path.clone(),
                detail: "its pages do not have the checksums they should have".to_owned(),
            });
        }
        let found = format(&database).map_err(failed)?;
        match found.as_deref() {
            Some(FORMAT | ONE_HALF) => {}
            // A journal that lies there stays: the last changes may be in it alone.
            None | Some(WITHOUT_JOURNAL) => {
                let journal = self.path.with_file_name(JOURNAL);
                if !journal.exists() {
                    journal::make(&journal).map_err(|error| failed(error.into()))?;
                }
                if found.is_none() {
                    begin(&database).map_err(failed)?;
                }
            }
            Some(found) => {
                let found = String::from_utf8_lossy(found).into_owned();
                return Err(Error::Format { path: self.path.clone(), found });
            }
        }
        *place = Some(database);
        Ok(())
    }

    /// Works with the file. One that could not be opened again is tried anew
    /// by the next change.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| Error::Storage {
            path: self.path.clone(),
            detail: "it could not be opened again after a failure".to_owned(),
        })?;
        work(database).map_err(|e| self.error(&e))
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the tables once they have every change.
    fn settled<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Error> {
        self.enter(&[], Durability::None)?;
        self.with(work)
    }

    /// Enters what the tables lack, and more changes after it: all or none.
    /// Changes may be recorded in the journal meanwhile; they may be among those
    /// entered or not.
    fn enter(&self, more: &[Arc<Change>], durability: Durability) -> Result<(), Error> {
        let _one_at_a_time = self.entering.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut lacking, pending) = {
            let tail = self.tail();
            (tail.changes[tail.entered..].to_vec(), tail.changes.len())
        };
        lacking.extend_from_slice(more);
        let lasting = matches!(durability, Durability::Immediate);
        if lacking.is_empty() && !(lasting && pending > 0) {
            return Ok(());
        }
        let entered = self.with(|database| {
            let mut write = database.begin_write()?;
            write.set_durability(durability)?;
            insert(&write, &lacking)?;
            if !more.is_empty() {
                fault::abort("recording");
            }
            Ok(write.commit()?)
        });
        if let Err(error) = entered {
            // After a failed write the storage takes no more until it is opened
            // again; what it then has tells whether the changes are in it.
            self.tail().entered = 0;
            self.reopen()?;
            let at = self.last_revision()?;
            let mut tail = self.tail();
            tail.entered = tail.changes.iter().take_while(|c| c.record.revision <= at).count();
            if lacking.last().is_none_or(|change| at < change.record.revision) {
                return Err(error);
            }
        }
        let mut tail = self.tail();
        tail.entered = pending;
        if lasting {
            tail.changes.drain(..pending);
            tail.entered = 0;
        }
        Ok(())
    }

    fn error(&self, error: &redb::Error) -> Error {
        let path = self.path.clone();
        match error {
            redb::Error::Io(e)
                if matches!(
                    e.kind(),
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
                ) =>
            {
                Error::Full { path }
            }
            other => Error::Storage { path, detail: other.to_string() },
        }
    }

    fn last_revision(&self) -> Result<Revision, Error> {
        self.with(|database| {
            let read = database.begin_read()?;
            let changes = read.open_table(CHANGES)?;
            Ok(changes.last()?.map_or(0, |(revision, _)| revision.value()))
        })
    }
}

/// What a file says of itself; `None` if it is new.
fn format(database: &Database) -> Result<Option<Vec<u8>>, redb::Error> {
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(Some(meta.get("format")?.map(|v| v.value().to_vec()).unwrap_or_default())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables that are not there, and says that a journal is beside them.
fn begin(database: &Database) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
    write.open_table(META)?.insert("format", FORMAT)?;
    write.open_table(TERMS)?;
    write.open_table(QUADS)?;
    write.open_table(CHANGES)?;
    write.open_table(CHANGE_QUADS)?;
    write.open_table(SUBJECTS)?;
    Ok(write.commit()?)
}

/// An open ledger. There is one in a process, and one process in a folder.
#[derive(Debug)]
pub struct Ledger {
    store: Store,
    journal: Journal,
    /// Enters the other half of the journal into the tables and clears it. Gives
    /// the half.
    entering: Option<JoinHandle<Result<usize, Error>>>,
    revision: Revision,
    lock: Lock,
}

/// Everything that the views are made from.
#[derive(Debug, Default)]
pub struct State {
    /// Encoded terms; the first has number 1.
    pub terms: Vec<Vec<u8>>,
    /// The current quads, sorted.
    pub quads: Vec<QuadIds>,
}

impl Ledger {
    /// Opens the ledger of a folder, making both if they are not there.
    pub fn open(folder: &Path, purpose: &str) -> Result<Self, Error> {
        let in_folder = |source| Error::Folder { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(in_folder)?;
        let lock = Lock::take(folder, purpose).map_err(|e| match e {
            LockError::Io(source) => in_folder(source),
            held @ LockError::Held { .. } => held.into(),
        })?;
        let path = folder.join("ledger.redb");
        let is_empty = std::fs::metadata(&path).map_or(0, |data| data.len()) == 0;
        let beside = folder.join(JOURNAL);
        if is_empty && (folder.join("text").exists() || beside.exists()) {
            return Err(Error::Missing { path });
        }
        let store = Store::open(path)?;
        let at = store.last_revision()?;
        let of_journal =
            |error: io::Error| Error::Journal { path: beside.clone(), detail: error.to_string() };
        let format = store.with(format)?.unwrap_or_default();
        let short = format != FORMAT
            && std::fs::metadata(&beside).is_ok_and(|data| data.len() == journal::HALF as u64);
        let length = if short { journal::HALF } else { journal::LENGTH };
        let changes = journal::changes(&beside, length, at).map_err(of_journal)?;
        let changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
        store.enter(&changes, Durability::Immediate)?;
        if short {
            journal::make(&beside).map_err(of_journal)?;
        }
        if format != FORMAT {
            store.with(begin)?;
        }
        let mut journal = Journal::open(&beside).map_err(of_journal)?;
        restart(&mut journal);
        let revision = changes.last().map_or(at, |change| change.record.revision);
        Ok(Self { store, journal, entering: None, revision, lock })
    }

    /// Tells other processes what this one does with the folder.
    pub fn describe(&mut self, purpose: &str) {
        if let Err(error) = self.lock.describe(purpose) {
            tracing::warn!(%error, "the lock file could not be written");
        }
    }

    /// Reads the history beside this writer.
    #[must_use]
    pub fn history(&self) -> History {
        History { store: self.store.clone() }
    }

    /// The number of the last change.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Records changes under their revisions, the first being the next: this
    /// is the commit point. When it returns, they are on disk, all of them; if
    /// it fails, none is. Quads to remove must hold, quads to add must not.
    pub fn record(&mut self, changes: Vec<Change>) -> Result<Revision, Error> {
        let mut revision = self.revision;
        for change in &changes {
            revision += 1;
            if change.record.revision != revision {
                return Err(Error::Damaged(format!(
                    "change {} was to be recorded as {revision}",
                    change.record.revision
                )));
            }
        }
        let changes: Vec<Arc<Change>> = changes.into_iter().map(Arc::new).collect();
        if self.in_journal(&changes) {
            self.store.tail().changes.extend(changes);
        } else {
            self.await_tables();
            self.store.enter(&changes, Durability::Immediate)?;
            restart(&mut self.journal);
        }
        self.revision = revision;
        Ok(revision)
    }

    /// Records changes in the journal, if they have room and the disk takes them.
    fn in_journal(&mut self, changes: &[Arc<Change>]) -> bool {
        let recorded = self.journal.append(changes).and_then(|recorded| {
            let small = journal::least_length(changes) < journal::HALF;
            Ok(recorded || (small && self.turn() && self.journal.append(changes)?))
        });
        recorded.unwrap_or_else(|error| {
            tracing::error!(%error, "the journal could not be written; the tables are");
            false
        })
    }

    /// Goes on in the other half of the journal, while this one is entered into
    /// the tables in the background. `false` if neither has room.
    fn turn(&mut self) -> bool {
        self.await_tables();
        let Some(clearing) = self.journal.turn() else { return false };
        let store = self.store.clone();
        let work = move || {
            store.enter(&[], Durability::Immediate)?;
            clearing.clear().map_err(|error| store.error(&error.into()))
        };
        let thread = std::thread::Builder::new().name("tables".to_owned()).spawn(work);
        if let Err(error) = &thread {
            tracing::error!(%error, "no thread to enter the journal into the tables");
        }
        self.entering = thread.ok();
        true
    }

    /// Waits until nothing is being entered in the background. What could not
    /// be stays in the journal, and is entered when there is no more room.
    fn await_tables(&mut self) {
        match self.entering.take().map(JoinHandle::join) {
            Some(Ok(Ok(half))) => self.journal.cleared(half),
            Some(Ok(Err(error))) => {
                tracing::error!(%error, "the journal could not be entered into the tables");
            }
            Some(Err(_)) => tracing::error!("entering the journal into the tables ended early"),
            None => {}
        }
    }

    /// Reads everything that views are made from. `progress` is told the terms
    /// and quads read so far and in all.
    pub fn state(&self, mut progress: impl FnMut(u64, u64)) -> Result<State, Error> {
        let state = self.store.settled(|database| -> Result<State, redb::Error> {
            let read = database.begin_read()?;
            let terms = read.open_table(TERMS)?;
            let quads = read.open_table(QUADS)?;
            let total = terms.len()? + quads.len()?;
            let mut done = 0;
            let mut step = || {
                done += 1;
                if done % 100_000 == 0 {
                    progress(done, total);
                }
            };
            let mut state = State::default();
            for entry in terms.iter()? {
                state.terms.push(entry?.1.value().to_vec());
                step();
            }
            for entry in quads.iter()? {
                let (s, p, o, g) = entry?.0.value();
                state.quads.push([s, p, o, g]);
                step();
            }
            Ok(state)
        })?;
        Ok(state)
    }
}

impl Drop for Ledger {
    /// Whoever opens the folder next finds it at rest.
    fn drop(&mut self) {
        self.await_tables();
    }
}

/// Reads the history beside the one writer. Clones share the file.
#[derive(Clone)]
pub struct History {
    store: Store,
}

impl History {
    /// The last change.
    pub fn last(&self) -> Result<Option<ChangeRecord>, Error> {
        let found = self.store.settled(|database| -> Result<Option<Vec<u8>>, redb::Error> {
            let read = database.begin_read()?;
            let table = read.open_table(CHANGES)?;
            Ok(table.last()?.map(|(_, record)| record.value().to_vec()))
        })?;
        found
            .map(|bytes| serde_json::from_slice(&bytes).map_err(|e| Error::Damaged(e.to_string())))
            .transpose()
    }

    /// The last revision recorded at or before a time (RFC 3339, UTC), 0 if
    /// there was none. Times never run backwards, so this is a binary search.
    pub fn revision_at(&self, time: &str) -> Result<Revision, Error> {
        let (mut low, mut high) = (0, self.last()?.map_or(0, |change| change.revision));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let change = self.changes(middle - 1, 1)?.pop();
            if change.is_some_and(|change| change.time.as_str() <= time) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }

    /// The changes after `since`, oldest first, at most `limit`.
    pub fn changes(&self, since: Revision, limit: usize) -> Result<Vec<ChangeRecord>, Error> {
        let encoded = self.store.settled(|database| -> Result<Vec<Vec<u8>>, redb::Error> {
            let read = database.begin_read()?;
            let table = read.open_table(CHANGES)?;
            let mut found = Vec::new();
            for entry in table.range(since.saturating_add(1)..)?.take(limit) {
                found.push(entry?.1.value().to_vec());
            }
            Ok(found)
        })?;
        encoded
            .iter()
            .map(|bytes| serde_json::from_slice(bytes).map_err(|e| Error::Damaged(e.to_string())))
            .collect()
    }

    /// The changes that touched a subject, newest first, at most `limit`.
    pub fn of_subject(&self, subject: TermId, limit: usize) -> Result<Vec<ChangeRecord>, Error> {
        let encoded = self.store.settled(|database| -> Result<Vec<Vec<u8>>, redb::Error> {
            let read = database.begin_read()?;
            let subjects = read.open_table(SUBJECTS)?;
            let changes = read.open_table(CHANGES)?;
            let mut found = Vec::new();
            for entry in subjects.range((subject, 0)..=(subject, Revision::MAX))?.rev().take(limit)
            {
                let (_, revision) = entry?.0.value();
                found.extend(changes.get(revision)?.map(|record| record.value().to_vec()));
            }
            Ok(found)
        })?;
        encoded
            .iter()
            .map(|bytes| serde_json::from_slice(bytes).map_err(|e| Error::Damaged(e.to_string())))
            .collect()
    }

    /// Every quad that changed after one revision, up to another, in the order
    /// of the changes, and whether it was removed.
    pub fn each_since(
        &self,
        since: Revision,
        until: Revision,
        mut each: impl FnMut(QuadIds, bool),
    ) -> Result<(), Error> {
        self.store.settled(|database| -> Result<(), redb::Error> {
            let read = database.begin_read()?;
            let table = read.open_table(CHANGE_QUADS)?;
            for entry in table.range((since + 1, 0)..=(until, u32::MAX))? {
                let piece = entry?.1;
                let piece = piece.value();
                let removed = piece.first() == Some(&REMOVED);
                for quad in decode_piece(piece) {
                    each(quad, removed);
                }
            }
            Ok(())
        })
    }

    /// The quads that a change removed and added.
    pub fn change_quads(&self, revision: Revision) -> Result<(Vec<QuadIds>, Vec<QuadIds>), Error> {
        let pieces = self.store.settled(|database| -> Result<Vec<Vec<u8>>, redb::Error> {
            let read = database.begin_read()?;
            let table = read.open_table(CHANGE_QUADS)?;
            let mut found = Vec::new();
            for entry in table.range((revision, 0)..=(revision, u32::MAX))? {
                found.push(entry?.1.value().to_vec());
            }
            Ok(found)
        })?;
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for piece in pieces {
            let target = if piece.first() == Some(&REMOVED) { &mut removed } else { &mut added };
            target.extend(decode_piece(&piece));
        }
        Ok((removed, added))
    }
}

/// Begins the journal again, or goes without until that succeeds.
fn restart(journal: &mut Journal) {
    if let Err(error) = journal.restart() {
        tracing::error!(%error, "the journal could not be emptied; the tables are written");
    }
}

/// Puts changes into the tables.
fn insert(write: &WriteTransaction, changes: &[Arc<Change>]) -> Result<(), redb::Error> {
    let mut terms = write.open_table(TERMS)?;
    let mut quads = write.open_table(QUADS)?;
    let mut records = write.open_table(CHANGES)?;
    let mut pieces = write.open_table(CHANGE_QUADS)?;
    let mut subjects = write.open_table(SUBJECTS)?;
    for change in changes {
        for (id, term) in (change.first_term..).zip(&change.terms) {
            terms.insert(id, term.as_slice())?;
        }
        for [s, p, o, g] in &change.removed {
            quads.remove((*s, *p, *o, *g))?;
        }
        // Sorted already by whoever settled the change.
        for [s, p, o, g] in &change.added {
            quads.insert((*s, *p, *o, *g), ())?;
        }
        let encoded = serde_json::to_vec(&change.record).map_err(|e| redb::Error::Io(e.into()))?;
        records.insert(change.record.revision, encoded.as_slice())?;
        let mut touched: Vec<TermId> =
            change.removed.iter().chain(&change.added).map(|quad| quad[0]).collect();
        touched.sort_unstable();
        touched.dedup();
        for subject in touched {
            subjects.insert((subject, change.record.revision), ())?;
        }
        let all = change
            .removed
            .chunks(PIECE)
            .map(|quads| (REMOVED, quads))
            .chain(change.added.chunks(PIECE).map(|quads| (ADDED, quads)));
        for (number, (sign, quads)) in (0..).zip(all) {
            let piece = encode_piece(sign, quads);
            pieces.insert((change.record.revision, number), piece.as_slice())?;
        }
    }
    Ok(())
}

fn decode_piece(piece: &[u8]) -> impl Iterator<Item = QuadIds> + '_ {
    piece.get(1..).unwrap_or_default().chunks_exact(16).map(|quad| {
        let id = |n: usize| {
            quad[n * 4..n * 4 + 4].iter().rev().fold(0, |id, b| id << 8 | TermId::from(*b))
        };
        [id(0), id(1), id(2), id(3)]
    })
}

fn encode_piece(sign: u8, quads: &[QuadIds]) -> Vec<u8> {
    let mut piece = Vec::with_capacity(1 + quads.len() * 16);
    piece.push(sign);
    for id in quads.iter().flatten() {
        piece.extend_from_slice(&id.to_le_bytes());
    }
    piece
}

#[cfg(test)]
mod tests;

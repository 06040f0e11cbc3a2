//! The last small changes, in a file of fixed length: to record a change takes
//! one write and one flush, where the tables take some thirty pages. The file
//! has two halves, each written from its beginning to its end; while one is
//! entered into the tables, changes go to the other. Not for reading: what is in
//! here is entered into the tables before anybody looks.

use crate::ledger::{Change, fault};
use crate::rdf::{QuadIds, Revision};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The length of a half (bytes): some 200 changes of a record each. Entering
/// so many into the tables takes about 10 ms.
pub(super) const HALF: usize = 256 << 10;
/// The length of the file (bytes).
pub(super) const LENGTH: usize = 2 * HALF;
/// The head of an entry: the length of what follows, 8 bytes of its hash, and 4
/// bytes of the hash of these. Entries begin at multiples of it, so that no head
/// lies in two sectors.
const HEAD: usize = 16;
/// What a disk writes whole or not at all (bytes).
const SECTOR: usize = 512;

#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// The half that is written, 0 or 1.
    half: usize,
    /// Where in each half the next entry goes. Everything behind it is zero,
    /// unless it is at the end.
    at: [usize; 2],
}

/// Makes an empty journal, in place of one that was entered into the tables if
/// there is any. To be called before anything says that there is one.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let new = path.with_extension("new");
    // Flushing a write into a hole takes longer than one over zeros.
    std::fs::write(&new, vec![0; LENGTH])?;
    File::open(&new)?.sync_all()?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The changes in a journal that follow a revision, in their order. `length` is
/// what the file should have, one half or two.
pub(super) fn changes(path: &Path, length: usize, after: Revision) -> io::Result<Vec<Change>> {
    let bytes = std::fs::read(path)?;
    if bytes.len() != length {
        let told = format!("it has {} bytes instead of {length}", bytes.len());
        return Err(io::Error::other(told));
    }
    let halves = bytes.chunks(HALF).map(|half| read(half, after));
    let mut halves: Vec<Vec<Change>> =
        halves.collect::<Result<_, _>>().map_err(io::Error::other)?;
    halves.sort_by_key(|changes| changes.first().map(|change| change.record.revision));
    let changes: Vec<Change> = halves.into_iter().flatten().collect();
    match (after + 1..).zip(&changes).find(|(next, change)| change.record.revision != *next) {
        Some((next, _)) => {
            Err(io::Error::other(format!("change {next} is neither in the tables nor in it")))
        }
        None => Ok(changes),
    }
}

impl Journal {
    /// Opens a journal whose changes are in the tables. It is to be cleared
    /// before anything is appended.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, half: 0, at: [HALF; 2] })
    }

    /// Appends changes; when it returns, they are on disk. `false` if there is
    /// no room for them.
    pub(super) fn append(&mut self, changes: &[Arc<Change>]) -> io::Result<bool> {
        let at = self.at[self.half];
        if at + least_length(changes) > HALF {
            return Ok(false);
        }
        let entry = write_entry(changes)?;
        if at + entry.len() > HALF {
            return Ok(false);
        }
        fault::abort("recording");
        let place = self.half * HALF + at;
        if let Err(error) = put(&mut self.file, place, &entry) {
            // It was not recorded, so it must not be found.
            if put(&mut self.file, place, &vec![0; entry.len()]).is_err() {
                self.at[self.half] = HALF;
            }
            return Err(error);
        }
        self.at[self.half] += entry.len();
        Ok(true)
    }

    /// Goes on in the other half, if that is empty. Gives what clears this one
    /// once the tables have its changes.
    pub(super) fn turn(&mut self) -> Option<Clearing> {
        let full = self.half;
        if self.at[1 - full] != 0 {
            return None;
        }
        self.half = 1 - full;
        Some(Clearing { path: self.path.clone(), half: full, length: self.at[full] })
    }

    /// A half was cleared.
    pub(super) fn cleared(&mut self, half: usize) {
        self.at[half] = 0;
    }

    /// The tables have all changes, on disk: both halves are cleared. While that
    /// fails, there is no room.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        for half in 0..2 {
            let length = std::mem::replace(&mut self.at[half], HALF);
            if length > 0 {
                put(&mut self.file, half * HALF, &vec![0; length])?;
            }
            self.at[half] = 0;
        }
        self.half = 0;
        Ok(())
    }
}

/// A half of the journal whose changes are being entered into the tables.
pub(super) struct Clearing {
    path: PathBuf,
    half: usize,
    length: usize,
}

impl Clearing {
    /// Clears it. Gives its number.
    pub(super) fn clear(self) -> io::Result<usize> {
        let mut file = OpenOptions::new().write(true).open(self.path)?;
        put(&mut file, self.half * HALF, &vec![0; self.length])?;
        Ok(self.half)
    }
}

/// What an entry of these changes has at least (bytes).
pub(super) fn least_length(changes: &[Arc<Change>]) -> usize {
    changes.iter().map(|c| 16 * (c.added.len() + c.removed.len())).sum()
}

/// Writes bytes to a place in a file and on disk.
fn put(file: &mut File, at: usize, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at as u64))?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// The changes in a half that follow a revision. Its last entry may have been
/// cut off while it was written, and was acknowledged to nobody then; anything
/// else that cannot be read is damage.
fn read(bytes: &[u8], after: Revision) -> Result<Vec<Change>, String> {
    let mut changes: Vec<Change> = Vec::new();
    let mut at = 0;
    while at < HALF && bytes[at..at + HEAD] != [0; HEAD] {
        let end = end_of_entry(bytes, at)
            .ok_or_else(|| format!("the entry at byte {at} has a damaged head"))?;
        let Some(entry) = read_entry(&bytes[at..end]) else {
            let mut sectors = (at / SECTOR..end.div_ceil(SECTOR)).map(|n| &bytes[n * SECTOR..]);
            if sectors.any(|sector| sector[..SECTOR] == [0; SECTOR]) {
                break;
            }
            return Err(format!("the entry at byte {at} does not have the checksum it should"));
        };
        // What the tables have already may stand before.
        changes.extend(entry.into_iter().filter(|change| change.record.revision > after));
        at = end;
    }
    // Nothing was written behind an entry that was cut off.
    let last = changes.last().map_or(after, |change| change.record.revision);
    let behind = (at + HEAD..HALF).step_by(HEAD);
    let mut later = behind.filter_map(|at| read_entry(&bytes[at..end_of_entry(bytes, at)?]));
    if later.any(|entry| entry.iter().any(|change| change.record.revision > last)) {
        return Err(format!("change {} is missing before later ones", last + 1));
    }
    Ok(changes)
}

/// Where the entry ends that begins here, if one does.
fn end_of_entry(bytes: &[u8], at: usize) -> Option<usize> {
    let head = &bytes[at..at + HEAD];
    let length = take_number(&mut &head[..])? as usize;
    let end = at + HEAD + length;
    (length > 0 && head[12..] == hash(&head[..12])[..4] && end <= HALF).then_some(end)
}

fn hash(bytes: &[u8]) -> [u8; 8] {
    let mut hash = [0; 8];
    hash.copy_from_slice(&Sha256::digest(bytes)[..8]);
    hash
}

fn write_entry(changes: &[Arc<Change>]) -> io::Result<Vec<u8>> {
    let mut entry = vec![0; HEAD];
    put_length(&mut entry, changes.len());
    for change in changes {
        let Change { record, first_term, terms, removed, added } = &**change;
        put_bytes(&mut entry, &serde_json::to_vec(record)?);
        entry.extend_from_slice(&first_term.to_le_bytes());
        put_length(&mut entry, terms.len());
        for term in terms {
            put_bytes(&mut entry, term);
        }
        for quads in [removed, added] {
            put_length(&mut entry, quads.len());
            for id in quads.iter().flatten() {
                entry.extend_from_slice(&id.to_le_bytes());
            }
        }
    }
    entry.resize(entry.len().next_multiple_of(HEAD), 0);
    let length = u32::try_from(entry.len() - HEAD).unwrap_or(u32::MAX);
    entry[..4].copy_from_slice(&length.to_le_bytes());
    let of_payload = hash(&entry[HEAD..]);
    entry[4..12].copy_from_slice(&of_payload);
    let of_head = hash(&entry[..12]);
    entry[12..HEAD].copy_from_slice(&of_head[..4]);
    Ok(entry)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// The changes of an entry, from its head to its end; `None` if it is not whole.
fn read_entry(entry: &[u8]) -> Option<Vec<Change>> {
    let (head, mut payload) = entry.split_at_checked(HEAD)?;
    if head[4..12] != hash(payload) {
        return None;
    }
    let count = take_number(&mut payload)?;
    (0..count).map(|_| read_change(&mut payload)).collect()
}

fn read_change(payload: &mut &[u8]) -> Option<Change> {
    let length = take_number(payload)? as usize;
    let record = serde_json::from_slice(take(payload, length)?).ok()?;
    let first_term = take_number(payload)?;
    let terms = (0..take_number(payload)?)
        .map(|_| {
            let length = take_number(payload)? as usize;
            Some(take(payload, length)?.to_vec())
        })
        .collect::<Option<_>>()?;
    let (removed, added) = (take_quads(payload)?, take_quads(payload)?);
    Some(Change { record, first_term, terms, removed, added })
}

fn take_quads(payload: &mut &[u8]) -> Option<Vec<QuadIds>> {
    let count = take_number(payload)?;
    let mut id = || take_number(payload);
    (0..count).map(|_| Some([id()?, id()?, id()?, id()?])).collect()
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?))
}

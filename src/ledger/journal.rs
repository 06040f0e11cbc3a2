//! The last small changes, in a file of fixed length that is written from its
//! beginning to its end: to record a change takes one write and one flush,
//! where the tables take some thirty pages. Not for reading: what is in here is
//! entered into the tables before anybody looks.

use crate::ledger::{Change, fault};
use crate::rdf::{QuadIds, Revision};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// The length of the file (bytes): some 200 changes of a record each. Entering
/// so many into the tables takes about 10 ms.
pub(super) const LENGTH: usize = 256 << 10;
/// The head of an entry: the length of what follows, 8 bytes of its hash, and 4
/// bytes of the hash of these. Entries begin at multiples of it, so that no head
/// lies in two sectors.
const HEAD: usize = 16;
/// What a disk writes whole or not at all (bytes).
const SECTOR: usize = 512;

#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Where the next entry goes. Everything behind it is zero, unless it is at
    /// the end.
    at: usize,
}

/// Makes an empty journal if there is none. To be called before anything says
/// that there is one.
pub(super) fn make(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|data| data.len() == LENGTH as u64) {
        return Ok(());
    }
    // Flushing a write into a hole takes longer than one over zeros.
    std::fs::write(path, vec![0; LENGTH])?;
    File::open(path)?.sync_all()?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

impl Journal {
    /// Opens a journal. Gives the changes in it that follow a revision; once
    /// they are in the tables, it is to be restarted.
    pub(super) fn open(path: &Path, after: Revision) -> io::Result<(Self, Vec<Change>)> {
        let bytes = std::fs::read(path)?;
        let changes = read(&bytes, after).map_err(io::Error::other)?;
        let file = OpenOptions::new().write(true).open(path)?;
        Ok((Self { file, at: LENGTH }, changes))
    }

    /// Appends changes; when it returns, they are on disk. `false` if there is
    /// no room for them.
    pub(super) fn append(&mut self, changes: &[Change]) -> io::Result<bool> {
        let size: usize = changes.iter().map(|c| 16 * (c.added.len() + c.removed.len())).sum();
        if self.at + size > LENGTH {
            return Ok(false);
        }
        let entry = write_entry(changes)?;
        if self.at + entry.len() > LENGTH {
            return Ok(false);
        }
        fault::abort("recording");
        if let Err(error) = self.put(self.at, &entry) {
            // It was not recorded, so it must not be found.
            if self.put(self.at, &vec![0; entry.len()]).is_err() {
                self.at = LENGTH;
            }
            return Err(error);
        }
        self.at += entry.len();
        Ok(true)
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at as u64))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    /// The tables have all changes, on disk: the next one goes to the beginning.
    /// While that fails, there is no room.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.at = LENGTH;
        self.put(0, &vec![0; LENGTH])?;
        self.at = 0;
        Ok(())
    }
}

/// The changes in a journal that follow a revision. The last entry may have been
/// cut off while it was written, and was acknowledged to nobody then; anything
/// else that cannot be read is damage.
fn read(bytes: &[u8], after: Revision) -> Result<Vec<Change>, String> {
    if bytes.len() != LENGTH {
        return Err(format!("it has {} bytes instead of {LENGTH}", bytes.len()));
    }
    let mut changes = Vec::new();
    let mut revision = after;
    let mut at = 0;
    while at < LENGTH && bytes[at..at + HEAD] != [0; HEAD] {
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
        for change in entry.into_iter().filter(|change| change.record.revision > after) {
            revision += 1;
            if change.record.revision != revision {
                return Err(format!("change {revision} is neither in the tables nor in it"));
            }
            changes.push(change);
        }
        at = end;
    }
    // Nothing was written behind an entry that was cut off.
    let behind = (at + HEAD..LENGTH).step_by(HEAD);
    let mut later = behind.filter_map(|at| read_entry(&bytes[at..end_of_entry(bytes, at)?]));
    if later.any(|entry| entry.iter().any(|change| change.record.revision > revision)) {
        return Err(format!("change {} is missing before later ones", revision + 1));
    }
    Ok(changes)
}

/// Where the entry ends that begins here, if one does.
fn end_of_entry(bytes: &[u8], at: usize) -> Option<usize> {
    let head = &bytes[at..at + HEAD];
    let length = take_number(&mut &head[..])? as usize;
    let end = at + HEAD + length;
    (length > 0 && head[12..] == hash(&head[..12])[..4] && end <= LENGTH).then_some(end)
}

fn hash(bytes: &[u8]) -> [u8; 8] {
    let mut hash = [0; 8];
    hash.copy_from_slice(&Sha256::digest(bytes)[..8]);
    hash
}

fn write_entry(changes: &[Change]) -> io::Result<Vec<u8>> {
    let mut entry = vec![0; HEAD];
    put_length(&mut entry, changes.len());
    for Change { record, first_term, terms, removed, added } in changes {
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

//! The last small changes, in a file of fixed length that is written from its
//! beginning to its end: to record a change takes one write and one flush,
//! where the tables take some thirty pages. Not for reading: what is in here is
//! entered into the tables before anybody looks.

use crate::ledger::{Change, fault};
use crate::rdf::{QuadIds, Revision};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The length of the file (bytes): some 200 changes of a record each. Entering
/// so many into the tables takes about 10 ms.
const LENGTH: usize = 256 << 10;
/// The length of an entry, and its checksum.
const HEAD: usize = 4 + 8;

#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Where the next entry goes.
    at: usize,
}

impl Journal {
    /// Opens a journal, which is made if it is not there. Gives the changes in
    /// it that follow a revision; they are written over by the next.
    pub(super) fn open(path: &Path, after: Revision) -> io::Result<(Self, Vec<Change>)> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut changes = Vec::new();
        let mut revision = after;
        let mut rest = bytes.as_slice();
        while let Some((entry, next)) = read_entry(rest) {
            // What the tables have already may stand before or behind.
            for change in entry.into_iter().filter(|change| change.record.revision > after) {
                revision += 1;
                if change.record.revision != revision {
                    return Err(io::Error::other(format!(
                        "change {revision} is missing between the tables and the journal"
                    )));
                }
                changes.push(change);
            }
            rest = next;
        }
        if bytes.len() < LENGTH {
            // Flushing a write into a hole takes longer than one over zeros.
            file.seek(SeekFrom::End(0))?;
            file.write_all(&vec![0; LENGTH - bytes.len()])?;
            file.sync_all()?;
            if let Some(folder) = path.parent() {
                File::open(folder)?.sync_all()?;
            }
        }
        Ok((Self { file, at: 0 }, changes))
    }

    /// Appends changes; when it returns, they are on disk. `false` if there is
    /// no room for them.
    pub(super) fn append(&mut self, changes: &[Change], records: &[Vec<u8>]) -> io::Result<bool> {
        let size: usize = changes.iter().map(|c| 16 * (c.added.len() + c.removed.len())).sum();
        if size > LENGTH {
            return Ok(false);
        }
        let entry = write_entry(changes, records);
        if self.at + entry.len() > LENGTH {
            return Ok(false);
        }
        fault::abort("recording");
        let written = self.put(&entry);
        if written.is_err() {
            // It was not recorded, so it must not be found.
            let _ = self.put(&[0; HEAD]);
        }
        written?;
        self.at += entry.len();
        Ok(true)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.at as u64))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    /// The tables have all changes, on disk: the next one goes to the beginning.
    pub(super) fn restart(&mut self) {
        self.at = 0;
    }
}

fn check(payload: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&Sha256::digest(payload)[..8]);
    check
}

fn write_entry(changes: &[Change], records: &[Vec<u8>]) -> Vec<u8> {
    let mut entry = vec![0; HEAD];
    put_length(&mut entry, changes.len());
    for (Change { record: _, first_term, terms, removed, added }, record) in
        changes.iter().zip(records)
    {
        put_bytes(&mut entry, record);
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
    let length = u32::try_from(entry.len() - HEAD).unwrap_or(u32::MAX);
    let check = check(&entry[HEAD..]);
    entry[..4].copy_from_slice(&length.to_le_bytes());
    entry[4..HEAD].copy_from_slice(&check);
    entry
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// The entry at the beginning, and what follows; `None` if there is no whole
/// one.
fn read_entry(bytes: &[u8]) -> Option<(Vec<Change>, &[u8])> {
    let mut rest = bytes;
    let length = take_number(&mut rest)? as usize;
    let found = take(&mut rest, 8)?;
    let mut payload = take(&mut rest, length)?;
    if length == 0 || found != check(payload) {
        return None;
    }
    let count = take_number(&mut payload)?;
    let changes = (0..count).map(|_| read_change(&mut payload)).collect::<Option<_>>()?;
    Some((changes, rest))
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

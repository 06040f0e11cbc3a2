//! A ledger as one file, consistent at one revision, and back. The file is
//! gzip over a plain sequence of table entries that ends in its own SHA-256,
//! so it can be read by any later version. Not for tokens: those are secrets
//! of one installation.

use super::{
    CHANGE_QUADS, CHANGES, Error, History, JOURNAL, Ledger, META, QUADS, SUBJECTS, TERMS,
    WITHOUT_JOURNAL,
};
use crate::rdf::Revision;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use redb::{Database, ReadableDatabase, ReadableTable};
use sha2::{Digest, Sha256};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

const MAGIC: &[u8] = b"insites-backup 1\n";
/// The end of the entries.
const END: u8 = 0;
/// Longest key or value believed (bytes): pieces of changes are about 1 MB.
const LONGEST: u32 = 64 << 20;

/// Why there is no backup, or nothing to restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file could not be written or read.
    #[error("cannot use the backup: {0}")]
    Io(#[from] io::Error),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] Error),
    /// The storage failed.
    #[error("the storage failed: {0}")]
    Storage(String),
    /// The file is no backup, or it is damaged.
    #[error(
        "this is no whole backup of a ledger: {0}\nhint: nothing was restored; use another file"
    )]
    Damaged(String),
    /// There is a ledger already.
    #[error("{0} holds a ledger already\nhint: restore into an empty folder, then use that one")]
    NotEmpty(String),
}

fn storage(error: impl std::fmt::Display) -> BackupError {
    BackupError::Storage(error.to_string())
}

/// Passes bytes on and hashes them.
struct Hashing<T> {
    inner: T,
    hash: Sha256,
}

impl<W: Write> Hashing<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.inner.write_all(bytes)
    }

    fn entry(&mut self, table: u8, key: &[u8], value: &[u8]) -> io::Result<()> {
        let length = |bytes: &[u8]| {
            u32::try_from(bytes.len()).map_err(|_| io::Error::other("an entry is too large"))
        };
        self.put(&[table])?;
        self.put(&length(key)?.to_le_bytes())?;
        self.put(key)?;
        self.put(&length(value)?.to_le_bytes())?;
        self.put(value)
    }
}

impl<R: Read> Hashing<R> {
    fn take(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.hash.update(&*bytes);
        Ok(())
    }

    fn field(&mut self) -> Result<Vec<u8>, BackupError> {
        let mut length = [0; 4];
        self.take(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > LONGEST {
            return Err(BackupError::Damaged(format!("an entry of {length} bytes")));
        }
        let mut field = vec![0; length as usize];
        self.take(&mut field)?;
        Ok(field)
    }
}

impl History {
    /// Writes a backup of one revision, which it gives. Changes that are made
    /// meanwhile are not in it and do not wait for it.
    pub fn backup(&self, output: impl Write) -> Result<Revision, BackupError> {
        let read = self.store.settled(|database| Ok(database.begin_read()?)).map_err(storage)?;
        let compressed = GzEncoder::new(output, Compression::fast());
        let inner = BufWriter::with_capacity(1 << 16, compressed);
        let mut out = Hashing { inner, hash: Sha256::new() };
        out.put(MAGIC)?;
        let mut revision = 0;
        for entry in read.open_table(TERMS).map_err(storage)?.iter().map_err(storage)? {
            let (key, value) = entry.map_err(storage)?;
            out.entry(b'T', &key.value().to_le_bytes(), value.value())?;
        }
        for entry in read.open_table(QUADS).map_err(storage)?.iter().map_err(storage)? {
            let (s, p, o, g) = entry.map_err(storage)?.0.value();
            let key: Vec<u8> = [s, p, o, g].iter().flat_map(|id| id.to_le_bytes()).collect();
            out.entry(b'Q', &key, &[])?;
        }
        for entry in read.open_table(CHANGES).map_err(storage)?.iter().map_err(storage)? {
            let (key, value) = entry.map_err(storage)?;
            revision = key.value();
            out.entry(b'C', &revision.to_le_bytes(), value.value())?;
        }
        for entry in read.open_table(CHANGE_QUADS).map_err(storage)?.iter().map_err(storage)? {
            let (key, value) = entry.map_err(storage)?;
            let (revision, piece) = key.value();
            let key = [&revision.to_le_bytes()[..], &piece.to_le_bytes()[..]].concat();
            out.entry(b'P', &key, value.value())?;
        }
        for entry in read.open_table(SUBJECTS).map_err(storage)?.iter().map_err(storage)? {
            let (subject, revision) = entry.map_err(storage)?.0.value();
            let key = [&subject.to_le_bytes()[..], &revision.to_le_bytes()[..]].concat();
            out.entry(b'S', &key, &[])?;
        }
        out.put(&[END])?;
        let hash = out.hash.finalize();
        out.inner.write_all(&hash)?;
        let compressed = out.inner.into_inner().map_err(|e| BackupError::Io(e.into_error()))?;
        compressed.finish()?.flush()?;
        Ok(revision)
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], BackupError> {
    bytes
        .get(at..at + N)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| BackupError::Damaged("a key is too short".to_owned()))
}

/// Makes a ledger in an empty folder from a backup. Nothing is left behind when
/// it fails.
pub fn restore(folder: &Path, input: impl Read) -> Result<Revision, BackupError> {
    let path = folder.join("ledger.redb");
    if path.exists() || folder.join(JOURNAL).exists() {
        return Err(BackupError::NotEmpty(folder.display().to_string()));
    }
    std::fs::create_dir_all(folder)?;
    let temporary = folder.join("ledger.restoring");
    let result = fill(&temporary, input);
    if result.is_ok() {
        std::fs::rename(&temporary, &path)?;
    } else {
        let _ = std::fs::remove_file(&temporary);
    }
    let revision = result?;
    drop(Ledger::open(folder, "restoring")?);
    Ok(revision)
}

fn fill(path: &Path, input: impl Read) -> Result<Revision, BackupError> {
    let _ = std::fs::remove_file(path);
    let inner = BufReader::with_capacity(1 << 16, GzDecoder::new(input));
    let mut input = Hashing { inner, hash: Sha256::new() };
    let mut magic = vec![0; MAGIC.len()];
    input.take(&mut magic).map_err(|error| BackupError::Damaged(error.to_string()))?;
    if magic != MAGIC {
        return Err(BackupError::Damaged("it does not begin as one".to_owned()));
    }
    let database = Database::create(path).map_err(storage)?;
    let write = database.begin_write().map_err(storage)?;
    let mut revision = 0;
    {
        write
            .open_table(META)
            .map_err(storage)?
            .insert("format", WITHOUT_JOURNAL)
            .map_err(storage)?;
        let mut terms = write.open_table(TERMS).map_err(storage)?;
        let mut quads = write.open_table(QUADS).map_err(storage)?;
        let mut changes = write.open_table(CHANGES).map_err(storage)?;
        let mut pieces = write.open_table(CHANGE_QUADS).map_err(storage)?;
        let mut subjects = write.open_table(SUBJECTS).map_err(storage)?;
        loop {
            let mut tag = [0];
            input.take(&mut tag)?;
            if tag[0] == END {
                break;
            }
            let (key, value) = (input.field()?, input.field()?);
            let id = |at: usize| number::<4>(&key, at).map(u32::from_le_bytes);
            match tag[0] {
                b'T' => {
                    terms.insert(id(0)?, value.as_slice()).map_err(storage)?;
                }
                b'Q' => {
                    quads.insert((id(0)?, id(4)?, id(8)?, id(12)?), ()).map_err(storage)?;
                }
                b'C' => {
                    revision = u64::from_le_bytes(number::<8>(&key, 0)?);
                    changes.insert(revision, value.as_slice()).map_err(storage)?;
                }
                b'P' => {
                    let change = u64::from_le_bytes(number::<8>(&key, 0)?);
                    pieces.insert((change, id(8)?), value.as_slice()).map_err(storage)?;
                }
                b'S' => {
                    let change = u64::from_le_bytes(number::<8>(&key, 4)?);
                    subjects.insert((id(0)?, change), ()).map_err(storage)?;
                }
                other => return Err(BackupError::Damaged(format!("an entry of kind {other}"))),
            }
        }
    }
    let wanted = std::mem::take(&mut input.hash).finalize();
    let mut found = vec![0; wanted.len()];
    input.inner.read_exact(&mut found)?;
    if found[..] != wanted[..] {
        return Err(BackupError::Damaged("its checksum is wrong".to_owned()));
    }
    write.commit().map_err(storage)?;
    Ok(revision)
}

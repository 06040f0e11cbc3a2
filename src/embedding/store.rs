//! Vectors on disk: fixed-size records in mapped files, found by the hash of
//! the text that they were made from. A text that changes gets another record,
//! so a vector can never stand for a text that it was not made from. Records
//! are only ever appended; nothing here is the truth, everything can be made
//! again.

use crate::vector::{DIMENSIONS, Vector};
use memmap2::{Mmap, MmapOptions};
use rustc_hash::FxHashMap;
use std::fs::{File, OpenOptions};
use std::hash::Hasher;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Bytes of a record: 32 of header, then the vector.
const RECORD: usize = 32 + DIMENSIONS;
/// Records in a file (13.6 MB).
const RECORDS: u32 = 32_768;
/// Files there can be: 33 million records.
const FILES: usize = 1_024;
/// The layout's version.
const LAYOUT: u32 = 1;

/// Why vectors cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be opened, made or written.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There are more vectors than fit.
    #[error("more than {} vectors", u64::from(RECORDS) * FILES as u64)]
    Full,
}

/// One passage of a text.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The hash of the whole text.
    pub hash: u64,
    /// The number of this passage, from 0.
    pub passage: u16,
    /// How many passages the text has; they follow one another.
    pub passages: u16,
    /// What a byte is worth.
    pub scale: f32,
    /// The vector.
    pub bytes: &'a [i8; DIMENSIONS],
}

impl Record<'_> {
    /// The vector.
    #[must_use]
    pub fn vector(&self) -> Vector {
        Vector { bytes: *self.bytes, scale: self.scale }
    }

    /// The cosine with a vector.
    #[must_use]
    pub fn cosine(&self, other: &Vector) -> f32 {
        crate::kernels::dot(self.bytes, &other.bytes) * self.scale * other.scale
    }
}

struct Shared {
    files: Vec<OnceLock<Mmap>>,
    /// Records that may be read.
    len: AtomicU32,
}

impl Shared {
    /// The bytes of a record, counted or not, if its file is mapped.
    fn bytes(&self, number: u32) -> Option<&[u8; RECORD]> {
        let map = self.files.get((number / RECORDS) as usize)?.get()?;
        map.get((number % RECORDS) as usize * RECORD..)?.first_chunk()
    }
}

/// Reads records. Clones see what the store appends.
#[derive(Clone)]
pub struct VectorReader(Arc<Shared>);

impl VectorReader {
    /// The number of records.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.len.load(Ordering::Acquire)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A record by its number.
    #[must_use]
    pub fn record(&self, number: u32) -> Option<Record<'_>> {
        if number >= self.len() {
            return None;
        }
        self.0.bytes(number).map(read)
    }

    /// Where the vectors of a text are, given its first record.
    #[must_use]
    pub fn place(&self, first: u32) -> Option<Place> {
        let record = self.record(first)?;
        let several = u64::from(record.passages > 1) << 31;
        Some(Place(u64::from(record.scale.to_bits()) << 32 | several | u64::from(first)))
    }

    /// The cosines of a vector with texts: for each, that of the passage that is
    /// nearest.
    pub fn cosines(&self, vector: &Vector, places: &[Place], out: &mut Vec<f32>) {
        out.clear();
        for places in places.chunks(TOGETHER) {
            let mut rows: [&[i8; DIMENSIONS]; TOGETHER] = [&NOTHING; TOGETHER];
            for (row, place) in rows.iter_mut().zip(places) {
                // A place is only given of a record that is there.
                *row = self.0.bytes(place.first()).map_or(&NOTHING, vector_of);
            }
            let mut dots = [0; TOGETHER];
            let count = places.len();
            crate::kernels::dots(&vector.bytes, &rows[..count], &mut dots[..count]);
            for (dot, place) in dots.iter().zip(places) {
                #[expect(clippy::cast_precision_loss, reason = "at most 384 * 127 * 127")]
                let first = *dot as f32 * place.scale() * vector.scale;
                out.push(if place.has_several() {
                    self.passages(place.first()).fold(f32::MIN, |b, r| b.max(r.cosine(vector)))
                } else {
                    first
                });
            }
        }
    }

    /// The passages of a text, given the first.
    pub fn passages(&self, first: u32) -> impl Iterator<Item = Record<'_>> {
        let count = self.record(first).map_or(0, |record| u32::from(record.passages));
        (first..first + count).filter_map(|number| self.record(number))
    }
}

/// Where the vectors of a text are, with what a scan needs to know of them: the
/// number of the first record, its scale, and whether there are more passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u64);

impl Place {
    /// As a number; never `u64::MAX`.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// From such a number, and from no other.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The number of the first record.
    #[must_use]
    pub fn first(self) -> u32 {
        (self.0 & 0x7fff_ffff) as u32
    }

    fn has_several(self) -> bool {
        self.0 >> 31 & 1 == 1
    }

    fn scale(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }
}

/// Records that are compared together.
const TOGETHER: usize = 16;
const NOTHING: [i8; DIMENSIONS] = [0; DIMENSIONS];

fn vector_of(bytes: &[u8; RECORD]) -> &[i8; DIMENSIONS] {
    signed(bytes[RECORD - DIMENSIONS..].first_chunk().expect("a record has a vector"))
}

/// Splits a record into its parts.
fn read(bytes: &[u8; RECORD]) -> Record<'_> {
    let (header, vector) = bytes.split_first_chunk::<32>().expect("a record is longer");
    let part = |from: usize| u16::from_le_bytes([header[from], header[from + 1]]);
    let vector: &[u8; DIMENSIONS] = vector.first_chunk().expect("a record has a vector");
    Record {
        hash: u64::from_le_bytes(*header.first_chunk().expect("32 bytes")),
        scale: f32::from_le_bytes(*header[16..].first_chunk().expect("32 bytes")),
        passage: part(20),
        passages: part(22),
        bytes: signed(vector),
    }
}

/// The same bytes with a sign.
fn signed(bytes: &[u8; DIMENSIONS]) -> &[i8; DIMENSIONS] {
    #[expect(unsafe_code, reason = "there is no safe view of bytes as signed bytes")]
    // SAFETY: u8 and i8 have the same size, alignment and validity.
    unsafe {
        &*std::ptr::from_ref(bytes).cast()
    }
}

/// Whether a record is as it was written.
fn is_sound(bytes: &[u8; RECORD]) -> bool {
    bytes[8..16] == check(bytes).to_le_bytes()
}

fn check(bytes: &[u8; RECORD]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(&bytes[..8]);
    hasher.write(&bytes[16..]);
    // Never 0, which is what a hole in a file reads as.
    hasher.finish() | 1
}

/// The only writer.
pub struct VectorStore {
    folder: PathBuf,
    reader: VectorReader,
    /// The file that was written last, with its number.
    writing: Option<(usize, File)>,
    by_hash: FxHashMap<u64, u32>,
}

impl VectorStore {
    /// Opens the vectors of a folder. Those that another model made, or that
    /// cannot be read, are thrown away.
    pub fn open(folder: &Path, model: &str) -> Result<Self, StoreError> {
        let about = folder.join("about");
        let wanted = format!("layout {LAYOUT}, records of {RECORD} bytes, model {model}\n");
        let failed = |path: &Path, error| StoreError::File { path: path.to_owned(), error };
        if std::fs::read_to_string(&about).is_ok_and(|found| found != wanted)
            || (folder.exists() && !about.exists())
        {
            std::fs::remove_dir_all(folder).map_err(|e| failed(folder, e))?;
        }
        std::fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
        std::fs::write(&about, wanted).map_err(|e| failed(&about, e))?;
        let shared =
            Shared { files: (0..FILES).map(|_| OnceLock::new()).collect(), len: AtomicU32::new(0) };
        let mut store = Self {
            folder: folder.to_owned(),
            reader: VectorReader(Arc::new(shared)),
            writing: None,
            by_hash: FxHashMap::default(),
        };
        store.read_all()?;
        Ok(store)
    }

    /// Reads what the files hold, up to the last whole record.
    fn read_all(&mut self) -> Result<(), StoreError> {
        let (mut end, mut by_hash) = (0, FxHashMap::default());
        for file in 0..FILES {
            if !self.path(file).exists() {
                break;
            }
            self.map(file)?;
            let from = u32::try_from(file).unwrap_or(u32::MAX) * RECORDS;
            for number in from..from + RECORDS {
                let bytes = self.reader.0.bytes(number).filter(|bytes| is_sound(bytes));
                let Some(bytes) = bytes else { continue };
                end = number + 1;
                let Record { hash, passage, passages, .. } = read(bytes);
                // A text counts when its last passage is there as well, and
                // the others lie before it.
                if passage + 1 == passages {
                    let first = number.checked_sub(u32::from(passage));
                    if let Some(first) = first.filter(|n| self.is_whole(*n, hash, passages)) {
                        by_hash.insert(hash, first);
                    }
                }
            }
        }
        self.by_hash = by_hash;
        self.reader.0.len.store(end, Ordering::Release);
        Ok(())
    }

    /// Whether the passages of a text from this record on are all there. The
    /// last one was just seen.
    fn is_whole(&self, first: u32, hash: u64, passages: u16) -> bool {
        (0..passages.saturating_sub(1)).all(|passage| {
            self.reader.0.bytes(first + u32::from(passage)).is_some_and(|bytes| {
                let record = read(bytes);
                record.hash == hash && record.passage == passage && is_sound(bytes)
            })
        })
    }

    fn path(&self, file: usize) -> PathBuf {
        self.folder.join(format!("vectors-{file:04}"))
    }

    /// Maps a file, which is made if it is not there.
    fn map(&self, file: usize) -> Result<&Mmap, StoreError> {
        let slot = self.reader.0.files.get(file).ok_or(StoreError::Full)?;
        if let Some(map) = slot.get() {
            return Ok(map);
        }
        let path = self.path(file);
        let failed = |error| StoreError::File { path: path.clone(), error };
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let length = u64::from(RECORDS) * RECORD as u64;
        if opened.metadata().map_err(failed)?.len() != length {
            opened.set_len(length).map_err(failed)?;
        }
        #[expect(unsafe_code, reason = "mapping a file is unsafe by nature")]
        // SAFETY: the file lies in the data folder, which one process holds by
        // the ledger's lock. This process writes a record only before it is
        // counted in `len`, readers look at counted records only, and nobody
        // cuts the file. Somebody who cuts it from outside stops the process.
        let map = unsafe { MmapOptions::new().map(&opened) }.map_err(failed)?;
        Ok(slot.get_or_init(|| map))
    }

    /// Reads records, also those that come later.
    #[must_use]
    pub fn reader(&self) -> VectorReader {
        self.reader.clone()
    }

    /// The first record of a text.
    #[must_use]
    pub fn find(&self, hash: u64) -> Option<u32> {
        self.by_hash.get(&hash).copied()
    }

    /// Appends the passages of a text; gives the number of the first.
    pub fn append(&mut self, hash: u64, passages: &[Vector]) -> Result<u32, StoreError> {
        let first = self.reader.len();
        let count = u16::try_from(passages.len()).map_err(|_| StoreError::Full)?;
        for (passage, vector) in (0_u16..).zip(passages) {
            let number = first + u32::from(passage);
            let file = (number / RECORDS) as usize;
            if self.writing.as_ref().is_none_or(|(open, _)| *open != file) {
                self.map(file)?;
                let path = self.path(file);
                let opened = OpenOptions::new().write(true).open(&path);
                let opened = opened.map_err(|error| StoreError::File { path, error })?;
                self.writing = Some((file, opened));
            }
            let mut bytes = [0; RECORD];
            bytes[..8].copy_from_slice(&hash.to_le_bytes());
            bytes[16..20].copy_from_slice(&vector.scale.to_le_bytes());
            bytes[20..22].copy_from_slice(&passage.to_le_bytes());
            bytes[22..24].copy_from_slice(&count.to_le_bytes());
            for (byte, value) in bytes[32..].iter_mut().zip(vector.bytes) {
                *byte = value.cast_unsigned();
            }
            let check = check(&bytes);
            bytes[8..16].copy_from_slice(&check.to_le_bytes());
            let at = u64::from(number % RECORDS) * RECORD as u64;
            let written = self.writing.as_mut().map_or(Ok(()), |(_, file)| {
                file.seek(SeekFrom::Start(at))?;
                file.write_all(&bytes)
            });
            written.map_err(|error| StoreError::File { path: self.path(file), error })?;
        }
        let end = first + u32::from(count);
        self.reader.0.len.store(end, Ordering::Release);
        self.by_hash.insert(hash, first);
        Ok(first)
    }

    /// Texts that have vectors.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.by_hash.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(seed: u8) -> Vector {
        Vector::new(&std::array::from_fn(|n| {
            f32::from(u8::try_from(n % 250).expect("small")).sin() + f32::from(seed)
        }))
    }

    #[test]
    fn what_was_appended_is_found_again_after_reopening() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("vectors");
        let mut store = VectorStore::open(&place, "m").expect("opened");
        let reader = store.reader();
        assert_eq!(store.append(7, &[vector(1)]).expect("appended"), 0);
        assert_eq!(store.append(9, &[vector(2), vector(3)]).expect("appended"), 1);
        assert_eq!(reader.len(), 3);
        drop(store);
        let store = VectorStore::open(&place, "m").expect("opened");
        assert_eq!((store.find(7), store.find(9), store.find(8)), (Some(0), Some(1), None));
        let reader = store.reader();
        let record = reader.record(2).expect("there");
        assert_eq!((record.hash, record.passage, record.passages), (9, 1, 2));
        assert_eq!(record.vector(), vector(3));
        assert!(reader.record(3).is_none());
    }

    #[test]
    fn a_text_may_lie_in_two_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("vectors");
        let mut store = VectorStore::open(&place, "m").expect("opened");
        let passages = [1, 2, 3, 4, 5].map(vector);
        let texts = u64::from(RECORDS) / 5 + 2;
        for hash in 1..=texts {
            store.append(hash, &passages).expect("appended");
        }
        drop(store);
        assert!(place.join("vectors-0001").exists());
        let store = VectorStore::open(&place, "m").expect("opened");
        let reader = store.reader();
        for hash in [1, texts - 1, texts] {
            let first = store.find(hash).expect("found");
            for (number, passage) in (first..).zip(&passages) {
                assert_eq!(reader.record(number).expect("there").vector(), *passage, "{hash}");
            }
        }
    }

    #[test]
    fn another_model_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("vectors");
        VectorStore::open(&place, "m").expect("opened").append(7, &[vector(1)]).expect("appended");
        let store = VectorStore::open(&place, "n").expect("opened");
        assert_eq!((store.texts(), store.find(7)), (0, None));
    }

    #[test]
    fn a_damaged_record_and_a_torn_text_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("vectors");
        let mut store = VectorStore::open(&place, "m").expect("opened");
        for hash in 1..4 {
            store.append(hash, &[vector(1), vector(2)]).expect("appended");
        }
        drop(store);
        let path = place.join("vectors-0000");
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[2 * RECORD + 100] ^= 1;
        bytes[5 * RECORD..6 * RECORD].fill(0);
        std::fs::write(&path, bytes).expect("written");
        let mut store = VectorStore::open(&place, "m").expect("opened");
        assert_eq!((store.find(1), store.find(2), store.find(3)), (Some(0), None, None));
        assert_eq!(store.append(2, &[vector(3)]).expect("appended"), 5);
        assert_eq!(store.reader().record(5).expect("there").vector(), vector(3));
    }
}

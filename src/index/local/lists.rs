//! The lists of documents that have a word, and what the word scores there
//! (BM25). Not for phrases.

use crate::index::Error;
use crate::index::local::rows::{Bits, Rows};
use crate::index::local::snapshot::{Segment, Snapshot, Statistics, Top};
use crate::index::local::text::engine;
use std::sync::Arc;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::query::{Bm25StatisticsProvider, Bm25Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, Term};

/// Documents whose scores are added up together, so that they stay near.
const TOGETHER: u32 = 4_096;
/// Scores that are passed over together.
const FEW: usize = 64;

/// A word in one field, with its weight.
pub(super) struct Word {
    field: Field,
    bm25: Bm25Weight,
    /// Where its list is in each segment that has it.
    places: Vec<Option<(Arc<InvertedIndexReader>, TermInfo)>>,
    /// Documents that have it.
    pub(super) count: u64,
}

/// The list of a word in one segment, as it is read.
pub(super) struct List<'a> {
    postings: BlockSegmentPostings,
    lengths: FieldNormReader,
    bm25: &'a Bm25Weight,
    /// What was read of the block that is open.
    read: usize,
}

impl Snapshot {
    /// Looks up a word.
    pub(super) fn word(&self, word: &str, field: Field, weight: f32) -> Result<Word, Error> {
        let term = Term::from_field_text(field, word);
        let mut places = Vec::with_capacity(self.segments().len());
        let mut count = 0;
        for segment in self.segments() {
            let index = self.reader(segment).inverted_index(field).map_err(engine)?;
            let info = index.get_term_info(&term).map_err(engine)?;
            count += info.as_ref().map_or(0, |info| u64::from(info.doc_freq));
            places.push(info.map(|info| (index, info)));
        }
        let statistics = Statistics(self.searchers());
        let documents = statistics.total_num_docs().map_err(engine)?;
        let words = statistics.total_num_tokens(field).map_err(engine)?;
        #[expect(clippy::cast_precision_loss, reason = "a statistic")]
        let length = words as f32 / documents as f32;
        let bm25 = Bm25Weight::for_one_term_without_explain(count, documents, length);
        Ok(Word { field, bm25: bm25.boost_by(weight), places, count })
    }

    /// Opens the list of a word in a segment, which has this number.
    pub(super) fn list<'a>(
        &self,
        word: &'a Word,
        number: usize,
        segment: &Segment,
    ) -> Result<Option<List<'a>>, Error> {
        let Some((index, info)) = &word.places[number] else { return Ok(None) };
        let lengths = self.reader(segment).get_fieldnorms_reader(word.field).map_err(engine)?;
        let postings = index
            .read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)
            .map_err(engine)?;
        Ok(Some(List { postings, lengths, bm25: &word.bm25, read: 0 }))
    }

    /// The documents that score best, from the whole lists of some words.
    pub(super) fn best_of_lists(
        &self,
        words: &[Word],
        within: &Rows,
        top: &mut Top,
    ) -> Result<(), Error> {
        let mut scores = [0.0; TOGETHER as usize];
        for (number, (segment, bits)) in self.segments().iter().zip(&within.0).enumerate() {
            let mut lists = Vec::with_capacity(words.len());
            for word in words {
                lists.extend(self.list(word, number, segment)?);
            }
            let mut from = 0;
            while let Some(next) = lists.iter().filter_map(List::next).min() {
                // Where no word is found, nothing is looked at.
                from = from.max(next - next % 64);
                let to = from.saturating_add(TOGETHER).min(segment.columns.len());
                for list in &mut lists {
                    list.add_scores(from, to, &mut scores);
                }
                let scores = &mut scores[..(to - from) as usize];
                keep_best(scores, from, bits, segment, top);
                scores.fill(0.0);
                from = to;
            }
        }
        Ok(())
    }
}

/// Keeps the best of the scores of some documents, from one on.
fn keep_best(scores: &[f32], from: u32, within: &Bits, segment: &Segment, top: &mut Top) {
    for (first, some) in (from..).step_by(FEW).zip(scores.chunks(FEW)) {
        // Most are below what is kept already. Scores are not negative, so they
        // compare as their bits do, which is faster.
        let highest = some.iter().map(|score| score.to_bits()).fold(0, u32::max);
        let least = top.threshold().max(f32::MIN_POSITIVE);
        if highest < least.to_bits() {
            continue;
        }
        for (doc, score) in (first..).zip(some) {
            if *score >= least && within.contains(doc) {
                top.push(*score, segment.columns.subjects[doc as usize], segment.first + doc);
            }
        }
    }
}

impl List<'_> {
    /// The next document.
    fn next(&self) -> Option<u32> {
        self.postings.docs().get(self.read).copied()
    }

    /// Adds what the word scores in the documents between two, of which the
    /// first was not passed yet.
    fn add_scores(&mut self, from: u32, to: u32, scores: &mut [f32]) {
        loop {
            let (docs, counts) = (self.postings.docs(), self.postings.freqs());
            for (doc, count) in docs.iter().zip(counts).skip(self.read) {
                if *doc >= to {
                    return;
                }
                let score = self.bm25.score(self.lengths.fieldnorm_id(*doc), *count);
                scores[(*doc - from) as usize] += score;
                self.read += 1;
            }
            if docs.is_empty() {
                return;
            }
            self.postings.advance();
            self.read = 0;
        }
    }

    /// Adds what the word scores in each document.
    pub(super) fn add_all(mut self, scores: &mut [f32]) {
        self.add_scores(0, u32::MAX, scores);
    }
}

//! The lists of documents that have a word or a phrase, with what it scores
//! there (BM25), and the documents of several lists that score best. Lists are
//! read whole, side by side: all that match are counted anyway, and of a few
//! words little could be left out.

use crate::index::local::rows::{Bits, Rows};
use crate::index::local::snapshot::{Segment, Snapshot, Statistics, Top};
use crate::index::local::text::engine;
use crate::index::{Error, Row};
use std::sync::Arc;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::query::{
    Bm25StatisticsProvider, Bm25Weight, BoostQuery, EnableScoring, PhraseQuery, Query, Scorer,
    Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, TERMINATED, Term};

/// Documents whose scores are added up together, so that they stay near.
const TOGETHER: u32 = 4_096;
/// From so many documents among 64 neighbours on, all 64 are compared at once
/// with what is kept already.
const MANY: u32 = 8;

/// A word or a phrase in one field, with its weight.
pub(super) enum Wanted {
    Word {
        field: Field,
        bm25: Bm25Weight,
        /// Where its list is in each segment that has it.
        places: Vec<Option<(Arc<InvertedIndexReader>, TermInfo)>>,
    },
    /// As each searcher reads it.
    Phrase(Vec<Box<dyn Weight>>),
}

/// A list in one segment, as it is read.
pub(super) enum List<'a> {
    Word {
        postings: Box<BlockSegmentPostings>,
        lengths: FieldNormReader,
        bm25: &'a Bm25Weight,
        /// What was read of the block that is open.
        read: usize,
    },
    Phrase(Box<dyn Scorer>),
}

impl Snapshot {
    /// Looks up a word, or several in a row.
    pub(super) fn wanted(
        &self,
        words: &[String],
        field: Field,
        weight: f32,
    ) -> Result<Wanted, Error> {
        let statistics = Statistics(self.searchers());
        let [word] = words else {
            let terms = words.iter().map(|word| Term::from_field_text(field, word)).collect();
            let query = BoostQuery::new(Box::new(PhraseQuery::new(terms)), weight);
            let weights = self.searchers().iter().map(|searcher| {
                query.weight(EnableScoring::enabled_from_statistics_provider(&statistics, searcher))
            });
            return Ok(Wanted::Phrase(weights.collect::<Result<_, _>>().map_err(engine)?));
        };
        let term = Term::from_field_text(field, word);
        let mut places = Vec::with_capacity(self.segments().len());
        let mut having = 0;
        for segment in self.segments() {
            let index = self.reader(segment).inverted_index(field).map_err(engine)?;
            let info = index.get_term_info(&term).map_err(engine)?;
            having += info.as_ref().map_or(0, |info| u64::from(info.doc_freq));
            places.push(info.map(|info| (index, info)));
        }
        let documents = statistics.total_num_docs().map_err(engine)?;
        let words = statistics.total_num_tokens(field).map_err(engine)?;
        #[expect(clippy::cast_precision_loss, reason = "a statistic")]
        let length = words as f32 / documents as f32;
        let bm25 = Bm25Weight::for_one_term_without_explain(having, documents, length);
        Ok(Wanted::Word { field, bm25: bm25.boost_by(weight), places })
    }

    /// Opens a list in the segment of this number, if it is not empty.
    pub(super) fn list<'a>(
        &self,
        wanted: &'a Wanted,
        number: usize,
    ) -> Result<Option<List<'a>>, Error> {
        let segment = &self.segments()[number];
        let reader = self.reader(segment);
        match wanted {
            Wanted::Word { field, bm25, places } => {
                let Some((index, info)) = &places[number] else { return Ok(None) };
                let lengths = reader.get_fieldnorms_reader(*field).map_err(engine)?;
                let postings = index
                    .read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)
                    .map_err(engine)?;
                Ok(Some(List::Word { postings: Box::new(postings), lengths, bm25, read: 0 }))
            }
            Wanted::Phrase(weights) => {
                let scorer = weights[segment.part].scorer(reader, 1.0).map_err(engine)?;
                Ok(Some(List::Phrase(scorer)))
            }
        }
    }

    /// The documents that any of the lists has; those of them within some rows
    /// that score best, best first, at most so many. Ties go to the record with
    /// the lower number.
    pub(super) fn found(
        &self,
        wanted: &[Wanted],
        within: &Rows,
        most: usize,
    ) -> Result<(Rows, Vec<(Row, f32)>), Error> {
        let mut top = Top::new(most);
        let mut rows = Vec::with_capacity(within.0.len());
        for (number, (segment, within)) in self.segments().iter().zip(&within.0).enumerate() {
            let mut lists = Vec::with_capacity(wanted.len());
            for wanted in wanted {
                lists.extend(self.list(wanted, number)?);
            }
            let mut scores = [0.0; TOGETHER as usize];
            let mut found = Bits::none(segment.columns.len());
            let mut from = 0;
            while let Some(next) = lists.iter().filter_map(List::next).min() {
                // Where no list has anything, nothing is looked at.
                from = from.max(next - next % 64);
                let to = from.saturating_add(TOGETHER).min(segment.columns.len());
                for list in &mut lists {
                    list.each_before(to, |doc, score| {
                        scores[(doc - from) as usize] += score;
                        found.set(doc);
                    });
                }
                for (first, some) in (from..to).step_by(64).zip(scores.chunks_mut(64)) {
                    keep_best(some, &found, first, within, segment, &mut top);
                }
                from = to;
            }
            rows.push(found);
        }
        Ok((Rows(rows), top.into_sorted()))
    }
}

/// Keeps the best of 64 documents from one on, and leaves no scores.
fn keep_best(
    scores: &mut [f32],
    found: &Bits,
    first: u32,
    within: &Bits,
    segment: &Segment,
    top: &mut Top,
) {
    let mut found = found.block(first);
    let least = top.threshold().max(f32::MIN_POSITIVE);
    if found.count_ones() >= MANY {
        let good = scores.iter().map(|score| u32::from(*score >= least));
        if good.fold(0, |any, good| any | good) == 0 {
            scores.fill(0.0);
            return;
        }
    }
    while found != 0 {
        let n = found.trailing_zeros();
        found &= found - 1;
        let score = std::mem::take(&mut scores[n as usize]);
        let doc = first + n;
        if score >= least && within.contains(doc) {
            top.push(score, segment.columns.subjects[doc as usize], segment.first + doc);
        }
    }
}

impl List<'_> {
    /// The next document.
    fn next(&self) -> Option<u32> {
        match self {
            Self::Word { postings, read, .. } => postings.docs().get(*read).copied(),
            Self::Phrase(scorer) => Some(scorer.doc()).filter(|doc| *doc != TERMINATED),
        }
    }

    /// Calls with each document before one, and what it scores.
    pub(super) fn each_before(&mut self, to: u32, mut each: impl FnMut(u32, f32)) {
        let (postings, lengths, bm25, read) = match self {
            Self::Word { postings, lengths, bm25, read } => (postings, lengths, bm25, read),
            Self::Phrase(scorer) => {
                while scorer.doc() < to.min(TERMINATED) {
                    each(scorer.doc(), scorer.score());
                    scorer.advance();
                }
                return;
            }
        };
        loop {
            let (docs, counts) = (postings.docs(), postings.freqs());
            for (doc, count) in docs.iter().zip(counts).skip(*read) {
                if *doc >= to {
                    return;
                }
                each(*doc, bm25.score(lengths.fieldnorm_id(*doc), *count));
                *read += 1;
            }
            if docs.is_empty() {
                return;
            }
            postings.advance();
            *read = 0;
        }
    }
}

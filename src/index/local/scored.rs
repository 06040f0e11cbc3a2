//! The scores of all documents for some words at once (BM25), for queries of
//! many words, of which every document's score is asked for: word by word over
//! all that have it, which takes less than finding the best of a union that few
//! documents can be left out of. Not for the first few hits of a few words.

use crate::index::local::rows::Rows;
use crate::index::local::snapshot::{Snapshot, Statistics, Top};
use crate::index::local::text::engine;
use crate::index::{Error, Row, Scoring};
use tantivy::query::EnableScoring;
use tantivy::{DocSet, TERMINATED};

/// Scores that are looked at together.
const TOGETHER: usize = 32;

/// Scores of all documents of a snapshot.
pub struct Scored<'a> {
    index: &'a Snapshot,
    /// Of every document of each segment; 0 where no word is found.
    scores: Vec<Vec<f32>>,
}

impl Snapshot {
    /// Scores all documents.
    pub fn scored(&self, scoring: &Scoring) -> Result<Scored<'_>, Error> {
        let lengths = self.segments().iter().map(|segment| segment.columns.len() as usize);
        let mut scores: Vec<Vec<f32>> = lengths.map(|length| vec![0.0; length]).collect();
        for (words, field, weight) in self.weighted(scoring) {
            let [word] = words else {
                self.score_phrase(words, field, weight, &mut scores)?;
                continue;
            };
            let word = self.word(word, field, weight)?;
            for (number, (segment, scores)) in self.segments().iter().zip(&mut scores).enumerate() {
                if let Some(list) = self.list(&word, number, segment)? {
                    list.add_all(scores);
                }
            }
        }
        Ok(Scored { index: self, scores })
    }

    fn score_phrase(
        &self,
        words: &[String],
        field: tantivy::schema::Field,
        weight: f32,
        scores: &mut [Vec<f32>],
    ) -> Result<(), Error> {
        let statistics = Statistics(self.searchers());
        let query = super::snapshot::clause(words, field, weight);
        for (part, searcher) in self.searchers().iter().enumerate() {
            let scored = EnableScoring::enabled_from_statistics_provider(&statistics, searcher);
            let weight = query.weight(scored).map_err(engine)?;
            for (segment, scores) in self.segments().iter().zip(&mut *scores) {
                if segment.part != part {
                    continue;
                }
                let mut scorer = weight.scorer(self.reader(segment), 1.0).map_err(engine)?;
                while scorer.doc() != TERMINATED {
                    scores[scorer.doc() as usize] += scorer.score();
                    scorer.advance();
                }
            }
        }
        Ok(())
    }
}

impl Scored<'_> {
    /// The score of a document.
    #[must_use]
    pub fn of(&self, row: Row) -> f32 {
        let segments = self.index.segments();
        let after = segments.partition_point(|segment| segment.first <= row);
        let Some(number) = after.checked_sub(1) else { return 0.0 };
        let doc = (row - segments[number].first) as usize;
        self.scores[number].get(doc).copied().unwrap_or(0.0)
    }

    /// The documents that score best, best first, at most so many. Ties go to
    /// the record with the lower number.
    #[must_use]
    pub fn best(&self, within: &Rows, most: usize) -> Vec<(Row, f32)> {
        let mut top = Top::new(most);
        for ((segment, scores), bits) in
            self.index.segments().iter().zip(&self.scores).zip(&within.0)
        {
            for (first, some) in (0..).step_by(TOGETHER).zip(scores.chunks(TOGETHER)) {
                // Most are below what is kept already, and are passed over together.
                let least = top.threshold().max(f32::MIN_POSITIVE);
                if some.iter().copied().fold(0.0, f32::max) < least {
                    continue;
                }
                for (doc, score) in (first..).zip(some) {
                    if *score >= least && bits.contains(doc) {
                        let subject = segment.columns.subjects[doc as usize];
                        top.push(*score, subject, segment.first + doc);
                    }
                }
            }
        }
        top.into_sorted()
    }
}

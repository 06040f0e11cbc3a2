//! The scores of all documents for some words at once (BM25), for queries of
//! many words, of which every document's score is asked for: word by word over
//! all that have it, which takes less than finding the best of a union that few
//! documents can be left out of. Not for the first few hits of a few words.

use crate::index::local::rows::Rows;
use crate::index::local::snapshot::{Snapshot, Top};
use crate::index::{Error, Row, Scoring};

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
            let wanted = self.wanted(words, field, weight)?;
            for (number, scores) in scores.iter_mut().enumerate() {
                if let Some(mut list) = self.list(&wanted, number)? {
                    list.each_before(u32::MAX, |doc, score| scores[doc as usize] += score);
                }
            }
        }
        Ok(Scored { index: self, scores })
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

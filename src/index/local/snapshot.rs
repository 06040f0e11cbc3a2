//! What can be asked of the index at one revision: which documents match, how
//! words score them, and what is known of a document.

use crate::index::local::columns::Columns;
use crate::index::local::look_alikes::LookAlikes;
use crate::index::local::meaning::Vectors;
use crate::index::local::parts::Parts;
use crate::index::local::rows::{Bits, Rows};
use crate::index::local::text::{Fields, engine};
use crate::index::{Error, Matching, Part, Row, Scoring, Spelling, Term as Wanted, shown_to};
use crate::rdf::TermId;
use crate::rdf::Visibility;
use std::any::Any;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock};
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term};

/// Words that a prefix stands for at most, the most frequent first.
const PREFIX_WORDS: usize = 1_000;

/// A segment as a snapshot sees it.
#[derive(Clone)]
pub(super) struct Segment {
    /// The number of its searcher.
    pub(super) part: usize,
    /// Its number in the searcher.
    pub(super) ordinal: u32,
    /// The row of its first document.
    pub(super) first: Row,
    pub(super) columns: Arc<Columns>,
    /// Documents that are not deleted nor replaced, and that this snapshot's
    /// readers see.
    pub(super) visible: Arc<Bits>,
}

/// What a snapshot reads.
pub(super) struct View {
    searchers: Arc<[Arc<Searcher>]>,
    segments: Vec<Segment>,
}

/// The index at one revision, for those who see this much. Cloning is cheap.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) fields: Fields,
    pub(super) parts: Arc<Parts>,
    /// Bits of those who see documents; none sees all.
    pub(super) sees: Option<u8>,
    pub(super) view: Arc<OnceLock<View>>,
    pub(super) vectors: Vectors,
    pub(super) look_alikes: Arc<OnceLock<LookAlikes>>,
    pub(super) memory: Arc<OnceLock<Arc<dyn Any + Send + Sync>>>,
}

impl Snapshot {
    /// The same index as those see it who see this much.
    #[must_use]
    pub fn seen_by(&self, visibility: Visibility) -> Self {
        let sees = Some(u8::try_from(shown_to(visibility)).unwrap_or(0));
        Self { sees, view: Arc::default(), memory: Arc::default(), ..self.clone() }
    }

    /// The parts as this snapshot sees them, made when first asked for.
    fn view(&self) -> &View {
        self.view.get_or_init(|| {
            let mut segments = self.parts.segments();
            for segment in &mut segments {
                let Some(wanted) = self.sees else { continue };
                let shown = &segment.columns.shown_to;
                if shown.iter().all(|bits| bits & wanted != 0) {
                    continue;
                }
                let visible = Arc::make_mut(&mut segment.visible);
                for (doc, bits) in (0..).zip(shown) {
                    if bits & wanted == 0 {
                        visible.unset(doc);
                    }
                }
            }
            View { searchers: self.parts.searchers(), segments }
        })
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.view().segments
    }

    pub(super) fn searchers(&self) -> &[Arc<Searcher>] {
        &self.view().searchers
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.segments().iter().map(|segment| segment.visible.count()).sum()
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All documents.
    #[must_use]
    pub fn visible(&self) -> Rows {
        Rows(self.segments().iter().map(|segment| (*segment.visible).clone()).collect())
    }

    /// No document.
    #[must_use]
    pub fn nothing(&self) -> Rows {
        Rows(self.segments().iter().map(|segment| Bits::none(segment.columns.len())).collect())
    }

    pub(super) fn place(&self, row: Row) -> Option<(&Segment, DocId)> {
        let after = self.segments().partition_point(|segment| segment.first <= row);
        let segment = self.segments().get(after.checked_sub(1)?)?;
        let doc = row - segment.first;
        (doc < segment.columns.len()).then_some((segment, doc))
    }

    /// The record of a document.
    #[must_use]
    pub fn subject(&self, row: Row) -> TermId {
        self.place(row).map_or(0, |(segment, doc)| segment.columns.subjects[doc as usize])
    }

    /// The date of a document as `yyyymmdd`, 0 if it has none.
    #[must_use]
    pub fn date(&self, row: Row) -> u64 {
        self.place(row).map_or(0, |(segment, doc)| segment.columns.dates[doc as usize].into())
    }

    /// The first letters of a document's title, as a number that sorts alike.
    #[must_use]
    pub fn title_key(&self, row: Row) -> u64 {
        self.place(row).map_or(0, |(segment, doc)| segment.columns.title_keys[doc as usize])
    }

    /// The document of a record.
    #[must_use]
    pub fn row_of(&self, subject: TermId) -> Option<Row> {
        self.segments().iter().rev().find_map(|segment| {
            let mut documents = segment.columns.documents_of(subject);
            let doc = documents.find(|doc| segment.visible.contains(*doc))?;
            Some(segment.first + doc)
        })
    }

    /// Subject and fingerprint of every document.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<(TermId, u64)> {
        let mut all = Vec::new();
        for segment in self.segments() {
            for doc in segment.visible.iter() {
                let doc = doc as usize;
                all.push((segment.columns.subjects[doc], segment.columns.fingerprints[doc]));
            }
        }
        all
    }

    pub(super) fn reader(&self, segment: &Segment) -> &SegmentReader {
        self.searchers()[segment.part].segment_reader(segment.ordinal)
    }

    pub(super) fn words_field(&self, spelling: Spelling) -> Field {
        match spelling {
            Spelling::Stem => self.fields.body,
            Spelling::Surface => self.fields.surface,
        }
    }

    /// The documents that match.
    pub fn matching(&self, matching: &Matching) -> Result<Rows, Error> {
        let mut rows = Vec::with_capacity(self.segments().len());
        for segment in self.segments() {
            rows.push(self.matching_in(segment, matching)?);
        }
        Ok(Rows(rows))
    }

    fn matching_in(&self, segment: &Segment, matching: &Matching) -> Result<Bits, Error> {
        let count = segment.columns.len();
        let mut bits = if matching.groups.iter().any(|group| group.required) {
            let mut all = (*segment.visible).clone();
            for group in matching.groups.iter().filter(|group| group.required) {
                let mut any = Bits::none(count);
                for term in &group.alternatives {
                    self.add_matches(segment, matching, term, &mut any)?;
                }
                all.and(&any);
            }
            all
        } else if matching.groups.is_empty() {
            (*segment.visible).clone()
        } else {
            let mut any = Bits::none(count);
            for term in matching.groups.iter().flat_map(|group| &group.alternatives) {
                self.add_matches(segment, matching, term, &mut any)?;
            }
            any.and(&segment.visible);
            any
        };
        for term in &matching.none {
            let mut any = Bits::none(count);
            self.add_matches(segment, matching, term, &mut any)?;
            bits.minus(&any);
        }
        Ok(bits)
    }

    /// Where words as they are written are found, and which part of that it is.
    fn surface_of(&self, part: Part) -> (Field, Part) {
        match part {
            Part::Titles => (self.fields.title_words, Part::Whole),
            part => (self.fields.surface, part),
        }
    }

    fn add_matches(
        &self,
        segment: &Segment,
        matching: &Matching,
        term: &Wanted,
        bits: &mut Bits,
    ) -> Result<(), Error> {
        let reader = self.reader(segment);
        match term {
            Wanted::Prefix(prefix) => {
                let (field, part) = self.surface_of(matching.part);
                let index = reader.inverted_index(field).map_err(engine)?;
                for word in self.words_with_prefix(segment, field, prefix, PREFIX_WORDS)? {
                    add_word(segment, &index, field, &word, part, bits)?;
                }
                Ok(())
            }
            Wanted::Words(words) => {
                let (field, part) = match (matching.spelling, words.as_slice()) {
                    (Spelling::Surface, [_]) => self.surface_of(matching.part),
                    (spelling, _) => (self.words_field(spelling), matching.part),
                };
                let index = reader.inverted_index(field).map_err(engine)?;
                match words.as_slice() {
                    [] => Ok(()),
                    [word] => add_word(segment, &index, field, word, part, bits),
                    words => add_phrase(segment, &index, field, words, part, bits),
                }
            }
        }
    }

    /// The documents that score best, best first, at most so many. Ties go to
    /// the record with the lower number.
    pub fn best(
        &self,
        scoring: &Scoring,
        within: &Rows,
        most: usize,
    ) -> Result<Vec<(Row, f32)>, Error> {
        let wanted =
            self.weighted(scoring).map(|(words, field, weight)| self.wanted(words, field, weight));
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        Ok(self.found(&wanted, within, most)?.1)
    }

    /// The documents that match, and the best of those of them within some
    /// rows, as [`Self::best`] has them.
    pub fn find(
        &self,
        matching: &Matching,
        scoring: &Scoring,
        within: &Rows,
        most: usize,
    ) -> Result<(Rows, Vec<(Row, f32)>), Error> {
        let Some(unscored) = unscored(matching, scoring) else {
            let rows = self.matching(matching)?;
            let mut some = rows.clone();
            some.and(within);
            let best = self.best(scoring, &some, most)?;
            return Ok((rows, best));
        };
        let field = self.words_field(matching.spelling);
        let unscored = unscored.into_iter().map(|words| (words, field, 0.0));
        let wanted = self.weighted(scoring).chain(unscored);
        let wanted = wanted.map(|(words, field, weight)| self.wanted(words, field, weight));
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        let (mut rows, best) = self.found(&wanted, within, most)?;
        for (bits, segment) in rows.0.iter_mut().zip(self.segments()) {
            bits.and(&segment.visible);
        }
        Ok((rows, best))
    }

    /// How rare a stem is: its inverse document frequency (BM25's).
    pub fn rarity(&self, stem: &str) -> Result<f32, Error> {
        let term = Term::from_field_text(self.fields.body, stem);
        let statistics = Statistics(self.searchers());
        let all = statistics.total_num_docs().map_err(engine)?;
        let having = statistics.doc_freq(&term).map_err(engine)?.min(all);
        #[expect(clippy::cast_precision_loss, reason = "a statistic")]
        let (all, having) = (all as f32, having as f32);
        Ok(((all - having + 0.5) / (having + 0.5)).ln_1p())
    }

    /// What a caller worked out for this snapshot, made once.
    ///
    /// # Panics
    ///
    /// When two callers remember things of different types.
    pub fn remembered<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let made = self.memory.get_or_init(|| Arc::new(make()));
        Arc::clone(made).downcast().expect("one caller, one type")
    }

    /// Whether a document that readers of this snapshot see holds one of these
    /// terms.
    pub fn any_has(&self, terms: &[Wanted], spelling: Spelling) -> Result<bool, Error> {
        for segment in self.segments() {
            for term in terms {
                if let Wanted::Words(words) = term
                    && let [word] = words.as_slice()
                {
                    let field = self.words_field(spelling);
                    let index = self.reader(segment).inverted_index(field).map_err(engine)?;
                    let term = Term::from_field_text(field, word);
                    let postings =
                        index.read_postings(&term, IndexRecordOption::Basic).map_err(engine)?;
                    if postings.is_some_and(|mut postings| any_in(&mut postings, &segment.visible))
                    {
                        return Ok(true);
                    }
                } else {
                    let mut bits = Bits::none(segment.columns.len());
                    let matching = Matching { spelling, ..Matching::default() };
                    self.add_matches(segment, &matching, term, &mut bits)?;
                    bits.and(&segment.visible);
                    if !bits.is_empty() {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The words of a scoring, each in the fields it is looked for in, with
    /// its weight there.
    pub(super) fn weighted<'a>(
        &self,
        scoring: &'a Scoring,
    ) -> impl Iterator<Item = (&'a [String], Field, f32)> + use<'a> {
        let fields =
            [(self.words_field(scoring.spelling), 1.0), (self.fields.title, scoring.title)];
        scoring.terms.iter().filter(|(words, _)| !words.is_empty()).flat_map(
            move |(words, weight)| {
                let fields = fields.into_iter().filter(|(_, factor)| *factor > 0.0);
                fields.map(move |(field, factor)| (words.as_slice(), field, weight * factor))
            },
        )
    }
}

/// What matches and does not score, where any document matches that has one of
/// the words that score or of these.
fn unscored<'a>(matching: &'a Matching, scoring: &Scoring) -> Option<Vec<&'a [String]>> {
    let groups = &matching.groups;
    if groups.is_empty()
        || groups.iter().any(|group| group.required)
        || !matching.none.is_empty()
        || matching.part != Part::Whole
        || matching.spelling != scoring.spelling
    {
        return None;
    }
    let alternatives = groups.iter().flat_map(|group| &group.alternatives);
    let words = alternatives.map(|term| match term {
        Wanted::Words(words) => Some(words.as_slice()),
        Wanted::Prefix(_) => None,
    });
    let mut words = words.collect::<Option<Vec<_>>>()?;
    if scoring.terms.iter().any(|(scored, _)| !words.contains(&scored.as_slice())) {
        return None;
    }
    let scores = |words: &[String]| scoring.terms.iter().any(|(scored, _)| scored == words);
    words.retain(|words| !words.is_empty() && !scores(words));
    Some(words)
}

fn add_word(
    segment: &Segment,
    index: &InvertedIndexReader,
    field: Field,
    word: &str,
    part: Part,
    bits: &mut Bits,
) -> Result<(), Error> {
    let term = Term::from_field_text(field, word);
    let Some(info) = index.get_term_info(&term).map_err(engine)? else { return Ok(()) };
    if part == Part::Whole {
        let mut postings = index
            .read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)
            .map_err(engine)?;
        loop {
            let docs = postings.docs();
            if docs.is_empty() {
                return Ok(());
            }
            for doc in docs {
                bits.set(*doc);
            }
            postings.advance();
        }
    }
    let mut postings = index
        .read_postings_from_terminfo(&info, IndexRecordOption::WithFreqsAndPositions)
        .map_err(engine)?;
    let mut positions = Vec::new();
    while postings.doc() != TERMINATED {
        let doc = postings.doc();
        postings.positions(&mut positions);
        let range = range_of(&segment.columns, doc, part);
        if positions.iter().any(|position| range.contains(position)) {
            bits.set(doc);
        }
        postings.advance();
    }
    Ok(())
}

fn add_phrase(
    segment: &Segment,
    index: &InvertedIndexReader,
    field: Field,
    words: &[String],
    part: Part,
    bits: &mut Bits,
) -> Result<(), Error> {
    let mut all: Vec<SegmentPostings> = Vec::with_capacity(words.len());
    for word in words {
        let term = Term::from_field_text(field, word);
        let postings =
            index.read_postings(&term, IndexRecordOption::WithFreqsAndPositions).map_err(engine)?;
        let Some(postings) = postings else { return Ok(()) };
        all.push(postings);
    }
    let mut positions: Vec<Vec<u32>> = vec![Vec::new(); words.len()];
    let mut doc = all[0].doc();
    'documents: while doc != TERMINATED {
        for postings in &mut all {
            if postings.doc() < doc {
                postings.seek(doc);
            }
            if postings.doc() > doc {
                doc = postings.doc();
                continue 'documents;
            }
        }
        for (n, (postings, positions)) in (0..).zip(all.iter_mut().zip(&mut positions)) {
            postings.positions(positions);
            for position in positions.iter_mut() {
                *position = position.wrapping_sub(n);
            }
        }
        let range = range_of(&segment.columns, doc, part);
        let last = u32::try_from(words.len()).unwrap_or(u32::MAX) - 1;
        let begins = |start: &u32| {
            range.contains(start)
                && range.contains(&(start + last))
                && positions[1..].iter().all(|other| other.binary_search(start).is_ok())
        };
        if positions[0].iter().any(begins) {
            bits.set(doc);
        }
        doc = all[0].advance();
    }
    Ok(())
}

pub(super) fn any_in(postings: &mut SegmentPostings, bits: &Bits) -> bool {
    while postings.doc() != TERMINATED {
        if bits.contains(postings.doc()) {
            return true;
        }
        postings.advance();
    }
    false
}

/// The positions of a part of a document's text.
fn range_of(columns: &Columns, doc: DocId, part: Part) -> std::ops::Range<u32> {
    let [titles, descriptions] = columns.ends[doc as usize];
    match part {
        Part::Whole => 0..u32::MAX,
        Part::Titles => 0..titles,
        Part::Descriptions => titles..descriptions,
        Part::Rest => descriptions..u32::MAX,
    }
}

/// Counts of terms over all parts: a word is as rare as it is in the whole.
pub(super) struct Statistics<'a>(pub(super) &'a [Arc<Searcher>]);

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.0.iter().map(|searcher| searcher.total_num_tokens(field)).sum()
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        self.0.iter().map(|searcher| searcher.total_num_docs()).sum()
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.0.iter().map(|searcher| Bm25StatisticsProvider::doc_freq(&**searcher, term)).sum()
    }
}

/// The best of what is pushed.
pub(super) struct Top {
    most: usize,
    /// What a score must reach: that of the last one, once there are enough.
    least: f32,
    /// The worst on top; ties: the higher subject.
    kept: BinaryHeap<Reverse<(Ordered, Reverse<TermId>, Row)>>,
}

/// A score that sorts.
#[derive(PartialEq, Clone, Copy)]
struct Ordered(f32);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Top {
    pub(super) fn new(most: usize) -> Self {
        let least = if most == 0 { f32::MAX } else { f32::MIN };
        Self { most, least, kept: BinaryHeap::new() }
    }

    /// What a score must reach to be kept.
    pub(super) fn threshold(&self) -> f32 {
        self.least
    }

    pub(super) fn push(&mut self, score: f32, subject: TermId, row: Row) {
        if score < self.least || self.most == 0 {
            return;
        }
        let found = Reverse((Ordered(score), Reverse(subject), row));
        if self.kept.len() < self.most {
            self.kept.push(found);
        } else if let Some(mut worst) = self.kept.peek_mut()
            && found < *worst
        {
            *worst = found;
        }
        if self.kept.len() == self.most
            && let Some(Reverse((worst, ..))) = self.kept.peek()
        {
            self.least = worst.0;
        }
    }

    pub(super) fn into_sorted(self) -> Vec<(Row, f32)> {
        let kept = self.kept.into_sorted_vec();
        kept.into_iter().map(|Reverse((score, _, row))| (row, score.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Top;

    #[test]
    fn the_best_are_kept_and_ties_go_to_the_lower_subject() {
        let mut top = Top::new(2);
        for (score, subject, row) in [(1.0, 9, 0), (3.0, 5, 1), (1.0, 2, 2), (0.5, 1, 3)] {
            top.push(score, subject, row);
        }
        assert_eq!(top.into_sorted(), [(1, 3.0), (2, 1.0)]);
        let mut none = Top::new(0);
        none.push(1.0, 1, 1);
        assert!(none.into_sorted().is_empty());
    }
}

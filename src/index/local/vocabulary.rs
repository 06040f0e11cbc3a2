//! The words that the index knows: nearest spellings, and what a beginning may
//! become. Only words that a reader of the snapshot can see in a document.

use crate::index::local::snapshot::{Segment, Snapshot, any_in};
use crate::index::local::text::engine;
use crate::index::{Error, Spelling, Term as Wanted};
use rustc_hash::FxHashMap;
use tantivy::Term;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};

/// Candidates that are looked at: nearest first, then most likely.
const CANDIDATES: usize = 24;

/// How much more likely a slip is than a letter that could be any.
const SLIP: u64 = 26;

impl Snapshot {
    /// The words within an edit distance of 1 or 2 (a swap of neighbours
    /// counts as one edit) that begin with the same letter or with the first two
    /// swapped, nearest first, then the most likely to have been meant, at most
    /// so many. All others would have to be looked through for few that are meant.
    pub fn spellings(&self, word: &str, distance: u8, most: usize) -> Result<Vec<String>, Error> {
        let mut letters = word.chars();
        let (Some(first), second) = (letters.next(), letters.next()) else {
            return Ok(Vec::new());
        };
        let swapped = second.filter(|second| *second != first);
        let swapped = swapped.map(|second| String::from_iter([second, first]));
        let mut found: FxHashMap<String, u64> = FxHashMap::default();
        let term = Term::from_field_text(self.fields.surface, word);
        let automaton = FuzzyTermQuery::new(term, distance, true).automaton().map_err(engine)?;
        for segment in self.segments() {
            let index = self.reader(segment).inverted_index(self.fields.surface).map_err(engine)?;
            for beginning in std::iter::once(first.to_string()).chain(swapped.clone()) {
                let mut after = beginning.clone().into_bytes();
                // No byte of a text is the highest.
                if let Some(byte) = after.last_mut() {
                    *byte += 1;
                }
                let words = index.terms().search(&automaton).ge(beginning).lt(after);
                let mut stream = words.into_stream().map_err(engine)?;
                while stream.advance() {
                    let Ok(text) = std::str::from_utf8(stream.key()) else { continue };
                    // Numbers are not misspelt words.
                    if text.chars().any(char::is_alphabetic) {
                        *found.entry(text.to_owned()).or_default() +=
                            u64::from(stream.value().doc_freq);
                    }
                }
            }
        }
        found.remove(word);
        let mut found: Vec<(usize, std::cmp::Reverse<u64>, String)> = found
            .into_iter()
            .map(|(text, count)| {
                let likelihood = count * if is_slip(word, &text) { SLIP } else { 1 };
                (edits(word, &text), std::cmp::Reverse(likelihood), text)
            })
            .collect();
        found.sort_unstable();
        found.truncate(CANDIDATES);
        let mut spellings = Vec::new();
        for (_, _, text) in found {
            if spellings.len() == most {
                break;
            }
            if self.any_has(&[Wanted::Words(vec![text.clone()])], Spelling::Surface)? {
                spellings.push(text);
            }
        }
        Ok(spellings)
    }

    /// The words of a segment that begin like this, the most frequent first,
    /// at most so many.
    pub(super) fn words_with_prefix(
        &self,
        segment: &Segment,
        field: Field,
        prefix: &str,
        most: usize,
    ) -> Result<Vec<String>, Error> {
        let mut words: Vec<(u32, String)> = Vec::new();
        self.each_with_prefix(segment, field, prefix, &mut |word, count| {
            words.push((count, word.to_owned()));
        })?;
        words.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        words.truncate(most);
        Ok(words.into_iter().map(|(_, word)| word).collect())
    }

    fn each_with_prefix(
        &self,
        segment: &Segment,
        field: Field,
        prefix: &str,
        each: &mut dyn FnMut(&str, u32),
    ) -> Result<(), Error> {
        let index = self.reader(segment).inverted_index(field).map_err(engine)?;
        let mut stream = index.terms().range().ge(prefix).into_stream().map_err(engine)?;
        while stream.advance() {
            let Ok(word) = std::str::from_utf8(stream.key()) else { continue };
            if !word.starts_with(prefix) {
                break;
            }
            each(word, stream.value().doc_freq);
        }
        Ok(())
    }

    /// Words that begin like this, the most frequent first, at most so many.
    pub fn completions(&self, prefix: &str, most: usize) -> Result<Vec<String>, Error> {
        let mut found: FxHashMap<String, u64> = FxHashMap::default();
        for segment in self.segments() {
            self.each_with_prefix(segment, self.fields.surface, prefix, &mut |word, count| {
                *found.entry(word.to_owned()).or_default() += u64::from(count);
            })?;
        }
        let mut found: Vec<(std::cmp::Reverse<u64>, String)> =
            found.into_iter().map(|(word, count)| (std::cmp::Reverse(count), word)).collect();
        found.sort_unstable();
        let mut completions = Vec::new();
        for (_, word) in found.into_iter().take(4 * most.max(CANDIDATES)) {
            if completions.len() == most {
                break;
            }
            if self.any_has(&[Wanted::Words(vec![word.clone()])], Spelling::Surface)? {
                completions.push(word);
            }
        }
        Ok(completions)
    }

    /// How many visible documents hold a word as it is written.
    pub fn frequency(&self, word: &str) -> Result<u64, Error> {
        let mut count = 0;
        for segment in self.segments() {
            let index = self.reader(segment).inverted_index(self.fields.surface).map_err(engine)?;
            let term = Term::from_field_text(self.fields.surface, word);
            let postings = index.read_postings(&term, IndexRecordOption::Basic).map_err(engine)?;
            let Some(mut postings) = postings else { continue };
            while any_in(&mut postings, &segment.visible) {
                count += 1;
                tantivy::DocSet::advance(&mut postings);
            }
        }
        Ok(count)
    }
}

/// Whether one edit turns a word into another that says which letter: a letter
/// left out, doubled, or swapped with its neighbour. A wrong letter or a new
/// one could as well have been any of 26, so that as a way to write this word
/// it is that much less likely (Kernighan, Church and Gale, «A spelling
/// correction program based on a noisy channel model», 1990, with all letters
/// alike).
fn is_slip(typed: &str, meant: &str) -> bool {
    let (typed, meant): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    let same = typed.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let (after, before) = (&typed[same..], &meant[same..]);
    match (after, before) {
        (rest, [_, meant @ ..]) if rest == meant => true,
        ([extra, rest @ ..], meant) if rest == meant => {
            same > 0 && typed[same - 1] == *extra || meant.first() == Some(extra)
        }
        ([a, b, rest @ ..], [c, d, meant @ ..]) => (a, b, rest) == (d, c, meant),
        _ => false,
    }
}

/// The edit distance in which a swap of neighbours is one edit (optimal string
/// alignment).
#[must_use]
pub fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut least =
                (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{edits, is_slip};

    #[test]
    fn slips_are_letters_left_out_doubled_or_swapped() {
        for (typed, meant) in
            [("dath", "death"), ("traet", "treat"), ("proccurement", "procurement")]
        {
            assert!(is_slip(typed, meant), "{typed} {meant}");
        }
        for (typed, meant) in [("dath", "data"), ("traet", "tract"), ("cady", "cad"), ("a", "b")] {
            assert!(!is_slip(typed, meant), "{typed} {meant}");
        }
    }

    #[test]
    fn a_swap_is_one_edit() {
        for (a, b, distance) in [
            ("apointment", "appointment", 1),
            ("teh", "the", 1),
            ("abc", "abc", 0),
            ("a", "xyz", 3),
        ] {
            assert_eq!(edits(a, b), distance, "{a} {b}");
        }
    }
}

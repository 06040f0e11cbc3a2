//! The passage of a record that fits a query best, with what matched marked.
//! Pure text work, no index.

use crate::index::{Beginnings, places_of_words, surface_words_of, words_of};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::ops::Range;

/// About two lines (bytes).
const LENGTH: usize = 220;

/// What a query looks for in texts.
#[derive(Default)]
pub(super) struct Wanted {
    /// Stems, with what was typed for them if that differs.
    stems: FxHashMap<String, Option<String>>,
    beginnings: Beginnings,
    /// Words that were met, and whether they are looked for: stemming takes
    /// longer than looking here.
    met: RefCell<FxHashMap<String, bool>>,
    /// The letters of the words as typed, for passages that none of them stands in.
    typed: Vec<Trigrams>,
    /// Whether a trigram may be one of these, by [`place`].
    may_be_typed: Vec<bool>,
}

/// Three bytes each, sorted, each once.
type Trigrams = Vec<u32>;

fn each_trigram(word: &str) -> impl Iterator<Item = u32> {
    word.as_bytes().windows(3).map(|three| u32::from_be_bytes([0, three[0], three[1], three[2]]))
}

fn trigrams(word: &str) -> Trigrams {
    let mut all: Trigrams = each_trigram(word).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A place among [`PLACES`], by a multiplicative hash.
fn place(trigram: u32) -> usize {
    (trigram.wrapping_mul(0x9E37_79B1) >> 20) as usize
}

const PLACES: usize = 1 << 12;

impl Wanted {
    /// These stems, and what was typed.
    pub(super) fn new(stems: &[(String, Option<String>)], typed: &str) -> Self {
        let typed = surface_words_of(typed).into_iter().map(|(word, _)| word);
        let typed: Vec<Trigrams> =
            typed.filter(|word| word.len() > 3).map(|word| trigrams(&word)).collect();
        let mut may_be_typed = vec![false; PLACES];
        for trigram in typed.iter().flatten() {
            may_be_typed[place(*trigram)] = true;
        }
        Self {
            stems: stems.iter().cloned().collect(),
            beginnings: Beginnings::of(stems.iter().map(|(stem, _)| stem.as_str())),
            met: RefCell::default(),
            may_be_typed,
            typed,
        }
    }

    /// The words of a text that are looked for, as written there, lower case.
    pub(super) fn matches(&self, text: &str) -> Vec<String> {
        self.places(text).into_iter().map(|range| text[range].to_lowercase()).collect()
    }

    /// What was typed for the words of a text that match by another word.
    pub(super) fn stand_ins(&self, text: &str) -> Vec<String> {
        if self.stems.values().all(Option::is_none) {
            return Vec::new();
        }
        words_of(text).into_iter().filter_map(|(stem, _)| self.stems.get(&stem)?.clone()).collect()
    }

    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut met = self.met.borrow_mut();
        let mut is_wanted = |range: &Range<usize>| {
            let word = &text[range.clone()];
            if let Some(known) = met.get(word) {
                return *known;
            }
            let is_wanted = words_of(word).iter().any(|(stem, _)| self.stems.contains_key(stem));
            met.insert(word.to_owned(), is_wanted);
            is_wanted
        };
        self.beginnings.words_in(text).filter(|range| is_wanted(range)).collect()
    }

    /// How much a text resembles what was typed, by the letters of its words.
    fn resemblance(&self, text: &str) -> f32 {
        let mut best = vec![0.0_f32; self.typed.len()];
        for word in places_of_words(text).map(|range| &text[range]) {
            // Most words have nothing in common with what was typed.
            let may_be_near = || each_trigram(word).any(|three| self.may_be_typed[place(three)]);
            if word.len() <= 3 || !may_be_near() {
                continue;
            }
            let word = trigrams(word);
            for (typed, best) in self.typed.iter().zip(&mut best) {
                let common = typed.iter().filter(|three| word.binary_search(three).is_ok()).count();
                let common = u16::try_from(common).unwrap_or(0);
                let all = u16::try_from(word.len() + typed.len()).unwrap_or(u16::MAX);
                *best = best.max(2.0 * f32::from(common) / f32::from(all.max(1)));
            }
        }
        best.into_iter().sum()
    }
}

/// The best passage as HTML, escaped but for `<mark>`, and the words of it
/// that matched. The first text wins ties, so pass the description first.
pub(super) fn best_passage<T: AsRef<str>>(texts: &[T], wanted: &Wanted) -> (String, Vec<String>) {
    let mut most = None;
    let mut best: (&str, Vec<Range<usize>>, Range<usize>) = ("", Vec::new(), 0..0);
    for text in texts {
        let text = text.as_ref();
        let places = wanted.places(text);
        let (count, window) = window(text, &places);
        if most.is_none_or(|most| count > most) {
            most = Some(count);
            best = (text, places, window);
        }
    }
    if most.unwrap_or(0) == 0
        && !wanted.typed.is_empty()
        && let Some((text, sentence)) = nearest_sentence(texts, wanted)
    {
        best = (text, Vec::new(), sentence);
    }
    let (text, places, window) = best;
    let mut html = String::with_capacity(2 * LENGTH);
    let mut words = Vec::new();
    if window.start > 0 {
        html.push_str("… ");
    }
    let mut at = window.start;
    for place in places {
        if place.start < at || place.end > window.end {
            continue;
        }
        escape(&text[at..place.start], &mut html);
        html.push_str("<mark>");
        escape(&text[place.clone()], &mut html);
        html.push_str("</mark>");
        words.push(text[place.clone()].to_lowercase());
        at = place.end;
    }
    escape(&text[at..window.end], &mut html);
    if window.end < text.len() {
        html.push_str(" …");
    }
    (html, words)
}

/// The sentence that resembles the query most, when no word of it matches.
fn nearest_sentence<'a, T: AsRef<str>>(
    texts: &'a [T],
    wanted: &Wanted,
) -> Option<(&'a str, Range<usize>)> {
    let mut best: Option<(f32, &str, Range<usize>)> = None;
    for text in texts {
        let text = text.as_ref();
        let mut start = 0;
        while start < text.len() {
            let end = text[start..].find(". ").map_or(text.len(), |n| start + n + 1);
            let score = wanted.resemblance(&text[start..end]);
            if best.as_ref().is_none_or(|(most, ..)| score > *most) {
                let reach = floor(text, (start + LENGTH).min(text.len()));
                let reach = match text[start..reach].rfind(' ') {
                    Some(space) if reach < text.len() => start + space,
                    _ => reach,
                };
                best = Some((score, text, start..reach));
            }
            start = end + usize::from(end < text.len());
        }
    }
    best.map(|(_, text, sentence)| (text, sentence))
}

/// The window with the most different matches, cut at word ends, and how many.
fn window(text: &str, places: &[Range<usize>]) -> (usize, Range<usize>) {
    let mut best = (0, 0);
    let words: Vec<String> =
        places.iter().map(|place| text[place.clone()].to_lowercase()).collect();
    let mut different: Vec<&str> = Vec::new();
    for (index, first) in places.iter().enumerate() {
        different.clear();
        for (place, word) in places.iter().zip(&words).skip(index) {
            if place.end > first.start + LENGTH * 3 / 4 {
                break;
            }
            if !different.contains(&word.as_str()) {
                different.push(word);
            }
        }
        if different.len() > best.0 {
            best = (different.len(), first.start);
        }
    }
    let (count, first) = best;
    // Begin at the sentence if it begins nearby, else a little before.
    let back = floor(text, first.saturating_sub(LENGTH / 4));
    let start = text[back..first]
        .rfind(". ")
        .map(|n| back + n + 2)
        .or_else(|| (back == 0).then_some(0))
        .or_else(|| text[back..first].find(' ').map(|n| back + n + 1))
        .unwrap_or(first);
    let reach = floor(text, start + LENGTH);
    let end = if reach == text.len() {
        reach
    } else {
        text[start..reach].rfind(' ').map_or(reach, |n| start + n)
    };
    (count, start..end.max(start))
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn escape(text: &str, html: &mut String) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        html.push_str(&text[plain..at]);
        html.push_str(escaped);
        plain = at + 1;
    }
    html.push_str(&text[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::words_of;

    fn wanted(text: &str) -> Wanted {
        let stems: Vec<_> = words_of(text).into_iter().map(|(stem, _)| (stem, None)).collect();
        Wanted::new(&stems, text)
    }

    #[test]
    fn matches_are_marked_and_the_rest_is_escaped() {
        let texts = ["Nothing here.".to_owned(), "<b>Missed</b> appointments & cost".to_owned()];
        let (html, words) = best_passage(&texts, &wanted("missing appointment"));
        assert_eq!(
            html,
            "&lt;b&gt;<mark>Missed</mark>&lt;/b&gt; <mark>appointments</mark> &amp; cost"
        );
        assert_eq!(words, ["missed", "appointments"]);
    }

    #[test]
    fn long_texts_are_cut_at_words_around_the_match() {
        let text = format!("{} needle in the hay. {}", "é word ".repeat(200), "after ".repeat(200));
        let (html, words) = best_passage(&[text], &wanted("needle"));
        assert!(html.starts_with("… ") && html.ends_with(" …"), "{html}");
        assert!(html.contains("<mark>needle</mark>") && html.len() < 400, "{html}");
        assert_eq!(words, ["needle"]);
    }

    #[test]
    fn without_a_match_the_sentence_that_resembles_the_query_most_is_shown() {
        let text = "The first words. People attended clinics. The end.".to_owned();
        let (html, words) = best_passage(&[text], &wanted("clinicians"));
        assert!(html.starts_with("… People attended"), "{html}");
        assert!(words.is_empty());
    }

    #[test]
    fn without_words_the_text_begins_at_its_beginning() {
        let (html, _) = best_passage(&["A short text".to_owned()], &wanted(""));
        assert_eq!(html, "A short text");
        assert_eq!(best_passage::<&str>(&[], &wanted("x")).0, "");
    }
}

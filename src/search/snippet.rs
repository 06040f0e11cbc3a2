//! The passage of a record that fits a query best, with what matched marked.
//! Pure text work, no index.

use crate::index::{Words, words_of};
use rustc_hash::FxHashSet;
use std::ops::Range;

/// About two lines (bytes).
const LENGTH: usize = 220;

/// The index words that a query looks for.
pub(super) struct Wanted(FxHashSet<String>);

impl Wanted {
    /// The words of a query.
    pub(super) fn new(words: &Words) -> Self {
        let all = words.any.iter().chain(&words.phrases);
        Self(all.flat_map(|text| words_of(text)).map(|(word, _)| word).collect())
    }

    /// The words of a text that are looked for, as written there, lower case.
    pub(super) fn matches(&self, text: &str) -> Vec<String> {
        self.places(text).into_iter().map(|range| text[range].to_lowercase()).collect()
    }

    fn places(&self, text: &str) -> Vec<Range<usize>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        words_of(text)
            .into_iter()
            .filter(|(word, _)| self.0.contains(word))
            .map(|(_, range)| range)
            .collect()
    }
}

/// The best passage as HTML, escaped but for `<mark>`, and the words of it
/// that matched. The first text wins ties, so pass the description first.
pub(super) fn best_passage(texts: &[String], wanted: &Wanted) -> (String, Vec<String>) {
    let mut most = None;
    let mut best: (&str, Vec<Range<usize>>, Range<usize>) = ("", Vec::new(), 0..0);
    for text in texts {
        let places = wanted.places(text);
        let (count, window) = window(text, &places);
        if most.is_none_or(|most| count > most) {
            most = Some(count);
            best = (text, places, window);
        }
    }
    let (text, places, window) = best;
    let mut html = String::new();
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

/// The window with the most different matches, cut at word ends, and how many.
fn window(text: &str, places: &[Range<usize>]) -> (usize, Range<usize>) {
    let mut best = (0, 0);
    for (index, first) in places.iter().enumerate() {
        let inside = places[index..].iter().take_while(|p| p.end <= first.start + LENGTH * 3 / 4);
        let different: FxHashSet<String> = inside.map(|p| text[p.clone()].to_lowercase()).collect();
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
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Wanted {
        let (words, _) = crate::search::read_words(text, false);
        Wanted::new(&words)
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
    fn without_words_the_text_begins_at_its_beginning() {
        let (html, _) = best_passage(&["A short text".to_owned()], &wanted(""));
        assert_eq!(html, "A short text");
        assert_eq!(best_passage(&[], &wanted("x")).0, "");
    }
}

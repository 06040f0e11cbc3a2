//! What a person may mean while still typing: records by the words of their
//! titles, and the query with its last word completed. A suggestion always
//! leads to something: each stands for a record that the reader sees.

use crate::graph::Snapshot;
use crate::index::{
    Error, Group, Matching, Part, Row, Spelling, Term, surface_words_of, title_key,
};
use crate::rdf::Names;
use crate::search::place;
use crate::search::records::Known;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Records suggested at most, and completions.
const RECORDS: usize = 6;
const COMPLETIONS: usize = 4;
/// Records whose titles are read: the shortest of them are suggested.
const LOOKED_AT: usize = 24;

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What people read.
    pub text: String,
    /// The kind of the record, or `query` for words to search for.
    pub kind: String,
    /// Where it leads.
    pub url: String,
}

/// Suggestions for what was typed so far: completed queries first, then
/// records.
pub fn suggest(
    graph: &Snapshot,
    text: &crate::index::Snapshot,
    names: &Names,
    typed: &str,
) -> Result<Vec<Suggestion>, Error> {
    let typed: String = typed.chars().take(200).collect();
    let words: Vec<String> = surface_words_of(&typed).into_iter().map(|(word, _)| word).collect();
    let Some((last, before)) = words.split_last() else { return Ok(Vec::new()) };
    let open = !typed.ends_with(char::is_whitespace);
    let mut groups: Vec<Group> = before
        .iter()
        .map(|word| Group { alternatives: vec![Term::Words(vec![word.clone()])], required: true })
        .collect();
    let ending = if open { Term::Prefix(last.clone()) } else { Term::Words(vec![last.clone()]) };
    let mut suggestions = Vec::new();
    if open && last.chars().count() >= 2 {
        for word in text.completions(last, COMPLETIONS + 1)? {
            if word == *last || suggestions.len() == COMPLETIONS {
                continue;
            }
            let mut all = groups.clone();
            all.push(Group { alternatives: vec![Term::Words(vec![word.clone()])], required: true });
            let matching =
                Matching { groups: all, spelling: Spelling::Surface, ..Matching::default() };
            if !text.matching(&matching)?.is_empty() {
                let query = [before, &[word]].concat().join(" ");
                let q = percent_encoding::utf8_percent_encode(
                    &query,
                    percent_encoding::NON_ALPHANUMERIC,
                );
                let url = format!("/search?q={q}");
                suggestions.push(Suggestion { text: query, kind: "query".to_owned(), url });
            }
        }
    }
    groups.push(Group { alternatives: vec![ending], required: true });
    let matching =
        Matching { groups, spelling: Spelling::Surface, part: Part::Titles, ..Matching::default() };
    let found = text.matching(&matching)?;
    // A title that begins with what was typed is meant most likely; then those
    // of the latest records.
    let typed = typed.trim().to_lowercase();
    let key = title_key(&typed);
    let rest = 64 - 8 * u32::try_from(typed.len().min(8)).unwrap_or(8);
    let begins = |row| (text.title_key(row) ^ key).checked_shr(rest).unwrap_or(0) == 0;
    let mut best: BinaryHeap<(bool, Reverse<u64>, u32, Row)> = BinaryHeap::new();
    for row in found.iter() {
        let place = (!begins(row), Reverse(text.date(row)), text.subject(row), row);
        if best.len() < LOOKED_AT {
            best.push(place);
        } else if best.peek().is_some_and(|last| place < *last) {
            best.pop();
            best.push(place);
        }
    }
    let known = text.remembered(|| Known::read(graph));
    let mut hits: Vec<(bool, usize, &str, u32)> = best
        .into_iter()
        .map(|(_, _, subject, _)| {
            let title = known.properties.read(graph, subject).title;
            (!title.to_lowercase().starts_with(&typed), title.len(), title, subject)
        })
        .collect();
    hits.sort_unstable();
    for (_, _, title, subject) in hits.into_iter().take(RECORDS) {
        let iri = graph.text(subject).unwrap_or_default();
        let (kind, _, url) = place(graph, names, subject, &iri);
        suggestions.push(Suggestion { text: title.to_owned(), kind, url });
    }
    Ok(suggestions)
}

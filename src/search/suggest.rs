//! What a person may mean while still typing: records by the words of their
//! titles, and the query with its last word completed. A suggestion always
//! leads to something: each stands for a record that the reader sees.

use crate::graph::Snapshot;
use crate::index::{Error, Group, Matching, Part, Scoring, Spelling, Term, surface_words_of};
use crate::rdf::Names;
use crate::search::{label, place};
use serde::Serialize;

/// Records suggested at most, and completions.
const RECORDS: usize = 6;
const COMPLETIONS: usize = 4;
/// Completions of the last word that records are looked up by.
const PREFIXES: usize = 32;

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
    let mut terms: Vec<(Vec<String>, f32)> =
        before.iter().map(|word| (vec![word.clone()], 1.0)).collect();
    if open {
        let completions = text.completions(last, PREFIXES)?;
        terms.extend(completions.into_iter().map(|word| (vec![word], 0.5)));
    }
    terms.push((vec![last.clone()], 1.0));
    let scoring = Scoring { terms, spelling: Spelling::Surface, title: 0.0 };
    let mut hits: Vec<(usize, f32, u32)> = text
        .best(&scoring, &found, 4 * RECORDS)?
        .into_iter()
        .map(|(row, score)| {
            let subject = text.subject(row);
            // A title that begins with what was typed is meant most likely.
            let title = label(graph, subject).to_lowercase();
            let begins = usize::from(!title.starts_with(typed.trim().to_lowercase().as_str()));
            (begins, score, subject)
        })
        .collect();
    hits.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    for (_, _, subject) in hits.into_iter().take(RECORDS) {
        let iri = graph.text(subject).unwrap_or_default();
        let (kind, _, url) = place(graph, names, subject, &iri);
        suggestions.push(Suggestion { text: label(graph, subject), kind, url });
    }
    Ok(suggestions)
}

//! Search in people's words: what was typed becomes a request to the text
//! view, hits become titles, snippets and facets with labels. Not for the
//! index itself, nor for HTTP.

mod snippet;
mod words;

use crate::graph::Snapshot;
use crate::index::{Error, Facet, Hit, KINDS, Request};
use crate::rdf::Names;
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::rdf::vocabulary::{DCTERMS, INSITES, RDFS, SKOS};
use oxigraph::model::Term;
use serde::Serialize;

pub use words::read_words;

/// Most results on one page.
pub const PAGE_LIMIT: usize = 100;
/// Results on a page unless asked otherwise.
pub const PAGE_DEFAULT: usize = 20;
/// Values shown of one facet.
const FACET_VALUES: usize = 50;

/// The order of hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Best first.
    #[default]
    Relevance,
    /// Latest date first, undated last.
    Newest,
    /// Earliest date first, undated last.
    Oldest,
    /// By title, A to Z.
    Title,
}

impl Sort {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Relevance, Self::Newest, Self::Oldest, Self::Title];

    /// The value of `sort=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Title => "title",
        }
    }
}

/// What a person asks for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The words as typed.
    pub text: String,
    /// Whether every word must occur (`match=exact`).
    pub exact: bool,
    /// Facet values: slugs or IRIs.
    pub filters: Vec<(Facet, String)>,
    /// Earliest date, `yyyymmdd`.
    pub from: Option<u64>,
    /// Latest date, `yyyymmdd`.
    pub to: Option<u64>,
    /// The order.
    pub sort: Sort,
    /// The page, from 1.
    pub page: usize,
    /// Results on a page.
    pub limit: usize,
}

/// One page of results.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The words as typed.
    pub query: String,
    /// How records were ranked.
    pub mode: &'static str,
    /// The state that was searched.
    pub revision: Revision,
    /// Results that paging can reach.
    pub total: usize,
    /// This page, from 1.
    pub page: usize,
    /// Pages in all.
    pub pages: usize,
    /// The results of this page.
    pub hits: Vec<Record>,
    /// Facet values with counts over all results, each facet without its own
    /// filter.
    pub facets: std::collections::BTreeMap<&'static str, Vec<FacetValue>>,
    /// Words that were corrected.
    pub corrections: Vec<Change>,
    /// Words that were widened.
    pub synonyms: Vec<Change>,
    /// Words that were left out.
    pub dropped: Vec<String>,
}

/// A word and what it became.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// As typed.
    pub from: String,
    /// As searched.
    pub to: String,
}

/// A result.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// The record's IRI.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The address of its page.
    pub url: String,
    /// The passage that fits best, HTML, escaped but for `<mark>`.
    pub snippet: String,
    /// `Sourced`, `Unverified` or `Illustrative`; empty for concepts.
    pub status: String,
    /// Its date, if it has one: `yyyy`, `yyyy-mm` or `yyyy-mm-dd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The score; comparable within one answer only.
    pub score: f32,
    /// Why it was found.
    pub why: Why,
}

/// Why a result was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Why {
    /// The words of the record that matched.
    pub words: Vec<String>,
    /// Where: `title`, `text`.
    pub fields: Vec<&'static str>,
}

/// A facet value.
#[derive(Debug, Clone, Serialize)]
pub struct FacetValue {
    /// What to filter by.
    pub value: String,
    /// What people call it.
    pub label: String,
    /// Results with it.
    pub count: u64,
}

/// Searches one revision.
pub fn search(
    revision: Revision,
    graph: &Snapshot,
    text: &crate::index::Snapshot,
    names: &Names,
    query: &Query,
) -> Result<Answer, Error> {
    let (words, dropped) = read_words(&query.text, query.exact);
    let mut filters: Vec<(Facet, Vec<u64>)> = Vec::new();
    for (facet, value) in &query.filters {
        // An unknown value finds nothing, as it should.
        let number = facet_number(graph, names, *facet, value).unwrap_or(u64::MAX);
        match filters.iter_mut().find(|(f, _)| f == facet) {
            Some((_, values)) => values.push(number),
            None => filters.push((*facet, vec![number])),
        }
    }
    let found =
        text.find(&Request { words: words.clone(), filters, from: query.from, to: query.to })?;
    let total = found.hits.len();
    let limit = query.limit.clamp(1, PAGE_LIMIT);
    let pages = total.div_ceil(limit).max(1);
    let page = query.page.max(1);
    let hits = page_of(found.hits, query.sort, page, limit, graph);
    let wanted = snippet::Wanted::new(&words);
    let hits = hits.iter().map(|hit| record(graph, names, hit, &wanted)).collect();
    let mut facets: std::collections::BTreeMap<&'static str, Vec<FacetValue>> =
        Facet::ALL.into_iter().map(|facet| (facet.name(), Vec::new())).collect();
    for (facet, value, count) in found.facets {
        let (value, label) = facet_text(graph, names, facet, value);
        facets.entry(facet.name()).or_default().push(FacetValue { value, label, count });
    }
    for values in facets.values_mut() {
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
        values.truncate(FACET_VALUES);
    }
    Ok(Answer {
        query: query.text.clone(),
        mode: "words",
        revision,
        total,
        page,
        pages,
        hits,
        facets,
        corrections: Vec::new(),
        synonyms: Vec::new(),
        dropped,
    })
}

/// The hits of one page, in order.
fn page_of(
    mut hits: Vec<Hit>,
    sort: Sort,
    page: usize,
    limit: usize,
    graph: &Snapshot,
) -> Vec<Hit> {
    let undated_last = |date: u64| if date == 0 { u64::MAX } else { date };
    match sort {
        Sort::Relevance => hits
            .sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.subject.cmp(&b.subject))),
        Sort::Newest => hits.sort_unstable_by(|a, b| {
            b.date
                .cmp(&a.date)
                .then_with(|| b.score.total_cmp(&a.score))
                .then(a.subject.cmp(&b.subject))
        }),
        Sort::Oldest => hits.sort_unstable_by(|a, b| {
            undated_last(a.date)
                .cmp(&undated_last(b.date))
                .then_with(|| b.score.total_cmp(&a.score))
                .then(a.subject.cmp(&b.subject))
        }),
        Sort::Title => {
            hits.sort_by_cached_key(|hit| (label(graph, hit.subject).to_lowercase(), hit.subject));
        }
    }
    hits.into_iter().skip((page - 1).saturating_mul(limit)).take(limit).collect()
}

fn record(graph: &Snapshot, names: &Names, hit: &Hit, wanted: &snippet::Wanted) -> Record {
    let id = graph.text(hit.subject).unwrap_or_default();
    let title = label(graph, hit.subject);
    let texts = texts(graph, hit.subject);
    let (snippet, mut words) = snippet::best_passage(&texts, wanted);
    let in_title = wanted.matches(&title);
    let mut fields = Vec::new();
    if !in_title.is_empty() {
        fields.push("title");
    }
    if !words.is_empty() {
        fields.push("text");
    }
    words.extend(in_title);
    words.sort_unstable();
    words.dedup();
    let (kind, slug, url) = place(graph, names, hit.subject, &id);
    Record {
        kind,
        slug,
        url,
        title: if title.is_empty() { id.clone() } else { title },
        id,
        snippet,
        status: status(graph, hit.subject),
        date: date_text(hit.date),
        score: hit.score,
        why: Why { words, fields },
    }
}

/// Kind, slug and page address of a record. A record of foreign data has the
/// kind of its class, and its own IRI as address.
fn place(graph: &Snapshot, names: &Names, subject: TermId, iri: &str) -> (String, String, String) {
    if let Some((kind, slug)) = names.kind_and_slug(iri) {
        return (kind.to_owned(), slug.to_owned(), format!("/{kind}/{slug}"));
    }
    let classes = graph.objects(subject, crate::rdf::vocabulary::TYPE);
    let kind = classes
        .iter()
        .filter_map(|class| graph.text(*class))
        .filter_map(|class| kebab(class.strip_prefix(INSITES)?))
        .find(|kind| KINDS.contains(&kind.as_str()))
        .unwrap_or_default();
    let slug = iri.rsplit(['/', '#']).next().unwrap_or_default().to_owned();
    (kind, slug, iri.to_owned())
}

/// `CaseStudy` as `case-study`.
fn kebab(name: &str) -> Option<String> {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    (!out.is_empty()).then_some(out)
}

/// What people call a resource: its English title, preferred label or label;
/// empty if it has none.
#[must_use]
pub fn label(graph: &Snapshot, subject: TermId) -> String {
    for (namespace, name) in [(DCTERMS, "title"), (SKOS, "prefLabel"), (RDFS, "label")] {
        let mut labels: Vec<(bool, String)> = graph
            .objects(subject, &format!("{namespace}{name}"))
            .into_iter()
            .filter_map(|id| match graph.term(id)? {
                Term::Literal(literal) => {
                    let foreign = !literal.language().is_none_or(|l| l.starts_with("en"));
                    Some((foreign, literal.value().to_owned()))
                }
                _ => None,
            })
            .collect();
        labels.sort_unstable();
        if let Some((_, text)) = labels.into_iter().next() {
            return text;
        }
    }
    String::new()
}

/// The local name of a record's status; empty if it has none.
#[must_use]
pub fn status(graph: &Snapshot, subject: TermId) -> String {
    graph
        .objects(subject, &format!("{INSITES}status"))
        .into_iter()
        .filter_map(|id| graph.text(id))
        .find_map(|iri| iri.strip_prefix(INSITES).map(str::to_owned))
        .unwrap_or_default()
}

/// The texts that a snippet may come from: the description first.
fn texts(graph: &Snapshot, subject: TermId) -> Vec<String> {
    let titles: Vec<TermId> = [(DCTERMS, "title"), (SKOS, "prefLabel"), (RDFS, "label")]
        .iter()
        .filter_map(|(namespace, name)| graph.iri_id(&format!("{namespace}{name}")))
        .collect();
    let description = graph.iri_id(&format!("{DCTERMS}description"));
    let mut texts: Vec<(bool, String)> = graph
        .quads()
        .matching(Some(subject), None, None, crate::graph::GraphPattern::Any)
        .filter(|quad| !titles.contains(&quad[1]))
        .filter_map(|quad| match graph.term(quad[2])? {
            Term::Literal(literal)
                if literal.language().is_some()
                    || literal.datatype() == oxigraph::model::vocab::xsd::STRING =>
            {
                Some((Some(quad[1]) != description, literal.value().to_owned()))
            }
            _ => None,
        })
        .collect();
    texts.sort_by_key(|(other, _)| *other);
    texts.into_iter().map(|(_, text)| text).collect()
}

/// `yyyymmdd` with zeros for what is unknown, as ISO 8601.
fn date_text(date: u64) -> Option<String> {
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    match (year, month, day) {
        (0, ..) => None,
        (year, 0, _) => Some(format!("{year:04}")),
        (year, month, 0) => Some(format!("{year:04}-{month:02}")),
        (year, month, day) => Some(format!("{year:04}-{month:02}-{day:02}")),
    }
}

/// The number of a filter's value.
fn facet_number(graph: &Snapshot, names: &Names, facet: Facet, value: &str) -> Option<u64> {
    if facet == Facet::Kind {
        return KINDS.iter().position(|kind| *kind == value).map(|n| n as u64);
    }
    let iri = match facet {
        _ if value.contains(':') => value.to_owned(),
        Facet::Status => {
            // `sourced` and `Sourced` mean the same.
            let mut name = value.to_ascii_lowercase();
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            format!("{INSITES}{name}")
        }
        _ => names.record(facet.name(), value),
    };
    graph.iri_id(&iri).map(u64::from)
}

/// Value and label of a facet's number.
fn facet_text(graph: &Snapshot, names: &Names, facet: Facet, number: u64) -> (String, String) {
    if facet == Facet::Kind {
        let kind = usize::try_from(number).ok().and_then(|n| KINDS.get(n)).unwrap_or(&"");
        return ((*kind).to_owned(), kind_label(kind, true));
    }
    let id = TermId::try_from(number).unwrap_or(0);
    let iri = graph.text(id).unwrap_or_default();
    let value = match (facet, names.kind_and_slug(&iri)) {
        (Facet::Status, _) => iri.strip_prefix(INSITES).unwrap_or(&iri).to_owned(),
        (_, Some((kind, slug))) if kind == facet.name() => slug.to_owned(),
        _ => iri,
    };
    let label = label(graph, id);
    let label = if label.is_empty() { value.clone() } else { label };
    (value, label)
}

/// What people call a kind: `case-study` is «Case study», or «Case studies».
#[must_use]
pub fn kind_label(kind: &str, plural: bool) -> String {
    let mut text = kind.replace('-', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if plural && !text.ends_with("evidence") && text != "Evidence" {
        if let Some(stem) = text.strip_suffix("dy") {
            text = format!("{stem}dies");
        } else {
            text.push('s');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_for_people() {
        assert_eq!(kind_label("case-study", true), "Case studies");
        assert_eq!(kind_label("evidence", true), "Evidence");
        assert_eq!(kind_label("lesson", false), "Lesson");
        assert_eq!(kebab("ToolAnswer").as_deref(), Some("tool-answer"));
    }

    #[test]
    fn dates_keep_their_precision() {
        assert_eq!(date_text(20_240_322).as_deref(), Some("2024-03-22"));
        assert_eq!(date_text(20_240_300).as_deref(), Some("2024-03"));
        assert_eq!(date_text(20_240_000).as_deref(), Some("2024"));
        assert_eq!(date_text(0), None);
    }
}

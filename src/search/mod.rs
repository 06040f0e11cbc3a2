//! Search in people's words, by words and by meaning: what was typed is
//! understood, documents are ranked, hits become titles, snippets and facets
//! with labels. Not for the index itself, nor for HTTP. `README.md` beside
//! this file tells how ranking works and what was measured.

mod clause;
mod ranking;
mod records;
mod similar;
mod snippet;
mod spelling;
mod suggest;
mod synonyms;
mod understand;
mod words;

pub use clause::{ClauseHit, Wanted, search_clause};
pub use ranking::Mode;
pub use records::{label, status};
pub use similar::{nearest_of_kind, similar};
pub use suggest::{Suggestion, suggest};

use crate::graph::Snapshot;
use crate::index::{Counted, Facet, Filters, KINDS, Row, Rows};
pub use crate::index::{Error, Snapshot as Index};
use crate::rdf::Names;
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::rdf::vocabulary::INSITES;
use records::{Known, Wording};
use serde::Serialize;
use std::sync::Arc;

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
    /// How records are ranked.
    pub mode: Mode,
    /// Whether every word must occur, with nothing dropped or guessed
    /// (`match=exact`).
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
    /// Results by year of their date, the earliest first; those without a date
    /// are left out.
    pub years: Vec<Year>,
    /// While vectors are still made: how many documents have theirs. Words
    /// find all documents all the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// When nothing was found: what would find something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
}

/// Results of a year.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct Year {
    /// The year.
    pub year: u32,
    /// Results dated in it.
    pub count: u64,
}

/// How far meaning reaches.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct Coverage {
    /// Documents that have their vector.
    pub embedded: u64,
    /// All documents.
    pub documents: u64,
}

/// What would find something.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Help {
    /// Words of the index that are spelt almost like those that were typed.
    pub spellings: Vec<Change>,
    /// Filters to drop, with the results that each would then give.
    pub filters: Vec<DroppedFilter>,
}

/// A filter, and what dropping it would give.
#[derive(Debug, Clone, Serialize)]
pub struct DroppedFilter {
    /// The facet, or `date`.
    pub filter: &'static str,
    /// Results without it.
    pub count: u64,
}

/// A word and what it became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// How near its meaning is, as a cosine; left out when only words were
    /// asked, or its vector is not made yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<f32>,
    /// Typed words for which another one stands in the record: a correction, a
    /// synonym, another spelling.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stands_for: Vec<String>,
}

/// A facet value.
#[derive(Debug, Clone, Serialize)]
pub struct FacetValue {
    /// What to filter by.
    pub value: Arc<str>,
    /// What people call it.
    pub label: Arc<str>,
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
    let mut facets: Vec<(Facet, Vec<u64>)> = Vec::new();
    for (facet, value) in &query.filters {
        // An unknown value finds nothing, as it should.
        let number = facet_number(graph, names, *facet, value).unwrap_or(u64::MAX);
        match facets.iter_mut().find(|(f, _)| f == facet) {
            Some((_, values)) => values.push(number),
            None => facets.push((*facet, vec![number])),
        }
    }
    let filters = text.filters(&facets, query.from, query.to);
    let known = text.remembered(|| Known::read(graph));
    let asked = understand::understand(&query.text, query.exact, text, &known.synonyms)?;
    let limit = query.limit.clamp(1, PAGE_LIMIT);
    let page = query.page.max(1);
    let start = (page - 1).saturating_mul(limit);
    let by_relevance = query.sort == Sort::Relevance;
    let wanted = if by_relevance { start.saturating_add(limit) } else { 0 };
    let ranked = ranking::rank(text, graph, &known, &asked, query.mode, &filters, wanted)?;
    let mut within = ranked.rows.clone();
    within.and(&filters.all);
    let total = usize::try_from(within.count()).unwrap_or(usize::MAX);
    let hits = if by_relevance {
        ranked.hits.get(start..).unwrap_or_default().to_vec()
    } else {
        sorted(text, graph, &within, query.sort, start, limit)
    };
    let wanted = snippet::Wanted::new(&asked.marked, &asked.text);
    let record = |(row, score)| {
        let meaning = ranked.vector.as_ref().and_then(|vector| text.cosine(row, vector));
        let hit = Hit { score, subject: text.subject(row), date: text.date(row) };
        record(graph, names, &known, &hit, &wanted, meaning)
    };
    let hits = hits.into_iter().map(record).collect();
    let coverage = (query.mode != Mode::Words).then(|| text.coverage());
    let partial = coverage.filter(|(embedded, documents)| embedded < documents);
    let counted = text.counted(&within);
    Ok(Answer {
        query: query.text.clone(),
        mode: query.mode.name(),
        revision,
        total,
        page,
        pages: total.div_ceil(limit).max(1),
        hits,
        facets: facet_values(text, graph, names, &known, &ranked.rows, (&counted, &filters)),
        years: counted.years().into_iter().map(|(year, count)| Year { year, count }).collect(),
        coverage: partial.map(|(embedded, documents)| Coverage { embedded, documents }),
        help: if total == 0 {
            Some(help(text, &asked, &ranked.rows, &filters, query)?)
        } else {
            None
        },
        corrections: asked.corrections,
        synonyms: asked.synonyms,
        dropped: asked.words.dropped,
    })
}

/// A document that was found.
struct Hit {
    score: f32,
    subject: TermId,
    date: u64,
}

/// Counts of all facets over all results, each facet without its own filter.
fn facet_values(
    text: &crate::index::Snapshot,
    graph: &Snapshot,
    names: &Names,
    known: &Known,
    ranked: &Rows,
    (within, filters): (&Counted<'_>, &Filters),
) -> std::collections::BTreeMap<&'static str, Vec<FacetValue>> {
    let of_facet = |facet: Facet| {
        let mut counts = match filters.without_own(facet) {
            None => within.of(facet),
            Some(others) => {
                let mut over = ranked.clone();
                over.and(others);
                text.counted(&over).of(facet)
            }
        };
        // Labels are looked up for what is shown only.
        let order = |a: &(u64, u64), b: &(u64, u64)| b.1.cmp(&a.1).then(a.0.cmp(&b.0));
        if counts.len() > FACET_VALUES {
            counts.select_nth_unstable_by(FACET_VALUES, order);
            counts.truncate(FACET_VALUES);
        }
        let mut values = known.facet_values(graph, names, facet, &counts);
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
        (facet.name(), values)
    };
    Facet::ALL.into_iter().map(of_facet).collect()
}

/// What would find something where nothing was found.
fn help(
    text: &crate::index::Snapshot,
    asked: &understand::Understood,
    rows: &Rows,
    filters: &Filters,
    query: &Query,
) -> Result<Help, Error> {
    let mut help = Help::default();
    for word in &asked.words.typed {
        for (word, _) in crate::index::surface_words_of(word) {
            if word.chars().count() >= 4 && text.frequency(&word)? == 0 {
                let near = text.spellings(&word, 2, 1)?;
                let changes = near.into_iter().map(|to| Change { from: word.clone(), to });
                help.spellings.extend(changes);
            }
        }
    }
    for (facet, without) in &filters.without {
        let mut found = rows.clone();
        found.and(without);
        help.filters.push(DroppedFilter { filter: facet.name(), count: found.count() });
    }
    if query.from.is_some() || query.to.is_some() {
        let mut found = rows.clone();
        let values: Vec<(Facet, Vec<u64>)> = Vec::new();
        found.and(&text.filters(&values, None, None).all);
        if filters.without.is_empty() {
            help.filters.push(DroppedFilter { filter: "date", count: found.count() });
        }
    }
    help.filters.retain(|filter| filter.count > 0);
    Ok(help)
}

/// One page in an order that is not relevance.
fn sorted(
    text: &crate::index::Snapshot,
    graph: &Snapshot,
    within: &Rows,
    sort: Sort,
    start: usize,
    limit: usize,
) -> Vec<(Row, f32)> {
    let undated_last = |date: u64| if date == 0 { u64::MAX } else { date };
    let key = |row: Row| match sort {
        Sort::Newest | Sort::Relevance => u64::MAX - text.date(row),
        Sort::Oldest => undated_last(text.date(row)),
        Sort::Title => text.title_key(row),
    };
    let mut rows: Vec<(u64, TermId, Row)> =
        within.iter().map(|row| (key(row), text.subject(row), row)).collect();
    let mut from = start.min(rows.len());
    let mut to = start.saturating_add(limit).min(rows.len());
    // Only what comes before the end of the page is sorted, and what begins as
    // its last does.
    if let Some(last) = to.checked_sub(1) {
        let bound = rows.select_nth_unstable(last).1.0;
        rows.retain(|(key, ..)| *key <= bound);
    }
    rows.sort_unstable();
    if sort == Sort::Title {
        // The key is only the title's beginning: where several begin alike,
        // the whole titles decide.
        while from > 0 && from < rows.len() && rows[from - 1].0 == rows[from].0 {
            from -= 1;
        }
        while to > 0 && to < rows.len() && rows[to - 1].0 == rows[to].0 {
            to += 1;
        }
        rows[from..to].sort_by_cached_key(|(key, subject, _)| {
            (*key, label(graph, *subject).to_lowercase(), *subject)
        });
    }
    rows.into_iter().skip(start).take(limit).map(|(_, _, row)| (row, 0.0)).collect()
}

fn record(
    graph: &Snapshot,
    names: &Names,
    known: &Known,
    hit: &Hit,
    wanted: &snippet::Wanted,
    meaning: Option<f32>,
) -> Record {
    let id = graph.text(hit.subject).unwrap_or_default();
    let Wording { title, texts, status } = known.properties.read(graph, hit.subject);
    let (snippet, mut words) = snippet::best_passage(&texts, wanted);
    let in_title = wanted.matches(title);
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
    let mut stands_for: Vec<String> =
        words.iter().flat_map(|word| wanted.stand_ins(word)).collect();
    stands_for.sort_unstable();
    stands_for.dedup();
    let (kind, slug, url) = place(graph, names, hit.subject, &id);
    Record {
        kind,
        slug,
        url,
        title: if title.is_empty() { id.clone() } else { title.to_owned() },
        id,
        snippet,
        status,
        date: date_text(hit.date),
        score: hit.score,
        why: Why { words, fields, meaning, stands_for },
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
        .find_map(|class| kind_of_class(&class))
        .map_or_else(String::new, |number| KINDS[number].to_owned());
    let slug = iri.rsplit(['/', '#']).next().unwrap_or_default().to_owned();
    (kind, slug, iri.to_owned())
}

/// The number in [`KINDS`] of a class of the ontology.
fn kind_of_class(class: &str) -> Option<usize> {
    let kind = kebab(class.strip_prefix(INSITES)?)?;
    KINDS.iter().position(|known| *known == kind)
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

//! The search page, and the same list as CSV, as a feed and as SPARQL.

use crate::http::State;
use crate::http::error::Problem;
use crate::http::site::layout;
use crate::index::Facet;
use crate::pages::{self, Link};
use crate::rdf::prefixes;
use crate::search::{Answer, Query, Sort, kind_label};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write;

/// Values of a facet shown on the page.
const VALUES: usize = 12;
/// Years shown, the latest.
const YEARS: usize = 12;
/// What needs no escape in a query string.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// A path with these parameters.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// The parameters that describe a list, without the page of it.
fn lasting(parameters: &[(String, String)]) -> Vec<(String, String)> {
    parameters.iter().filter(|(name, value)| name != "page" && !value.is_empty()).cloned().collect()
}

fn facet_name(facet: Facet) -> &'static str {
    match facet {
        Facet::Kind => "Kind",
        Facet::Theme => "Theme",
        Facet::Dimension => "Dimension",
        Facet::Organisation => "Organisation",
        Facet::Region => "Region",
        Facet::Programme => "Programme",
        Facet::Status => "How sure",
        Facet::Outcome => "How it ended",
    }
}

/// The same search with its words apart, where quotation marks or `match=exact`
/// may be why nothing was found.
pub(super) fn loosened(asked: &Query) -> Option<Query> {
    (asked.exact || asked.text.contains('"')).then(|| Query {
        exact: false,
        text: asked.text.replace('"', " "),
        page: 1,
        limit: 1,
        ..asked.clone()
    })
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The page. `loosened` is how many results the search has with its words
/// apart, if this one has none.
pub(super) fn page(
    state: &State,
    parameters: &[(String, String)],
    asked: &Query,
    answer: &Answer,
    loosened: usize,
) -> String {
    let kept = lasting(parameters);
    let with = |more: &[(&str, &str)], less: &[(&str, &str)]| {
        let mut all: Vec<(&str, &str)> =
            borrowed(&kept).into_iter().filter(|pair| !less.contains(pair)).collect();
        all.extend(more);
        address("/search", &all)
    };
    let facets = Facet::ALL
        .into_iter()
        .filter_map(|facet| {
            let values: Vec<pages::FacetLink> = answer
                .facets
                .get(facet.name())?
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let pair = (facet.name(), &*value.value);
                    let selected = asked
                        .filters
                        .iter()
                        .any(|(f, v)| *f == facet && v.eq_ignore_ascii_case(&value.value));
                    (index, value, pair, selected)
                })
                .filter(|(index, _, _, selected)| *index < VALUES || *selected)
                .map(|(_, value, pair, selected)| pages::FacetLink {
                    value: value.value.to_string(),
                    label: value.label.to_string(),
                    count: value.count,
                    selected,
                    url: if selected { with(&[], &[pair]) } else { with(&[pair], &[]) },
                })
                .collect();
            (!values.is_empty()).then(|| pages::FacetGroup {
                name: facet.name(),
                label: facet_name(facet).to_owned(),
                values,
            })
        })
        .collect();
    let chips = asked
        .filters
        .iter()
        .map(|(facet, value)| {
            let label = answer
                .facets
                .get(facet.name())
                .and_then(|values| values.iter().find(|v| v.value.eq_ignore_ascii_case(value)))
                .map(|v| v.label.to_string())
                .or_else(|| named(state, *facet, value))
                .unwrap_or_else(|| value.clone());
            let text = format!("{}: {label}", facet_name(*facet));
            Link::new(&text, &with(&[], &[(facet.name(), value.as_str())]))
        })
        .chain(kept.iter().filter(|(name, _)| name == "from" || name == "to").map(
            |(name, value)| {
                Link::new(
                    &format!("{name} {value}"),
                    &with(&[], &[(name.as_str(), value.as_str())]),
                )
            },
        ))
        .collect();
    let sorts = Sort::ALL
        .into_iter()
        .map(|sort| {
            let old: Vec<(&str, &str)> =
                borrowed(&kept).into_iter().filter(|(name, _)| *name == "sort").collect();
            let text = match sort {
                Sort::Relevance => "best match",
                Sort::Newest => "newest",
                Sort::Oldest => "oldest",
                Sort::Title => "A to Z",
            };
            (text, with(&[("sort", sort.name())], &old), sort == asked.sort)
        })
        .collect();
    let step = |page: usize| with(&[("page", &page.to_string())], &[]);
    let changes = |list: &[crate::search::Change]| -> Vec<(String, String)> {
        list.iter().map(|change| (change.from.clone(), change.to.clone())).collect()
    };
    let corrections = changes(&answer.corrections);
    let corrected = (!corrections.is_empty()).then(|| {
        let words = corrections
            .iter()
            .fold(asked.text.clone(), |text, (from, to)| replace_word(&text, from, to));
        (words, with(&[("match", "exact")], &[]))
    });
    let without = |names: &[&str]| {
        let all: Vec<(&str, &str)> =
            borrowed(&kept).into_iter().filter(|(name, _)| !names.contains(name)).collect();
        address("/search", &all)
    };
    let years = years(answer, &|year| {
        let mut all: Vec<(&str, &str)> = borrowed(&kept)
            .into_iter()
            .filter(|(name, _)| !matches!(*name, "from" | "to"))
            .collect();
        all.extend([("from", year), ("to", year)]);
        address("/search", &all)
    });
    let mut instead: Vec<(Link, u64)> = Vec::new();
    if let Some(help) = &answer.help {
        for spelling in &help.spellings {
            let text = replace_word(&asked.text, &spelling.from, &spelling.to);
            let all: Vec<(&str, &str)> = borrowed(&kept)
                .into_iter()
                .map(|(name, value)| (name, if name == "q" { text.as_str() } else { value }))
                .filter(|(name, _)| *name != "match")
                .collect();
            instead.push((Link::new(&format!("“{text}”"), &address("/search", &all)), 0));
        }
        for filter in &help.filters {
            let name = Facet::ALL.into_iter().find(|facet| facet.name() == filter.filter);
            let dates: &[&str] = &["from", "to"];
            let (text, url) = match name {
                Some(facet) => (
                    format!("without the filter “{}”", facet_name(facet)),
                    without(&[filter.filter]),
                ),
                None => ("at any date".to_owned(), without(dates)),
            };
            instead.push((Link::new(&text, &url), filter.count));
        }
    }
    if loosened > 0 {
        let text = asked.text.replace('"', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let all: Vec<(&str, &str)> = borrowed(&kept)
            .into_iter()
            .map(|(name, value)| (name, if name == "q" { text.as_str() } else { value }))
            .filter(|(name, _)| *name != "match")
            .collect();
        let link = Link::new("with words in any order and spelling", &address("/search", &all));
        instead.push((link, loosened as u64));
    }
    let mut title = if asked.text.is_empty() { "Search".to_owned() } else { asked.text.clone() };
    if answer.pages > 1 {
        let _ = write!(title, " – page {} of {}", answer.page, answer.pages);
    }
    let mut layout = layout(state, &title);
    layout.part = "/search";
    layout.searches = true;
    let all = borrowed(&kept);
    layout.links = vec![("alternate", address("/search.atom", &all), "application/atom+xml")];
    pages::search(&pages::SearchPage {
        layout,
        query: asked.text.clone(),
        hidden: kept.iter().filter(|(name, _)| name != "q" && name != "match").cloned().collect(),
        kept: kept
            .iter()
            .filter(|(name, _)| {
                !matches!(name.as_str(), "from" | "to")
                    && !Facet::ALL.into_iter().any(|facet| facet.name() == name)
            })
            .cloned()
            .collect(),
        from_to: ["from", "to"]
            .map(|wanted| {
                kept.iter()
                    .find(|(name, _)| name == wanted)
                    .map(|(_, v)| v.clone())
                    .unwrap_or_default()
            })
            .into(),
        total: answer.total,
        page: answer.page,
        pages: answer.pages,
        first: (answer.page - 1) * asked.limit + 1,
        hits: answer.hits.iter().map(|hit| shown(state, hit)).collect(),
        facets,
        chips,
        clear: address(
            "/search",
            &borrowed(&kept)
                .into_iter()
                .filter(|(name, _)| matches!(*name, "q" | "sort" | "limit" | "mode" | "match"))
                .collect::<Vec<_>>(),
        ),
        sorts,
        corrections,
        corrected,
        synonyms: changes(&answer.synonyms),
        dropped: answer.dropped.clone(),
        instead,
        loosely: asked.exact.then(|| without(&["match"])),
        coverage: answer.coverage.map(|coverage| (coverage.embedded, coverage.documents)),
        years,
        previous: (answer.page > 1).then(|| step(answer.page - 1)),
        next: (answer.page < answer.pages).then(|| step(answer.page + 1)),
        others: vec![
            Link::new("CSV", &address("/search.csv", &all)),
            Link::new("JSON", &address("/api/search", &all)),
            Link::new("Follow this search (Atom)", &address("/search.atom", &all)),
            Link::new(
                "The SPARQL behind this list",
                &format!("/sparql?query={}", encode(&sparql(state, asked))),
            ),
        ],
    })
}

/// What people call a filter's value of which no result is left.
fn named(state: &State, facet: Facet, value: &str) -> Option<String> {
    if facet == Facet::Kind {
        return Some(kind_label(value, true));
    }
    let iri = if value.contains(':') {
        value.to_owned()
    } else {
        state.config.names.record(facet.name(), value)
    };
    let snapshot = state.snapshot().ok()?;
    let label = crate::search::label(&snapshot.graph, snapshot.graph.iri_id(&iri)?);
    (!label.is_empty()).then_some(label)
}

/// A text with one word for another, whatever its case.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    text.split(' ')
        .map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            if !bare.is_empty() && bare.to_lowercase() == from.to_lowercase() {
                word.replacen(bare, to, 1)
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn shown(state: &State, hit: &crate::search::Record) -> pages::SearchHit {
    let mut places = Vec::new();
    let mut read = false;
    if let Ok(snapshot) = state.snapshot()
        && let Some(id) = snapshot.graph.iri_id(&hit.id)
    {
        let facts = crate::http::record_page::facts::Facts {
            snapshot: &snapshot,
            names: &state.config.names,
        };
        read = facts.only_read(id);
        for property in ["insites:atSite", "insites:atOrganisation", "insites:aboutOrganisation"] {
            if places.is_empty() {
                places = facts.objects(id, property).into_iter().map(|o| facts.label(o)).collect();
            }
        }
        places.sort();
        if places.len() > 2 {
            let more = places.len() - 2;
            places.truncate(2);
            places.push(format!("{more} more"));
        }
    }
    pages::SearchHit {
        link: Link::new(&hit.title, &hit.url).with_status(&hit.status),
        kind: kind_label(&hit.kind, false),
        snippet: hit.snippet.clone(),
        date: hit.date.clone(),
        read,
        places,
        why: why(&hit.why),
    }
}

/// Why a record was found, in a sentence.
fn why(why: &crate::search::Why) -> String {
    let mut parts = Vec::new();
    if !why.words.is_empty() {
        let mut part = format!("says {}", listed(&why.words));
        match why.fields.as_slice() {
            ["title"] => part.push_str(" in its title"),
            ["text"] => part.push_str(" in its text"),
            [] => {}
            _ => part.push_str(" in its title and text"),
        }
        if !why.stands_for.is_empty() {
            let _ = write!(part, ", which stands for {}", listed(&why.stands_for));
        }
        parts.push(part);
    }
    // Nearness is a cosine; below a half, texts share hardly more than their field.
    match why.meaning {
        Some(near) if near >= 0.5 => parts.push(format!("close in meaning ({near:.2} of 1)")),
        Some(near) if parts.is_empty() => {
            parts.push(format!("related in meaning ({near:.2} of 1)"));
        }
        _ => {}
    }
    if parts.is_empty() { String::new() } else { format!("Why: {}", parts.join("; ")) }
}

/// Words in quotation marks, with commas.
fn listed(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("“{word}”")).collect();
    words.join(", ")
}

/// The results by year, the latest shown: address, results, and how long the
/// bar is out of a hundred.
fn years(answer: &Answer, address: &dyn Fn(&str) -> String) -> Vec<pages::YearLink> {
    let from = answer.years.len().saturating_sub(YEARS);
    let years = &answer.years[from..];
    let most = years.iter().map(|year| year.count).max().unwrap_or(0).max(1);
    years
        .iter()
        .map(|year| {
            let text = year.year.to_string();
            pages::YearLink {
                url: address(&text),
                year: text,
                count: year.count,
                share: (year.count * 100).div_ceil(most),
            }
        })
        .collect()
}

/// The list as SPARQL that anyone can change and run.
fn sparql(state: &State, asked: &Query) -> String {
    let mut used = vec!["insites", "dct"];
    let mut body = String::new();
    let mut line = |text: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(body, "  {text}");
    };
    let literal = |text: &str| oxigraph::model::Literal::new_simple_literal(text).to_string();
    if !asked.text.trim().is_empty() {
        line(&format!(
            "SERVICE insites:search {{ ?record insites:query {} ; insites:score ?score ; insites:snippet ?snippet }}",
            literal(asked.text.trim())
        ));
    }
    for facet in Facet::ALL {
        let values: Vec<&str> =
            asked.filters.iter().filter(|(f, _)| *f == facet).map(|(_, v)| v.as_str()).collect();
        if values.is_empty() {
            continue;
        }
        let path = match facet {
            Facet::Kind => "a",
            Facet::Theme => "dct:subject",
            Facet::Dimension => "insites:dimension",
            Facet::Organisation => {
                "insites:atSite|insites:atOrganisation|insites:aboutOrganisation|insites:withPartner|insites:owner"
            }
            Facet::Region => "insites:region",
            Facet::Programme => "insites:inProgramme",
            Facet::Status => "insites:status",
            Facet::Outcome => "insites:outcomeStatus",
        };
        let terms: Vec<String> = values
            .iter()
            .filter_map(|value| {
                let iri = match facet {
                    _ if value.contains(':') => (*value).to_owned(),
                    Facet::Kind | Facet::Status => {
                        format!("{}{}", crate::rdf::vocabulary::INSITES, camel(value))
                    }
                    _ => state.config.names.record(facet.name(), value),
                };
                crate::rdf::NamedNode::new(iri).ok().map(|iri| iri.to_string())
            })
            .collect();
        let name = facet.name();
        line(&format!("VALUES ?{name} {{ {} }}", terms.join(" ")));
        line(&format!("?record {path} ?{name} ."));
    }
    line("OPTIONAL { ?record dct:title ?title }");
    line("OPTIONAL { ?record skos:prefLabel ?name }");
    used.push("skos");
    let order = if asked.text.trim().is_empty() { "?title ?name" } else { "DESC(?score)" };
    let head: String = prefixes().iter().filter(|(prefix, _)| used.contains(prefix)).fold(
        String::new(),
        |mut head, (prefix, iri)| {
            let _ = writeln!(head, "PREFIX {prefix}: <{iri}>");
            head
        },
    );
    let score = if asked.text.trim().is_empty() { "" } else { " ?score" };
    format!(
        "{head}\nSELECT DISTINCT ?record (COALESCE(?title, ?name) AS ?called){score}\nWHERE {{\n{body}}}\nORDER BY {order}\nLIMIT 200\n"
    )
}

/// `case-study` as `CaseStudy`.
fn camel(text: &str) -> String {
    text.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + letters.as_str()
            })
        })
        .collect()
}

/// A cell of CSV (RFC 4180).
pub(super) fn csv_cell(text: &str) -> String {
    // A cell that begins like a formula would be run by a spreadsheet.
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// The list as CSV (RFC 4180).
pub(super) fn csv(answers: &[Answer], base: &str) -> String {
    let mut out = String::from("title,kind,status,date,page,identifier,snippet\r\n");
    for hit in answers.iter().flat_map(|answer| &answer.hits) {
        let page =
            if hit.url.starts_with('/') { format!("{base}{}", hit.url) } else { hit.url.clone() };
        let row = [
            hit.title.as_str(),
            &hit.kind,
            &hit.status,
            hit.date.as_deref().unwrap_or_default(),
            &page,
            &hit.id,
            &plain(&hit.snippet),
        ]
        .map(csv_cell)
        .join(",");
        out.push_str(&row);
        out.push_str("\r\n");
    }
    out
}

/// A snippet without its marks.
fn plain(snippet: &str) -> String {
    snippet
        .replace("<mark>", "")
        .replace("</mark>", "")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The list as an Atom feed (RFC 4287), newest first.
pub(super) fn atom(
    state: &State,
    parameters: &[(String, String)],
    answer: &Answer,
    base: &str,
) -> Result<String, Problem> {
    let kept = lasting(parameters);
    let query = borrowed(&kept);
    let snapshot = state.snapshot()?;
    let updated = |date: Option<&str>| -> String {
        let date = date.unwrap_or_default();
        match date.len() {
            4 => format!("{date}-01-01T00:00:00Z"),
            7 => format!("{date}-01T00:00:00Z"),
            10 => format!("{date}T00:00:00Z"),
            _ if snapshot.time.is_empty() => "1970-01-01T00:00:00Z".to_owned(),
            _ => snapshot.time.clone(),
        }
    };
    let newest = answer.hits.iter().filter_map(|hit| hit.date.as_deref()).max();
    let what: Vec<String> = kept.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let what = if what.is_empty() { "everything".to_owned() } else { what.join(", ") };
    let own = escape(&format!("{base}{}", address("/search.atom", &query)));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>{}: {}</title>\n<id>{own}</id>\n<link rel=\"self\" type=\"application/atom+xml\" href=\"{own}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n<updated>{}</updated>\n\
         <author><name>{}</name></author>\n",
        escape(&state.config.service_name),
        escape(&what),
        escape(&format!("{base}{}", address("/search", &query))),
        updated(newest),
        escape(&state.config.service_name),
    );
    for hit in &answer.hits {
        let url =
            if hit.url.starts_with('/') { format!("{base}{}", hit.url) } else { hit.url.clone() };
        let mark = if hit.status == "Sourced" || hit.status.is_empty() {
            String::new()
        } else {
            format!(" [{}]", hit.status)
        };
        let _ = write!(
            xml,
            "<entry>\n<title>{}</title>\n<id>{}</id>\n<link rel=\"alternate\" href=\"{}\"/>\n\
             <updated>{}</updated>\n<category term=\"{}\"/>\n<summary>{}</summary>\n</entry>\n",
            escape(&format!("{}{mark}", hit.title)),
            escape(&hit.id),
            escape(&url),
            updated(hit.date.as_deref()),
            escape(&hit.kind),
            escape(&plain(&hit.snippet)),
        );
    }
    xml.push_str("</feed>\n");
    Ok(xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_whole() {
        assert_eq!(
            replace_word("mised apointments?", "apointments", "appointments"),
            "mised appointments?"
        );
        assert_eq!(replace_word("the then", "the", "a"), "a then");
    }

    #[test]
    fn addresses_are_readable_and_safe() {
        assert_eq!(
            address("/search", &[("q", "a b&c"), ("kind", "case-study")]),
            "/search?q=a%20b%26c&kind=case-study"
        );
        assert_eq!(plain("<mark>a</mark> &lt;b&gt; &amp;amp;"), "a <b> &amp;");
    }
}

//! Ways into the data: lists of a kind, A to Z, what worked and what did not,
//! the map, programmes over time.

use crate::commit::Snapshot;
use crate::http::error::Problem;
use crate::http::record_page::facts::Facts;
use crate::http::record_page::{part, sections};
use crate::http::site::{html, layout};
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::index::KINDS;
use crate::index::title_key;
use crate::pages::{
    self, Bar, Bars, Block, Card, Link, MapPicture, Section, Span, Timeline, Value,
};
use crate::rdf::TermId;
use crate::rdf::vocabulary::{INSITES, TYPE};
use crate::search::kind_label;
use axum::extract::{Path, RawQuery};
use axum::response::Response;

/// Records on one page of a list.
const PAGE: usize = 60;
/// Places drawn on the map; more would hide each other.
const PLACES: usize = 500;

/// Instances of a class of the ontology.
fn instances(facts: &Facts, class: &str) -> Vec<TermId> {
    let graph = &facts.snapshot.graph;
    graph
        .iri_id(&format!("{INSITES}{class}"))
        .map_or_else(Vec::new, |class| graph.subjects(TYPE, class))
}

/// `case-study` as `CaseStudy`.
fn class_name(kind: &str) -> String {
    kind.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + letters.as_str()
            })
        })
        .collect()
}

/// The records of a kind: instances of its class, or the concepts of its list.
pub(super) fn of_kind(facts: &Facts, kind: &str) -> Vec<TermId> {
    let graph = &facts.snapshot.graph;
    let found = instances(facts, &class_name(kind));
    if !found.is_empty() {
        return found;
    }
    let slug = oxigraph::model::Literal::new_simple_literal(kind);
    graph
        .id(slug.as_ref().into())
        .into_iter()
        .flat_map(|slug| facts.subjects("insites:kindSlug", slug))
        .flat_map(|scheme| facts.subjects("skos:inScheme", scheme))
        .collect()
}

/// The letter under which a title stands.
fn letter(title: &str) -> char {
    title
        .chars()
        .find(|c| c.is_alphanumeric())
        .filter(char::is_ascii_alphabetic)
        .map_or('#', |c| c.to_ascii_uppercase())
}

/// A page of records that are sorted by the keys of their titles: the whole
/// titles decide where several begin alike, and are read there alone.
fn page_of(
    sorted: &mut [(u64, TermId)],
    start: usize,
    title: impl Fn(TermId) -> String,
) -> &[(u64, TermId)] {
    let start = start.min(sorted.len());
    let end = start.saturating_add(PAGE).min(sorted.len());
    let (mut from, mut to) = (start, end);
    while from > 0 && from < sorted.len() && sorted[from - 1].0 == sorted[from].0 {
        from -= 1;
    }
    while to > 0 && to < sorted.len() && sorted[to - 1].0 == sorted[to].0 {
        to += 1;
    }
    sorted[from..to].sort_by_cached_key(|(key, id)| (*key, title(*id).to_lowercase(), *id));
    &sorted[start..end]
}

/// `/{kind}`: all records of a kind, by title.
pub(super) async fn browse(
    Shared(state): Shared<State>,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let facts = Facts { snapshot: &snapshot, names: &state.app()?.config.names };
    let records = of_kind(&facts, &kind);
    if records.is_empty() && !KINDS.contains(&kind.as_str()) {
        return Err(Problem::not_found("there is nothing at this address")
            .with_hint("search at /search, or start at /"));
    }
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let wanted = take(&mut parameters, "letter").pop().and_then(|text| text.chars().next());
    let page = take(&mut parameters, "page").pop().map_or(Ok(1), |p| {
        p.parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| Problem::parameter(format!("page={p} is not a page number")))
    })?;
    let text = &snapshot.text;
    let key = |id: TermId| match text.row_of(id) {
        Some(row) => text.title_key(row),
        None => title_key(&facts.label(id)),
    };
    let mut titled: Vec<(u64, TermId)> = records.into_iter().map(|id| (key(id), id)).collect();
    titled.sort_unstable();
    // Most titles begin with their letter; only of others all is read.
    let letter_of = |(key, id): (u64, TermId)| match key.to_be_bytes()[0] {
        first if first.is_ascii_alphanumeric() => letter(char::from(first).to_string().as_str()),
        _ => letter(&facts.label(id)),
    };
    let mut present: Vec<char> = titled.iter().map(|one| letter_of(*one)).collect();
    present.sort_unstable();
    present.dedup();
    let letters = if titled.len() > PAGE {
        let one = |c: char| {
            let url = format!(
                "/{kind}?letter={}",
                if c == '#' { "%23".to_owned() } else { c.to_string() }
            );
            (c.to_string(), present.contains(&c).then_some(url), wanted == Some(c))
        };
        std::iter::once(("All".to_owned(), Some(format!("/{kind}")), wanted.is_none()))
            .chain(('A'..='Z').chain(['#']).map(one))
            .collect()
    } else {
        Vec::new()
    };
    if let Some(wanted) = wanted {
        titled.retain(|one| letter_of(*one) == wanted);
    }
    let pages_in_all = titled.len().div_ceil(PAGE).max(1);
    let address = |page: usize| {
        let letter = wanted.map(|l| {
            format!("letter={}&", if l == '#' { "%23".to_owned() } else { l.to_string() })
        });
        format!("/{kind}?{}page={page}", letter.unwrap_or_default())
    };
    let title = kind_label(&kind, true);
    let mut layout = layout(&state, &title);
    layout.part = part(&kind);
    let lead = snapshot
        .graph
        .iri_id(&format!("{INSITES}{}", class_name(&kind)))
        .map(|class| facts.text(class, "skos:definition"))
        .unwrap_or_default();
    let mut ways = Vec::new();
    if KINDS.contains(&kind.as_str()) {
        ways.push(Link::new("Search and filter these", &format!("/search?kind={kind}")));
        ways.push(Link::new("As CSV", &format!("/search.csv?kind={kind}")));
        ways.push(Link::new("Follow new ones (Atom)", &format!("/search.atom?kind={kind}")));
    }
    match kind.as_str() {
        "case-study" => ways.push(Link::new("By how they ended", "/outcomes")),
        "organisation" => ways.push(Link::new("On the map", "/map")),
        "programme" => ways.push(Link::new("Over time", "/timeline")),
        _ => {}
    }
    let total = titled.len();
    let items = page_of(&mut titled, (page - 1).saturating_mul(PAGE), |id| facts.label(id));
    let items = items.iter().map(|(_, id)| facts.card(*id));
    let page = pages::browse(&pages::BrowsePage {
        layout,
        title,
        lead,
        total,
        letters,
        items: items.collect(),
        ways,
        previous: (page > 1).then(|| address(page - 1)),
        next: (page < pages_in_all).then(|| address(page + 1)),
        place: (page, pages_in_all),
    });
    Ok(super::at_revision(html(page), snapshot.revision))
}

fn explore_page(
    state: &State,
    title: &str,
    lead: &str,
    above: &[(&str, &str)],
    sections: Vec<Option<Section>>,
) -> Response {
    let mut layout = layout(state, title);
    layout.part = "/explore";
    lead.clone_into(&mut layout.description);
    html(pages::explore(&pages::ExplorePage {
        layout,
        title: title.to_owned(),
        lead: lead.to_owned(),
        above: above.iter().map(|(text, url)| Link::new(text, url)).collect(),
        sections: sections.into_iter().flatten().collect(),
    }))
}

/// Concepts of a kind, with their definitions.
fn concepts(facts: &Facts, kind: &str) -> Block {
    let mut cards: Vec<Card> = of_kind(facts, kind)
        .into_iter()
        .map(|id| Card { facts: Vec::new(), ..facts.card(id) })
        .collect();
    cards.sort_by(|a, b| a.link.text.cmp(&b.link.text));
    Block::Cards(cards)
}

/// `/explore`.
pub(super) async fn explore(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let facts = Facts { snapshot: &snapshot, names: &state.app()?.config.names };
    let lists: Vec<Link> = KINDS
        .into_iter()
        .filter_map(|kind| {
            let count = instances(&facts, &class_name(kind)).len();
            let text = format!("{} ({count})", kind_label(kind, true));
            (count > 0).then(|| Link::new(&text, &format!("/{kind}")))
        })
        .collect();
    let ways = [
        (
            "/compare",
            "What is common, and what varies",
            "Dimensions and themes by organisation, region or outcome: how many of how many, and who is missing.",
        ),
        (
            "/outcomes",
            "What worked, and what did not",
            "Case studies by how they ended, with what stood in the way.",
        ),
        ("/map", "On the map", "Organisations with a known place, and a table of them."),
        ("/timeline", "Programmes over time", "When programmes and funds began and ended."),
        (
            "/queries",
            "Questions with their answers",
            "Saved queries, some with charts, all as CSV.",
        ),
        (
            "/ontology",
            "The ontology",
            "Which classes and properties there are, and how they are linked.",
        ),
    ];
    let cards = ways
        .into_iter()
        .map(|(url, title, text)| Card {
            link: Link::new(title, url),
            facts: Vec::new(),
            text: text.to_owned(),
        })
        .collect();
    let response = explore_page(
        &state,
        "Explore",
        "Everything that is recorded, by what it is about, where it happened and how it ended.",
        &[("Home", "/")],
        vec![
            Section::new("ways", "Ways to look at it", vec![Block::Cards(cards)]),
            Section::new("themes", "By theme", vec![concepts(&facts, "theme")]),
            Section::new("dimensions", "By dimension", vec![concepts(&facts, "dimension")]),
            Section::new("regions", "By region", vec![concepts(&facts, "region")]),
            Section::new("lists", "A to Z", vec![Block::Links(lists)]),
        ],
    );
    Ok(super::at_revision(response, snapshot.revision))
}

/// `/outcomes`: what worked, and what did not.
pub(super) async fn outcomes(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let facts = Facts { snapshot: &snapshot, names: &state.app()?.config.names };
    let order = ["stopped", "mixed", "worked", "too-early"];
    let mut found: Vec<(usize, TermId, Vec<TermId>)> = of_kind(&facts, "outcome")
        .into_iter()
        .map(|outcome| {
            let iri = snapshot.graph.text(outcome).unwrap_or_default();
            let place = order.iter().position(|slug| iri.ends_with(&format!("/{slug}")));
            (
                place.unwrap_or(order.len()),
                outcome,
                facts.subjects("insites:outcomeStatus", outcome),
            )
        })
        .filter(|(.., cases)| !cases.is_empty())
        .collect();
    found.sort_by_key(|(place, ..)| *place);
    let bars = Bars {
        caption: "Case studies by how they ended".to_owned(),
        columns: vec!["How it ended".to_owned(), "Status".to_owned()],
        number: "Case studies".to_owned(),
        full: 0.0,
        bars: found
            .iter()
            .flat_map(|(_, outcome, cases)| by_status(&facts, *outcome, cases))
            .collect(),
    };
    let mut parts = vec![Section::new("counts", "How many", vec![Block::Bars(bars)])];
    let ids = ["first", "second", "third", "fourth", "fifth", "sixth"];
    for ((place, outcome, cases), id) in found.into_iter().zip(ids) {
        let with_barriers = place < 2;
        let mut titled: Vec<(String, TermId)> =
            cases.into_iter().take(300).map(|id| (facts.label(id), id)).collect();
        titled.sort();
        let count = titled.len();
        let cards = titled
            .into_iter()
            .take(if with_barriers { 60 } else { 12 })
            .map(|(_, case)| {
                let barrier = facts.texts(case, "insites:barrier").join(" ");
                let text = if with_barriers && !barrier.is_empty() {
                    format!("What stood in the way: {barrier}")
                } else {
                    facts.text(case, "insites:resultText")
                };
                Card {
                    link: facts.link(case),
                    facts: facts.texts(case, "insites:period").into_iter().take(1).collect(),
                    text,
                }
            })
            .collect();
        let url = snapshot.graph.text(outcome).map(|iri| facts.url(&iri)).unwrap_or_default();
        parts.push(Section::new(
            id,
            &format!("{} ({count})", facts.label(outcome)),
            vec![
                Block::Prose(facts.texts(outcome, "skos:definition")),
                Block::Cards(cards),
                Block::More(Link::new(&format!("All of “{}”", facts.label(outcome)), &url)),
            ],
        ));
    }
    let response = explore_page(
        &state,
        "What worked, and what did not",
        "Case studies by how they ended. Those that were stopped or gave mixed results come first, with what stood in the way.",
        &[("Home", "/"), ("Explore", "/explore")],
        parts,
    );
    Ok(super::at_revision(response, snapshot.revision))
}

/// A bar for each status among these records.
fn by_status(facts: &Facts, outcome: TermId, cases: &[TermId]) -> Vec<Bar> {
    let statuses: Vec<String> =
        cases.iter().map(|case| crate::search::status(&facts.snapshot.graph, *case)).collect();
    ["Sourced", "Unverified", "Illustrative"]
        .into_iter()
        .filter_map(|status| {
            let count = statuses.iter().filter(|s| *s == status).count();
            #[expect(clippy::cast_precision_loss, reason = "counts of records on one page")]
            let value = count as f64;
            (count > 0).then(|| Bar {
                labels: vec![
                    vec![Value::Link(facts.bare_link(outcome))],
                    vec![Value::text(status)],
                ],
                value,
                text: count.to_string(),
            })
        })
        .collect()
}

/// `/map`.
pub(super) async fn map(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let facts = Facts { snapshot: &snapshot, names: &state.app()?.config.names };
    let points = places(&facts, &snapshot);
    let response = explore_page(
        &state,
        "Sites and partners on the map",
        "Organisations whose place is known from an open source. That one is here does not make it a site of NHS InSites: its page says which roles a source gives it.",
        &[("Home", "/"), ("Explore", "/explore")],
        vec![
            Section::new(
                "map",
                &format!("{} organisations with a place", points.len()),
                vec![Block::Map(MapPicture {
                    caption: "Organisations with a place".to_owned(),
                    points,
                })],
            ),
            Section::new(
                "take",
                "Take these with you",
                vec![Block::Links(vec![Link::new(
                    "As CSV, with their coordinates",
                    "/api/queries/map-of-organisations?format=csv",
                )])],
            ),
        ],
    );
    Ok(super::at_revision(response, snapshot.revision))
}

fn places(facts: &Facts, snapshot: &Snapshot) -> Vec<pages::Point> {
    let latitude = crate::http::record_page::facts::iri("wgs84:lat");
    let Some(latitude) = snapshot.graph.iri_id(&latitude) else { return Vec::new() };
    let any = crate::graph::GraphPattern::Any;
    let mut ids: Vec<TermId> =
        snapshot.graph.quads().matching(None, Some(latitude), None, any).map(|q| q[0]).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(PLACES);
    let mut points: Vec<pages::Point> =
        ids.into_iter().filter_map(|id| sections::point(facts, id)).collect();
    points.sort_by(|a, b| a.link.text.cmp(&b.link.text));
    points
}

/// `/timeline`: programmes over time.
pub(super) async fn timeline(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let facts = Facts { snapshot: &snapshot, names: &state.app()?.config.names };
    let all = instances(&facts, "Programme");
    let mut spans = Vec::new();
    let mut undated = Vec::new();
    for id in all {
        let start = facts.text(id, "insites:start");
        if start.is_empty() {
            undated.push(facts.link(id));
            continue;
        }
        spans.push(Span {
            link: facts.link(id),
            start,
            end: facts.text(id, "insites:end"),
            note: facts
                .objects(id, "insites:owner")
                .first()
                .map(|owner| facts.label(*owner))
                .unwrap_or_default(),
        });
    }
    spans.sort_by(|a, b| a.start.cmp(&b.start).then(a.link.text.cmp(&b.link.text)));
    undated.sort_by(|a, b| a.text.cmp(&b.text));
    let response = explore_page(
        &state,
        "Programmes over time",
        "When programmes, funds and policies began and ended, as their sources say.",
        &[("Home", "/"), ("Explore", "/explore")],
        vec![
            Section::new(
                "spans",
                "On one scale",
                vec![Block::Timeline(Timeline {
                    caption: "Programmes by the year in which they began".to_owned(),
                    spans,
                })],
            ),
            Section::new(
                "undated",
                "Without a date in the sources found",
                vec![Block::Links(undated)],
            ),
        ],
    );
    Ok(super::at_revision(response, snapshot.revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_classes_and_titles_have_letters() {
        assert_eq!(class_name("case-study"), "CaseStudy");
        assert_eq!(letter("“a quote”"), 'A');
        assert_eq!(letter("3D LifePrints"), '#');
        assert_eq!(letter(""), '#');
    }

    #[test]
    fn a_page_is_in_the_order_of_whole_titles() {
        // All begin alike, so that the keys decide nothing.
        let titles: Vec<String> =
            (0..150_u32).map(|n| format!("Innovation {:03}", n * 77 % 150)).collect();
        let title = |id: TermId| titles[id as usize].clone();
        let mut sorted: Vec<(u64, TermId)> =
            (0..150).map(|id| (title_key(&title(id)), id)).collect();
        sorted.sort_unstable();
        let mut shown = Vec::new();
        for page in 0..4 {
            let page = page_of(&mut sorted, page * PAGE, title);
            shown.extend(page.iter().map(|(_, id)| title(*id)));
        }
        assert_eq!(shown.len(), 150, "{shown:?}");
        assert!(shown.is_sorted(), "{shown:?}");
    }
}

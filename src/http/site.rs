//! Home, explanations and the small files that crawlers ask for.

use crate::commit::Snapshot;
use crate::graph::GraphPattern;
use crate::http::description;
use crate::http::error::{Problem, explanation, status};
use crate::http::negotiate::choose;
use crate::http::record_page::facts::Facts;
use crate::http::record_page::{all_records, described};
use crate::http::sparql::accept;
use crate::http::{Shared, State};
use crate::index::Facet;
use crate::pages;
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::Names;
use crate::rdf::vocabulary::INSITES;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// The empty SPARQL form.
pub(super) fn empty_workbench(state: &State) -> Response {
    let page = pages::workbench(&super::workbench::page(state, ""));
    let fields = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::VARY, "Accept, Accept-Encoding"),
    ];
    (fields, page).into_response()
}

/// What every page has around its content.
pub(super) fn layout(state: &State, title: &str) -> pages::Layout {
    pages::Layout {
        title: title.to_owned(),
        service_name: state.config.service_name.clone(),
        brand: state
            .config
            .brand_colour
            .as_ref()
            .map(|colour| format!("/assets/brand-{}.css", colour.trim_start_matches('#'))),
        signed_in: state.caller.form_secret.clone().map(|secret| pages::SignedIn {
            name: state.caller.name.clone(),
            role: state.caller.role.name().to_owned(),
            form_secret: secret,
        }),
        ..pages::Layout::default()
    }
}

pub(super) fn html(page: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Lessons, and case studies, that the first page shows as the newest.
const NEWEST: usize = 3;

/// `/`.
pub(super) async fn home(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let newest = |kind: &str| {
        let query = crate::search::Query {
            page: 1,
            limit: NEWEST,
            sort: crate::search::Sort::Newest,
            filters: vec![(Facet::Kind, kind.to_owned())],
            ..Default::default()
        };
        let (graph, text) = (&snapshot.graph, &snapshot.text);
        crate::search::search(snapshot.revision, graph, text, &app.config.names, &query)
    };
    let [mut lessons, mut cases] =
        [newest("lesson")?, newest("case-study")?].map(|found| found.hits.into_iter());
    // Side by side, as long as there are both.
    let newest: Vec<crate::search::Record> =
        (0..NEWEST).flat_map(|_| [lessons.next(), cases.next()]).flatten().collect();
    let all = crate::search::search(
        snapshot.revision,
        &snapshot.graph,
        &snapshot.text,
        &app.config.names,
        &crate::search::Query { page: 1, limit: 1, ..Default::default() },
    )?;
    let links = |facet: Facet| -> Vec<(pages::Link, u64)> {
        all.facets
            .get(facet.name())
            .into_iter()
            .flatten()
            .map(|value| {
                let url = match facet {
                    Facet::Kind => format!("/{}", value.value),
                    Facet::Status => format!("/search?status={}", value.value),
                    _ => format!("/{}/{}", facet.name(), value.value),
                };
                (pages::Link::new(&value.label, &url), value.count)
            })
            .collect()
    };
    let stated =
        snapshot.graph.iri_id(&format!("{INSITES}statedNumberOfSites")).and_then(|property| {
            let quad = snapshot
                .graph
                .quads()
                .matching(None, Some(property), None, GraphPattern::Any)
                .next()?;
            snapshot.graph.text(quad[2])
        });
    let mut layout = layout(&state, "Home");
    layout.searches = true;
    "Lessons and case studies on how NHS organisations take up and spread innovation, each with the evidence behind it."
        .clone_into(&mut layout.description);
    let page = pages::home(&pages::HomePage {
        layout,
        kinds: links(Facet::Kind),
        themes: links(Facet::Theme),
        dimensions: links(Facet::Dimension),
        statuses: links(Facet::Status),
        stated_sites: stated,
        newest: newest
            .iter()
            .map(|hit| pages::Card {
                link: pages::Link::new(&hit.title, &hit.url).with_status(&hit.status),
                facts: std::iter::once(crate::search::kind_label(&hit.kind, false))
                    .chain(when(&snapshot, &app.config.names, hit))
                    .collect(),
                text: snapshot
                    .graph
                    .iri_id(&hit.id)
                    .map(|id| described(&snapshot, id))
                    .unwrap_or_default(),
            })
            .collect(),
    });
    Ok(super::at_revision(html(page), snapshot.revision))
}

/// A result's date, and whether its source was only read then.
fn when(snapshot: &Snapshot, names: &Names, hit: &crate::search::Record) -> Option<String> {
    let date = pages::day(hit.date.as_deref()?);
    let facts = Facts { snapshot, names };
    let read = snapshot.graph.iri_id(&hit.id).is_some_and(|id| facts.only_read(id));
    Some(if read { format!("source read {date}") } else { date })
}

/// `/about`.
pub(super) async fn about(Shared(state): Shared<State>) -> Response {
    html(pages::about(&layout(&state, "About the data")))
}

/// `/accessibility`.
pub(super) async fn accessibility(Shared(state): Shared<State>) -> Response {
    html(pages::accessibility(&layout(&state, "Accessibility statement")))
}

/// `/problem/{name}`: what a problem type means.
pub(super) async fn problem_type(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| Problem::not_found(format!("there is no problem type {name}")))?;
    let (title, meaning) = explanation(kind);
    Ok(html(pages::problem_type(
        &layout(&state, title),
        title,
        meaning,
        status(kind).as_u16(),
        &state.config.names.problem(&name),
    )))
}

/// `/.well-known/void`.
pub(super) async fn void(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = match choose(
        accept(&headers).as_deref(),
        &[
            &["text/turtle"],
            &["application/rdf+xml"],
            &["application/n-triples"],
            &["application/ld+json"],
        ],
    ) {
        Some(1) => GraphFormat::RdfXml,
        Some(2) => GraphFormat::NTriples,
        Some(3) => GraphFormat::JsonLd,
        _ => GraphFormat::Turtle,
    };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let body = description::void(&state, host, format)?;
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    Ok(response)
}

/// `/robots.txt`: records may be read, searches need not be.
pub(super) async fn robots(headers: HeaderMap) -> String {
    let host = host(&headers);
    format!(
        "User-agent: *\nDisallow: /search\nDisallow: /api/\nDisallow: /sparql\n\
         Sitemap: http://{host}/sitemap.xml\n"
    )
}

/// The host as the client knows it, without what is no host.
fn host(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    host.chars().filter(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(*c)).collect()
}

/// `/sitemap.xml` (sitemaps.org protocol; at most 50,000 addresses).
pub(super) async fn sitemap(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let host = host(&headers);
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for path in all_records(&state, &snapshot).into_iter().take(50_000) {
        // Writing to a string cannot fail; slugs need no escaping.
        let _ = writeln!(xml, "<url><loc>http://{host}{path}</loc></url>");
    }
    xml.push_str("</urlset>\n");
    let response = ([(header::CONTENT_TYPE, "application/xml")], xml).into_response();
    Ok(super::at_revision(response, snapshot.revision))
}

/// Any other address.
pub(super) async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address")
        .with_hint("search at /search, or start at /")
}

/// A known address with another method.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "this address does not take this method")
}

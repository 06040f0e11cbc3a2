//! Home, ontology, explanations and the small files that crawlers ask for.

use crate::graph::GraphPattern;
use crate::http::description;
use crate::http::error::{Problem, explanation, status};
use crate::http::negotiate::choose;
use crate::http::records::{all_records, entity_tag};
use crate::http::sparql::accept;
use crate::http::{Shared, State};
use crate::index::Facet;
use crate::pages;
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::Term;
use crate::rdf::Triple;
use crate::rdf::vocabulary::{DCTERMS, INSITES, RDFS, SKOS, TYPE};
use crate::search::label;
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
        canonical: None,
        links: Vec::new(),
        signed_in: state.caller.form_secret.clone().map(|secret| pages::SignedIn {
            name: state.caller.name.clone(),
            role: state.caller.role.name().to_owned(),
            form_secret: secret,
        }),
        revision: state.snapshot().map_or(0, |snapshot| snapshot.revision),
    }
}

fn html(page: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// `/`.
pub(super) async fn home(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let answer = crate::search::search(
        snapshot.revision,
        &snapshot.graph,
        &snapshot.text,
        &app.config.names,
        &crate::search::Query {
            page: 1,
            limit: 8,
            sort: crate::search::Sort::Newest,
            filters: vec![
                (Facet::Kind, "lesson".to_owned()),
                (Facet::Kind, "case-study".to_owned()),
            ],
            ..Default::default()
        },
    )?;
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
    let page = pages::home(&pages::HomePage {
        layout: layout(&state, "Home"),
        kinds: links(Facet::Kind),
        themes: links(Facet::Theme),
        dimensions: links(Facet::Dimension),
        statuses: links(Facet::Status),
        stated_sites: stated,
        newest: answer
            .hits
            .iter()
            .map(|hit| pages::Link::new(&hit.title, &hit.url).with_status(&hit.status))
            .collect(),
    });
    Ok(super::at_revision(html(page), snapshot.revision))
}

/// `/ontology`: terms for people, RDF for programs.
pub(super) async fn ontology(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let chosen = choose(
        accept(&headers).as_deref(),
        &[
            &["text/html", "application/xhtml+xml"],
            &["text/turtle", "application/x-turtle", "text/n3"],
            &["application/rdf+xml"],
            &["application/n-triples"],
            &["application/ld+json", "application/json"],
        ],
    );
    let format = match chosen {
        Some(0) => None,
        Some(1) => Some(GraphFormat::Turtle),
        Some(2) => Some(GraphFormat::RdfXml),
        Some(3) => Some(GraphFormat::NTriples),
        Some(4) => Some(GraphFormat::JsonLd),
        _ => {
            return Err(Problem::new(
                Kind::NotAcceptable,
                "the ontology exists as HTML, Turtle, RDF/XML, N-Triples and JSON-LD",
            ));
        }
    };
    let graph = &snapshot.graph;
    let ontology = app.config.names.graph("ontology");
    let own = graph.iri_id(ontology.as_str());
    if let Some(format) = format {
        let triples: Vec<Triple> = own.map_or_else(Vec::new, |own| {
            graph
                .quads()
                .matching(None, None, None, GraphPattern::Only(own))
                .filter_map(|q| graph.quad(q))
                .map(Into::into)
                .collect()
        });
        let body = description::write_graph(triples.iter(), format)?;
        let tag = entity_tag(&body);
        let mut response = Response::new(Body::from(body));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        response.headers_mut().insert(header::ETAG, tag);
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        return Ok(super::at_revision(response, snapshot.revision));
    }
    let mut groups = Vec::new();
    for (title, class) in [
        ("Classes", "http://www.w3.org/2002/07/owl#Class"),
        ("Properties that link records", "http://www.w3.org/2002/07/owl#ObjectProperty"),
        ("Properties with values", "http://www.w3.org/2002/07/owl#DatatypeProperty"),
        ("Concept schemes", "http://www.w3.org/2004/02/skos/core#ConceptScheme"),
    ] {
        let Some(class) = graph.iri_id(class) else { continue };
        let mut terms: Vec<pages::OntologyTerm> = graph
            .subjects(TYPE, class)
            .into_iter()
            .filter_map(|id| {
                let iri = graph.text(id)?;
                let text = |namespace: &str, name: &str| {
                    graph
                        .objects(id, &format!("{namespace}{name}"))
                        .into_iter()
                        .filter_map(|o| match graph.term(o)? {
                            Term::Literal(literal) => Some(literal.value().to_owned()),
                            Term::NamedNode(iri) => Some(iri.into_string()),
                            Term::BlankNode(_) => None,
                        })
                        .collect::<Vec<String>>()
                };
                let mut above = text(RDFS, "subClassOf");
                above.extend(text(RDFS, "subPropertyOf"));
                Some(pages::OntologyTerm {
                    name: iri
                        .strip_prefix(INSITES)
                        .unwrap_or(&iri)
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    label: label(graph, id),
                    definition: text(SKOS, "definition")
                        .into_iter()
                        .chain(text(RDFS, "comment"))
                        .chain(text(DCTERMS, "description"))
                        .next()
                        .unwrap_or_default(),
                    above,
                    source: text(DCTERMS, "source"),
                    iri,
                })
            })
            .collect();
        terms.sort_by(|a, b| a.name.cmp(&b.name));
        groups.push((title.to_owned(), terms));
    }
    let page = pages::ontology(&pages::OntologyPage { layout: layout(&state, "Ontology"), groups });
    let mut response = html(page);
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    Ok(super::at_revision(response, snapshot.revision))
}

/// `/about`.
pub(super) async fn about(Shared(state): Shared<State>) -> Response {
    html(pages::about(&layout(&state, "About the data")))
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

/// `/assets/{name}`: files built into the program.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    if name != pages::STYLESHEET_NAME {
        return Err(Problem::not_found("there is no such file"));
    }
    let mut response = pages::STYLESHEET.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(header::ETAG, entity_tag(pages::STYLESHEET.as_bytes()));
    Ok(response)
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

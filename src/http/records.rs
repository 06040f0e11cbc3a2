//! Identifiers, pages and data of single records. The contract: the
//! identifier redirects (303), page and data have their own addresses.

use crate::app::App;
use crate::commit::Snapshot;
use crate::graph::GraphPattern;
use crate::http::description::write_graph;
use crate::http::error::Problem;
use crate::http::history::{as_of, memento, revision_for};
use crate::http::lifecycle::{Fate, fate, moved};
use crate::http::negotiate::choose;
use crate::http::record_page::facts::Facts;
use crate::http::record_page::{self, Found};
use crate::http::site::layout;
use crate::http::sparql::{accept, pairs};
use crate::http::{Shared, State};
use crate::pages;
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::Literal;
use crate::rdf::Term;
use crate::rdf::TermId;
use crate::rdf::Triple;
use crate::rdf::prefixes;
use crate::rdf::vocabulary::TYPE;
use crate::search::{label, status};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a record's addresses end in, with its media type: the page first.
const VARIANTS: [(&str, &str, &[&str]); 6] = [
    ("", "text/html", &["text/html", "application/xhtml+xml"]),
    (".ttl", "text/turtle", &["text/turtle", "application/x-turtle", "text/n3", "text/rdf+n3"]),
    (".jsonld", "application/ld+json", &["application/ld+json"]),
    (".nt", "application/n-triples", &["application/n-triples"]),
    (".rdf", "application/rdf+xml", &["application/rdf+xml"]),
    (".json", "application/json", &["application/json"]),
];

/// Endings under which a record can be cited, with their media types.
const CITATIONS: [(&str, &str); 3] = [
    (".bib", "application/x-bibtex; charset=utf-8"),
    (".ris", "application/x-research-info-systems; charset=utf-8"),
    (".csl.json", "application/vnd.citationstyles.csl+json"),
];

/// `/id/{kind}/{slug}`: 303 to page or data.
pub(super) async fn identifier(
    Shared(state): Shared<State>,
    Path((kind, slug)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    let names = &app.config.names;
    if let Some(Fate::Merged(survivor)) = fate(&snapshot, names, &names.record(&kind, &slug)) {
        return Ok(moved(names, &survivor, true, ""));
    }
    let found = find(app, &snapshot, &kind, &slug)?;
    let offers: Vec<&[&str]> = VARIANTS.iter().map(|(_, _, names)| *names).collect();
    let Some(chosen) = choose(accept(&headers).as_deref(), &offers) else {
        let mut problem =
            Problem::new(Kind::NotAcceptable, "none of the formats you accept exists");
        problem.variants = VARIANTS
            .iter()
            .map(|(ending, media_type, _)| {
                (format!("/{kind}/{slug}{ending}"), (*media_type).to_owned())
            })
            .collect();
        return Err(problem);
    };
    let location = format!("/{kind}/{slug}{}", VARIANTS[chosen].0);
    let mut response = StatusCode::SEE_OTHER.into_response();
    let value = HeaderValue::from_str(&location).map_err(|e| Problem::internal(&e))?;
    response.headers_mut().insert(header::LOCATION, value);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    link(&mut response, &found.iri, &kind, &slug);
    Ok(super::at_revision(response, snapshot.revision))
}

/// `/{kind}/{slug}` and its data.
pub(super) async fn record(
    Shared(state): Shared<State>,
    Path((kind, file)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let app = state.app()?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let past = as_of(&state, &mut parameters).await?;
    let thanked = parameters.iter().any(|(name, value)| name == "feedback" && value == "kept");
    if past.is_none()
        && let Some(revision) = revision_for(&state, &headers).await?
    {
        // The page is its own TimeGate (RFC 7089 §4.1).
        let location = format!("/{kind}/{file}?revision={revision}");
        let mut response = StatusCode::FOUND.into_response();
        let value = HeaderValue::from_str(&location)
            .map_err(|_| Problem::not_found("there is nothing at this address"))?;
        response.headers_mut().insert(header::LOCATION, value);
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("Accept-Datetime, Accept"));
        return Ok(response);
    }
    let is_past = past.is_some();
    let snapshot = match past {
        Some(past) => past,
        None => state.snapshot()?,
    };
    // Slugs hold no dot, so the first one begins the ending.
    let (slug, ending) = match file.find('.') {
        Some(dot) => file.split_at(dot),
        None => (file.as_str(), ""),
    };
    // Roles are no kinds: the organisation keeps its one address.
    if kind == "site" || kind == "partner" {
        find(app, &snapshot, "organisation", slug)?;
        let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
        let value = HeaderValue::from_str(&format!("/organisation/{slug}{ending}"))
            .map_err(|_| Problem::not_found("there is nothing at this address"))?;
        response.headers_mut().insert(header::LOCATION, value);
        return Ok(response);
    }
    let names = &app.config.names;
    let fate = fate(&snapshot, names, &names.record(&kind, slug));
    if let Some(Fate::Merged(survivor)) = &fate {
        return Ok(moved(names, survivor, false, ending));
    }
    let found = find(app, &snapshot, &kind, slug)?;
    if let Some((_, media_type)) = CITATIONS.iter().find(|(known, _)| *known == ending) {
        return cited(&state, &snapshot, &found, ending, media_type);
    }
    let (variant, negotiated) = if ending.is_empty() {
        let offers: Vec<&[&str]> = VARIANTS.iter().map(|(_, _, names)| *names).collect();
        let chosen = choose(accept(&headers).as_deref(), &offers);
        (chosen.unwrap_or(0), true)
    } else {
        let variant = VARIANTS.iter().position(|(e, ..)| *e == ending).ok_or_else(|| {
            Problem::not_found(format!("there is no {ending} of this record")).with_hint(
                ".ttl, .jsonld, .nt, .rdf and .json exist; .bib, .ris and .csl.json cite it",
            )
        })?;
        (variant, false)
    };
    let body = match VARIANTS[variant].0 {
        "" => {
            let formats: Vec<(&str, &str)> = VARIANTS[1..]
                .iter()
                .map(|(ending, media_type, _)| (*ending, *media_type))
                .collect();
            let withdrawn = fate == Some(Fate::Withdrawn);
            record_page::page(&state, &snapshot, &found, &formats, is_past, withdrawn, thanked)
                .into_bytes()
        }
        ".json" => compact_json(&snapshot, app, &found)?,
        ".ttl" => write_graph(triples(&snapshot, found.id).iter(), GraphFormat::Turtle)?,
        ".nt" => write_graph(triples(&snapshot, found.id).iter(), GraphFormat::NTriples)?,
        ".rdf" => write_graph(triples(&snapshot, found.id).iter(), GraphFormat::RdfXml)?,
        _ => write_graph(triples(&snapshot, found.id).iter(), GraphFormat::JsonLd)?,
    };
    let media_type = match VARIANTS[variant].1 {
        "text/html" => "text/html; charset=utf-8",
        other => other,
    };
    let tag = entity_tag(&body);
    let mut response = Response::new(Body::from(body));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    fields.insert(header::ETAG, tag);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if negotiated && variant > 0 {
        let location = format!("/{kind}/{slug}{}", VARIANTS[variant].0);
        if let Ok(value) = HeaderValue::from_str(&location) {
            fields.insert(header::CONTENT_LOCATION, value);
        }
    }
    link(&mut response, &found.iri, &kind, slug);
    if is_past {
        memento(&mut response, &snapshot.time, &format!("/{kind}/{slug}"));
    }
    if fate == Some(Fate::Withdrawn) {
        *response.status_mut() = StatusCode::GONE;
    }
    Ok(super::at_revision(response, snapshot.revision))
}

/// A strong validator: a hash of the representation itself.
pub(super) fn entity_tag(body: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(body);
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in &hash[..16] {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// How to cite a record, in a format of reference managers.
fn cited(
    state: &State,
    snapshot: &Snapshot,
    found: &Found,
    ending: &str,
    media_type: &'static str,
) -> Result<Response, Problem> {
    let citation = record_page::citation(state, snapshot, found);
    let body = match ending {
        ".bib" => citation.bibtex().into_bytes(),
        ".ris" => citation.ris().into_bytes(),
        _ => serde_json::to_vec_pretty(&[citation.csl()]).map_err(|e| Problem::internal(&e))?,
    };
    let tag = entity_tag(&body);
    let mut response = Response::new(Body::from(body));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(header::ETAG, tag);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let file = format!("attachment; filename=\"{}{ending}\"", found.slug);
    if let Ok(value) = HeaderValue::from_str(&file) {
        fields.insert(header::CONTENT_DISPOSITION, value);
    }
    link(&mut response, &found.iri, &found.kind, &found.slug);
    Ok(super::at_revision(response, snapshot.revision))
}

/// GET `/{kind}/{slug}/graph`: what is around a record, as page and as JSON.
pub(super) fn graph(
    state: &State,
    kind: &str,
    slug: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let snapshot = state.snapshot()?;
    let found = find(state.app()?, &snapshot, kind, slug)?;
    let neighbours = record_page::neighbours(state, &snapshot, &found);
    let offers: [&[&str]; 2] = [&["text/html", "application/xhtml+xml"], &["application/json"]];
    let mut response = match choose(accept(headers).as_deref(), &offers) {
        Some(0) => {
            let title = neighbours.centre.text.clone();
            let mut layout = layout(state, &format!("Around {title}"));
            layout.part = record_page::part(kind);
            let page = pages::graph(&pages::GraphPage { layout, title, neighbours });
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Some(_) => {
            let list: Vec<serde_json::Value> = neighbours
                .groups
                .iter()
                .flat_map(|(relation, list)| list.iter().map(move |one| (relation, one)))
                .map(|(relation, one)| {
                    serde_json::json!({
                        "relation": relation, "title": one.link.text, "url": one.link.url,
                        "kind": one.kind, "status": one.link.status, "graph": one.graph,
                    })
                })
                .collect();
            Json(serde_json::json!({
                "id": found.iri, "title": neighbours.centre.text, "url": neighbours.centre.url,
                "neighbours": list,
            }))
            .into_response()
        }
        None => {
            return Err(Problem::new(Kind::NotAcceptable, "neighbours exist as page and as JSON"));
        }
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    Ok(super::at_revision(response, snapshot.revision))
}

pub(super) fn find(
    app: &App,
    snapshot: &Snapshot,
    kind: &str,
    slug: &str,
) -> Result<Found, Problem> {
    let iri = app.config.names.record(kind, slug);
    let missing = || {
        Problem::not_found(format!("there is no record {kind}/{slug}"))
            .with_hint("search for it at /search")
    };
    if app.config.names.kind_and_slug(&iri).is_none() {
        return Err(missing());
    }
    let id = snapshot.graph.iri_id(&iri).ok_or_else(missing)?;
    let described = snapshot.graph.quads().matching(Some(id), None, None, GraphPattern::Any).next();
    if described.is_none() {
        return Err(missing());
    }
    Ok(Found { id, iri, kind: kind.to_owned(), slug: slug.to_owned() })
}

/// Typed links on page and data (RFC 8288, FAIR Signposting).
fn link(response: &mut Response, iri: &str, kind: &str, slug: &str) {
    let mut links = format!("<{iri}>; rel=\"cite-as\"");
    for (ending, media_type, _) in VARIANTS {
        let rel = if ending.is_empty() { "alternate" } else { "alternate describedby" };
        // Writing to a string cannot fail.
        let _ = write!(links, ", </{kind}/{slug}{ending}>; rel=\"{rel}\"; type=\"{media_type}\"");
    }
    if let Ok(value) = HeaderValue::from_str(&links) {
        response.headers_mut().insert(header::LINK, value);
    }
}

/// The triples about a record in any graph, with those of its blank nodes.
fn triples(snapshot: &Snapshot, subject: TermId) -> Vec<Triple> {
    let graph = &snapshot.graph;
    let mut triples = Vec::new();
    let mut seen = vec![subject];
    let mut next = 0;
    while let Some(subject) = seen.get(next).copied() {
        next += 1;
        let mut last = None;
        for [s, p, o, g] in graph.quads().matching(Some(subject), None, None, GraphPattern::Any) {
            if last.replace([s, p, o]) == Some([s, p, o]) {
                continue;
            }
            let Some(quad) = graph.quad([s, p, o, g]) else { continue };
            if matches!(quad.object, Term::BlankNode(_)) && !seen.contains(&o) {
                seen.push(o);
            }
            triples.push(quad.into());
        }
    }
    triples
}

/// `dct:title` for an IRI that a prefix fits.
pub(super) fn compact(iri: &str) -> String {
    prefixes()
        .iter()
        .find_map(|(prefix, namespace)| {
            let name = iri.strip_prefix(namespace)?;
            let plain = !name.is_empty() && !name.contains(['/', '#']);
            plain.then(|| format!("{prefix}:{name}"))
        })
        .unwrap_or_else(|| iri.to_owned())
}

/// `.json`: a record as a program that knows no RDF wants it.
fn compact_json(snapshot: &Snapshot, app: &App, found: &Found) -> Result<Vec<u8>, Problem> {
    let graph = &snapshot.graph;
    let mut properties: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    let mut types = Vec::new();
    for triple in triples(snapshot, found.id) {
        if triple.subject.to_string() != format!("<{}>", found.iri) {
            continue;
        }
        if triple.predicate.as_str() == TYPE {
            if let Term::NamedNode(class) = &triple.object {
                types.push(compact(class.as_str()));
            }
            continue;
        }
        let value = match &triple.object {
            Term::NamedNode(iri) => {
                let name =
                    graph.iri_id(iri.as_str()).map(|id| label(graph, id)).unwrap_or_default();
                let mut value = serde_json::json!({ "id": iri.as_str() });
                if !name.is_empty() {
                    value["label"] = name.into();
                }
                if let Some((kind, slug)) = app.config.names.kind_and_slug(iri.as_str()) {
                    value["url"] = format!("/{kind}/{slug}").into();
                }
                value
            }
            Term::Literal(literal) => literal_json(literal),
            Term::BlankNode(node) => serde_json::json!({ "id": node.to_string() }),
            Term::Triple(triple) => serde_json::json!({ "triple": triple.to_string() }),
        };
        properties.entry(compact(triple.predicate.as_str())).or_default().push(value);
    }
    let mut compact = serde_json::json!({
        "id": found.iri,
        "kind": found.kind,
        "slug": found.slug,
        "title": label(graph, found.id),
        "url": format!("/{}/{}", found.kind, found.slug),
        "status": status(graph, found.id),
        "types": types,
        "properties": properties,
    });
    if found.kind == "lesson" {
        // Computed; `insites:strength` among the properties is what its author states.
        let facts = Facts { snapshot, names: &app.config.names };
        compact["computedStrength"] = record_page::strength::json(&facts, found.id);
    }
    serde_json::to_vec_pretty(&compact).map_err(|e| Problem::internal(&e))
}

fn literal_json(literal: &Literal) -> serde_json::Value {
    let mut value = serde_json::json!({ "value": literal.value() });
    if let Some(language) = literal.language() {
        value["language"] = language.into();
    } else if literal.datatype() != oxigraph::model::vocab::xsd::STRING {
        value["datatype"] = compact(literal.datatype().as_str()).into();
    }
    value
}

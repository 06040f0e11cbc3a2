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
use crate::http::site::layout;
use crate::http::sparql::{accept, pairs, take};
use crate::http::{Shared, State};
use crate::index::KINDS;
use crate::pages;
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::Literal;
use crate::rdf::NamedNode;
use crate::rdf::Term;
use crate::rdf::TermId;
use crate::rdf::Triple;
use crate::rdf::prefixes;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use crate::search::{kind_label, label, status};
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

/// Links shown of one kind of incoming relation.
const INCOMING: usize = 50;

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
    let (slug, ending) = match file.rfind('.') {
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
    let (variant, negotiated) = if ending.is_empty() {
        let offers: Vec<&[&str]> = VARIANTS.iter().map(|(_, _, names)| *names).collect();
        let chosen = choose(accept(&headers).as_deref(), &offers);
        (chosen.unwrap_or(0), true)
    } else {
        let variant = VARIANTS.iter().position(|(e, ..)| *e == ending).ok_or_else(|| {
            Problem::not_found(format!("there is no {ending} of this record"))
                .with_hint(".ttl, .jsonld, .nt, .rdf and .json exist")
        })?;
        (variant, false)
    };
    let body = match VARIANTS[variant].0 {
        "" => page(&state, &snapshot, &found).into_bytes(),
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

/// `/{kind}`: all records of a kind, by title.
pub(super) async fn browse(
    Shared(state): Shared<State>,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    const PAGE: usize = 100;
    let app = state.app()?;
    let snapshot = state.snapshot()?;
    if !KINDS.contains(&kind.as_str()) {
        return Err(Problem::not_found("there is nothing at this address"));
    }
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let page = take(&mut parameters, "page").pop().map_or(Ok(1), |p| {
        p.parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| Problem::parameter(format!("page={p} is not a page number")))
    })?;
    let answer = crate::search::search(
        snapshot.revision,
        &snapshot.graph,
        &snapshot.text,
        &app.config.names,
        &crate::search::Query {
            filters: vec![(crate::index::Facet::Kind, kind.clone())],
            sort: crate::search::Sort::Title,
            page,
            limit: PAGE,
            ..Default::default()
        },
    )?;
    let title = kind_label(&kind, true);
    let page = pages::browse(&pages::BrowsePage {
        layout: layout(&state, &title),
        title,
        total: answer.total,
        items: answer
            .hits
            .iter()
            .map(|hit| pages::Link::new(&hit.title, &hit.url).with_status(&hit.status))
            .collect(),
        previous: (page > 1).then(|| format!("/{kind}?page={}", page - 1)),
        next: (page < answer.pages).then(|| format!("/{kind}?page={}", page + 1)),
    });
    let response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    Ok(super::at_revision(response, snapshot.revision))
}

struct Found {
    id: TermId,
    iri: String,
    kind: String,
    slug: String,
}

fn find(app: &App, snapshot: &Snapshot, kind: &str, slug: &str) -> Result<Found, Problem> {
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
fn compact(iri: &str) -> String {
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
        };
        properties.entry(compact(triple.predicate.as_str())).or_default().push(value);
    }
    serde_json::to_vec_pretty(&serde_json::json!({
        "id": found.iri,
        "kind": found.kind,
        "slug": found.slug,
        "title": label(graph, found.id),
        "url": format!("/{}/{}", found.kind, found.slug),
        "status": status(graph, found.id),
        "types": types,
        "properties": properties,
    }))
    .map_err(|e| Problem::internal(&e))
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

/// What people call a property: its label, or its local name in words.
fn property_label(snapshot: &Snapshot, iri: &str) -> String {
    let named = snapshot.graph.iri_id(iri).map(|id| label(&snapshot.graph, id)).unwrap_or_default();
    if !named.is_empty() {
        return named;
    }
    let local = iri.rsplit(['#', '/']).next().unwrap_or(iri);
    let mut words = String::new();
    for c in local.chars() {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words.trim().to_owned()
}

fn page(state: &State, snapshot: &Snapshot, found: &Found) -> String {
    let graph = &snapshot.graph;
    let names = &state.config.names;
    let resource = |id: TermId, iri: &str| {
        let name = label(graph, id);
        let text = if name.is_empty() { iri.to_owned() } else { name };
        let url = match names.kind_and_slug(iri) {
            Some((kind, slug)) => format!("/{kind}/{slug}"),
            None => match iri.strip_prefix(INSITES) {
                Some(name) => format!("/ontology#{name}"),
                None => iri.to_owned(),
            },
        };
        pages::Link::new(&text, &url).with_status(&status(graph, id))
    };
    let source = format!("{DCTERMS}source");
    let date = format!("{DCTERMS}date");
    let mut facts: Vec<pages::Fact> = Vec::new();
    let mut sources = Vec::new();
    let mut last = None;
    for [s, p, o, g] in graph.quads().matching(Some(found.id), None, None, GraphPattern::Any) {
        if last.replace([s, p, o]) == Some([s, p, o]) {
            continue;
        }
        let (Some(Term::NamedNode(property)), Some(object)) = (graph.term(p), graph.term(o)) else {
            continue;
        };
        if property.as_str() == source
            && let Term::NamedNode(iri) = &object
        {
            sources.push(iri.as_str().to_owned());
            continue;
        }
        let value = match &object {
            Term::NamedNode(iri) => pages::Value::Link(resource(o, iri.as_str())),
            Term::Literal(literal) => pages::Value::Text {
                text: literal.value().to_owned(),
                language: literal.language().map(str::to_owned),
            },
            Term::BlankNode(_) => {
                pages::Value::Text { text: "(without a name)".to_owned(), language: None }
            }
        };
        let graph_name = graph.text(g).unwrap_or_else(|| "default graph".to_owned());
        match facts.last_mut().filter(|fact| fact.iri == property.as_str()) {
            Some(fact) => fact.values.push(value),
            None => facts.push(pages::Fact {
                label: property_label(snapshot, property.as_str()),
                iri: property.into_string(),
                graph: graph_name,
                values: vec![value],
            }),
        }
    }
    let rank = |fact: &pages::Fact| {
        [
            "title",
            "prefLabel",
            "description",
            "problem",
            "action",
            "resultText",
            "barrier",
            "whyItMatters",
            "howToApply",
        ]
        .iter()
        .position(|name| fact.iri.ends_with(name))
        .unwrap_or(99)
    };
    facts.sort_by_key(|fact| (rank(fact), fact.label.clone()));
    let dates: Vec<String> = graph.iri_id(&date).map_or_else(Vec::new, |_| {
        graph.objects(found.id, &date).into_iter().filter_map(|id| graph.text(id)).collect()
    });
    let mut incoming: BTreeMap<String, (usize, Vec<pages::Link>)> = BTreeMap::new();
    let mut last = None;
    for [s, p, o, _] in graph.quads().matching(None, None, Some(found.id), GraphPattern::Any) {
        if last.replace([s, p, o]) == Some([s, p, o]) {
            continue;
        }
        let (Some(Term::NamedNode(subject)), Some(property)) = (graph.term(s), graph.text(p))
        else {
            continue;
        };
        let (total, links) = incoming.entry(property_label(snapshot, &property)).or_default();
        *total += 1;
        if links.len() < INCOMING {
            links.push(resource(s, subject.as_str()));
        }
    }
    let title = label(graph, found.id);
    let title = if title.is_empty() { found.slug.clone() } else { title };
    let mut layout = layout(state, &title);
    layout.links = VARIANTS[1..]
        .iter()
        .map(|(ending, media_type, _)| {
            ("alternate", format!("/{}/{}{ending}", found.kind, found.slug), *media_type)
        })
        .collect();
    layout.canonical = Some(found.iri.clone());
    let status = status(graph, found.id);
    pages::record(&pages::RecordPage {
        layout,
        cite: format!("{title}. {}. <{}>", state.config.service_name, found.iri),
        title,
        kind: found.kind.clone(),
        kind_label: kind_label(&found.kind, false),
        iri: found.iri.clone(),
        status,
        facts,
        sources,
        dates,
        incoming: incoming
            .into_iter()
            .map(|(label, (total, links))| pages::Incoming { label, total, links })
            .collect(),
        formats: VARIANTS[1..]
            .iter()
            .map(|(ending, media_type, _)| {
                (format!("/{}/{}{ending}", found.kind, found.slug), (*media_type).to_owned())
            })
            .collect(),
        revision: snapshot.revision,
        json_ld: json_ld(snapshot, found),
    })
}

/// A schema.org block for crawlers.
fn json_ld(snapshot: &Snapshot, found: &Found) -> String {
    let graph = &snapshot.graph;
    let type_ = match found.kind.as_str() {
        "organisation" => "Organization",
        "case-study" | "lesson" => "Article",
        "report" | "document" => "CreativeWork",
        _ => "Thing",
    };
    let description = graph
        .objects(found.id, &format!("{DCTERMS}description"))
        .first()
        .and_then(|id| graph.text(*id))
        .unwrap_or_default();
    serde_json::json!({
        "@context": "https://schema.org/",
        "@id": found.iri,
        "@type": type_,
        "name": label(graph, found.id),
        "description": description,
        "license": "https://creativecommons.org/licenses/by/4.0/",
    })
    .to_string()
    // A closing tag inside a string would end the block.
    .replace('<', "\\u003c")
}

/// All records, for the sitemap.
pub(super) fn all_records(state: &State, snapshot: &Snapshot) -> Vec<String> {
    let documents = crate::commit::Documents::new(&snapshot.graph, &state.config.names);
    documents
        .subjects()
        .into_iter()
        .filter_map(|id| snapshot.graph.text(id))
        .filter(|iri| NamedNode::new(iri).is_ok())
        .filter_map(|iri| {
            let (kind, slug) = state.config.names.kind_and_slug(&iri)?;
            Some(format!("/{kind}/{slug}"))
        })
        .collect()
}

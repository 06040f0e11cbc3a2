//! `/graphs`: the SPARQL 1.1 Graph Store HTTP Protocol. `?graph=IRI` and
//! `?default` name a graph; `/graph/{name}` is the address of `{base}graph/{name}`.

use crate::access::Role;
use crate::commit::{Rules, Snapshot};
use crate::graph::{DEFAULT_GRAPH, GraphPattern};
use crate::http::error::Problem;
use crate::http::history::seen;
use crate::http::negotiate::choose;
use crate::http::sparql::{accept, pairs, take};
use crate::http::update::{change, may_write};
use crate::http::{Shared, State};
use crate::import::{Source, declare, parse};
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::GraphName;
use crate::rdf::NamedNode;
use crate::rdf::Provenance;
use crate::rdf::Quad;
use crate::rdf::Visibility;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The formats of one graph, as clients ask for them.
const FORMATS: [(GraphFormat, &[&str]); 4] = [
    (GraphFormat::Turtle, &["text/turtle", "application/x-turtle", "text/n3", "text/rdf+n3"]),
    (GraphFormat::NTriples, &["application/n-triples", "text/plain"]),
    (GraphFormat::RdfXml, &["application/rdf+xml", "application/xml", "text/xml"]),
    (GraphFormat::JsonLd, &["application/ld+json", "application/json"]),
];

/// `/graphs`, with the graph as a parameter (§4.2).
pub(super) async fn indirect(
    Shared(state): Shared<State>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let default = !take(&mut parameters, "default").is_empty();
    let mut named = take(&mut parameters, "graph");
    let graph = match (default, named.len()) {
        (true, 0) => GraphName::DefaultGraph,
        (false, 1) => {
            let mut iri = named.remove(0);
            // Relative names are relative to the base of the data, so that the
            // Location of a new graph can be sent back as it came (§4.2).
            if iri.starts_with("/graph/") {
                iri = format!("{}{}", state.config.names.base(), &iri[1..]);
            }
            NamedNode::new(&iri)
                .map_err(|e| {
                    Problem::parameter(format!("graph={iri} is not an absolute IRI: {e}"))
                })?
                .into()
        }
        (false, 0) => match method {
            Method::GET | Method::HEAD => return Ok(list(&*seen(&state, &mut parameters).await?)),
            // A new graph, whose name is ours to choose (§5.5).
            Method::POST => {
                let number = crate::access::secret().map_err(|e| Problem::internal(&e))?;
                state.config.names.graph(&number[..16]).into()
            }
            _ => {
                return Err(
                    Problem::parameter("which graph?").with_hint("add ?default or ?graph=IRI")
                );
            }
        },
        _ => return Err(Problem::parameter("one graph at a time: ?default or ?graph=IRI")),
    };
    serve(state, method, &headers, graph, parameters, body).await
}

/// `/graph/{path}`, which names `{base}graph/{path}` (§4.1).
pub(super) async fn direct(
    Shared(state): Shared<State>,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let parameters = pairs(query.as_deref().unwrap_or_default())?;
    let iri = format!("{}graph/{path}", state.config.names.base());
    let graph = NamedNode::new(&iri)
        .map_err(|_| Problem::not_found(format!("{path} cannot be the name of a graph")))?;
    serve(state, method, &headers, graph.into(), parameters, body).await
}

async fn serve(
    state: State,
    method: Method,
    headers: &HeaderMap,
    graph: GraphName,
    mut parameters: Vec<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    if matches!(method, Method::GET | Method::HEAD) {
        let snapshot = seen(&state, &mut parameters).await?;
        return read(&snapshot, headers, &graph, &mut parameters);
    }
    if !matches!(method, Method::PUT | Method::POST | Method::DELETE) {
        let mut response =
            Problem::new(Kind::MethodNotAllowed, format!("{method} is not for graphs"))
                .into_response();
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE"));
        return Ok(response);
    }
    state.needs(Role::Curator)?;
    if !may_write(&state)(graph.as_ref()) {
        return Err(Problem::new(Kind::Forbidden, format!("{graph} is for administrators")));
    }
    let visibility = take(&mut parameters, "visibility").pop().unwrap_or_default();
    let visibility = chosen_visibility(&state, &visibility)?;
    let reason = take(&mut parameters, "reason").pop().unwrap_or_default();
    let quads = if method == Method::DELETE {
        Vec::new()
    } else {
        let (graph, base) = (graph.clone(), state.config.names.base().to_owned());
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        tokio::task::spawn_blocking(move || payload(&media_type, &body, &graph, &base))
            .await
            .map_err(|e| Problem::internal(&e))??
    };
    let conditions = Conditions::of(headers);
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason,
        source: format!("Graph Store Protocol: {method} {graph}"),
    };
    let existed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&existed);
    let names = state.config.names.clone();
    let target = graph.clone();
    let verb = method.clone();
    let committed = change(&state, provenance, Rules::Refuse, move |edit| {
        let exists = tag(&edit.state(), &target);
        conditions.check(exists.as_deref())?;
        seen.store(exists.is_some(), std::sync::atomic::Ordering::Relaxed);
        if verb == Method::DELETE && exists.is_none() && target != GraphName::DefaultGraph {
            return Err(Problem::not_found(format!("there is no graph {target}")));
        }
        if verb != Method::POST {
            let state = edit.state();
            if let Some(id) = state.graph_id(target.as_ref()) {
                edit.clear(id);
            }
        }
        for quad in &quads {
            edit.add(quad);
        }
        if exists.is_none()
            && verb != Method::DELETE
            && let GraphName::NamedNode(iri) = &target
        {
            declare(edit, &names, iri, visibility);
        }
        Ok(())
    })
    .await?;
    let existed = existed.load(std::sync::atomic::Ordering::Relaxed);
    let created = !existed && method != Method::DELETE && graph != GraphName::DefaultGraph;
    let mut response = super::update::answer(&committed);
    if created {
        *response.status_mut() = StatusCode::CREATED;
        if let GraphName::NamedNode(iri) = &graph
            && let Some(path) = iri.as_str().strip_prefix(state.config.names.base())
            && let Ok(location) = HeaderValue::from_str(&format!("/{path}"))
        {
            response.headers_mut().insert(header::LOCATION, location);
        }
    }
    Ok(response)
}

/// Who may see a new graph.
fn chosen_visibility(state: &State, name: &str) -> Result<Visibility, Problem> {
    if name.is_empty() {
        return Ok(state.config.new_graph_visibility);
    }
    Visibility::parse(name).ok_or_else(|| {
        Problem::parameter(format!("visibility={name} is not public, members or curators"))
    })
}

/// POST `/api/import`: N-Quads as one change, for administrators; what
/// `insites import` sends when this server has the data folder open.
pub(super) async fn import(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    state.needs(Role::Administrator)?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let mut text = |name: &str| take(&mut parameters, name).pop().unwrap_or_default();
    let rules = match text("shapes").as_str() {
        "" | "refuse" => Rules::Refuse,
        "report" => Rules::Report,
        "off" => Rules::Off,
        other => {
            return Err(Problem::parameter(format!("shapes={other} is not refuse, report or off")));
        }
    };
    let (reason, source, graph) = (text("reason"), text("source"), text("graph"));
    let visibility = chosen_visibility(&state, &text("visibility"))?;
    let quads = tokio::task::spawn_blocking(move || -> Result<Vec<Quad>, Problem> {
        let mut quads = Vec::new();
        let source = Source { name: "body", format: GraphFormat::NQuads, base: None };
        parse(&source, &body[..], |quad| quads.push(quad))
            .map_err(|error| Problem::parameter(error.to_string()))?;
        Ok(quads)
    })
    .await
    .map_err(|e| Problem::internal(&e))??;
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: if reason.is_empty() { "Import".to_owned() } else { reason },
        source,
    };
    let names = state.config.names.clone();
    let committed = change(&state, provenance, rules, move |edit| {
        if let Ok(graph) = NamedNode::new(&graph) {
            declare(edit, &names, &graph, visibility);
        }
        for quad in &quads {
            edit.add(quad);
        }
        Ok(())
    })
    .await?;
    Ok(super::update::answer(&committed))
}

/// The graphs that the caller sees.
fn list(snapshot: &Snapshot) -> Response {
    let count = |graph| {
        snapshot.graph.quads().matching(None, None, None, GraphPattern::Only(graph)).count()
    };
    let graphs: Vec<_> = snapshot
        .graph
        .named_graphs()
        .into_iter()
        .filter_map(|id| Some(json!({ "graph": snapshot.graph.text(id)?, "quads": count(id) })))
        .collect();
    let body = json!({ "default": { "quads": count(DEFAULT_GRAPH) }, "graphs": graphs });
    super::at_revision(Json(body).into_response(), snapshot.revision)
}

fn read(
    snapshot: &Snapshot,
    headers: &HeaderMap,
    graph: &GraphName,
    parameters: &mut Vec<(String, String)>,
) -> Result<Response, Problem> {
    let found = tag(&snapshot.graph, graph);
    if found.is_none() && *graph != GraphName::DefaultGraph {
        return Err(Problem::not_found(format!("there is no graph {graph}")));
    }
    let format = if let Some(name) = take(parameters, "format").pop() {
        GraphFormat::parse(&name)
            .ok_or_else(|| Problem::parameter(format!("format={name} is not known here")))?
    } else {
        let offered: Vec<&[&str]> = FORMATS.iter().map(|(_, types)| *types).collect();
        let chosen = choose(accept(headers).as_deref(), &offered);
        chosen.map(|n| FORMATS[n].0).ok_or_else(|| {
            Problem::new(
                Kind::NotAcceptable,
                "a graph exists in Turtle, N-Triples, RDF/XML and JSON-LD",
            )
        })?
    };
    let id = snapshot.graph.graph_id(graph.as_ref()).unwrap_or(DEFAULT_GRAPH);
    if format == GraphFormat::JsonLd && snapshot.graph.has_triple_terms(Some(id)) {
        return Err(Problem::no_triple_terms());
    }
    let mut body = Vec::new();
    crate::app::write_quads(&snapshot.graph, Some(id), format, &mut body)
        .map_err(|e| Problem::internal(&e))?;
    let mut response = body.into_response();
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    fields.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    let tag = format!("\"{}-{}\"", found.unwrap_or_default(), format.extension());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        fields.insert(header::ETAG, tag);
    }
    Ok(super::at_revision(response, snapshot.revision))
}

/// A text that changes with the quads of a graph; none if it has no quad.
fn tag(graph: &crate::graph::Snapshot, name: &GraphName) -> Option<String> {
    let id = graph.graph_id(name.as_ref())?;
    let mut hasher = DefaultHasher::new();
    let mut count = 0_usize;
    for [s, p, o, _] in graph.quads().matching(None, None, None, GraphPattern::Only(id)) {
        (s, p, o).hash(&mut hasher);
        count += 1;
    }
    (count > 0).then(|| format!("{:x}", hasher.finish()))
}

/// `If-Match` and `If-None-Match: *` (RFC 9110 §13.1). The tags of all formats
/// of a graph begin alike; any of them will do.
struct Conditions {
    matches: Option<Vec<String>>,
    absent: bool,
}

impl Conditions {
    fn of(headers: &HeaderMap) -> Self {
        let list = |name| {
            let values: Vec<&str> =
                headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        Self {
            matches: list(header::IF_MATCH).map(|text| {
                text.split(',')
                    .map(|tag| {
                        let tag = tag.trim().trim_matches('"');
                        tag.split('-').next().unwrap_or_default().to_owned()
                    })
                    .collect()
            }),
            absent: list(header::IF_NONE_MATCH).is_some_and(|text| text.trim() == "*"),
        }
    }

    fn check(&self, now: Option<&str>) -> Result<(), Problem> {
        let holds = match &self.matches {
            None => true,
            Some(tags) => now.is_some_and(|now| tags.iter().any(|tag| tag == "*" || tag == now)),
        } && !(self.absent && now.is_some());
        if holds {
            return Ok(());
        }
        Err(Problem::new(Kind::PreconditionFailed, "the graph is not as the request expects it")
            .with_hint("GET it again, and send the change with the ETag of that answer"))
    }
}

/// The quads of a request's body, in the graph.
fn payload(
    media_type: &str,
    body: &[u8],
    graph: &GraphName,
    base: &str,
) -> Result<Vec<Quad>, Problem> {
    let bare = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if bare == "multipart/form-data" {
        let mut quads = Vec::new();
        for (media_type, part) in parts(media_type, body)? {
            quads.extend(payload(&media_type, part, graph, base)?);
        }
        return Ok(quads);
    }
    let format = FORMATS
        .iter()
        .find(|(_, types)| types.contains(&bare.as_str()) && bare != "application/json")
        .map(|(format, _)| *format)
        .ok_or_else(|| {
            let named = if bare.is_empty() { "a body without Content-Type" } else { &bare };
            Problem::new(Kind::UnsupportedMediaType, format!("{named} is not understood here"))
                .with_hint(
                    "send text/turtle, application/n-triples, application/rdf+xml or \
                     application/ld+json",
                )
        })?;
    let base = if let GraphName::NamedNode(iri) = graph { iri.as_str() } else { base };
    let mut quads = Vec::new();
    let source = Source { name: "body", format, base: Some(base) };
    parse(&source, body, |mut quad| {
        quad.graph_name.clone_from(graph);
        quads.push(quad);
    })
    .map_err(|error| {
        let position = match &error {
            crate::import::Error::Syntax { line, column, .. } => Some((*line, *column)),
            _ => None,
        };
        Problem { position, ..Problem::parameter(error.to_string()) }
    })?;
    Ok(quads)
}

/// The parts of a multipart body with their media types (RFC 7578).
fn parts<'a>(media_type: &str, body: &'a [u8]) -> Result<Vec<(String, &'a [u8])>, Problem> {
    let wrong = || Problem::parameter("the multipart body cannot be read");
    let boundary = media_type
        .split(';')
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| format!("--{}", value.trim_matches('"')))
        .ok_or_else(wrong)?;
    let boundary = boundary.as_bytes();
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|w| w == what);
    let mut rest = &body[find(body, boundary).ok_or_else(wrong)? + boundary.len()..];
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let end = find(rest, boundary).ok_or_else(wrong)?;
        let part = &rest[..end];
        let (head, content) = if let Some(at) = find(part, b"\r\n\r\n") {
            (&part[..at], &part[at + 4..])
        } else {
            let at = find(part, b"\n\n").ok_or_else(wrong)?;
            (&part[..at], &part[at + 2..])
        };
        let head = String::from_utf8_lossy(head);
        let field = |wanted: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.trim().to_owned())
        };
        parts.push((field("content-type").ok_or_else(wrong)?, content));
        rest = &rest[end + boundary.len()..];
    }
    Ok(parts)
}

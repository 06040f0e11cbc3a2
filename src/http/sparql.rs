//! `/sparql`: the SPARQL 1.1 Protocol's query operation, the service
//! description, and the form for people.

use crate::graph::{Format, QueryForm, Scope};
use crate::http::error::Problem;
use crate::http::history::seen;
use crate::http::negotiate::choose;
use crate::http::site::empty_workbench;
use crate::http::stream::{Asked, Text, answer};
use crate::http::{Shared, State};
use crate::problem::Kind;
use crate::query::Error;
use crate::rdf::GraphFormat;
use crate::rdf::NamedNode;
use crate::rdf::SolutionsFormat;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// GET, HEAD and POST of `/sparql`.
pub(super) async fn query(
    Shared(state): Shared<State>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let mut text = None;
    if method == Method::POST {
        let media_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .map(|v| v.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        match media_type.as_deref() {
            Some("application/x-www-form-urlencoded") => {
                let form = std::str::from_utf8(&body)
                    .map_err(|_| Problem::parameter("the form is not UTF-8"))?;
                parameters.extend(pairs(form)?);
            }
            Some("application/sparql-query") => {
                let charset_is_utf8 = headers
                    .get(header::CONTENT_TYPE)
                    .and_then(|v| v.to_str().ok())
                    .and_then(|v| {
                        v.to_ascii_lowercase().split("charset=").nth(1).map(str::to_owned)
                    })
                    .is_none_or(|charset| charset.trim_matches('"').starts_with("utf-8"));
                if !charset_is_utf8 {
                    return Err(Problem::new(
                        Kind::UnsupportedMediaType,
                        "a query must be UTF-8 (SPARQL 1.1 Protocol §2.1.3)",
                    ));
                }
                text = Some(
                    String::from_utf8(body.to_vec())
                        .map_err(|_| Problem::parameter("the query is not UTF-8"))?,
                );
            }
            other => {
                return Err(Problem::new(
                    Kind::UnsupportedMediaType,
                    format!(
                        "{} is not understood here",
                        other.unwrap_or("a body without Content-Type")
                    ),
                )
                .with_hint(
                    "send application/sparql-query, or a form (application/x-www-form-urlencoded) \
                     with the parameter query",
                ));
            }
        }
    }
    if parameters.iter().any(|(name, _)| name == "update") {
        return Err(Problem::parameter("updates go to /update, not to /sparql"));
    }
    let accept = accept(&headers);
    let mut texts: Vec<String> = text.into_iter().collect();
    texts.extend(take(&mut parameters, "query"));
    let text = match texts.len() {
        1 => texts.remove(0),
        0 if method == Method::POST => {
            return Err(Problem::parameter("the parameter query is missing"));
        }
        0 => return without_query(&state, &headers, accept.as_deref()),
        _ => {
            return Err(Problem::parameter(
                "there is more than one query (SPARQL 1.1 Protocol §2.1.4)",
            ));
        }
    };
    let format = take(&mut parameters, "format").pop().filter(|f| !f.is_empty());
    let explain = parameters.iter().any(|(name, value)| name == "explain" && value == "true");
    let page = format.as_deref() == Some("html")
        || (format.is_none() && wants_page(accept.as_deref()) && !explain);
    if page {
        return super::workbench::with_query(&state, text, parameters).await;
    }
    let snapshot = seen(&state, &mut parameters).await?;
    let asked = asked(&state, Text::Raw(text), &mut parameters, accept, format)?;
    let app = state.app()?;
    let response = answer(app, &snapshot, asked).await?;
    Ok(super::at_revision(response, snapshot.revision))
}

/// Whether a browser asks for a page.
fn wants_page(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| {
        accept.contains("text/html")
            && choose(
                Some(accept),
                &[
                    &["text/html", "application/xhtml+xml"],
                    &[
                        "application/sparql-results+json",
                        "application/sparql-results+xml",
                        "text/csv",
                        "text/turtle",
                        "application/rdf+xml",
                        "application/n-triples",
                        "application/ld+json",
                        "text/tab-separated-values",
                        "application/json",
                    ],
                ],
            ) == Some(0)
    })
}

/// Reads the parameters that all queries share.
pub(super) fn asked(
    state: &State,
    text: Text,
    parameters: &mut Vec<(String, String)>,
    accept: Option<String>,
    format: Option<String>,
) -> Result<Asked, Problem> {
    let config = &state.config;
    let scope = Scope {
        default: config.default_graph,
        default_graph_uris: graph_parameters(parameters, "default-graph-uri")?,
        named_graph_uris: graph_parameters(parameters, "named-graph-uri")?,
    };
    let time = match take(parameters, "timeout").pop() {
        Some(text) => timeout(&text)?.min(config.limits.time),
        None => config.limits.time,
    };
    let choose = match take(parameters, "explain").pop().as_deref() {
        None | Some("" | "false") => chooser(accept, format)?,
        Some("true") => explanation(accept.as_deref(), format.as_deref())?,
        Some(other) => {
            return Err(Problem::parameter(format!("explain={other} is neither true nor false")));
        }
    };
    Ok(Asked { text, scope, time, choose })
}

/// An explanation is JSON, or text where that is asked for.
fn explanation(accept: Option<&str>, format: Option<&str>) -> Result<Chooser, Problem> {
    let text = match format {
        Some("json" | "application/json") => false,
        Some("text" | "text/plain") => true,
        Some(other) => {
            return Err(Problem::parameter(format!("format={other} is none of an explanation"))
                .with_hint("explanations: json, text"));
        }
        None => {
            choose(accept, &[&["application/json", "application/*"], &["text/plain"]]) == Some(1)
        }
    };
    Ok(Box::new(move |_| Ok(Format::Explanation { text })))
}

/// Graphs named by a parameter of the protocol.
pub(super) fn graph_parameters(
    parameters: &mut Vec<(String, String)>,
    name: &str,
) -> Result<Vec<NamedNode>, Problem> {
    take(parameters, name)
        .into_iter()
        .map(|iri| {
            NamedNode::new(&iri).map_err(|e| {
                Problem::parameter(format!("{name}={iri} is not an absolute IRI: {e}"))
            })
        })
        .collect()
}

pub(super) fn timeout(text: &str) -> Result<Duration, Problem> {
    let seconds: Option<f64> = text.trim().parse().ok();
    seconds
        .filter(|s| *s > 0.0 && s.is_finite())
        .map(|s| Duration::from_secs_f64(s.min(1e6)))
        .ok_or_else(|| {
            Problem::parameter(format!("timeout={text} is not a number of seconds above 0"))
        })
}

type Chooser = Box<dyn Fn(QueryForm) -> Result<Format, Error> + Send>;

/// Decides the format once the query's form is known.
fn chooser(accept: Option<String>, format: Option<String>) -> Result<Chooser, Problem> {
    if let Some(name) = &format
        && SolutionsFormat::parse(name).is_none()
        && GraphFormat::parse(name).is_none()
    {
        return Err(Problem::parameter(format!("format={name} is not known here"))
            .with_hint("solutions: json, xml, csv, tsv; graphs: ttl, nt, nq, trig, rdf, jsonld"));
    }
    Ok(Box::new(move |form| {
        let graph = matches!(form, QueryForm::Construct | QueryForm::Describe);
        let unfit = || {
            Error::NotAcceptable(if graph {
                GraphFormat::ALL.map(GraphFormat::media_type).join(", ")
            } else {
                SolutionsFormat::ALL
                    .map(|f| f.media_type().split(';').next().unwrap_or_default())
                    .join(", ")
            })
        };
        if let Some(name) = &format {
            let chosen = if graph {
                GraphFormat::parse(name).map(Format::Graph)
            } else {
                SolutionsFormat::parse(name).map(Format::Solutions)
            };
            return chosen.ok_or_else(unfit);
        }
        if graph {
            choose(
                accept.as_deref(),
                &[
                    &["text/turtle", "application/x-turtle", "text/n3", "text/rdf+n3"],
                    &["application/n-triples", "text/plain"],
                    &["application/n-quads"],
                    &["application/trig"],
                    &["application/rdf+xml", "application/xml", "text/xml"],
                    &["application/ld+json", "application/json"],
                ],
            )
            .map(|n| Format::Graph(GraphFormat::ALL[n]))
            .ok_or_else(unfit)
        } else {
            choose(
                accept.as_deref(),
                &[
                    &["application/sparql-results+json", "application/json"],
                    &["application/sparql-results+xml", "application/xml", "text/xml"],
                    &["text/csv"],
                    &["text/tab-separated-values"],
                ],
            )
            .map(|n| Format::Solutions(SolutionsFormat::ALL[n]))
            .ok_or_else(unfit)
        }
    }))
}

/// GET without a query: the form for people, the service description for
/// programs (SPARQL 1.1 Service Description §2).
fn without_query(
    state: &State,
    headers: &HeaderMap,
    accept: Option<&str>,
) -> Result<Response, Problem> {
    let chosen = choose(
        accept,
        &[
            &["text/turtle", "application/x-turtle", "text/n3"],
            &["text/html", "application/xhtml+xml"],
            &["application/rdf+xml", "application/xml"],
            &["application/n-triples", "text/plain"],
            &["application/ld+json", "application/json"],
        ],
    );
    let format = match chosen {
        Some(0) => GraphFormat::Turtle,
        Some(1) => return Ok(empty_workbench(state)),
        Some(2) => GraphFormat::RdfXml,
        Some(3) => GraphFormat::NTriples,
        Some(4) => GraphFormat::JsonLd,
        _ => {
            return Err(Problem::new(
                Kind::NotAcceptable,
                "the service description exists in Turtle, RDF/XML, N-Triples and JSON-LD",
            ));
        }
    };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let text = super::description::service(state, host, format)?;
    let mut response = text.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    Ok(response)
}

/// All `Accept` fields as one value.
pub(super) fn accept(headers: &HeaderMap) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Name and value pairs of a query string or form. Malformed percent-encoding
/// and text that is not UTF-8 are errors: guessing would answer another
/// question than was asked.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, Problem> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, Problem> {
    let wrong = || {
        let shown: String = text.chars().take(80).collect();
        Problem::parameter(format!("{shown:?} is not valid percent-encoded UTF-8"))
            .with_hint("write % as %25")
    };
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'%'
            && !bytes.get(at + 1..at + 3).is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit))
        {
            return Err(wrong());
        }
    }
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| wrong())
}

/// Takes all values of a parameter out of the list.
pub(super) fn take(parameters: &mut Vec<(String, String)>, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    parameters.retain_mut(|(n, value)| {
        let found = n == name;
        if found {
            values.push(std::mem::take(value));
        }
        !found
    });
    values
}

//! What every request passes through: its id, its limits, problem bodies,
//! common header fields, the log line and the figures.

use crate::access::{Caller, Role};
use crate::http::State;
use crate::http::error::{Details, Problem, Variant, explanation, status};
use crate::http::negotiate::choose;
use crate::http::sparql::accept;
use crate::pages;
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::Visibility;
use crate::shapes::Report;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Longest request target (bytes); longer queries go into a POST.
const LONGEST_TARGET: usize = 32 << 10;
/// All header fields together (bytes).
const LARGEST_HEAD: usize = 32 << 10;

static REQUESTS: AtomicU64 = AtomicU64::new(1);

/// How the framework itself refuses.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Outermost: whatever happens inside, the client gets a whole answer.
pub(super) async fn finish(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let id = format!("{:x}-{number:x}", std::process::id());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let accept = accept(request.headers());
    let head: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = request.uri().path_and_query().map_or(0, |t| t.as_str().len());
    let conditions = Conditions::take(request.headers());
    let mut response = if target > LONGEST_TARGET {
        Problem::new(
            Kind::HeadTooLarge,
            format!("the address has {target} bytes, the limit is {LONGEST_TARGET}"),
        )
        .into_response()
    } else if head > LARGEST_HEAD {
        Problem::new(
            Kind::HeadTooLarge,
            format!("the header fields have {head} bytes, the limit is {LARGEST_HEAD}"),
        )
        .into_response()
    } else if method == Method::OPTIONS {
        preflight()
    } else {
        let run = AssertUnwindSafe(next.run(request));
        match futures_util::future::FutureExt::catch_unwind(run).await {
            Ok(response) => response,
            Err(_) => Problem::internal(&"a handler panicked").into_response(),
        }
    };
    // What the framework refuses before a handler is asked.
    if response.status() == StatusCode::BAD_REQUEST
        && response.extensions().get::<Problem>().is_none()
        && response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == PLAIN)
    {
        response = Problem::parameter("the address is not UTF-8 once its %-escapes are read")
            .into_response();
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem_response(&state, &problem, response, &path, accept.as_deref(), &id);
    }
    if method == Method::HEAD {
        // The fields stay as GET gives them: its length if it is known.
        let length = hyper::body::Body::size_hint(response.body()).exact();
        *response.body_mut() = if let Some(length) = length {
            response
                .headers_mut()
                .entry(header::CONTENT_LENGTH)
                .or_insert_with(|| HeaderValue::from(length));
            Body::empty()
        } else {
            let nothing = futures_util::stream::empty::<std::io::Result<bytes::Bytes>>();
            Body::from_stream(nothing)
        };
    }
    response = conditions.apply(response);
    let revision = state.app.get().map(|app| app.reader.seen_by(Visibility::Public).revision);
    let headers = response.headers_mut();
    common(headers, &id, revision);
    let status = response.status();
    state.metrics.count(&path, status, begun.elapsed());
    tracing::info!(
        request = %id, %method, path, status = status.as_u16(),
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request answered"
    );
    response
}

fn common(headers: &mut HeaderMap, id: &str, revision: Option<u64>) {
    let mut set = |name: &'static str, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set("access-control-allow-origin", "*");
    set(
        "access-control-expose-headers",
        "Link, ETag, Location, Insites-Revision, X-Request-Id, Retry-After",
    );
    set("x-content-type-options", "nosniff");
    // Nothing is told to other hosts; our own forms say where they come from.
    set("referrer-policy", "same-origin");
    set("x-frame-options", "DENY");
    set(
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", value);
    }
    if let Some(revision) = revision {
        headers.entry("insites-revision").or_insert(HeaderValue::from(revision));
    }
}

/// CORS preflight (Fetch standard §3.2.2).
fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE, OPTIONS");
    set(
        "access-control-allow-headers",
        "Accept, Accept-Datetime, Authorization, Content-Type, If-Match, If-None-Match",
    );
    set("access-control-max-age", "86400");
    set("allow", "GET, HEAD, PUT, POST, DELETE, OPTIONS");
    response
}

/// The body of a problem: problem details, or a page for a browser.
fn problem_response(
    state: &State,
    problem: &Problem,
    bare: Response,
    path: &str,
    accept: Option<&str>,
    id: &str,
) -> Response {
    let (title, meaning) = explanation(problem.kind);
    let detail = if problem.detail.is_empty() {
        format!("{meaning} Request id: {id}")
    } else {
        problem.detail.clone()
    };
    let details = Details {
        type_: state.config.names.problem(problem.kind.name()),
        title: title.to_owned(),
        status: status(problem.kind).as_u16(),
        detail,
        instance: path.to_owned(),
        line: problem.position.map(|(line, _)| line),
        column: problem.position.map(|(_, column)| column),
        hint: problem.hint.clone(),
        variants: problem
            .variants
            .iter()
            .map(|(url, media_type)| Variant { url: url.clone(), media_type: media_type.clone() })
            .collect(),
        violations: problem
            .report
            .iter()
            .flat_map(|report| &report.results)
            .map(crate::http::error::violation)
            .collect(),
        members: problem.members.as_deref().cloned().unwrap_or_default(),
    };
    let html = !path.starts_with("/api/")
        && accept.is_some_and(|a| a.contains("text/html"))
        && choose(accept, &[&["application/problem+json", "application/json"], &["text/html"]])
            == Some(1);
    let (mut parts, _) = bare.into_parts();
    let report = problem.report.as_ref().and_then(|report| rdf_report(report, accept));
    let (body, media_type) = if let Some((body, media_type)) = report {
        (Body::from(body), media_type)
    } else if html {
        let page = pages::problem(&pages::ProblemPage {
            layout: crate::http::site::layout(state, &details.title),
            status: details.status,
            details: details.detail.clone(),
            hint: details.hint.clone(),
            position: problem.position,
            variants: problem.variants.to_vec(),
            request: id.to_owned(),
        });
        (Body::from(page), "text/html; charset=utf-8")
    } else {
        (Body::from(serde_json::to_vec(&details).unwrap_or_default()), "application/problem+json")
    };
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    parts.headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, body)
}

/// A validation report as RDF, for a client that prefers it to problem details.
fn rdf_report(report: &Report, accept: Option<&str>) -> Option<(Vec<u8>, &'static str)> {
    let offered: [&[&str]; 4] = [
        &["application/problem+json", "application/json"],
        &["text/turtle"],
        &["application/n-triples"],
        &["application/ld+json"],
    ];
    let format = match choose(accept, &offered)? {
        1 => GraphFormat::Turtle,
        2 => GraphFormat::NTriples,
        3 => GraphFormat::JsonLd,
        _ => return None,
    };
    let mut writer =
        oxigraph::io::RdfSerializer::from_format(format.rdf_format()).for_writer(Vec::new());
    for triple in report.to_triples() {
        writer.serialize_triple(&triple).ok()?;
    }
    Some((writer.finish().ok()?, format.media_type()))
}

/// `If-None-Match` (RFC 9110 §13.1.2). Validators differ per encoding: a
/// compressed body has `-gzip` in its tag.
struct Conditions {
    none_match: Vec<String>,
}

impl Conditions {
    fn take(headers: &HeaderMap) -> Self {
        let none_match = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/").to_owned())
            .collect();
        Self { none_match }
    }

    fn apply(&self, mut response: Response) -> Response {
        let Some(tag) =
            response.headers().get(header::ETAG).and_then(|t| t.to_str().ok()).map(str::to_owned)
        else {
            return response;
        };
        let tag = if response.headers().contains_key(header::CONTENT_ENCODING) {
            let tag = format!("{}-gzip\"", tag.trim_end_matches('"'));
            if let Ok(value) = HeaderValue::from_str(&tag) {
                response.headers_mut().insert(header::ETAG, value);
            }
            tag
        } else {
            tag
        };
        if response.status() == StatusCode::OK
            && self.none_match.iter().any(|t| *t == tag || t == "*")
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
                response.headers_mut().remove(name);
            }
        }
        response
    }
}

/// Reads the body whole, within its limit and its time, so that handlers need
/// not think of either.
pub(super) async fn limit_body(
    Shared(state): Shared<State>,
    request: Request,
    next: Next,
) -> Response {
    // An import through a server is as large as one without.
    let administrator = request
        .extensions()
        .get::<Caller>()
        .is_some_and(|caller| caller.role == Role::Administrator);
    let limit = match request.uri().path() {
        "/api/import" if administrator => usize::MAX,
        _ => state.config.body_size,
    };
    let (parts, body) = request.into_parts();
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    let time = state.config.body_timeout;
    let read = tokio::time::timeout(time, Limited::new(body, limit).collect()).await;
    let bytes: Bytes = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            return Problem::new(
                Kind::BodyTooLarge,
                format!("the body has more than {limit} bytes"),
            )
            .into_response();
        }
        Ok(Err(error)) => {
            return Problem::parameter(format!("the body could not be read: {error}"))
                .into_response();
        }
        Err(_) => {
            return Problem::new(
                Kind::RequestTimeout,
                format!("the body did not arrive within {} s", time.as_secs_f64()),
            )
            .into_response();
        }
    };
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

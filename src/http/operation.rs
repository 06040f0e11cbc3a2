//! Routes for those who run the service, and the feed of changes.

use crate::access::Role;
use crate::http::error::Problem;
use crate::http::history::seen;
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::problem::Kind;
use crate::rdf::GraphFormat;
use crate::rdf::Visibility;
use axum::Json;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Upper bounds of the duration buckets, seconds.
const BUCKETS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

#[derive(Default)]
struct Series {
    count: u64,
    seconds: f64,
    buckets: [u64; BUCKETS.len()],
}

/// Requests by route and status class.
#[derive(Default)]
pub(super) struct Metrics(Mutex<BTreeMap<(String, u16), Series>>);

impl Metrics {
    /// Counts an answer.
    pub(super) fn count(&self, path: &str, status: StatusCode, time: Duration) {
        // The first segment only: the number of series must not grow with use.
        let first = path.split('/').nth(1).unwrap_or_default();
        let route = match first {
            "" | "sparql" | "search" | "api" | "id" | "queries" | "ontology" | "assets"
            | "healthz" | "readyz" | "metrics" | "changes" | "export" | "problem" => first,
            _ if status == StatusCode::NOT_FOUND => "other",
            _ => "record",
        };
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = series.entry((route.to_owned(), status.as_u16())).or_default();
        let seconds = time.as_secs_f64();
        series.count += 1;
        series.seconds += seconds;
        for (bucket, bound) in series.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
    }
}

/// `/openapi.json`: the routes, as `OpenAPI` 3.1 describes them.
pub(super) async fn openapi() -> Result<Response, Problem> {
    static TEXT: OnceLock<Result<String, String>> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let text = include_str!("openapi.json");
        let mut described: serde_json::Value =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        described["info"]["version"] = env!("CARGO_PKG_VERSION").into();
        Ok(described.to_string())
    });
    let text = text.as_ref().map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response())
}

/// `/healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `/readyz`: the views are at the ledger's revision.
pub(super) async fn readyz(Shared(state): Shared<State>) -> Response {
    match state.app() {
        Ok(app) => {
            let snapshot = app.reader.seen_by(Visibility::Public);
            let (embedded, documents) = snapshot.text.coverage();
            Json(json!({
                "ready": true, "revision": snapshot.revision,
                "documents": documents, "embedded": embedded,
            }))
            .into_response()
        }
        Err(problem) => {
            let body = json!({ "ready": false, "detail": problem.detail });
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], Json(body))
                .into_response()
        }
    }
}

/// `/metrics` in the Prometheus text format.
pub(super) async fn metrics(Shared(state): Shared<State>) -> Response {
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    };
    if let Ok(app) = state.app() {
        let snapshot = app.reader.seen_by(Visibility::Public);
        gauge("insites_revision", "Number of the last change.", snapshot.revision);
        gauge("insites_quads", "Quads in the graph view.", snapshot.graph.len() as u64);
        let memory = app.reader.snapshot().graph.memory() as u64;
        gauge("insites_graph_bytes", "Size in memory of all terms and quads.", memory);
        let (embedded, documents) = snapshot.text.coverage();
        gauge("insites_documents", "Documents in the text view.", documents);
        gauge("insites_documents_embedded", "Documents that have their vector.", embedded);
        gauge("insites_queries_running", "Queries that run now.", app.runner.running() as u64);
        gauge("insites_ready", "1 when the views are at the ledger's revision.", 1);
        let coverage = crate::graph::coverage();
        let name = "insites_queries_total";
        let _ = writeln!(
            out,
            "# HELP {name} SPARQL answers, by the executor or, as a whole, by the evaluator behind \
             it.\n# TYPE {name} counter\n{name}{{by=\"engine\"}} {}\n{name}{{by=\"evaluator\"}} {}",
            coverage.engine, coverage.evaluator
        );
    } else {
        gauge("insites_ready", "1 when the views are at the ledger's revision.", 0);
    }
    let name = "insites_http_request_duration_seconds";
    let _ = writeln!(
        out,
        "# HELP {name} Time to the answer's head, by route and status.\n# TYPE {name} histogram"
    );
    let series = state.metrics.0.lock().unwrap_or_else(PoisonError::into_inner);
    for ((route, status), series) in series.iter() {
        let labels = format!("route=\"/{route}\",status=\"{status}\"");
        for (bound, count) in BUCKETS.iter().zip(series.buckets) {
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", series.count);
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", series.seconds);
        let _ = writeln!(out, "{name}_count{{{labels}}} {}", series.count);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}

/// GET `/api/backup`: the whole ledger at one revision, for administrators.
pub(super) async fn backup(Shared(state): Shared<State>) -> Result<Response, Problem> {
    state.needs(Role::Administrator)?;
    let history = state.app()?.history.clone();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(4);
    tokio::task::spawn_blocking(move || {
        let mut writer = Chunks { sender: sender.clone(), buffer: Vec::new() };
        let done = history.backup(&mut writer).map_err(std::io::Error::other);
        if let Err(error) = done.and_then(|_| std::io::Write::flush(&mut writer)) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    let fields =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((fields, Body::from_stream(stream)).into_response())
}

/// GET `/api/check`: what `insites check` finds, for administrators. Writers
/// wait meanwhile, so that ledger and views are compared at one revision.
pub(super) async fn check(Shared(state): Shared<State>) -> Result<Response, Problem> {
    state.needs(Role::Administrator)?;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    state
        .app()?
        .writer
        .alone(move |committer| {
            let found = committer.differences(20).map_err(|error| error.to_string());
            let _ = sender.send((found, committer.reader().snapshot()));
        })
        .map_err(|crowded| Problem::new(Kind::Busy, crowded.to_string()))?;
    let (found, snapshot) = receiver.await.map_err(|error| Problem::internal(&error))?;
    let views = found.map_err(|error| Problem::internal(&error))?;
    let whole = std::sync::Arc::clone(&snapshot);
    let rules = tokio::task::spawn_blocking(move || crate::check::rules(&whole.graph))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    let of_views = views
        .into_iter()
        .map(|detail| json!({ "check": "views", "violation": true, "detail": detail }));
    let of_rules = rules.into_iter().map(|finding| {
        json!({ "check": finding.check, "violation": finding.violation, "detail": finding.detail })
    });
    let summary = json!({
        "revision": snapshot.revision,
        "quads": snapshot.graph.len(),
        "documents": snapshot.text.len(),
        "findings": of_views.chain(of_rules).collect::<Vec<_>>(),
    });
    Ok(super::at_revision(Json(summary).into_response(), snapshot.revision))
}

/// `/export?format=`: all quads of the current revision, or of `revision=` or
/// `at=`, as a stream.
pub(super) async fn export(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let format = take(&mut parameters, "format").pop().unwrap_or_else(|| "nq".to_owned());
    let format = GraphFormat::parse(&format).filter(|f| f.has_named_graphs()).ok_or_else(|| {
        Problem::new(Kind::InvalidParameter, format!("format={format} cannot hold named graphs"))
            .with_hint("nq, trig or jsonld")
    })?;
    let snapshot = seen(&state, &mut parameters).await?;
    if format == GraphFormat::JsonLd && snapshot.graph.has_triple_terms(None) {
        return Err(Problem::no_triple_terms());
    }
    let revision = snapshot.revision;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(4);
    tokio::task::spawn_blocking(move || {
        let mut writer = Chunks { sender: sender.clone(), buffer: Vec::new() };
        if let Err(error) = crate::app::write_quads(&snapshot.graph, None, format, &mut writer)
            .and_then(|()| std::io::Write::flush(&mut writer))
        {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    let mut response = Body::from_stream(stream).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    Ok(super::at_revision(response, revision))
}

struct Chunks {
    sender: tokio::sync::mpsc::Sender<Result<bytes::Bytes, std::io::Error>>,
    buffer: Vec<u8>,
}

impl std::io::Write for Chunks {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= 64 << 10 {
            self.flush()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let data = bytes::Bytes::from(std::mem::take(&mut self.buffer));
        self.sender.blocking_send(Ok(data)).map_err(|_| {
            std::io::Error::new(std::io::ErrorKind::BrokenPipe, "the client went away")
        })
    }
}

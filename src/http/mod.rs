//! Requests in, responses out: the only place that knows axum. A handler
//! parses, calls one use case and shapes the answer.

mod description;
mod edge;
mod error;
mod negotiate;
mod operation;
mod queries;
mod records;
mod search;
mod server;
mod site;
mod sparql;
mod stream;
mod workbench;

pub use server::serve;

use crate::app::App;
use crate::config::Config;
use crate::problem::Kind;
use crate::rdf::Revision;
use axum::Router;
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::get;
use error::Problem;
use std::sync::{Arc, OnceLock};

/// What handlers share. The service listens before its engines are open, so
/// that `/readyz` can say so.
#[derive(Clone)]
pub struct State {
    config: Arc<Config>,
    app: Arc<OnceLock<App>>,
    progress: Arc<std::sync::Mutex<String>>,
    metrics: Arc<operation::Metrics>,
}

impl State {
    /// A state whose engines are not open yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self { config, app: Arc::default(), progress: Arc::default(), metrics: Arc::default() }
    }

    /// Makes the service ready.
    pub fn ready(&self, app: App) {
        // Set once: a second App would be a second writer.
        let _ = self.app.set(app);
    }

    /// What a person who waits is told.
    pub fn tell(&self, progress: &str) {
        progress.clone_into(
            &mut self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        );
    }

    fn app(&self) -> Result<&App, Problem> {
        self.app.get().ok_or_else(|| {
            let progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Problem::new(Kind::Busy, format!("the service is starting: {progress}"))
        })
    }
}

/// The service as a tower service, without a socket.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/", get(site::home))
        .route("/sparql", get(sparql::query).post(sparql::query))
        .route("/api/search", get(search::search_api))
        .route("/search", get(search::search_page))
        .route("/api/queries", get(queries::list_queries))
        .route("/api/queries/{name}", get(queries::run_query))
        .route("/queries", get(queries::queries_page))
        .route("/queries/{name}", get(queries::query_page))
        .route("/id/{kind}/{slug}", get(records::identifier))
        .route("/ontology", get(site::ontology))
        .route("/about", get(site::about))
        .route("/problem/{name}", get(site::problem_type))
        .route("/assets/{name}", get(site::asset))
        .route("/.well-known/void", get(site::void))
        .route("/robots.txt", get(site::robots))
        .route("/sitemap.xml", get(site::sitemap))
        .route("/changes", get(operation::changes))
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
        .route("/export", get(operation::export))
        .route("/{kind}", get(records::browse))
        .route("/{kind}/{slug}", get(records::record))
        .fallback(site::nothing_here)
        .method_not_allowed_fallback(site::method_not_allowed)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn_with_state(state.clone(), edge::limit_body))
        .layer(tower_http::compression::CompressionLayer::new().gzip(true))
        .layer(axum::middleware::from_fn_with_state(state.clone(), edge::finish))
        .with_state(state)
}

/// Marks a response with the revision that it was read at.
fn at_revision(mut response: Response, revision: Revision) -> Response {
    response.headers_mut().insert("insites-revision", HeaderValue::from(revision));
    response
}

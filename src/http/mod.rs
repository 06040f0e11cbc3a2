//! Requests in, responses out: the only place that knows axum. A handler
//! parses, calls one use case and shapes the answer.

mod assets;
mod capture;
mod compare;
mod description;
mod edge;
mod error;
mod explore;
mod feedback;
mod graphs;
mod history;
mod identity;
mod interviews;
mod kept;
mod lifecycle;
mod negotiate;
mod network;
mod ontology;
mod operation;
mod queries;
mod record_page;
mod records;
mod search;
mod search_page;
mod server;
mod site;
mod sparql;
mod stream;
mod update;
mod workbench;

pub use server::serve;

use crate::access::{Caller, Role};
use crate::app::App;
use crate::commit::Snapshot;
use crate::config::Config;
use crate::problem::Kind;
use crate::rdf::Revision;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{any, get, post};
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
    access: Arc<identity::Access>,
    ontology: Arc<ontology::Gathered>,
    kept: Arc<kept::Kept>,
    compared: Arc<crate::compare::Kept>,
    /// Who asks; the public until a request says otherwise.
    caller: Caller,
}

impl State {
    /// A state whose engines are not open yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            access: Arc::new(identity::Access::new(&config)),
            config,
            app: Arc::default(),
            progress: Arc::default(),
            metrics: Arc::default(),
            ontology: Arc::default(),
            kept: Arc::default(),
            compared: Arc::default(),
            caller: Caller::default(),
        }
    }

    /// Makes the service ready.
    pub fn ready(&self, app: App) {
        // Set once: a second App would be a second writer.
        let _ = self.app.set(app);
    }

    /// Lets commands on this machine ask this server, at its address.
    pub fn admit_commands(&self, address: &str) -> std::io::Result<()> {
        self.access.admit_commands(&self.config, address)
    }

    /// What a person who waits is told.
    pub fn tell(&self, progress: &str) {
        progress.clone_into(
            &mut self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        );
    }

    /// The current state, as whoever asks sees it.
    fn snapshot(&self) -> Result<Arc<Snapshot>, Problem> {
        Ok(self.app()?.reader.seen_by(self.caller.role.sees()))
    }

    /// Refuses whoever may do less than this role may.
    fn needs(&self, role: Role) -> Result<(), Problem> {
        if self.caller.role >= role {
            Ok(())
        } else if self.caller.role == Role::Public {
            Err(Problem::new(Kind::Unauthorised, "this needs a token")
                .with_hint("send Authorization: Bearer TOKEN, or sign in at /sign-in"))
        } else {
            Err(Problem::new(
                Kind::Forbidden,
                format!(
                    "the role {} may not do this; {} may",
                    self.caller.role.name(),
                    role.name()
                ),
            ))
        }
    }

    fn app(&self) -> Result<&App, Problem> {
        self.app.get().ok_or_else(|| {
            let progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Problem::new(Kind::Busy, format!("the service is starting: {progress}"))
        })
    }
}

/// The state for one request: with who asks.
struct Shared<S>(S);

impl FromRequestParts<State> for Shared<State> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Self::Rejection> {
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_default();
        Ok(Self(State { caller, ..state.clone() }))
    }
}

/// The service as a tower service, without a socket.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/", get(site::home))
        .route("/sparql", get(sparql::query).post(sparql::query))
        .route("/update", post(update::update))
        .route("/graphs", any(graphs::indirect))
        .route("/graphs/{*path}", any(graphs::direct))
        .route("/graph/{*path}", any(graphs::direct))
        .route("/sign-in", get(identity::sign_in_page).post(identity::sign_in))
        .route("/sign-out", post(identity::sign_out))
        .route("/api/search", get(search::search_api))
        .route("/api/suggest", get(search::suggest_api))
        .route("/api/similar", get(search::similar_api))
        .route("/search", get(search::search_page))
        .route("/search.csv", get(search::search_csv))
        .route("/search.atom", get(search::search_atom))
        .route("/explore", get(explore::explore))
        .route("/outcomes", get(explore::outcomes))
        .route("/compare", get(compare::compare_page))
        .route("/api/compare", get(compare::compare_api))
        .route("/map", get(explore::map))
        .route("/timeline", get(explore::timeline))
        .route("/api/queries", get(queries::list_queries))
        .route("/api/queries/{name}", get(queries::run_query))
        .route("/queries", get(queries::queries_page))
        .route("/queries/{name}", get(queries::query_page))
        .route("/id/{kind}/{slug}", get(records::identifier))
        .route("/ontology", get(ontology::ontology))
        .route("/about", get(site::about))
        .route("/accessibility", get(site::accessibility))
        .route("/problem/{name}", get(site::problem_type))
        .route("/assets/{name}", get(assets::asset))
        .route("/.well-known/void", get(site::void))
        .route("/robots.txt", get(site::robots))
        .route("/sitemap.xml", get(site::sitemap))
        .route("/changes", get(history::feed))
        .route("/changes.atom", get(history::atom))
        .route("/changes/ldes", get(history::stream))
        .route("/changes/{revision}", get(history::one))
        .route("/changes/{revision}/revert", post(history::revert))
        .route(
            "/capture/interview",
            get(interviews::new_interview).post(interviews::create_interview),
        )
        .route(
            "/capture/interview/{slug}",
            get(interviews::read_interview).post(interviews::change_interview),
        )
        .route(
            "/capture/interview/{slug}/code",
            get(interviews::coding::coding_page).post(interviews::coding::code_passage),
        )
        .route(
            "/capture/codes",
            get(interviews::codes::codes_page).post(interviews::codes::add_code),
        )
        .route(
            "/capture/codes/{slug}",
            get(interviews::codes::code_page).post(interviews::codes::change_code),
        )
        .route("/api/import", post(graphs::import))
        .route("/api/backup", get(operation::backup))
        .route("/api/check", get(operation::check))
        .route("/openapi.json", get(operation::openapi))
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
        .route("/export", get(operation::export))
        .route("/capture", get(capture::drafts_page))
        .route("/capture/draft/{kind}/{slug}", get(capture::draft_page).post(capture::act_on_draft))
        .route(
            "/capture/case-study",
            get(capture::new_case_study).post(capture::save_new_case_study),
        )
        .route("/capture/case-study/template.xlsx", get(capture::case_study_template))
        .route(
            "/capture/case-study/import",
            get(capture::import_case_studies_page).post(capture::import_case_studies),
        )
        .route(
            "/capture/case-study/{slug}",
            get(capture::edit_case_study).post(capture::save_case_study),
        )
        .route("/capture/questionnaire/{slug}", get(capture::questionnaire_overview))
        .route("/capture/questionnaire/{slug}/template.xlsx", get(capture::questionnaire_template))
        .route(
            "/capture/questionnaire/{slug}/import",
            get(capture::questionnaire_import_page).post(capture::questionnaire_import),
        )
        .route(
            "/capture/questionnaire/{slug}/{part}",
            get(capture::questionnaire_part).post(capture::save_questionnaire_part),
        )
        .route("/api/capture/alike", get(capture::alike))
        .route("/api/capture/drafts", get(capture::api_drafts))
        .route(
            "/api/capture/case-study",
            get(capture::api_case_study_form).post(capture::api_write_case_study),
        )
        .route(
            "/api/capture/case-study/{slug}",
            get(capture::api_case_study).post(capture::api_save_case_study),
        )
        .route(
            "/api/capture/questionnaire/{slug}",
            get(capture::api_questionnaire).post(capture::api_save_questionnaire),
        )
        .route("/{kind}", get(explore::browse))
        .route("/{kind}/{slug}", get(records::record))
        .route("/lesson/{slug}/feedback", post(feedback::give))
        .route("/{kind}/{slug}/{action}", get(history::record).post(lifecycle::act))
        .fallback(site::nothing_here)
        .method_not_allowed_fallback(site::method_not_allowed)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn_with_state(state.clone(), edge::limit_body))
        .layer(axum::middleware::from_fn_with_state(state.clone(), identity::identify))
        .layer(tower_http::compression::CompressionLayer::new().gzip(true))
        .layer(axum::middleware::from_fn_with_state(state.clone(), kept::keep))
        .layer(axum::middleware::from_fn_with_state(state.clone(), edge::finish))
        .with_state(state)
}

/// Marks a response with the revision that it was read at.
fn at_revision(mut response: Response, revision: Revision) -> Response {
    response.headers_mut().insert("insites-revision", HeaderValue::from(revision));
    response
}

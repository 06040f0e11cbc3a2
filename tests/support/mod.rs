//! The service without a socket, and the binary as a process.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use insites::access::{Role, Tokens};
use insites::app::App;
use insites::commit::{Edit, Rules, Wanted};
use insites::config::Config;
use insites::graph::GraphPattern;
use insites::http::{State, router};
use insites::rdf::Provenance;
use oxigraph::model::Quad;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt;

/// The router over a data folder of its own.
#[derive(Clone)]
pub struct Service {
    router: axum::Router,
    pub app: App,
    /// Sent as a bearer token with every request.
    token: Option<String>,
    folder: Arc<tempfile::TempDir>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// False when the body was cut.
    pub complete: bool,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The last segment of the problem type.
    pub fn problem(&self) -> String {
        let type_ = self.json()["type"].as_str().unwrap_or_default().to_owned();
        type_.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// The site of those who must have one.
fn site(role: Role) -> Option<&'static str> {
    (role == Role::Contributor).then_some("mid-and-south-essex-nhs-ft")
}

impl Service {
    fn open(empty: bool, settings: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let data = folder.path().display().to_string();
        let mut flags = vec![("data".to_owned(), data)];
        // Vectors take a while: the tests that need them ask for them.
        flags.push(("embedding-threads".to_owned(), "0".to_owned()));
        flags.extend(settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let config = Arc::new(Config::new(flags, [], None).expect("usable settings"));
        let app = App::open(&config, "testing", empty, &|_| {}).expect("an opened service");
        let state = State::new(config);
        state.ready(app.clone());
        Self { router: router(state), app, token: None, folder }
    }

    /// Ontology and seed, as a first start gives them. Shared by all tests.
    pub fn seeded() -> Self {
        static SEEDED: OnceLock<Service> = OnceLock::new();
        SEEDED.get_or_init(|| Self::open(false, &[])).clone()
    }

    /// The same with all vectors made. Shared by all tests.
    pub async fn embedded() -> Self {
        static EMBEDDED: OnceLock<Service> = OnceLock::new();
        let open = || Self::open(false, &[("embedding-threads", "auto")]);
        let service = EMBEDDED.get_or_init(open).clone();
        service.all_embedded().await;
        service
    }

    /// Waits until every document has its vector.
    pub async fn all_embedded(&self) {
        let begun = std::time::Instant::now();
        loop {
            let (embedded, documents) = self.app.reader.snapshot().text.coverage();
            if embedded == documents {
                return;
            }
            assert!(begun.elapsed().as_secs() < 120, "{embedded} of {documents} after 120 s");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// The same for one test alone, which may change it.
    pub fn seeded_alone() -> Self {
        Self::open(false, &[])
    }

    /// A token of this service.
    pub fn token(&self, name: &str, role: Role) -> (String, Tokens) {
        let tokens = Tokens::open(self.folder.path());
        (tokens.add(name, role, site(role), None).expect("a token"), tokens)
    }

    /// The same service, asked by nobody in particular.
    pub fn anonymous(mut self) -> Self {
        self.token = None;
        self
    }

    /// The same service, asked by somebody with this role.
    pub fn with_role(mut self, role: Role) -> Self {
        let tokens = Tokens::open(self.folder.path());
        let name = format!("test {}", insites::access::secret().expect("a secret"));
        self.token = Some(tokens.add(&name, role, site(role), None).expect("a token"));
        self
    }

    /// The same service, asked by a contributor of a site.
    pub fn contributor_of(mut self, name: &str, site: &str) -> Self {
        let tokens = Tokens::open(self.folder.path());
        let added = tokens.add(name, Role::Contributor, Some(site), None);
        self.token = Some(added.expect("a token"));
        self
    }

    pub fn administrator(self) -> Self {
        self.with_role(Role::Administrator)
    }

    /// Nothing but these quads.
    pub fn with(quads: &[Quad], settings: &[(&str, &str)]) -> Self {
        let service = Self::open(true, settings);
        service.replace(quads);
        service
    }

    /// These quads instead of all there are.
    pub fn replace(&self, quads: &[Quad]) {
        let quads = quads.to_vec();
        let prepare = Box::new(move |edit: &mut Edit| {
            let graph = edit.state();
            for ids in graph.quads().matching(None, None, None, GraphPattern::Any) {
                edit.remove_ids(ids);
            }
            for quad in &quads {
                edit.add(quad);
            }
            Ok(())
        });
        let provenance = Provenance::default();
        self.app.writer.make(Wanted { prepare, provenance, rules: Rules::Off }).expect("committed");
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        if let Some(token) = &self.token
            && !request.headers().contains_key("authorization")
        {
            let value = format!("Bearer {token}").parse().expect("a field");
            request.headers_mut().insert("authorization", value);
        }
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        let mut complete = true;
        while let Some(frame) = body.frame().await {
            if let Ok(frame) = frame {
                bytes.extend_from_slice(frame.data_ref().map_or(&[], |d| d));
            } else {
                complete = false;
                break;
            }
        }
        Answer { status: parts.status, headers: parts.headers, body: bytes.into(), complete }
    }

    pub async fn get(&self, path: &str, accept: &str) -> Answer {
        let mut request = Request::get(path);
        if !accept.is_empty() {
            request = request.header("accept", accept);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn query(&self, text: &str, accept: &str) -> Answer {
        let request = Request::post("/sparql")
            .header("content-type", "application/sparql-query")
            .header("accept", accept)
            .body(Body::from(text.to_owned()))
            .expect("a request");
        self.send(request).await
    }

    /// The first column of a SELECT, as text.
    pub async fn column(&self, text: &str) -> Vec<String> {
        let answer = self.query(text, "text/csv").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.text().lines().skip(1).map(str::to_owned).collect()
    }
}

/// The folder of the W3C suites; `None` when it is not there, which is told.
pub fn suites() -> Option<PathBuf> {
    let path = std::env::var_os("INSITES_SUITES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/suites"),
        PathBuf::from,
    );
    if !path.is_dir() {
        // Not `eprintln!`, which the harness hides when a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "the W3C suites are not at {}: their tests are not run (INSITES_SUITES names the folder)",
            path.display()
        );
        return None;
    }
    Some(path)
}

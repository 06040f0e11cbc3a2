//! Who may do what: every route, every role, every visibility.

use crate::support::Service;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;

/// Every route of the router with its methods, what a request needs, and what
/// the answer may show. A route that is not here fails the test below.
struct Row {
    route: &'static str,
    method: &'static str,
    /// A request that works on the service below.
    path: &'static str,
    body: &'static str,
    /// The least role.
    role: Role,
}

const fn row(
    route: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    role: Role,
) -> Row {
    Row { route, method, path, body, role }
}

use Role::{Administrator, Contributor, Curator, Member, Public};

const ROWS: &[Row] = &[
    row("/", "GET", "/", "", Public),
    row(
        "/sparql",
        "GET",
        "/sparql?query=SELECT+*+%7B+GRAPH+%3Fg+%7B+%3Fs+%3Fp+%3Fo+%7D+%7D&format=csv",
        "",
        Public,
    ),
    row("/sparql", "POST", "/sparql", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", Public),
    row("/update", "POST", "/update", "INSERT DATA { <http://x/s> <http://x/p> 1 }", Curator),
    row("/graphs", "GET", "/graphs", "", Public),
    row(
        "/graphs",
        "PUT",
        "/graphs?graph=http%3A%2F%2Fx%2Fput",
        "<http://x/s> <http://x/p> 1 .",
        Curator,
    ),
    row(
        "/graphs",
        "POST",
        "/graphs?graph=http%3A%2F%2Fx%2Fpost",
        "<http://x/s> <http://x/p> 1 .",
        Curator,
    ),
    row("/graphs", "DELETE", "/graphs?graph=http%3A%2F%2Fx%2Fput", "", Curator),
    row("/graphs/{*path}", "GET", "/graphs/seed", "", Public),
    row("/graph/{*path}", "GET", "/graph/seed", "", Public),
    row("/graph/{*path}", "PUT", "/graph/one", "<http://x/s> <http://x/p> 1 .", Curator),
    row(
        "/graph/{*path}",
        "PUT",
        "/graph/catalogue",
        "<http://x/s> <http://x/p> 1 .",
        Administrator,
    ),
    row("/sign-in", "GET", "/sign-in", "", Public),
    row("/sign-in", "POST", "/sign-in", "token=wrong", Public),
    row("/sign-out", "POST", "/sign-out", "", Public),
    row("/api/search", "GET", "/api/search?q=wombat", "", Public),
    row("/api/suggest", "GET", "/api/suggest?q=wom", "", Public),
    row(
        "/api/similar",
        "GET",
        "/api/similar?id=https%3A%2F%2Fw3id.org%2Finsites%2Fid%2Flesson%2Flesson-insites-local-partners",
        "",
        Public,
    ),
    row("/search", "GET", "/search?q=wombat", "", Public),
    row("/api/queries", "GET", "/api/queries", "", Public),
    row("/api/queries/{name}", "GET", "/api/queries/results-of-a-case?format=csv", "", Public),
    row("/queries", "GET", "/queries", "", Public),
    row("/queries/{name}", "GET", "/queries/results-of-a-case", "", Public),
    row("/id/{kind}/{slug}", "GET", "/id/lesson/lesson-insites-local-partners", "", Public),
    row("/ontology", "GET", "/ontology", "", Public),
    row("/about", "GET", "/about", "", Public),
    row("/accessibility", "GET", "/accessibility", "", Public),
    row("/search.csv", "GET", "/search.csv?q=wombat", "", Public),
    row("/search.atom", "GET", "/search.atom?q=wombat", "", Public),
    row("/explore", "GET", "/explore", "", Public),
    row("/outcomes", "GET", "/outcomes", "", Public),
    row("/compare", "GET", "/compare?rows=theme&columns=region", "", Public),
    row("/compare", "GET", "/compare?exact=true", "", Curator),
    row(
        "/api/compare",
        "GET",
        "/api/compare?rows=kind&columns=theme&show=illustrative",
        "",
        Public,
    ),
    row("/map", "GET", "/map", "", Public),
    row("/timeline", "GET", "/timeline", "", Public),
    row("/problem/{name}", "GET", "/problem/busy", "", Public),
    row("/assets/{name}", "GET", "/assets/icon.svg", "", Public),
    row("/.well-known/void", "GET", "/.well-known/void", "", Public),
    row("/robots.txt", "GET", "/robots.txt", "", Public),
    row("/sitemap.xml", "GET", "/sitemap.xml", "", Public),
    row("/changes", "GET", "/changes?limit=1000", "", Public),
    row("/changes.atom", "GET", "/changes.atom", "", Public),
    row("/changes/ldes", "GET", "/changes/ldes", "", Public),
    row("/changes/{revision}", "GET", "/changes/1", "", Public),
    row("/changes/{revision}/revert", "POST", "/changes/999999/revert", "", Curator),
    row("/capture/interview", "GET", "/capture/interview", "", Contributor),
    row("/capture/interview", "POST", "/capture/interview", "{}", Contributor),
    row("/capture/interview/{slug}", "GET", "/capture/interview/none", "", Contributor),
    row("/capture/interview/{slug}", "POST", "/capture/interview/none", "{}", Contributor),
    row("/capture/interview/{slug}/code", "GET", "/capture/interview/none/code", "", Contributor),
    row(
        "/capture/interview/{slug}/code",
        "POST",
        "/capture/interview/none/code",
        "{}",
        Contributor,
    ),
    row("/capture/codes", "GET", "/capture/codes", "", Public),
    row("/capture/codes", "POST", "/capture/codes", "{}", Curator),
    row("/capture/codes/{slug}", "GET", "/capture/codes/leadership", "", Curator),
    row("/capture/codes/{slug}", "POST", "/capture/codes/none", "{}", Curator),
    row("/api/import", "POST", "/api/import", "<http://x/s> <http://x/p> \"1\" .", Administrator),
    row("/api/backup", "GET", "/api/backup", "", Administrator),
    row("/api/check", "GET", "/api/check", "", Administrator),
    row("/openapi.json", "GET", "/openapi.json", "", Public),
    row("/healthz", "GET", "/healthz", "", Public),
    row("/readyz", "GET", "/readyz", "", Public),
    row("/metrics", "GET", "/metrics", "", Public),
    row("/export", "GET", "/export", "", Public),
    row("/capture", "GET", "/capture", "", Contributor),
    row("/capture/draft/{kind}/{slug}", "GET", "/capture/draft/case-study/none", "", Contributor),
    row(
        "/capture/draft/{kind}/{slug}",
        "POST",
        "/capture/draft/case-study/none",
        "do=submit",
        Contributor,
    ),
    row("/capture/case-study", "GET", "/capture/case-study", "", Contributor),
    row("/capture/case-study", "POST", "/capture/case-study", "title=", Contributor),
    row(
        "/capture/case-study/template.xlsx",
        "GET",
        "/capture/case-study/template.xlsx",
        "",
        Contributor,
    ),
    row("/capture/case-study/import", "GET", "/capture/case-study/import", "", Contributor),
    row("/capture/case-study/import", "POST", "/capture/case-study/import", "", Contributor),
    row("/capture/case-study/{slug}", "GET", "/capture/case-study/none", "", Contributor),
    row("/capture/case-study/{slug}", "POST", "/capture/case-study/none", "title=x", Contributor),
    row(
        "/capture/questionnaire/{slug}",
        "GET",
        "/capture/questionnaire/data-collection-tool-1",
        "",
        Contributor,
    ),
    row(
        "/capture/questionnaire/{slug}/template.xlsx",
        "GET",
        "/capture/questionnaire/data-collection-tool-1/template.xlsx",
        "",
        Contributor,
    ),
    row(
        "/capture/questionnaire/{slug}/import",
        "GET",
        "/capture/questionnaire/data-collection-tool-1/import",
        "",
        Contributor,
    ),
    row(
        "/capture/questionnaire/{slug}/import",
        "POST",
        "/capture/questionnaire/data-collection-tool-1/import",
        "",
        Contributor,
    ),
    row(
        "/capture/questionnaire/{slug}/{part}",
        "GET",
        "/capture/questionnaire/data-collection-tool-1/agree-priorities",
        "",
        Contributor,
    ),
    row(
        "/capture/questionnaire/{slug}/{part}",
        "POST",
        "/capture/questionnaire/data-collection-tool-1/check",
        "",
        Contributor,
    ),
    row("/api/capture/alike", "GET", "/api/capture/alike?title=wombat+text", "", Contributor),
    row("/api/capture/drafts", "GET", "/api/capture/drafts", "", Contributor),
    row("/api/capture/case-study", "GET", "/api/capture/case-study", "", Contributor),
    row("/api/capture/case-study", "POST", "/api/capture/case-study", "{}", Contributor),
    row("/api/capture/case-study/{slug}", "GET", "/api/capture/case-study/none", "", Contributor),
    row(
        "/api/capture/case-study/{slug}",
        "POST",
        "/api/capture/case-study/none",
        "{\"values\":{}}",
        Contributor,
    ),
    row(
        "/api/capture/questionnaire/{slug}",
        "GET",
        "/api/capture/questionnaire/data-collection-tool-1",
        "",
        Contributor,
    ),
    row(
        "/api/capture/questionnaire/{slug}",
        "POST",
        "/api/capture/questionnaire/data-collection-tool-1",
        "{}",
        Contributor,
    ),
    row("/{kind}", "GET", "/lesson", "", Public),
    row("/{kind}/{slug}", "GET", "/lesson/lesson-insites-local-partners", "", Public),
    row(
        "/{kind}/{slug}/{action}",
        "GET",
        "/lesson/lesson-insites-local-partners/history",
        "",
        Public,
    ),
    row(
        "/{kind}/{slug}/{action}",
        "GET",
        "/lesson/lesson-insites-local-partners/timemap",
        "",
        Public,
    ),
    row("/lesson/{slug}/feedback", "POST", "/lesson/none/feedback", "{}", Member),
    row("/{kind}/{slug}/{action}", "POST", "/lesson/none/submit", "{}", Contributor),
    row("/{kind}/{slug}/{action}", "POST", "/lesson/none/return", "{}", Curator),
    row("/{kind}/{slug}/{action}", "POST", "/lesson/none/publish", "{}", Curator),
    row("/{kind}/{slug}/{action}", "POST", "/lesson/none/withdraw", "{}", Curator),
    row("/{kind}/{slug}/{action}", "POST", "/lesson/none/merge", "{}", Curator),
];

#[test]
fn every_route_has_a_row() {
    let source = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/mod.rs"),
    )
    .expect("the router");
    let mut routes = 0;
    for part in source.split(".route(").skip(1) {
        let route = part.split('"').nth(1).expect("a path");
        let handlers =
            part.split_once(',').expect("handlers").1.split("\n        .").next().unwrap_or("");
        routes += 1;
        for (method, call) in [("GET", "get("), ("POST", "post("), ("PUT", "any(")] {
            if handlers.contains(call) {
                assert!(
                    ROWS.iter().any(|row| row.route == route && row.method == method)
                        || (route == "/graphs/{*path}" && method == "PUT"),
                    "{method} {route} has no row in the table of roles"
                );
            }
        }
    }
    assert!(routes > 35, "{routes} routes");
}

#[tokio::test]
async fn every_route_is_described_and_no_other() {
    let service = Service::seeded();
    let answer = service.get("/openapi.json", "").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let described = answer.json();
    assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    let paths = described["paths"].as_object().expect("paths");
    for row in ROWS {
        let path = paths.get(row.route).unwrap_or_else(|| panic!("{} is missing", row.route));
        let method = row.method.to_ascii_lowercase();
        assert!(path.get(&method).is_some(), "{} {} is missing", row.method, row.route);
    }
    for path in paths.keys() {
        let known = ROWS.iter().any(|row| row.route == path) || path == "/graphs/{*path}";
        assert!(known, "{path} is described and has no row in the table of roles");
    }
    // Each reference leads somewhere.
    let text = answer.text();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a pointer");
        assert!(described.pointer(pointer).is_some(), "{pointer}");
    }
}

/// A service with a record that members see, one that curators see, and one of
/// which they see more than the public.
async fn service() -> Service {
    let service = Service::seeded_alone();
    let administrator = service.clone().with_role(Administrator);
    for (slug, visibility, word) in
        [("for-members", "members", "membersonly"), ("for-curators", "curators", "curatorsonly")]
    {
        let body = format!(
            "@prefix insites: <https://w3id.org/insites/ontology#> .
             @prefix dct: <http://purl.org/dc/terms/> .
             <https://w3id.org/insites/id/lesson/{slug}> a insites:Lesson ; dct:title \"{word} wombat\"@en ;
               dct:description \"{word} text\"@en ; insites:status insites:Illustrative .
             <https://w3id.org/insites/id/lesson/lesson-insites-local-partners> <http://www.w3.org/2004/02/skos/core#note> \"{word} addition\"@en ."
        );
        let request = Request::put(format!("/graph/{slug}?visibility={visibility}&reason={word}"))
            .header("content-type", "text/turtle")
            .body(Body::from(body))
            .expect("a request");
        let answer = administrator.send(request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    }
    service
}

async fn send(service: &Service, row: &Row) -> crate::support::Answer {
    let media_type = match row.route {
        "/update" => "application/sparql-update",
        "/sparql" => "application/sparql-query",
        "/sign-in" | "/sign-out" => "application/x-www-form-urlencoded",
        _ => "text/turtle",
    };
    let request =
        Request::builder().method(row.method).uri(row.path).header("content-type", media_type);
    service.send(request.body(Body::from(row.body)).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_keeps_to_roles_and_visibility() {
    let service = service().await;
    let mut wrong = Vec::new();
    let mut cells = 0;
    for role in Role::ALL {
        let caller = match role {
            Public => service.clone(),
            other => service.clone().with_role(other),
        };
        for row in ROWS {
            let answer = send(&caller, row).await;
            cells += 1;
            let name = format!("{} {} as {}", row.method, row.path, role.name());
            let refused = matches!(answer.status.as_u16(), 401 | 403);
            let signing_in = row.path == "/sign-in" && row.method == "POST";
            if refused != (role < row.role) && !signing_in {
                wrong.push(format!("{name}: {}", answer.status));
            }
            if answer.status.is_server_error() {
                wrong.push(format!("{name}: {} {}", answer.status, answer.text()));
            }
            let text = answer.text();
            let headers = format!("{:?}", answer.headers);
            for (word, needed) in [("membersonly", Role::Member), ("curatorsonly", Curator)] {
                if role < needed && (text.contains(word) || headers.contains(word)) {
                    wrong.push(format!("{name} shows {word}"));
                }
            }
        }
        // What they should see, they see.
        let seen = caller.get("/api/search?q=wombat", "").await.json()["total"].clone();
        let wanted = match role.sees() {
            insites::rdf::Visibility::Public => 0,
            insites::rdf::Visibility::Members => 1,
            insites::rdf::Visibility::Curators => 2,
        };
        if seen != wanted {
            wrong.push(format!("{} finds {seen} instead of {wanted}", role.name()));
        }
        for (path, needed) in [
            ("/lesson/for-members", Role::Member),
            ("/lesson/for-curators", Curator),
            ("/id/lesson/for-curators", Curator),
            ("/lesson/for-curators.ttl", Curator),
            ("/lesson/for-curators/history", Curator),
            ("/graph/for-members", Role::Member),
            ("/lesson/for-members?revision=2", Role::Member),
        ] {
            let hidden = caller.get(path, "").await;
            cells += 1;
            if (hidden.status == StatusCode::NOT_FOUND) != (role < needed) {
                wrong.push(format!("{path} as {}: {}", role.name(), hidden.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cells > 250, "{cells} cells");
}

#[tokio::test]
async fn a_hidden_record_answers_as_one_that_never_was() {
    let service = service().await;
    for (hidden, never) in [
        ("/lesson/for-curators", "/lesson/for-nobodies"),
        ("/lesson/for-curators.ttl", "/lesson/for-nobodies.ttl"),
        ("/id/lesson/for-curators", "/id/lesson/for-nobodies"),
        ("/graph/for-curators", "/graph/for-nobodies"),
    ] {
        let (a, b) = (service.get(hidden, "").await, service.get(never, "").await);
        assert_eq!(a.status, b.status);
        assert_eq!(a.text().replace("curators", "nobodies"), b.text(), "{hidden}");
        let names = |answer: &crate::support::Answer| -> Vec<String> {
            answer.headers.keys().map(ToString::to_string).collect()
        };
        assert_eq!(names(&a), names(&b), "{hidden}");
    }
    let figures = |service: Service| async move {
        let void = service.get("/.well-known/void", "text/turtle").await.text();
        let count = service.column("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").await;
        (void, count)
    };
    let public = figures(service.clone()).await;
    let curator = figures(service.clone().with_role(Curator)).await;
    assert!(public.0 != curator.0 && public.1 != curator.1, "what is hidden does not count");
}

#[tokio::test]
async fn tokens_and_sessions_open_doors_and_are_revoked_at_once() {
    let service = Service::seeded_alone();
    let wrong = Request::get("/").header("authorization", "Bearer insites_wrong");
    let answer = service.send(wrong.body(Body::empty()).expect("a request")).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (401, "unauthorised"));
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let (secret, tokens) = service.token("ann", Curator);
    let form = |body: String| {
        let request = Request::post("/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", "here.example")
            .header("origin", "http://here.example");
        service.send(request.body(Body::from(body)).expect("a request"))
    };
    let refused = form("token=insites_nothing".to_owned()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let signed_in = form(format!("token={secret}")).await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.text());
    let cookie = signed_in.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let with = |method: &str, path: &str, origin: &str, body: String| {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", &cookie)
            .header("host", "here.example")
            .header("content-type", "application/sparql-update");
        if !origin.is_empty() {
            request = request.header("origin", origin);
        }
        service.send(request.body(Body::from(body)).expect("a request"))
    };
    let page = with("GET", "/about", "", String::new()).await;
    assert!(page.text().contains("Signed in as ann (curator)"), "{}", page.text());
    assert!(page.header("cache-control").contains("private"));
    let insert = || "INSERT DATA { <http://x/s> <http://x/p> 1 }".to_owned();
    assert_eq!(with("POST", "/update", "http://evil.example", insert()).await.status, 403);
    assert_eq!(with("POST", "/update", "", insert()).await.status, 403);
    assert_eq!(with("POST", "/update", "http://here.example", insert()).await.status, 200);
    let forged = with("POST", "/sign-out", "http://here.example", String::new()).await;
    assert_eq!(forged.status, 403, "a form without the session's secret");
    tokens.revoke("ann").expect("revoked");
    assert!(!with("GET", "/about", "", String::new()).await.text().contains("Signed in"));
    assert_eq!(with("POST", "/update", "http://here.example", insert()).await.status, 401);
}

#[tokio::test]
async fn guessing_tokens_is_slowed_down() {
    let service = Service::seeded_alone();
    let mut last = StatusCode::OK;
    for n in 0..30 {
        let request = Request::get("/").header("authorization", format!("Bearer guess{n}"));
        let answer = service.send(request.body(Body::empty()).expect("a request")).await;
        last = answer.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.header("retry-after").parse::<u64>().expect("seconds") >= 1);
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_to_wait() {
    let service = Service::with(&[], &[("requests-per-minute", "5")]);
    let ask = |client: &'static str| {
        let request = Request::get("/api/search?q=x").header("x-forwarded-for", client);
        let service = service.clone();
        async move { service.send(request.body(Body::empty()).expect("a request")).await.status }
    };
    for _ in 0..5 {
        assert_eq!(ask("192.0.2.1").await, StatusCode::OK);
    }
    assert_eq!(ask("192.0.2.1").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("192.0.2.2").await, StatusCode::OK, "another client");
    assert_eq!(ask("127.0.0.1").await, StatusCode::OK, "this machine");
}

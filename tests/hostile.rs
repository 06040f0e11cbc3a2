//! Input that wants to break the service: each gets its typed answer in time,
//! and a lookup sent meanwhile is answered as if nothing happened.

use crate::support::Service;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use std::time::{Duration, Instant};

/// The deadline of the hostile queries. They must end within 1.2 times this;
/// the rest is room for a busy test machine.
const DEADLINE: Duration = Duration::from_millis(500);
const ALLOWED: Duration = Duration::from_millis(600);

enum Sent {
    /// A query by POST with the deadline above.
    Query(String),
    /// A request target by GET.
    Get(String),
    /// Anything.
    Other(Request<Body>),
}

use Sent::{Get, Other, Query};

fn repeat(text: &str, count: usize) -> String {
    text.repeat(count)
}

fn join(count: usize, separator: &str, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(separator)
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Sent {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Other(request.body(body.into()).expect("a request"))
}

/// What is sent and which problems are right answers; `ok` is success.
fn cases() -> Vec<(&'static str, Sent, &'static [&'static str])> {
    const COMPLEX: &[&str] = &["query-too-complex"];
    const STOPPED: &[&str] = &["query-timeout", "query-memory"];
    const SYNTAX: &[&str] = &["query-syntax"];
    const PARAMETER: &[&str] = &["invalid-parameter"];
    const OK: &[&str] = &["ok"];
    let select = |inner: String| Query(format!("SELECT * {{ {inner} }}"));
    let count = |inner: &str| Query(format!("SELECT (COUNT(*) AS ?n) {{ {inner} }}"));
    let sparql = &[("content-type", "application/sparql-query")];
    vec![
        ("100,000 braces", Query(repeat("{", 100_000)), COMPLEX),
        (
            "100,000 balanced braces",
            Query(format!("SELECT * {}{}", repeat("{", 100_000), repeat("}", 100_000))),
            COMPLEX,
        ),
        (
            "50,000 parentheses in a filter",
            select(format!("FILTER {}1{}", repeat("(", 50_000), repeat(")", 50_000))),
            COMPLEX,
        ),
        (
            "50,000 levels of path",
            select(format!("?s {}<http://p>{} ?o", repeat("(", 50_000), repeat(")", 50_000))),
            COMPLEX,
        ),
        (
            "50,000 inverse paths",
            select(format!("?s {}<http://p> ?o", repeat("^", 50_000))),
            COMPLEX,
        ),
        (
            "a path of 50,000 steps",
            select(format!("?s {} ?o", join(50_000, "/", |_| "<http://p>".to_owned()))),
            COMPLEX,
        ),
        (
            "50,000 alternatives",
            select(format!("?s {} ?o", join(50_000, "|", |n| format!("<http://p{n}>")))),
            COMPLEX,
        ),
        ("50,000 negations", select(format!("FILTER({}true)", repeat("!", 50_000))), COMPLEX),
        (
            "50,000 additions",
            select(format!("FILTER({} > 0)", join(50_000, "+", |n| n.to_string()))),
            COMPLEX,
        ),
        ("50,000 minus signs", select(format!("FILTER({}1 > 0)", repeat("- ", 50_000))), COMPLEX),
        (
            "5,000 alternatives in a filter",
            select(format!("?s ?p ?o FILTER({})", join(5000, "||", |n| format!("?o = {n}")))),
            COMPLEX,
        ),
        (
            "10,000 blank node brackets",
            select(format!(
                "{} <http://p> 1 {}",
                repeat("[ <http://p> ", 10_000),
                repeat("]", 10_000)
            )),
            COMPLEX,
        ),
        (
            "10,000 nested triple terms",
            select(format!("?s ?p {}1", repeat("<< ?s ?p ", 10_000))),
            COMPLEX,
        ),
        ("10,000 nested lists", select(format!("{} <http://p> 1", repeat("( ", 10_000))), COMPLEX),
        ("5,000 unions", select(join(5000, " UNION ", |_| "{ ?s ?p ?o }".to_owned())), COMPLEX),
        (
            "5,000 optionals",
            select(join(5000, " ", |_| "OPTIONAL { ?s ?p ?o }".to_owned())),
            COMPLEX,
        ),
        (
            "1,000 nested sub-selects",
            Query(format!("{} ?s ?p ?o {}", repeat("SELECT * { ", 1000), repeat("}", 1000))),
            COMPLEX,
        ),
        (
            "1,000 nested EXISTS",
            select(format!("{} ?s ?p ?o {}", repeat("FILTER EXISTS { ", 1000), repeat("}", 1000))),
            COMPLEX,
        ),
        (
            "300 patterns in a chain",
            select(join(300, " . ", |n| format!("?v{n} ?p ?v{}", n + 1))),
            COMPLEX,
        ),
        (
            "300 patterns in a template",
            Query(format!(
                "CONSTRUCT {{ {} }} {{ ?s ?p ?o }}",
                join(300, " . ", |n| format!("?s <http://p{n}> ?o"))
            )),
            COMPLEX,
        ),
        (
            "100,000 values",
            select(format!("VALUES ?x {{ {} }}", join(100_000, " ", |n| n.to_string()))),
            COMPLEX,
        ),
        (
            "100,000 members of IN",
            select(format!("?s ?p ?o FILTER(?o IN ({}))", join(100_000, ",", |n| n.to_string()))),
            COMPLEX,
        ),
        (
            "2 MB of text",
            Query(format!("SELECT * {{ ?s ?p \"{}\" }}", repeat("x", 2 << 20))),
            COMPLEX,
        ),
        ("a cross product", count("?a ?b ?c . ?d ?e ?f . ?g ?h ?i"), STOPPED),
        (
            "ORDER BY of a cross product",
            Query("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f LIMIT 1".to_owned()),
            STOPPED,
        ),
        (
            "DISTINCT of a cross product",
            Query("SELECT DISTINCT * { ?a ?b ?c . ?d ?e ?f }".to_owned()),
            &["cut", "query-timeout", "query-memory"],
        ),
        (
            "GROUP BY of a cross product",
            Query(
                "SELECT ?c ?f (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f } GROUP BY ?c ?f".to_owned(),
            ),
            STOPPED,
        ),
        (
            "GROUP_CONCAT of a cross product",
            Query("SELECT (GROUP_CONCAT(?f) AS ?t) { ?a ?b ?c . ?d ?e ?f }".to_owned()),
            STOPPED,
        ),
        (
            "a cross product of sub-selects",
            count(
                "{ SELECT ?a { ?a ?b ?c } } { SELECT ?d { ?d ?e ?f } } { SELECT ?g { ?g ?h ?i } }",
            ),
            STOPPED,
        ),
        (
            "a cross product of values",
            count(&join(6, " ", |v| {
                format!("VALUES ?v{v} {{ {} }}", join(200, " ", |n| n.to_string()))
            })),
            STOPPED,
        ),
        (
            "rows that bind nothing",
            count(&join(40, " ", |_| "{ {} UNION {} }".to_owned())),
            STOPPED,
        ),
        (
            "values that bind nothing",
            count(&join(40, " ", |_| "VALUES () { () () }".to_owned())),
            STOPPED,
        ),
        (
            "undefined values",
            count(&join(40, " ", |n| format!("VALUES ?v{n} {{ UNDEF UNDEF }}"))),
            STOPPED,
        ),
        (
            "sub-selects that show nothing",
            count(&join(20, " ", |_| "{ SELECT ?none { ?s ?p ?o } }".to_owned())),
            STOPPED,
        ),
        (
            "a cross product under MINUS",
            count("{ ?a ?b ?c . ?d ?e ?f } MINUS { ?a ?x ?y . ?d ?z ?w FILTER(?y = ?w) }"),
            STOPPED,
        ),
        (
            "a cross product under EXISTS",
            count("?a ?b ?c FILTER NOT EXISTS { ?d ?e ?f . ?g ?h ?i FILTER(?c = 1 && ?i = 2) }"),
            STOPPED,
        ),
        (
            "a cross product under OPTIONAL",
            count(
                "?a ?b ?c OPTIONAL { ?d ?e ?f . ?g ?h ?i FILTER(CONCAT(STR(?c), STR(?f)) = STR(?i)) }",
            ),
            STOPPED,
        ),
        (
            "all paths of any length",
            count(
                "?a (<http://x>|!<http://y>)* ?b . ?b (<http://x>|!<http://y>)* ?c . ?c (<http://x>|!<http://y>)* ?d",
            ),
            STOPPED,
        ),
        (
            "negated property sets, nested closures",
            count("?a ((!<http://y>)*)* ?b . ?c ((!<http://z>)+)? ?d"),
            STOPPED,
        ),
        (
            "a regular expression on a cross product",
            count("?a ?b ?c . ?d ?e ?f FILTER REGEX(CONCAT(STR(?c), STR(?f)), '^(a+)+$')"),
            STOPPED,
        ),
        (
            "a regular expression that is too large",
            select("?s ?p ?o FILTER REGEX(STR(?o), '((a{1000}){1000}){1000}')".to_owned()),
            &["ok", "query-timeout"],
        ),
        (
            "text that doubles sixty times",
            select(format!(
                "BIND('x' AS ?a0) {}",
                join(60, " ", |n| format!("BIND(CONCAT(?a{n}, ?a{n}) AS ?a{})", n + 1))
            )),
            &["ok", "cut", "query-memory", "query-timeout"],
        ),
        (
            "text that is replaced by itself",
            select(format!(
                "BIND('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' AS ?a0) {}",
                join(20, " ", |n| format!("BIND(REPLACE(?a{n}, 'x', ?a{n}) AS ?a{})", n + 1))
            )),
            &["ok", "query-memory", "query-timeout"],
        ),
        (
            "nested REPLACE",
            select(format!(
                "BIND({}'{}'{} AS ?x)",
                repeat("REPLACE(", 8),
                repeat("x", 1000),
                repeat(&format!(", 'x', '{}')", repeat("x", 1000)), 8)
            )),
            OK,
        ),
        (
            "DESCRIBE of everything, twice",
            Query("DESCRIBE ?a ?d { ?a ?b ?c . ?d ?e ?f }".to_owned()),
            &["ok", "cut", "query-timeout", "query-memory"],
        ),
        (
            "CONSTRUCT of a cross product",
            Query("CONSTRUCT { ?a ?b ?f } { ?a ?b ?c . ?d ?e ?f }".to_owned()),
            &["cut", "query-timeout", "query-memory"],
        ),
        (
            "all rows of a cross product",
            Query("SELECT * { ?a ?b ?c . ?d ?e ?f }".to_owned()),
            &["cut", "query-timeout"],
        ),
        ("an update", Query("DROP ALL".to_owned()), SYNTAX),
        ("nothing", Query(String::new()), SYNTAX),
        ("bytes that are no text", request("POST", "/sparql", sparql, vec![0xc3, 0x28]), PARAMETER),
        (
            "a query with a zero byte",
            Query("SELECT * { ?s ?p \"\u{0}\" }".to_owned()),
            &["ok", "query-syntax"],
        ),
        ("an unclosed string", Query("SELECT * { ?s ?p \"".to_owned()), SYNTAX),
        ("an unclosed IRI", Query("SELECT * { ?s ?p <http://".to_owned()), SYNTAX),
        (
            "a query for another host",
            Query("SELECT * { SERVICE <http://169.254.169.254/> { ?s ?p ?o } }".to_owned()),
            &["forbidden"],
        ),
        (
            "a relative FROM",
            Get("/sparql?query=SELECT%20*%20%7B%7D&default-graph-uri=a%20b".to_owned()),
            PARAMETER,
        ),
        ("malformed percent-encoding", Get("/sparql?query=%G1".to_owned()), PARAMETER),
        ("percent-encoding that is no text", Get("/sparql?query=%ff%fe".to_owned()), PARAMETER),
        ("malformed percent-encoding in a search", Get("/api/search?q=%".to_owned()), PARAMETER),
        ("two queries", Get("/sparql?query=ASK%7B%7D&query=ASK%7B%7D".to_owned()), PARAMETER),
        (
            "an address of 40 kB",
            Get(format!("/search?q={}", repeat("a", 40_000))),
            &["head-too-large"],
        ),
        (
            "40 kB of header fields",
            request("GET", "/search?q=a", &[("accept-language", &repeat("a", 40_000))], ""),
            &["head-too-large"],
        ),
        (
            "an unknown media type",
            request("POST", "/sparql", &[("content-type", "application/x-zip")], "PK"),
            &["unsupported-media-type"],
        ),
        ("no media type", request("POST", "/sparql", &[], "ASK {}"), &["unsupported-media-type"]),
        (
            "another character set",
            request(
                "POST",
                "/sparql",
                &[("content-type", "application/sparql-query; charset=utf-16")],
                "ASK {}",
            ),
            &["unsupported-media-type"],
        ),
        (
            "an Accept without sense",
            request(
                "GET",
                "/id/lesson/lesson-insites-local-partners",
                &[("accept", ";;q=,/,,")],
                "",
            ),
            &["not-acceptable"],
        ),
        (
            "an Accept of 20 kB",
            request("GET", "/healthz", &[("accept", &repeat("a/b,", 5000))], ""),
            OK,
        ),
        ("a path upwards", Get("/assets/..%2f..%2fCargo.toml".to_owned()), &["not-found"]),
        (
            "a path upwards among records",
            Get("/lesson/..%2f..%2f..%2fetc%2fpasswd".to_owned()),
            &["not-found"],
        ),
        ("a path with a zero byte", Get("/lesson/%00".to_owned()), &["not-found"]),
        ("a path of 500 segments", Get(repeat("/a", 500)), &["not-found"]),
        (
            "a saved query with a statement as value",
            Get("/api/queries/lessons-on-a-theme?theme=%3E%20%7D%20DROP%20ALL".to_owned()),
            PARAMETER,
        ),
        ("a page number beyond all", Get("/api/search?page=18446744073709551615".to_owned()), OK),
        (
            "a page number beyond that",
            Get("/api/search?page=18446744073709551616".to_owned()),
            PARAMETER,
        ),
        ("a negative timeout", Get("/sparql?query=ASK%7B%7D&timeout=-1".to_owned()), PARAMETER),
        ("a timeout beyond all", Get("/sparql?query=ASK%7B%7D&timeout=1e308".to_owned()), OK),
    ]
}

async fn lookup(service: &Service) -> Duration {
    let begun = Instant::now();
    let query =
        "SELECT ?p ?o { <https://w3id.org/insites/id/lesson/lesson-insites-local-partners> ?p ?o }";
    let answer = service.query(query, "text/csv").await;
    assert_eq!(answer.status, StatusCode::OK);
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_input_gets_its_typed_answer_in_time() {
    let service = Service::seeded();
    let mut idle: Vec<Duration> = Vec::new();
    for _ in 0..21 {
        idle.push(lookup(&service).await);
    }
    idle.sort_unstable();
    let prompt = Duration::from_millis(100).max(idle[10] * 30);
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, sent, expected) in cases {
        let (request, limited) = match sent {
            Query(text) => {
                let request = Request::post(format!("/sparql?timeout={}", DEADLINE.as_secs_f64()))
                    .header("content-type", "application/sparql-query")
                    .body(Body::from(text));
                (request.expect("a request"), true)
            }
            Get(path) => (Request::get(path).body(Body::empty()).expect("a request"), false),
            Other(request) => (request, false),
        };
        let other = service.clone();
        let hostile = tokio::spawn(async move {
            let begun = Instant::now();
            (other.send(request).await, begun.elapsed())
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        let looked_up = lookup(&service).await;
        let (answer, time) = hostile.await.expect("no panic");
        let got = match answer.status {
            _ if !answer.complete => "cut".to_owned(),
            StatusCode::OK => "ok".to_owned(),
            _ => answer.problem(),
        };
        if !expected.contains(&got.as_str()) {
            wrong.push(format!("{name}: {got} instead of {expected:?} ({})", answer.status));
        }
        // Unoptimised builds parse slowly; the deadline holds all the same.
        if limited && time > ALLOWED * if cfg!(debug_assertions) { 3 } else { 1 } {
            wrong.push(format!("{name}: took {time:?}"));
        }
        if looked_up > prompt * if cfg!(debug_assertions) { 3 } else { 1 } {
            wrong
                .push(format!("{name}: a lookup meanwhile took {looked_up:?}, allowed {prompt:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_stops_its_query() {
    let service = Service::with(&[], &[("query-timeout", "60")]);
    let request = Request::post("/sparql")
        .header("content-type", "application/sparql-query")
        .body(Body::from(format!(
            "SELECT (COUNT(*) AS ?n) {{ {} }}",
            join(8, " ", |v| format!("VALUES ?v{v} {{ {} }}", join(200, " ", |n| n.to_string())))
        )))
        .expect("a request");
    let sending = service.clone();
    let client = tokio::spawn(async move { sending.send(request).await });
    wait_until("the query runs", || service.app.runner.running() == 1).await;
    client.abort();
    wait_until("the query is stopped", || service.app.runner.running() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_fits_is_refused_and_told_when_to_come_back() {
    let settings = [("queries-running", "1"), ("queries-waiting", "1"), ("query-timeout", "2")];
    let service = Service::with(&[], &settings);
    let endless = format!(
        "SELECT (COUNT(*) AS ?n) {{ {} }}",
        join(8, " ", |v| format!("VALUES ?v{v} {{ {} }}", join(200, " ", |n| n.to_string())))
    );
    let mut answers = Vec::new();
    for _ in 0..4 {
        let (service, endless) = (service.clone(), endless.clone());
        answers.push(tokio::spawn(async move {
            let answer = service.query(&endless, "text/csv").await;
            (answer.problem(), answer.header("retry-after").to_owned())
        }));
    }
    let mut busy = 0;
    for answer in answers {
        let (problem, retry) = answer.await.expect("no panic");
        if problem == "busy" {
            busy += 1;
            assert!(!retry.is_empty());
        } else {
            assert_eq!(problem, "query-timeout");
        }
    }
    assert!(busy >= 1, "one runs, one waits, the others are refused");
}

#[tokio::test]
async fn a_result_beyond_its_size_is_refused_or_cut() {
    let service = Service::with(&[], &[("result-size", "1")]);
    let large = |rows: usize| {
        format!(
            "SELECT * {{ VALUES ?a {{ {} }} VALUES ?b {{ {} }} }}",
            join(rows, " ", |n| n.to_string()),
            join(rows, " ", |n| n.to_string())
        )
    };
    let small = service.query(&large(50), "text/csv").await;
    assert!(small.complete && small.status == StatusCode::OK);
    let cut = service.query(&large(2000), "text/csv").await;
    assert!(!cut.complete, "a stream that failed must not look complete");
    let once = format!(
        "SELECT (REPLACE('{}', 'x', '{}') AS ?t) {{}}",
        repeat("x", 1000),
        repeat("y", 2000)
    );
    let refused = service.query(&once, "text/csv").await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (422, "result-too-large"));
}

async fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

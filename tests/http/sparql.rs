//! The SPARQL protocol beyond what the W3C suite asks.

use crate::support::Service;
use axum::body::Body;
use axum::http::{Request, StatusCode};

const JSON: &str = "application/sparql-results+json";

#[tokio::test]
async fn results_come_in_the_format_asked_for() {
    let service = Service::seeded();
    let query = "SELECT%20%28COUNT%28%2A%29%20AS%20%3Fn%29%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D";
    for (accept, parameter, media_type) in [
        ("", "", JSON),
        ("*/*", "", JSON),
        ("application/json", "", JSON),
        ("text/csv", "", "text/csv; charset=utf-8"),
        ("text/tab-separated-values, */*;q=0.1", "", "text/tab-separated-values; charset=utf-8"),
        ("application/sparql-results+xml", "", "application/sparql-results+xml"),
        ("text/csv", "&format=xml", "application/sparql-results+xml"),
    ] {
        let answer = service.get(&format!("/sparql?query={query}{parameter}"), accept).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
        assert_eq!(answer.header("content-type"), media_type, "{accept}{parameter}");
        assert!(answer.complete);
    }
    let construct = "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } LIMIT 3";
    for (accept, media_type) in [
        ("*/*", "text/turtle"),
        ("application/n-triples", "application/n-triples"),
        ("application/ld+json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml"),
    ] {
        let answer = service.query(construct, accept).await;
        assert_eq!(answer.header("content-type"), media_type, "{accept}");
    }
    let unfit = service.query(construct, "text/csv").await;
    assert_eq!(
        (unfit.status, unfit.problem().as_str()),
        (StatusCode::NOT_ACCEPTABLE, "not-acceptable")
    );
    let unknown = service.get(&format!("/sparql?query={query}&format=docx"), "").await;
    assert_eq!(unknown.problem(), "invalid-parameter");
}

#[tokio::test]
async fn a_query_is_explained_instead_of_answered() {
    let service = Service::seeded();
    let query = "SELECT%20%3Ft%20%7B%20%3Fs%20a%20%3Chttps%3A%2F%2Fw3id.org%2Finsites%2Fontology%23\
                 Lesson%3E%20%3B%20%3Chttp%3A%2F%2Fpurl.org%2Fdc%2Fterms%2Ftitle%3E%20%3Ft%20%7D%20\
                 ORDER%20BY%20%3Ft%20LIMIT%203";
    let answer = service.get(&format!("/sparql?explain=true&query={query}"), "text/html,*/*").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "application/json")
    );
    let told: serde_json::Value = serde_json::from_str(&answer.text()).expect("JSON");
    assert_eq!(told["by"], "engine");
    assert_eq!((&told["plan"]["operator"], &told["plan"]["rows"]), (&"slice".into(), &3.into()));
    let text = service.get(&format!("/sparql?explain=true&query={query}"), "text/plain").await;
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
    for told in ["answered by the engine", "sort by ?t, first 3", "pattern ?s dct:title ?t"] {
        assert!(text.text().contains(told), "{told} is not in {}", text.text());
    }
    let random = "SELECT%20(RAND()%20AS%20%3Fr)%20%7B%7D";
    let other = service.get(&format!("/sparql?explain=true&format=text&query={random}"), "").await;
    let told = "does not cover: a function with a new value each time";
    assert!(other.text().contains(told), "{}", other.text());
    for wrong in ["explain=perhaps", "explain=true&format=csv"] {
        let answer = service.get(&format!("/sparql?{wrong}&query={query}"), "").await;
        assert_eq!(answer.problem(), "invalid-parameter", "{wrong}");
    }
    let metrics = service.get("/metrics", "").await.text();
    assert!(metrics.contains("insites_queries_total{by=\"engine\"}"), "{metrics}");
}

#[tokio::test]
async fn mistakes_get_typed_answers() {
    let service = Service::seeded();
    for (query, status, problem) in [
        ("SELECT * { ?s ?p }", 400, "query-syntax"),
        ("SELECT (<http://x/f>(?s) AS ?y) { ?s a ?o } LIMIT 1", 400, "query-syntax"),
        ("INSERT DATA { <http://a> <http://b> 1 }", 400, "query-syntax"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", 403, "forbidden"),
    ] {
        let answer = service.query(query, JSON).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().as_str()),
            (status, problem),
            "{query}"
        );
    }
    let syntax = service.query("SELECT *\nWHERE { ?s ?p }", JSON).await.json();
    assert_eq!(syntax["line"], 2);
    assert!(syntax["column"].as_u64() > Some(10));
    let absent = service.query("SELECT * FROM <http://nowhere/> { ?s ?p ?o }", "text/csv").await;
    assert_eq!((absent.status, absent.text().lines().count()), (StatusCode::OK, 1));
    let silent = service.query("SELECT * { SERVICE SILENT <http://x/> { ?s ?p ?o } }", JSON).await;
    assert_eq!(silent.status, StatusCode::OK);
}

#[tokio::test]
async fn timeouts_are_the_clients_to_shorten() {
    let service = Service::seeded();
    for wrong in ["0", "-1", "soon", "NaN", ""] {
        let answer = service.get(&format!("/sparql?query=ASK%7B%7D&timeout={wrong}"), JSON).await;
        assert_eq!(answer.problem(), "invalid-parameter", "timeout={wrong}");
    }
    let answer = service.get("/sparql?query=ASK%7B%7D&timeout=0.5", JSON).await;
    assert_eq!(answer.json()["boolean"], true);
}

#[tokio::test]
async fn the_default_graph_is_the_union_unless_strict() {
    let quads: Vec<oxigraph::model::Quad> = oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::NQuads)
        .for_slice("<http://s> <http://p> 'a' .\n<http://s> <http://p> 'b' <http://g> .\n<http://s> <http://p> 'b' <http://h> .\n".replace('\'', "\"").as_bytes())
        .collect::<Result<_, _>>()
        .expect("valid quads");
    let query = "SELECT ?o { ?s ?p ?o } ORDER BY ?o";
    assert_eq!(Service::with(&quads, &[]).column(query).await, ["a", "b"], "each triple once");
    let strict = Service::with(&quads, &[("default-graph", "strict")]);
    assert_eq!(strict.column(query).await, ["a"]);
    assert_eq!(
        strict.column("SELECT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g").await,
        ["http://g", "http://h"]
    );
    assert_eq!(strict.column("SELECT ?o FROM <http://g> { ?s ?p ?o }").await, ["b"]);
}

#[tokio::test]
async fn the_service_describes_itself_to_programs() {
    let service = Service::seeded();
    let answer = service.get("/sparql", "text/turtle").await;
    assert!(answer.text().contains("sd:SPARQL11Query"), "{}", answer.text());
    let page = service.get("/sparql", "text/html").await;
    assert!(page.text().contains("<textarea"));
}

#[tokio::test]
async fn a_browser_gets_a_table_and_sees_its_mistakes() {
    let service = Service::seeded();
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    let query = "SELECT%20%3Ft%20%7B%20%3Ft%20a%20%3Chttps%3A%2F%2Fw3id.org%2Finsites%2Fontology%23Lesson%3E%20%7D%20LIMIT%202";
    let answer = service.get(&format!("/sparql?query={query}&format=html"), html).await;
    assert!(answer.text().contains("2 rows"), "{}", answer.text());
    let wrong = service.get("/sparql?query=SELEC&format=html", html).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("role=\"alert\""), "{}", wrong.text());
}

#[tokio::test]
async fn a_graph_is_drawn_and_told_as_a_list() {
    let service = Service::seeded();
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    let prefix = "PREFIX insites: <https://w3id.org/insites/ontology#> PREFIX dct: <http://purl.org/dc/terms/>";
    let page = async |query: &str| {
        let answer = service.query(&format!("{prefix} {query}"), html).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        answer.text()
    };
    let drawn = page(
        "CONSTRUCT { ?s dct:title ?title ; insites:status ?status ; insites:atOrganisation ?o } \
         { ?s a insites:CaseStudy ; dct:title ?title ; insites:status ?status ; \
         insites:atOrganisation ?o . FILTER(STRENDS(STR(?s), \"/deep-medical-mse\")) }",
    )
    .await;
    let (picture, list) = drawn.split_once("</svg>").expect("a picture");
    assert!(picture.contains("href=\"/case-study/deep-medical-mse\" aria-label="), "{picture}");
    assert!(picture.contains("href=\"/organisation/mid-and-south-essex-nhs-ft\""), "{picture}");
    assert!(!picture.contains("#Sourced"), "a fixed value is a fact of its record");
    assert!(list.contains("title: Predicting missed appointments"), "{list}");
    assert!(list.contains("/ontology#Sourced"), "{list}");
    assert!(drawn.contains("/sparql?format=ttl&amp;query="), "a download that fits");
    assert!(!drawn.contains("/sparql?format=csv"), "CSV is for solutions");
    for (query, is_drawn) in [
        ("DESCRIBE <https://w3id.org/insites/id/case-study/deep-medical-mse>", true),
        ("SELECT ?s ?p ?o { ?s ?p ?o ; a insites:Lesson } LIMIT 30", true),
        ("SELECT ?lesson ?p ?o { ?lesson ?p ?o } LIMIT 30", false),
        ("CONSTRUCT { ?s dct:title ?t } { ?s dct:title ?t } LIMIT 30", false),
        ("CONSTRUCT { ?s a ?class } { ?s a ?class } LIMIT 30", true),
    ] {
        assert_eq!(page(query).await.contains("class=\"app-network\""), is_drawn, "{query}");
    }
    let begin = service.get("/sparql", html).await.text();
    let example = begin.split("href=\"").find(|part| part.contains("drawn as a graph"));
    let address = example.and_then(|part| part.split('"').next()).expect("an example");
    let answer = service.get(address, html).await.text();
    assert!(answer.contains("class=\"app-network\""), "the example is drawn");
    let made = page(
        "CONSTRUCT { <http://x/a> dct:title 'A name'; dct:relation [ dct:relation <http://x/b> ] } {}",
    )
    .await;
    let picture = made.split_once("</svg>").expect("a picture").0;
    for name in ["A name", "without a name", "x/b"] {
        assert!(picture.contains(name), "{name}: {picture}");
    }
}

#[tokio::test]
async fn bodies_are_checked() {
    let service = Service::with(&[], &[("body-size", "1"), ("body-timeout", "0.2")]);
    let post = |media_type: &str, body: Body| {
        let request = Request::post("/sparql").header("content-type", media_type).body(body);
        service.send(request.expect("a request"))
    };
    let answer = post("text/plain", Body::from("ASK {}")).await;
    assert_eq!(answer.problem(), "unsupported-media-type");
    let answer = post("application/sparql-query", Body::from(vec![b' '; (1 << 20) + 1])).await;
    assert_eq!(answer.problem(), "body-too-large");
    let answer = post("application/sparql-query", Body::from(vec![0xff])).await;
    assert_eq!(answer.problem(), "invalid-parameter");
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let answer = post("application/sparql-query", Body::from_stream(never)).await;
    assert_eq!(answer.problem(), "request-timeout");
}

//! Search inside SPARQL.

use crate::support::Service;
use axum::http::StatusCode;

const PREFIXES: &str = "PREFIX o: <https://w3id.org/insites/ontology#>
    PREFIX dct: <http://purl.org/dc/terms/>
    PREFIX text: <http://jena.apache.org/text#>
    PREFIX search: <http://www.openrdf.org/contrib/lucenesail#>
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#> ";

async fn rows(service: &Service, query: &str) -> Vec<Vec<String>> {
    let query = format!("{PREFIXES}{query}");
    let answer = service.query(&query, "text/tab-separated-values").await;
    assert_eq!(answer.status, StatusCode::OK, "{query}\n{}", answer.text());
    let lines = answer.text();
    lines.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn hits_come_with_score_snippet_and_kind_and_join_the_graph() {
    let service = Service::embedded().await;
    let found = rows(
        &service,
        "SELECT ?hit ?score ?snippet ?title {
           SERVICE o:search { ?hit o:query \"missed appointments\" ; o:score ?score ; o:snippet ?snippet .
                              [] o:kind o:Lesson ; o:limit 5 }
           ?hit dct:title ?title } ORDER BY DESC(?score)",
    )
    .await;
    assert_eq!(found.len(), 5, "{found:?}");
    let hits =
        service.get("/api/search?q=missed+appointments&kind=lesson&limit=5", "").await.json();
    for (row, hit) in found.iter().zip(hits["hits"].as_array().expect("hits")) {
        assert!(row[0].starts_with("<https://w3id.org/insites/id/lesson/"), "{row:?}");
        // Hits of one score may come in any order.
        assert!(hits.to_string().contains(row[0].trim_matches(['<', '>'])), "{row:?}");
        assert!(hit["score"].as_f64() > Some(-10.0) && !row[1].is_empty() && !row[2].is_empty());
        assert!(!row[3].is_empty());
    }
    // Facets are ordinary grouping.
    let counts = rows(
        &service,
        "SELECT ?status (COUNT(*) AS ?n) {
           SERVICE o:search { ?hit o:query \"staff\" ; o:mode \"words\" ; o:limit 1000 }
           ?hit o:status ?status } GROUP BY ?status ORDER BY DESC(?n)",
    )
    .await;
    let facet = service.get("/api/search?q=staff&mode=words", "").await.json();
    let facet = &facet["facets"]["status"][0];
    let first = (&counts[0][0], counts[0][1].trim_matches('"'));
    assert!(first.0.ends_with(&format!("{}>", facet["value"].as_str().expect("text"))), "{facet}");
    assert!(first.1.starts_with(&facet["count"].to_string()), "{counts:?} {facet}");
}

#[tokio::test]
async fn the_spellings_of_others_give_what_a_scan_gives() {
    let service = Service::seeded();
    // A word in a description, as it is written.
    let scan = "?hit dct:description ?d FILTER(REGEX(STR(?d), \"(^|[^\\\\p{L}\\\\p{N}])staff($|[^\\\\p{L}\\\\p{N}])\", \"i\")) \
         ?hit a ?class VALUES ?class { o:Lesson o:CaseStudy o:Document }";
    let expected =
        rows(&service, &format!("SELECT DISTINCT ?hit {{ {scan} }} ORDER BY ?hit")).await;
    assert!(expected.len() > 10, "{expected:?}");
    let kinds = "?hit a ?class VALUES ?class { o:Lesson o:CaseStudy o:Document }";
    for clause in [
        "?hit text:query (dct:description \"staff\")",
        "(?hit) text:query (dct:description \"staff\" 10000)",
        "(?hit ?score) text:query (dct:description \"staff\")",
        "(?hit ?score ?literal) text:query (dct:description \"STAFF\")",
        "?hit search:matches [ a search:LuceneQuery ; search:query \"staff\" ; search:property dct:description ]",
        "?hit search:matches [ search:query \"staff\" ; search:property dct:description ; search:score ?s ]",
    ] {
        let query = format!("SELECT DISTINCT ?hit {{ {clause} . {kinds} }} ORDER BY ?hit");
        assert_eq!(rows(&service, &query).await, expected, "{clause}");
    }
    // A limit keeps the best, also where a property is named.
    let best = |limit: &'static str| {
        let service = service.clone();
        async move {
            let clause = format!("(?hit ?score) text:query (dct:title \"staff ward\" {limit})");
            let query = format!("SELECT ?hit ?score {{ {clause} }} ORDER BY DESC(?score) LIMIT 2");
            rows(&service, &query).await
        }
    };
    assert_eq!(best("2").await, best("10000").await);
    // The literal and the score belong to the hit.
    let literals = rows(
        &service,
        "SELECT ?hit ?score ?literal { (?hit ?score ?literal) text:query (dct:description \"staff\" 3)
           FILTER EXISTS { ?hit dct:description ?literal } FILTER(?score > 0) }",
    )
    .await;
    assert_eq!(literals.len(), 3, "{literals:?}");
    assert!(literals.iter().all(|row| row[2].to_lowercase().contains("staff")), "{literals:?}");
    // Words are joined by OR; without a property all texts count.
    let count = |words: &'static str| {
        let service = service.clone();
        async move { rows(&service, &format!("SELECT ?hit {{ ?hit text:query {words} }}")).await.len() }
    };
    let (staff, ward, both) =
        (count("\"staff\"").await, count("\"ward\"").await, count("\"staff ward\"").await);
    assert!(both >= staff.max(ward) && both <= staff + ward && ward > 0, "{staff} {ward} {both}");
    assert_eq!(count("(\"staff\" 2)").await, 2);
}

#[tokio::test]
async fn a_clause_keeps_to_the_dataset_and_to_sparql() {
    let service = Service::seeded();
    let all = rows(&service, "SELECT ?hit { ?hit text:query \"illustrative\" }").await;
    let seed = rows(
        &service,
        "SELECT ?hit FROM <https://w3id.org/insites/graph/seed> { ?hit text:query \"illustrative\" }",
    )
    .await;
    let made_up = rows(
        &service,
        "SELECT ?hit FROM <https://w3id.org/insites/graph/illustrative> { ?hit text:query \"illustrative\" }",
    )
    .await;
    assert!(made_up.len() > 3 && seed.len() < all.len(), "{} {}", made_up.len(), seed.len());
    assert!(seed.iter().all(|row| !made_up.contains(row)));
    // A LIMIT beside the clause limits what stands beside it, and no more.
    let limited = rows(
        &service,
        "SELECT ?hit { SERVICE o:search { ?hit o:query \"staff\" ; o:mode \"words\" ; o:limit 50 }
           { SELECT ?hit { ?hit a o:Lesson } ORDER BY ?hit LIMIT 3 } }",
    )
    .await;
    assert!(limited.len() <= 3, "{limited:?}");
    // In OPTIONAL, UNION, MINUS and EXISTS.
    let lessons = rows(&service, "SELECT ?l { ?l a o:Lesson }").await.len();
    for (query, fits) in [
        ("SELECT ?l { ?l a o:Lesson OPTIONAL { (?l ?score) text:query \"staff\" } }", lessons),
        (
            "SELECT ?l { ?l a o:Lesson MINUS { ?l text:query \"staff\" } }",
            lessons
                - rows(&service, "SELECT DISTINCT ?l { ?l text:query \"staff\" . ?l a o:Lesson }")
                    .await
                    .len(),
        ),
    ] {
        assert_eq!(rows(&service, query).await.len(), fits, "{query}");
    }
    let exists = "SELECT ?l { ?l a o:Lesson FILTER EXISTS { ?l text:query \"staff\" } }";
    let joined = "SELECT DISTINCT ?l { ?l a o:Lesson . ?l text:query \"staff\" }";
    assert_eq!(rows(&service, exists).await.len(), rows(&service, joined).await.len());
    // A record that the query names.
    let one = "SELECT (1 AS ?one) { <https://w3id.org/insites/id/lesson/lesson-remind-twice> text:query \"reminders\" }";
    assert_eq!(rows(&service, one).await.len(), 1);
    for (query, told) in [
        ("SELECT * { SERVICE o:search { ?hit o:score ?s } }", "insites:query"),
        ("SELECT * { SERVICE o:search { ?hit o:query \"x\" ; o:mode \"magic\" } }", "magic"),
        ("SELECT * { SERVICE o:search { ?hit o:query ?words } }", "literal"),
        ("SELECT * { ?hit text:query ?words }", "literal"),
    ] {
        let answer = service.query(&format!("{PREFIXES}{query}"), "").await;
        assert_eq!(answer.problem(), "query-syntax", "{query}");
        assert!(answer.text().contains(told), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_workbench_and_saved_queries_search_as_well() {
    let service = Service::seeded();
    let query = format!("{PREFIXES}SELECT ?hit {{ ?hit text:query (dct:title \"procurement\") }}");
    let path = format!("/sparql?query={}", super::encoded(&query));
    let page = service.get(&path, "text/html").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text().contains("doc-ai-chest") || page.text().contains("Procurement"),
        "{}",
        page.text()
    );
}

//! Keyword search.

use crate::support::Service;
use axum::http::StatusCode;

#[tokio::test]
async fn words_find_records_and_the_answer_says_why() {
    let service = Service::seeded();
    let answer = service.get("/api/search?q=missed+appointments&limit=3&mode=words", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let json = answer.json();
    assert_eq!(json["mode"], "words");
    assert_eq!(json["revision"], 1);
    let hits = json["hits"].as_array().expect("hits");
    assert_eq!(hits.len(), 3);
    assert!(hits.iter().any(|hit| hit["slug"] == "deep-medical-mse"), "{json}");
    for hit in hits {
        for member in ["id", "kind", "slug", "title", "url", "snippet", "status", "score", "why"] {
            assert!(!hit[member].is_null(), "{member} of {hit}");
        }
        assert!(hit["snippet"].as_str().expect("text").contains("<mark>"), "{hit}");
    }
    for facet in
        ["kind", "theme", "dimension", "organisation", "region", "programme", "status", "outcome"]
    {
        assert!(json["facets"][facet].is_array(), "{facet}");
    }
}

#[tokio::test]
async fn filters_narrow_and_facets_ignore_their_own() {
    let service = Service::seeded();
    let all = service.get("/api/search?q=innovation", "").await.json();
    let lessons = service.get("/api/search?q=innovation&kind=lesson", "").await.json();
    let both = service.get("/api/search?q=innovation&kind=lesson&kind=case-study", "").await.json();
    let count = |json: &serde_json::Value, facet: &str, value: &str| {
        let values = json["facets"][facet].as_array().expect("values").clone();
        values.iter().find(|v| v["value"] == value).and_then(|v| v["count"].as_u64()).unwrap_or(0)
    };
    assert_eq!(lessons["total"].as_u64(), Some(count(&all, "kind", "lesson")));
    assert_eq!(
        both["total"].as_u64(),
        Some(count(&all, "kind", "lesson") + count(&all, "kind", "case-study"))
    );
    assert_eq!(count(&lessons, "kind", "case-study"), count(&all, "kind", "case-study"));
    assert!(count(&lessons, "theme", "culture") <= count(&all, "theme", "culture"));
    let none = service.get("/api/search?q=innovation&theme=no-such-theme", "").await.json();
    assert_eq!(none["total"], 0);
    let sourced = service.get("/api/search?status=sourced", "").await.json();
    let sourced_count = count(&service.get("/api/search", "").await.json(), "status", "Sourced");
    assert_eq!(sourced["total"].as_u64(), Some(sourced_count));
}

#[tokio::test]
async fn paging_reaches_every_result_once() {
    let service = Service::seeded();
    for sort in ["relevance", "newest", "oldest", "title"] {
        let mut seen = Vec::new();
        let mut page = 1;
        loop {
            let path = format!("/api/search?q=trust&limit=25&page={page}&sort={sort}");
            let json = service.get(&path, "").await.json();
            let hits = json["hits"].as_array().expect("hits");
            seen.extend(hits.iter().map(|h| h["id"].to_string()));
            if page >= json["pages"].as_u64().expect("a number") {
                assert_eq!(json["total"].as_u64(), Some(seen.len() as u64), "{sort}");
                break;
            }
            page += 1;
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert!(count > 50 && seen.len() == count, "{sort}: {count}");
    }
}

#[tokio::test]
async fn anything_a_person_types_is_searched() {
    let service = Service::seeded();
    let long = "why%20".repeat(1700);
    for words in [
        "",
        "%22",
        "%22unclosed",
        "a%3Ab",
        "%5B%5D%28%29%7B%7D",
        "%2B-%21%7E%5E",
        "%F0%9F%99%82",
        "-",
        "--",
        "AND",
        "OR+NOT",
        "*",
        "%3F",
        "%5C",
        "title%3Afoo",
        "%3Cscript%3E",
        "%27+OR+1%3D1",
        "%E2%80%9Cquoted%E2%80%9D",
        "-culture",
        "%22%22",
        "%00",
        long.as_str(),
    ] {
        for path in ["/api/search", "/search"] {
            let answer = service.get(&format!("{path}?q={words}"), "").await;
            assert_eq!(answer.status, StatusCode::OK, "{path}?q={words}");
        }
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let service = Service::seeded();
    for (parameters, name) in [
        ("page=0", "page"),
        ("page=x", "page"),
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("sort=best", "sort"),
        ("from=yesterday", "from"),
        ("to=2024-13", "to"),
        ("match=fuzzy", "match"),
        ("mode=magic", "mode"),
        ("q=%zz", "%zz"),
    ] {
        let answer = service.get(&format!("/api/search?{parameters}"), "").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::BAD_REQUEST, "invalid-parameter")
        );
        assert!(
            answer.json()["detail"].as_str().expect("text").contains(name),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn phrases_exclusions_and_dates() {
    let service = Service::seeded();
    let total = |parameters: &'static str| {
        let service = service.clone();
        async move {
            service.get(&format!("/api/search?{parameters}"), "").await.json()["total"]
                .as_u64()
                .expect("a number")
        }
    };
    let (any, phrase) = (total("q=local+partners").await, total("q=%22local+partners%22").await);
    assert!(phrase > 0 && phrase < any, "{phrase} of {any}");
    let (with, without) = (total("q=culture").await, total("q=culture+-innovation").await);
    assert!(without < with, "{without} of {with}");
    assert!(total("q=local+partners&match=exact").await < any);
    let (early, late) = (total("to=2020").await, total("from=2021").await);
    assert!(early > 0 && late > 0 && early + late <= total("q=").await);
}

#[tokio::test]
async fn the_page_and_json_by_accept_agree() {
    let service = Service::seeded();
    let page = service.get("/search?q=culture", "text/html").await;
    let json = service.get("/search?q=culture", "application/json").await.json();
    assert!(page.text().contains(&format!("{} results", json["total"])), "{}", page.text());
}

//! The whole way of evidence: a site answers the tool by form and by
//! spreadsheet, two interviews are coded, a case that failed is published, and
//! the comparison shows it all with its denominators; the public sees nothing
//! of it before.

use crate::http::capture::{SITE, TOOL, post_form, post_json};
use crate::http::compare::{cells, compare};
use crate::http::interviews::{act, drafted, interview, post};
use crate::http::sheets::{put, send, workbook};
use crate::support::Service;
use axum::http::StatusCode;
use insites::access::Role;
use rust_xlsxwriter::{ExcelDateTime, Format};
use serde_json::{Value, json};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const MADE_UP: &str = "show=illustrative&rows=dimension&columns=site";
/// Words of the drafts that nothing of the seed has.
const WORDS: [&str; 4] = ["quokka", "bandicoot", "numbat", "bilby"];

/// What the comparison counts for the site on a dimension, and of how many.
fn share(answer: &Value, dimension: &str) -> (u64, u64) {
    let key = (dimension.to_owned(), SITE.to_owned());
    let of = |member: &str| cells(answer, member).get(&key).copied().unwrap_or(0);
    (of("count"), of("of"))
}

async fn is_nowhere(public: &Service) {
    for word in WORDS {
        let query = format!(
            "SELECT ?s {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} FILTER(CONTAINS(LCASE(STR(?o)), '{word}') || CONTAINS(STR(?s), '{word}')) }}"
        );
        assert_eq!(public.column(&query).await, Vec::<String>::new(), "{word}");
        for path in [
            format!("/api/search?q={word}&match=exact"),
            format!("/search.atom?q={word}"),
            format!("/api/suggest?q={}", &word[..5]),
            "/changes?limit=1000".to_owned(),
            "/changes.atom".to_owned(),
            "/export".to_owned(),
            "/sitemap.xml".to_owned(),
            format!("/organisation/{SITE}"),
            "/case-study".to_owned(),
            "/interview".to_owned(),
            "/tool-answer".to_owned(),
            format!("/case-study/a-{word}-trial"),
            format!("/compare?{MADE_UP}"),
            format!("/api/compare?{MADE_UP}&format=csv"),
        ] {
            let text = public.get(&path, "").await.text().to_lowercase();
            if path.starts_with("/search.atom") {
                // The feed is named after the search; it has no entry.
                assert!(text.contains("<feed") && !text.contains("<entry"), "{path}: {text}");
                continue;
            }
            if path.starts_with("/api/search") {
                // What was asked is told back, with spellings that are near.
                let found: Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!(found["total"], 0, "{path}: {text}");
                continue;
            }
            let told = text
                .replace(&format!("q={word}"), "")
                .replace(&format!("“{word}”"), "")
                .replace(&format!("a-{word}-trial"), "");
            assert!(!told.contains(word), "{path} shows {word}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_collected_reviewed_and_compared() {
    let public = Service::seeded_alone();
    let alice = public.clone().contributor_of("alice", SITE);
    let bob = public.clone().with_role(Role::Curator);
    let before = compare(&public, MADE_UP).await;

    // The tool, by form.
    let part = format!("/capture/questionnaire/{TOOL}/agree-priorities?site={SITE}");
    let fields = [
        ("date", "2026-11-02"),
        ("with-role", "innovation-lead"),
        ("front-door", "front-door-yes"),
        ("front-door-days", "15"),
        ("priorities-how", "By a quokka vote."),
        ("do", "continue"),
    ];
    let saved = post_form(&alice, &part, &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    // The tool, by spreadsheet: another of its parts.
    let sheet = workbook(TOOL, "1", |sheet| {
        put(sheet, 4, &["", "", "", "", "", "Demonstration Partner A"]);
        sheet.write_string(0, 7, "partner-value").expect("a cell");
        sheet.write_number(4, 7, 4).expect("a cell");
        let day = Format::new().set_num_format("yyyy-mm-dd");
        let date = ExcelDateTime::from_ymd(2026, 11, 20).expect("a day");
        sheet.write_datetime_with_format(4, 2, &date, &day).expect("a cell");
    });
    let looked = send(&alice, "", XLSX, sheet.clone()).await;
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.text());
    let saved = send(&alice, "?confirm=yes", XLSX, sheet).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());

    // Two interviews, coded.
    let mut interviews = Vec::new();
    for (role, word) in [("innovation-lead", "numbat"), ("executive-sponsor", "bilby")] {
        let mut body = interview(&format!("The {word} rota was agreed with patients."));
        body["role"] = json!(role);
        body["audience"] = json!("public");
        let slug = drafted(&alice, &body).await;
        let code = json!({ "passage": 1, "theme": ["leadership"], "dimension": ["build-capabilities"],
                           "supports": ["demonstration-agree-who-pays-afterwards"] });
        let coded = post(&alice, &format!("/capture/interview/{slug}/code"), &code).await;
        assert_eq!(coded.status, StatusCode::OK, "{}", coded.text());
        interviews.push(slug);
    }

    // A case that failed.
    let case = json!({ "values": {
        "title": "A bandicoot trial", "description": "Tags on trolleys.",
        "problem": "Trolleys were lost.", "outcome-status": "stopped",
        "result-text": "It did not work.", "barrier": ["Nobody charged the tags."],
        "lesson-learned": ["Ask the porters first."], "dimension": ["mobilise-resources"],
    }});
    let saved = post_json(&alice, "/api/capture/case-study", &case).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());
    let case = saved.json()["slug"].as_str().expect("a slug").to_owned();

    // All of it is handed in; nobody else sees it, and nothing counts it.
    let mut drafts: Vec<(String, String)> = Vec::new();
    for draft in
        alice.get("/api/capture/drafts", "").await.json()["drafts"].as_array().expect("drafts")
    {
        let member = |name: &str| draft[name].as_str().expect("text").to_owned();
        drafts.push((member("kind"), member("slug")));
    }
    let kinds = |kind: &str| drafts.iter().filter(|(other, _)| other == kind).count();
    assert_eq!((kinds("interview"), kinds("case-study")), (2, 1), "{drafts:?}");
    assert_eq!(kinds("tool-answer"), 2, "by form and by spreadsheet: {drafts:?}");
    for (kind, slug) in &drafts {
        let done = post_json(&alice, &format!("/{kind}/{slug}/submit"), &json!({})).await;
        assert_eq!(done.status, StatusCode::OK, "{kind}/{slug}: {}", done.text());
    }
    is_nowhere(&public).await;
    assert_eq!(compare(&public, MADE_UP).await["cells"], before["cells"]);

    // Somebody else publishes; then it counts.
    for slug in &interviews {
        assert_eq!(act(&alice, slug, "publish").await, StatusCode::FORBIDDEN);
    }
    for (kind, slug) in &drafts {
        let done = post_json(&bob, &format!("/{kind}/{slug}/publish"), &json!({})).await;
        assert_eq!(done.status, StatusCode::OK, "{kind}/{slug}: {}", done.text());
    }
    let found = public.get("/api/search?q=bandicoot&outcome=stopped", "").await.json();
    assert_eq!(found["total"], 1, "{found}");
    let after = compare(&public, MADE_UP).await;
    for dimension in ["agree-priorities", "build-capabilities"] {
        let ((count, of), (earlier, _)) = (share(&after, dimension), share(&before, dimension));
        assert!(count > earlier && of >= count, "{dimension}: {earlier} then {count} of {of}");
    }
    let page = public.get(&format!("/compare?{MADE_UP}"), "text/html").await.text();
    let (count, of) = share(&after, "build-capabilities");
    assert!(page.contains(&format!("{count} of {of}")), "{count} of {of}");
    let cell = format!("/compare?{MADE_UP}&cell=build-capabilities~{SITE}");
    let cell = public.get(&cell, "text/html").await.text();
    assert!(cell.contains(&format!("/evidence/{}-p01", interviews[0])), "the way to the evidence");
    assert!(
        public.get(&format!("/case-study/{case}"), "text/html").await.text().contains("Stopped")
    );
}

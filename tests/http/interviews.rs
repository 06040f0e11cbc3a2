//! Interviews from their draft to where they are seen: personal data, passages,
//! codes, audiences.

use crate::support::{Answer, Service};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;
use serde_json::{Value, json};
use std::io::{Cursor, Write};

const SITE: &str = "demonstration-site-01";

fn own() -> (Service, Service) {
    let service = Service::seeded_alone();
    (service.clone().with_role(Role::Curator), service.with_role(Role::Curator))
}

pub async fn post(service: &Service, path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("content-type", "application/json");
    service.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

pub fn interview(notes: &str) -> Value {
    json!({
        "role": "innovation-lead", "site": SITE, "date": "2026-02-03",
        "consent": true, "consent-for": "to be quoted by role", "consent-date": "2026-02-01",
        "audience": "members", "notes": notes,
    })
}

/// A form as a browser sends it.
async fn form(
    service: &Service,
    path: &str,
    fields: &[(&str, &str)],
    file: Option<(&str, &[u8])>,
) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    let (name, bytes) = file.unwrap_or(("", b""));
    let head = format!(
        "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    body.extend(head.into_bytes());
    body.extend(bytes);
    body.extend(b"\r\n--xyz--\r\n");
    let request = Request::post(path)
        .header("content-type", "multipart/form-data; boundary=xyz")
        .header("accept", "text/html");
    service.send(request.body(Body::from(body)).expect("a request")).await
}

const FIELDS: [(&str, &str); 11] = [
    ("role", "executive-sponsor"),
    ("site", SITE),
    ("date-day", "5"),
    ("date-month", "2"),
    ("date-year", "2026"),
    ("consent", "yes"),
    ("consent-for", "to be quoted by role"),
    ("consent-date-day", "1"),
    ("consent-date-month", "2"),
    ("consent-date-year", "2026"),
    ("audience", "public"),
];

fn docx(paragraphs: &[&str]) -> Vec<u8> {
    let body = paragraphs.join("</w:t></w:r></w:p><w:p><w:r><w:t>");
    packed(&[(
        "word/document.xml",
        format!("<w:document xmlns:w=\"http://x/w\"><w:body><w:p><w:r><w:t>{body}</w:t></w:r></w:p></w:body></w:document>")
            .as_bytes(),
    )])
}

fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a part");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn revision(service: &Service) -> u64 {
    service.app.reader.snapshot().revision
}

pub async fn act(service: &Service, slug: &str, action: &str) -> StatusCode {
    let answer =
        post(service, &format!("/interview/{slug}/{action}"), &json!({ "comment": "look" })).await;
    answer.status
}

const SAID: &str = "Interviewer: How did it begin?\n\nLead: The wallaby rota was written down.\n\nNobody covered the numbat shift, so it stopped.";

/// A draft of an interview: its slug.
pub async fn drafted(service: &Service, body: &Value) -> String {
    let answer = post(service, "/capture/interview", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["slug"].as_str().expect("a slug").to_owned()
}

/// Every place in which words of an interview could be seen.
async fn places(service: &Service, slug: &str, word: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let sparql = format!(
        "/sparql?format=csv&query=SELECT+%2A+%7B+GRAPH+%3Fg+%7B+%3Fs+%3Fp+%3Fo+FILTER%28CONTAINS%28STR%28%3Fo%29%2C%22{word}%22%29%29+%7D+%7D"
    );
    let clause = "/sparql?format=csv&query=PREFIX+insites%3A+%3Chttps%3A%2F%2Fw3id.org%2Finsites%2Fontology%23%3E+SELECT+%3Fh+%3Ft+%7B+SERVICE+insites%3Asearch+%7B+%3Fh+insites%3Aquery+%22WORD%22+%3B+insites%3Asnippet+%3Ft+.+%5B%5D+insites%3Amode+%22words%22+%7D+%7D".replace("WORD", word);
    for path in [
        sparql,
        clause,
        format!("/api/search?q={word}&mode=words"),
        format!("/search.csv?q={word}"),
        format!("/search.atom?q={word}"),
        format!("/search?q={word}"),
        "/evidence".to_owned(),
        "/interview".to_owned(),
        format!("/interview/{slug}"),
        format!("/interview/{slug}.ttl"),
        format!("/interview/{slug}/history"),
        format!("/interview/{slug}/graph"),
        format!("/evidence/{slug}-p02"),
        format!("/evidence/{slug}-p02.json"),
        format!("/id/evidence/{slug}-p02"),
        "/changes?limit=1000".to_owned(),
        "/changes.atom".to_owned(),
        "/changes/ldes".to_owned(),
        "/export".to_owned(),
        "/graphs?default".to_owned(),
        "/graph/records-members".to_owned(),
        "/graph/catalogue".to_owned(),
        "/sitemap.xml".to_owned(),
        "/theme/leadership".to_owned(),
        "/lesson/demonstration-agree-who-pays-afterwards".to_owned(),
        "/organisation/demonstration-site-01".to_owned(),
        format!("/api/suggest?q={}", &word[..4]),
        format!("/api/search?q={}z{}", &word[..4], &word[4..]),
        "/capture/codes".to_owned(),
        "/capture/interview".to_owned(),
        format!("/capture/interview/{slug}"),
        format!("/capture/interview/{slug}/code"),
    ] {
        let data = path.contains('.')
            || ["/graph", "/export", "/changes", "/sparql", "/api"]
                .iter()
                .any(|start| path.starts_with(start));
        let answer = service.get(&path, if data { "" } else { "text/html" }).await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
        let text = answer.text().to_lowercase();
        // What was asked for is said again in the answer; that shows nothing.
        let asked = text.replace(&format!("“{word}”"), "").replace(&format!("q={word}"), "");
        let asked = asked
            .replace(&format!("value=\"{word}\""), "")
            .replace(&format!("\"query\":\"{word}\""), "");
        let shows = match path.as_str() {
            p if p.starts_with("/search.atom") || p.starts_with("/search?") => {
                asked.contains(&format!("<mark>{word}")) || asked.contains(&format!("{slug}-p"))
            }
            // An address that is not there is named in the answer.
            p if p.contains("-p02") => asked.contains(word),
            _ => asked.contains(word) || asked.contains(&format!("{slug}-p")),
        };
        found.push((path, shows));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn two_interviews_go_from_a_draft_to_their_audience() {
    let (author, second) = own();
    let public = author.clone().anonymous();
    let member = author.clone().with_role(Role::Member);
    let before = revision(&author);

    // The first, by a program: what looks like personal data is refused whole.
    let mut body = interview(&format!(
        "{SAID}\n\nRing Dr Patel on 07700 900123 or Dr Patel's ward at CM1 7ET."
    ));
    let refused = post(&author, "/capture/interview", &body).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (422, "personal-data"));
    let finds = refused.json()["finds"].as_array().expect("finds").clone();
    let kinds: Vec<&str> = finds.iter().filter_map(|find| find["kind"].as_str()).collect();
    assert_eq!(kinds, ["name", "phone", "postcode"]);
    assert_eq!(finds[0]["places"].as_array().expect("places").len(), 2);
    assert_eq!(revision(&author), before, "nothing is saved");
    // A reason is needed to keep something, and a word that is itself none.
    body["resolutions"] = json!([
        { "text": "Dr Patel", "replace": "Dr Shah" },
        { "text": "07700 900123", "replace": "[telephone number]" },
        { "text": "CM1 7ET", "keep": "" },
    ]);
    let refused = post(&author, "/capture/interview", &body).await.json();
    let left: Vec<&str> = refused["finds"]
        .as_array()
        .expect("finds")
        .iter()
        .filter_map(|f| f["text"].as_str())
        .collect();
    assert_eq!(left, ["Dr Shah", "CM1 7ET"]);
    assert_eq!(revision(&author), before, "nothing is saved");
    body["resolutions"] = json!([
        { "text": "Dr Patel", "replace": "[name]" },
        { "text": "07700 900123", "replace": "[telephone number]" },
        { "text": "CM1 7ET", "keep": "the postcode of the hospital" },
    ]);
    let first = drafted(&author, &body).await;
    let read = author.get(&format!("/capture/interview/{first}"), "application/json").await.json();
    assert_eq!(
        read["passages"][3]["text"],
        "Ring [name] on [telephone number] or [name]'s ward at CM1 7ET."
    );
    assert_eq!(read["kept"][0]["keep"], "the postcode of the hospital");
    assert_eq!(read["passages"][0]["question"], true);
    assert_eq!(read["audience"], "members");

    // The second, by form and Word file: asked, then saved.
    let file = docx(&["Q: Who pays?", "The potoroo fund pays until 5 May.", "Ask Mrs O'Brien."]);
    let asked = form(&author, "/capture/interview", &FIELDS, Some(("said.docx", &file))).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = asked.text();
    assert!(
        page.contains("Check for personal data") && page.contains("Mrs O&#39;Brien")
            || page.contains("Mrs O'Brien"),
        "{page}"
    );
    assert_eq!(asked.header("cache-control"), "no-store");
    let mut fields = FIELDS.to_vec();
    fields.extend([
        ("notes", "Q: Who pays?\r\n\r\nThe potoroo fund pays until 5 May.\r\n\r\nAsk Mrs O'Brien."),
        ("find-0-text", "Mrs O'Brien"),
        ("find-0-do", "replace"),
        ("find-0-with", "[name]"),
        ("step", "save"),
    ]);
    let saved = form(&author, "/capture/interview", &fields, None).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
    let second_slug = saved.header("location").split('/').nth(3).expect("a slug").to_owned();

    // Coded: by a program, and by form.
    let coded = post(
        &author,
        &format!("/capture/interview/{first}/code"),
        &json!({ "passage": 2, "theme": ["leadership"], "dimension": ["build-capabilities"],
                 "supports": ["demonstration-agree-who-pays-afterwards"] }),
    )
    .await;
    assert_eq!(coded.status, StatusCode::OK, "{}", coded.text());
    let coded = form(
        &author,
        &format!("/capture/interview/{second_slug}/code"),
        &[
            ("passage", "2"),
            ("theme", "culture"),
            ("theme", "leadership"),
            ("add-disputes", "Illustrative lesson: agree before a test who pays afterwards"),
        ],
        None,
    )
    .await;
    assert_eq!(coded.status, StatusCode::SEE_OTHER, "{}", coded.text());
    let page = author
        .get(coded.header("location").split('#').next().expect("a path"), "text/html")
        .await
        .text();
    assert!(page.contains("Saved.") && page.contains("1 of 2 passages are coded"), "{page}");

    // Drafts are nowhere for the public and for members.
    for caller in [&public, &member] {
        for (slug, word) in [(&first, "wallaby"), (&second_slug, "potoroo")] {
            for (path, shows) in places(caller, slug, word).await {
                assert!(!shows, "{path} shows {word} of a draft");
            }
        }
    }

    // Handed on: somebody else publishes.
    for slug in [&first, &second_slug] {
        assert_eq!(act(&author, slug, "submit").await, StatusCode::OK);
        assert_eq!(act(&author, slug, "publish").await, StatusCode::FORBIDDEN);
        assert_eq!(act(&second, slug, "publish").await, StatusCode::OK);
    }
    // The one for all is seen by all, the one for members by members alone.
    for path in [format!("/interview/{second_slug}"), format!("/evidence/{second_slug}-p02")] {
        let page = public.get(&path, "text/html").await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains("The potoroo fund pays"), "{path}");
    }
    let page = public.get(&format!("/interview/{second_slug}"), "text/html").await.text();
    assert!(page.contains("Leadership") && page.contains("Contradicts"), "{page}");
    let lesson =
        public.get("/lesson/demonstration-agree-who-pays-afterwards", "text/html").await.text();
    assert!(lesson.contains("potoroo") && lesson.contains("contradicted by"), "{lesson}");
    for (path, shows) in places(&public, &first, "wallaby").await {
        assert!(!shows, "{path} shows the public what is for members");
    }
    let shown: Vec<String> = places(&member, &first, "wallaby")
        .await
        .into_iter()
        .filter(|(_, shows)| *shows)
        .map(|(path, _)| path)
        .collect();
    for needed in [
        "/api/search",
        "/sparql",
        "/search.csv",
        "/interview/",
        "/evidence/",
        "/export",
        "/changes?",
        "/theme/leadership",
        "/lesson/",
        "/graph/records-members",
    ] {
        assert!(shown.iter().any(|path| path.starts_with(needed)), "{needed}: {shown:#?}");
    }
    let lesson =
        member.get("/lesson/demonstration-agree-who-pays-afterwards", "text/html").await.text();
    assert!(lesson.contains("wallaby"), "a member sees what supports the lesson");
    // Counts are those of what one sees.
    let count = "SELECT (COUNT(*) AS ?n) { ?s <http://www.w3.org/ns/prov#wasGeneratedBy> ?i . ?s <https://schema.org/position> ?p }";
    assert_eq!(public.column(count).await, ["3"]);
    assert_eq!(member.column(count).await, ["7"]);
    // A hidden address answers as one that never was.
    let [hidden, never] =
        [first.as_str(), "interview-that-never-was-there"].map(|slug| format!("/interview/{slug}"));
    let (hidden_answer, never_answer) =
        (public.get(&hidden, "").await, public.get(&never, "").await);
    assert_eq!(hidden_answer.status, never_answer.status);
    assert_eq!(
        hidden_answer.text().replace(&hidden[1..], ""),
        never_answer.text().replace(&never[1..], "")
    );
}

#[tokio::test]
async fn editing_a_text_keeps_addresses_and_codes() {
    let (author, second) = own();
    let slug = drafted(&author, &interview(SAID)).await;
    let path = format!("/capture/interview/{slug}");
    for (passage, theme) in [(2, "leadership"), (3, "culture")] {
        let body = json!({ "passage": passage, "theme": [theme] });
        assert_eq!(post(&author, &format!("{path}/code"), &body).await.status, StatusCode::OK);
    }
    let read = author.get(&path, "").await.json();
    let mut body = interview(
        "Interviewer: How did it begin?\n\nA new beginning.\n\nLead: The wallaby rota was written down.\n\nNobody at all covered the numbat shift, so it stopped.",
    );
    body["basis"] = read["basis"].clone();
    body["audience"] = "public".into();
    let changed = post(&author, &path, &body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(changed.json()["carried"], json!([5]));
    // The form that was read before is too old now.
    let late = post(&author, &path, &body).await;
    assert_eq!((late.status.as_u16(), late.problem().as_str()), (412, "precondition-failed"));
    let read = author.get(&path, "").await.json();
    let numbers: Vec<u64> = read["passages"]
        .as_array()
        .expect("passages")
        .iter()
        .filter_map(|p| p["number"].as_u64())
        .collect();
    assert_eq!(numbers, [1, 4, 2, 5]);
    assert!(read["passages"][3]["theme"][0].as_str().expect("a theme").ends_with("/culture"));
    // Published, and drafted anew: the published one stays until the next is published.
    assert_eq!(act(&author, &slug, "submit").await, StatusCode::OK);
    assert_eq!(act(&second, &slug, "publish").await, StatusCode::OK);
    let public = author.clone().anonymous();
    assert_eq!(public.get(&format!("/evidence/{slug}-p04"), "").await.status, StatusCode::OK);
    let mut body = interview("Lead: The wallaby rota was written down.");
    body["basis"] = author.get(&path, "").await.json()["basis"].clone();
    assert_eq!(body["basis"], "published");
    body["audience"] = "public".into();
    assert_eq!(post(&author, &path, &body).await.status, StatusCode::OK);
    let page = second.get(&format!("{path}/code"), "text/html").await.text();
    assert!(page.contains("Compared with what is published: gone: 1, 4, 5."), "{page}");
    assert_eq!(public.get(&format!("/evidence/{slug}-p04"), "").await.status, StatusCode::OK);
    assert_eq!(act(&author, &slug, "submit").await, StatusCode::OK);
    assert_eq!(act(&second, &slug, "publish").await, StatusCode::OK);
    let gone = public.get(&format!("/evidence/{slug}-p04"), "").await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(!gone.text().contains("beginning"), "{}", gone.text());
    assert_eq!(public.get(&format!("/evidence/{slug}-p02"), "").await.status, StatusCode::OK);
    // For members from now on: it leaves where all see it.
    let mut body = interview("Lead: The wallaby rota was written down.");
    body["basis"] = "published".into();
    assert_eq!(post(&author, &path, &body).await.status, StatusCode::OK);
    assert_eq!(act(&author, &slug, "submit").await, StatusCode::OK);
    assert_eq!(act(&second, &slug, "publish").await, StatusCode::OK);
    assert_eq!(
        public.get(&format!("/evidence/{slug}-p02"), "").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(public.get("/api/search?q=wallaby&mode=words", "").await.json()["total"], 0);
}

#[tokio::test]
async fn a_withdrawn_interview_takes_its_passages_along() {
    let (author, second) = own();
    let mut body = interview(SAID);
    body["audience"] = "public".into();
    let slug = drafted(&author, &body).await;
    assert_eq!(act(&author, &slug, "submit").await, StatusCode::OK);
    assert_eq!(act(&second, &slug, "publish").await, StatusCode::OK);
    let public = author.clone().anonymous();
    assert_eq!(public.get("/api/search?q=wallaby&mode=words", "").await.json()["total"], 1);
    let reason = json!({ "reason": "consent was taken back" });
    let gone = post(&second, &format!("/interview/{slug}/withdraw"), &reason).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.text());
    for path in [format!("/interview/{slug}"), format!("/evidence/{slug}-p02")] {
        let answer = public.get(&path, "text/html").await;
        assert_eq!(answer.status, StatusCode::GONE, "{path}");
        assert!(
            answer.text().contains("consent was taken back") && !answer.text().contains("wallaby")
        );
    }
    assert_eq!(public.get("/api/search?q=wallaby&mode=words", "").await.json()["total"], 0);
}

#[tokio::test]
async fn a_form_that_lacks_something_says_what() {
    let (author, _) = own();
    let before = revision(&author);
    let empty = form(&author, "/capture/interview", &[], None).await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    let page = empty.text();
    for id in
        ["role", "site", "date", "consent", "consent-for", "consent-date", "audience", "notes"]
    {
        assert!(
            page.contains(&format!("href=\"#{id}\"")) && page.contains(&format!("id=\"{id}\"")),
            "{id}"
        );
    }
    assert!(page.contains("<title>Error: "));
    for (name, value) in [
        ("role", "dr-who"),
        ("site", "nowhere"),
        ("date", "2026-02-30"),
        ("date", "2999-01-01"),
        ("date", "soon"),
        ("consent", ""),
        ("consent-for", ""),
        ("consent-date", "2026-13-01"),
        ("audience", "nobody"),
        ("notes", " \n - \n"),
    ] {
        let mut body = interview(SAID);
        body[name] = value.into();
        let answer = post(&author, "/capture/interview", &body).await;
        assert_eq!(answer.problem(), "invalid-parameter", "{name}={value}");
        assert!(
            answer.json()["detail"].as_str().expect("a detail").starts_with(name),
            "{}",
            answer.text()
        );
    }
    // Personal data in other fields counts as well.
    let mut body = interview(SAID);
    body["consent-for"] = "agreed with Dr Patel".into();
    assert_eq!(post(&author, "/capture/interview", &body).await.problem(), "personal-data");
    for resolution in [json!({}), json!("x"), json!({"text": "x"}), json!({"text": "x", "keep": 1})]
    {
        body["resolutions"] = json!([resolution]);
        assert_eq!(post(&author, "/capture/interview", &body).await.problem(), "invalid-parameter");
    }
    assert_eq!(revision(&author), before);
}

#[tokio::test]
async fn decisions_are_asked_for_until_each_is_made() {
    let (author, _) = own();
    let notes = "Dr Patel left.\r\n\r\nSo did Mrs Jones of CM1 7ET.";
    let mut fields = FIELDS.to_vec();
    fields.push(("notes", notes));
    let page = form(&author, "/capture/interview", &fields, None).await.text();
    for part in
        ["Dr Patel", "Mrs Jones", "CM1 7ET", "3 things look", "name=\"find-2-do\"", "[name]"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let mut decided = fields.clone();
    decided.extend([
        ("find-0-text", "Dr Patel"),
        ("find-0-do", "keep"),
        ("find-0-why", ""),
        ("find-1-text", "Mrs Jones"),
        ("find-1-do", "replace"),
        ("find-1-with", ""),
        ("find-2-text", "CM1 7ET"),
        ("find-2-do", "keep"),
        ("find-2-why", "the hospital"),
    ]);
    let page = form(&author, "/capture/interview", &decided, None).await.text();
    assert!(
        page.contains("Say why Dr Patel")
            && page.contains("Give a neutral word in place of Mrs Jones"),
        "{page}"
    );
    assert!(page.contains("2 things look") && page.contains("value=\"the hospital\""), "{page}");
    // Back to the text, with everything as it was.
    decided.push(("step", "edit"));
    let back = form(&author, "/capture/interview", &decided, None).await;
    assert_eq!(back.status, StatusCode::OK);
    assert!(
        back.text().contains("So did Mrs Jones of CM1 7ET.")
            && back.text().contains("Write down an interview")
    );
}

#[tokio::test]
async fn hostile_files_are_refused_and_change_nothing() {
    let (author, _) = own();
    let before = revision(&author);
    let bomb = {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .start_file("word/document.xml", zip::write::SimpleFileOptions::default())
            .expect("a part");
        for _ in 0..64 {
            writer.write_all(&vec![b' '; 1 << 20]).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    };
    let entities = packed(&[(
        "word/document.xml",
        b"<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><w:p><w:t>&a;</w:t></w:p>",
    )]);
    let files: [(&str, Vec<u8>, &str); 9] = [
        ("a.exe", b"MZ".to_vec(), "is no .txt, .md or .docx file"),
        ("<script>.pdf", b"%PDF".to_vec(), "is no .txt, .md or .docx file"),
        ("a.doc", b"\xD0\xCF\x11\xE0".to_vec(), "is no .txt, .md or .docx file"),
        ("a.docx", b"\xD0\xCF\x11\xE0".to_vec(), "with a password"),
        ("a.docx", bomb, "unpacks to more"),
        ("a.docx", entities, "declares a document type"),
        ("a.docx", packed(&[("xl/workbook.xml", b"<x/>")]), "a spreadsheet"),
        ("a.txt", b"a\0b".to_vec(), "control character"),
        ("a.txt", vec![b'a'; 9 << 20], "the limit is"),
    ];
    for (name, bytes, why) in files {
        let answer = form(&author, "/capture/interview", &FIELDS, Some((name, &bytes))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {}", answer.text());
        let page = answer.text();
        assert!(page.contains(why) && page.contains("href=\"#file\""), "{name}: {page}");
        assert!(!page.contains("<script>."), "{name}");
    }
    let many = "word\n\n".repeat(2_000);
    let mut fields = FIELDS.to_vec();
    fields.push(("notes", &many));
    assert!(
        form(&author, "/capture/interview", &fields, None)
            .await
            .text()
            .contains("the limit is 1500")
    );
    for (media_type, body) in [
        ("multipart/form-data", "no boundary"),
        ("multipart/form-data; boundary=x", "--x\r\nbroken"),
        ("application/json", "[1]"),
        ("application/json", "{\"notes\": {}}"),
        ("text/turtle", "x"),
        ("", "x"),
    ] {
        let mut request = Request::post("/capture/interview");
        if !media_type.is_empty() {
            request = request.header("content-type", media_type);
        }
        let answer = author.send(request.body(Body::from(body)).expect("a request")).await;
        assert!(answer.status.is_client_error(), "{media_type}: {}", answer.text());
    }
    assert_eq!(revision(&author), before, "nothing is saved by halves");
}

#[tokio::test]
async fn contributors_write_for_their_own_site_alone() {
    let service = Service::seeded_alone();
    let contributor = service.clone().with_role(Role::Contributor);
    let other = post(&contributor, "/capture/interview", &interview(SAID)).await;
    assert!(
        other.json()["detail"].as_str().expect("a detail").starts_with("site"),
        "{}",
        other.text()
    );
    let page = contributor.get("/capture/interview", "text/html").await.text();
    assert!(page.contains("mid-and-south-essex-nhs-ft") && !page.contains(SITE));
    let mut body = interview(SAID);
    body["site"] = "mid-and-south-essex-nhs-ft".into();
    let slug = drafted(&contributor, &body).await;
    // Another contributor of the site works on it, and hands it over.
    let colleague = service.clone().with_role(Role::Contributor);
    let path = format!("/capture/interview/{slug}");
    let coded =
        post(&colleague, &format!("{path}/code"), &json!({ "passage": 2, "theme": ["culture"] }))
            .await;
    assert_eq!(coded.status, StatusCode::OK, "{}", coded.text());
    assert_eq!(act(&colleague, &slug, "submit").await, StatusCode::OK);
    let late = post(&contributor, &format!("{path}/code"), &json!({ "passage": 2 })).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "it is with the curators");
    // What another site drafts is not there for them.
    let curator = service.with_role(Role::Curator);
    let hidden = drafted(&curator, &interview(SAID)).await;
    for path in
        [format!("/capture/interview/{hidden}"), format!("/capture/interview/{hidden}/code")]
    {
        assert_eq!(contributor.get(&path, "").await.status, StatusCode::NOT_FOUND);
        assert_eq!(post(&contributor, &path, &body).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn codes_that_cannot_be_given_are_refused() {
    let (author, _) = own();
    let slug = drafted(&author, &interview(SAID)).await;
    let path = format!("/capture/interview/{slug}/code");
    let lesson = "demonstration-agree-who-pays-afterwards";
    for body in [
        json!({}),
        json!({ "passage": 9 }),
        json!({ "passage": 1, "theme": ["culture"] }),
        json!({ "passage": 2, "theme": ["no-theme"] }),
        json!({ "passage": 2, "theme": ["agree-priorities"] }),
        json!({ "passage": 2, "dimension": ["culture"] }),
        json!({ "passage": 2, "supports": ["No such lesson"] }),
        json!({ "passage": 2, "supports": [lesson], "disputes": [lesson] }),
    ] {
        let answer = post(&author, &path, &body).await;
        assert_eq!(answer.problem(), "invalid-parameter", "{body}: {}", answer.text());
    }
    let page = form(
        &author,
        &path,
        &[("passage", "2"), ("theme", "culture"), ("add-supports", "no such lesson")],
        None,
    )
    .await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let text = page.text();
    assert!(
        text.contains("No lesson is called “no such lesson”")
            && text.contains("href=\"#p2-supports\""),
        "{text}"
    );
    // Two coders of the same passage: the later one is told.
    let page = author.get(&path, "text/html").await.text();
    let was = page
        .split("name=\"was\" value=\"")
        .nth(1)
        .and_then(|t| t.split('"').next())
        .expect("a state");
    let body = json!({ "passage": 2, "was": was, "theme": ["culture"] });
    assert_eq!(post(&author, &path, &body).await.status, StatusCode::OK);
    assert_eq!(post(&author, &path, &body).await.status, StatusCode::PRECONDITION_FAILED);
    // Another passage meanwhile is no matter.
    let body = json!({ "passage": 3, "was": was, "theme": ["leadership"] });
    assert_eq!(post(&author, &path, &body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_code_book_grows_and_changes() {
    let (curator, _) = own();
    let public = curator.clone().anonymous();
    let add = json!({ "label": "Night staff", "definition": "What those who work at night do and need.", "broader": "culture" });
    let added = post(&curator, "/capture/codes", &add).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert_eq!(added.json()["url"], "/theme/night-staff");
    let page = public.get("/capture/codes", "text/html").await.text();
    assert!(page.contains("Night staff") && !page.contains("Add a code"), "{page}");
    assert!(curator.get("/capture/codes", "text/html").await.text().contains("Add a code"));
    assert_eq!(public.get("/theme/night-staff", "text/html").await.status, StatusCode::OK);
    // Passages can have it.
    let slug = drafted(&curator, &interview(SAID)).await;
    let body = json!({ "passage": 2, "theme": ["night-staff"] });
    let coded = post(&curator, &format!("/capture/interview/{slug}/code"), &body).await;
    assert_eq!(coded.status, StatusCode::OK, "{}", coded.text());
    // One that was there from the beginning can be changed, and stays one.
    let change = json!({ "label": "Culture of an organisation", "definition": "What people take for granted." });
    let changed = post(&curator, "/capture/codes/culture", &change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let labels = public
        .column("SELECT ?l { <https://w3id.org/insites/id/theme/culture> <http://www.w3.org/2004/02/skos/core#prefLabel> ?l }")
        .await;
    assert_eq!(labels, ["Culture of an organisation"]);
    for (path, body) in [
        ("/capture/codes", json!({ "label": "night STAFF", "definition": "x" })),
        ("/capture/codes", json!({ "label": "", "definition": "x" })),
        ("/capture/codes", json!({ "label": "x" })),
        ("/capture/codes", json!({ "label": "x", "definition": "x", "broader": "no-code" })),
        (
            "/capture/codes/culture",
            json!({ "label": "Culture", "definition": "x", "broader": "night-staff" }),
        ),
        (
            "/capture/codes/culture",
            json!({ "label": "Culture", "definition": "x", "broader": "culture" }),
        ),
    ] {
        let answer = post(&curator, path, &body).await;
        assert_eq!(answer.problem(), "invalid-parameter", "{body}");
    }
    assert_eq!(
        post(&curator, "/capture/codes/innovation-lead", &add).await.status,
        StatusCode::NOT_FOUND
    );
    let administrator = curator.clone().administrator();
    let check = administrator.get("/api/check", "").await;
    assert_eq!(check.status, StatusCode::OK);
    assert!(!check.text().contains("night-staff"), "{}", check.text());
}

/// No false alarms: the seed is public prose about NHS organisations.
#[tokio::test]
async fn ordinary_prose_raises_no_alarm() {
    let service = Service::seeded();
    let texts = service
        .query(
            "SELECT ?t { GRAPH ?g { ?s ?p ?t } FILTER(LANG(?t) = 'en' && STRLEN(?t) > 60) }",
            "application/sparql-results+json",
        )
        .await
        .json();
    let texts: Vec<&str> = texts["results"]["bindings"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["t"]["value"].as_str())
        .collect();
    let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let found: Vec<String> = texts
        .iter()
        .flat_map(|text| insites::capture::personal::find(text))
        .map(|find| format!("{}: {}", find.sort.name(), find.text))
        .collect();
    assert!(words > 20_000, "{words}");
    assert!(found.is_empty(), "{} in {words} words: {found:#?}", found.len());
}

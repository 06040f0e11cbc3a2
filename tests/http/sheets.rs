//! Spreadsheets: the templates, what comes back, and files made to do harm.
//! Whatever is wrong, nothing is saved by halves.

use crate::http::capture::{SITE, TOOL, post_json};
use crate::support::{Answer, Service};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use insites::access::Role;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use serde_json::json;
use std::io::{Cursor, Write};
use std::sync::OnceLock;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The columns that most of these sheets have, as the template heads them.
const COLUMNS: [&str; 7] =
    ["row", "site", "date", "front-door", "front-door-days", "priorities-shared", "main-partner"];

/// A workbook such as the template becomes once it is filled in.
pub fn workbook(form: &str, version: &str, fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Answers").expect("a name");
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string(0, column, name).expect("a cell");
    }
    for (row, marker) in (1..).zip(["question", "help", "example"]) {
        sheet.write_string(row, 0, marker).expect("a cell");
        sheet.write_string(row, 2, "not read").expect("a cell");
    }
    fill(sheet);
    let origin = book.add_worksheet();
    origin.set_name("insites").expect("a name");
    origin.write_string(0, 1, form).expect("a cell");
    origin.write_string(1, 1, version).expect("a cell");
    book.save_to_buffer().expect("a workbook")
}

pub fn put(sheet: &mut Worksheet, row: u32, texts: &[&str]) {
    for (column, text) in (1..).zip(texts) {
        if !text.is_empty() {
            sheet.write_string(row, column, *text).expect("a cell");
        }
    }
}

/// A curator of a service that these tests share, since they change nothing.
fn curator() -> Service {
    static SHARED: OnceLock<Service> = OnceLock::new();
    SHARED.get_or_init(|| Service::seeded_alone().with_role(Role::Curator)).clone()
}

pub async fn send(service: &Service, query: &str, kind: &str, bytes: Vec<u8>) -> Answer {
    let path = format!("/capture/questionnaire/{TOOL}/import{query}");
    let request =
        Request::post(path).header("content-type", kind).header("accept", "application/json");
    service.send(request.body(Body::from(bytes)).expect("a request")).await
}

/// Reads a sheet twice, the second time to save it: all of it is refused, with
/// these cells, and nothing is saved.
async fn refused(bytes: Vec<u8>, kind: &str, cells: &[(&str, &str)]) {
    let service = curator();
    let alice = service.clone();
    let revision = service.app.reader.snapshot().revision;
    for query in ["", "?confirm=yes"] {
        let answer = send(&alice, query, kind, bytes.clone()).await;
        assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.text());
        let said = answer.json();
        for (cell, reason) in cells {
            let found = said["refused"].as_array().is_some_and(|refused| {
                refused.iter().any(|one| {
                    one["cell"] == *cell
                        && one["reason"].as_str().is_some_and(|text| text.contains(reason))
                })
            });
            assert!(found, "{cell} {reason}: {said}");
        }
        let told = said["refused"].as_array().expect("refusals");
        let rows = told.iter().map(|one| {
            let cell = one["cell"].as_str().unwrap_or_default();
            cell.trim_start_matches(|c: char| c.is_alphabetic()).parse::<u32>().unwrap_or(0)
        });
        assert!(rows.is_sorted(), "in the order of the sheet: {said}");
    }
    assert_eq!(service.app.reader.snapshot().revision, revision, "something was saved");
}

/// The same of files that cannot be read at all.
async fn unreadable(bytes: Vec<u8>, kind: &str, reason: &str) {
    let service = curator();
    let alice = service.clone();
    let revision = service.app.reader.snapshot().revision;
    let begun = std::time::Instant::now();
    for query in ["", "?confirm=yes"] {
        let answer = send(&alice, query, kind, bytes.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.text().contains(reason), "{reason}: {}", answer.text());
    }
    assert!(begun.elapsed().as_secs() < 20, "it took {:?}", begun.elapsed());
    assert_eq!(service.app.reader.snapshot().revision, revision, "something was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_in_template_is_looked_at_and_saved() {
    let service = Service::seeded_alone();
    let alice = service.clone().contributor_of("alice", SITE);
    let template = alice.get(&format!("/capture/questionnaire/{TOOL}/template.xlsx"), "").await;
    assert_eq!(template.header("content-type"), XLSX);
    let part = |name: &str| {
        let mut archive = zip::ZipArchive::new(Cursor::new(template.body.to_vec())).expect("a zip");
        let file = archive.by_name(name).expect(name);
        std::io::read_to_string(file).expect("text")
    };
    assert!(part("xl/workbook.xml").matches("state=\"hidden\"").count() == 2, "hidden sheets");
    let answers = part("xl/worksheets/sheet2.xml");
    assert!(answers.contains("<dataValidation type=\"list\""), "no drop-down");
    let texts = part("xl/sharedStrings.xml");
    for told in [
        "front-door-days",
        "An estimate will do.",
        "In working days.",
        "2026-03-27",
        "Only if you answered",
    ] {
        assert!(texts.contains(told), "{told} is not in the template");
    }
    // The template as it is holds no row.
    let empty = send(&alice, "", XLSX, template.body.to_vec()).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", empty.text());
    assert_eq!((&empty.json()["rows"], &empty.json()["refused"]), (&json!(0), &json!([])));
    let filled = workbook(TOOL, "1", |sheet| {
        put(
            sheet,
            4,
            &["", "", "Yes, one for the whole organisation", "", "4", "demonstration partner a"],
        );
        let day = Format::new().set_num_format("yyyy-mm-dd");
        let date = ExcelDateTime::from_ymd(2026, 11, 2).expect("a day");
        sheet.write_datetime_with_format(4, 2, &date, &day).expect("a cell");
        sheet.write_number(4, 4, 20).expect("a cell");
    });
    let looked = send(&alice, "", XLSX, filled.clone()).await;
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.text());
    let said = looked.json();
    assert_eq!((&said["rows"], &said["saved"]), (&json!(1), &json!(null)), "{said}");
    assert_eq!(said["matched"][0]["cell"], "G5", "{said}");
    assert_eq!(said["drafts"].as_array().map(Vec::len), Some(2), "{said}");
    assert_eq!(alice.get("/api/capture/drafts", "").await.json()["drafts"], json!([]));
    let saved = send(&alice, "?confirm=yes", XLSX, filled.clone()).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());
    let drafts = alice.get("/api/capture/drafts", "").await.json();
    assert_eq!(drafts["drafts"].as_array().map(Vec::len), Some(2), "{drafts}");
    let asked = alice.get(&format!("/api/capture/questionnaire/{TOOL}"), "").await.json();
    let values = &asked["parts"][0]["draft"]["values"];
    assert_eq!(values["date"], json!(["2026-11-02"]), "{values}");
    assert_eq!(values["front-door-days"], json!(["20"]), "{values}");
    assert_eq!(values["front-door"], json!(["front-door-yes"]), "{values}");
    // Sent again, it takes the place of the drafts; they are not doubled.
    let again = send(&alice, "?confirm=yes", XLSX, filled).await;
    assert!(again.text().contains("takes the place of the draft"), "{}", again.text());
    let drafts = alice.get("/api/capture/drafts", "").await.json();
    assert_eq!(drafts["drafts"].as_array().map(Vec::len), Some(2), "{drafts}");
    // As CSV, with what a German or English spreadsheet puts between cells.
    for delimiter in [",", ";"] {
        let csv = "\u{feff}site,date,front-door,projects-stopped\r\n,2026-11-03,No,3\r\n"
            .replace(',', delimiter);
        let read = send(&alice, "", "text/csv", csv.into_bytes()).await;
        assert_eq!(read.status, StatusCode::OK, "{}", read.text());
    }
    // Nobody answers for another site.
    let other = send(
        &alice,
        "",
        "text/csv",
        b"site,date,front-door\nDemonstration Site 02,2026-11-03,No\n".to_vec(),
    )
    .await;
    assert_eq!(other.json()["refused"][0]["cell"], "A2", "{}", other.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn case_studies_come_from_a_sheet_too() {
    let service = Service::seeded_alone();
    let alice = service.clone().contributor_of("alice", SITE);
    let template = alice.get("/capture/case-study/template.xlsx", "").await;
    assert_eq!(template.status, StatusCode::OK);
    let send = |query: &'static str, csv: &'static str| {
        let request = Request::post(format!("/capture/case-study/import{query}"))
            .header("content-type", "text/csv")
            .body(Body::from(csv))
            .expect("a request");
        alice.send(request)
    };
    let rows = "row,title,description,outcome-status,barrier,figure-1-title,figure-1-value,figure-1-result-kind,figure-1-claimed-by\n\
        example,not read,,,,,,,\n\
        ,Porters with radios,Radios were tried.,Stopped,No masts,Calls,\"1,200\",Measured,Innovation team\n\
        ,Bikes for samples,Bikes carried samples.,Worked,,,,,\n";
    let read = send("", rows).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text());
    let saved = send("?confirm=yes", rows).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.text());
    let draft = alice.get("/api/capture/case-study/porters-with-radios", "").await.json();
    assert_eq!(draft["problems"], json!([]), "{draft}");
    assert_eq!(draft["values"]["figure-1-value"], json!(["1200"]), "{draft}");
    // A like title is named, to be confirmed.
    let again = send("", "title,description\nPorters and radios,x\n").await;
    assert!(
        again.text().contains("/capture/draft/case-study/porters-with-radios"),
        "{}",
        again.text()
    );
    // One bad row of two: neither is saved.
    let half = send(
        "?confirm=yes",
        "title,description,outcome-status\nKites for parcels,x,Stopped\nDrones for lunch,x,Exploded\n",
    )
    .await;
    assert_eq!(half.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(half.json()["refused"][0]["cell"], "C3", "{}", half.text());
    let drafts = alice.get("/api/capture/drafts", "").await.text();
    assert!(!drafts.contains("Kites"), "{drafts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sheet_is_refused() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Rota").expect("a name").write_string(0, 0, "x").expect("a cell");
    unreadable(book.save_to_buffer().expect("a workbook"), XLSX, "“Answers”").await;
    unreadable(workbook("case-study", "1", |_| ()), XLSX, "download the template again").await;
    unreadable(workbook(TOOL, "0", |_| ()), XLSX, "download the template again").await;
    unreadable(b"name,age\nx,1\n".to_vec(), "text/csv", "does not name the questions").await;
    unreadable(vec![0xff, 0xfe, 0x41, 0x00], "text/csv", "UTF-8").await;
    unreadable(b"PK\x03\x04 and nothing else".to_vec(), XLSX, "damaged").await;
    unreadable(vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], "", ".xls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_cells_are_refused_by_their_address() {
    let bytes = workbook(TOOL, "1", |sheet| {
        put(sheet, 4, &[SITE, "2026-11-02", "No"]);
        sheet.merge_range(5, 1, 6, 2, "both", &Format::new()).expect("merged");
    });
    refused(bytes, XLSX, &[("B6:C7", "merged")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn formulas_are_refused_by_their_address() {
    let bytes = workbook(TOOL, "1", |sheet| {
        put(sheet, 4, &[SITE, "2026-11-02", "No"]);
        let formula = Formula::new("=HYPERLINK(\"http://example.org\",10+10)").set_result("20");
        sheet.write_formula(4, 4, formula).expect("a cell");
    });
    refused(bytes, XLSX, &[("E5", "formulas")]).await;
    let csv = format!("site,date,front-door\n{SITE},2026-11-02,=1+1\n");
    refused(csv.into_bytes(), "text/csv", &[("C2", "formulas")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_as_text_and_words_for_numbers_are_refused_by_their_address() {
    let bytes = workbook(TOOL, "1", |sheet| {
        put(sheet, 4, &[SITE, "27/03/2026", "Perhaps", "twenty", "9", "Nobody at all"]);
        let yes = "Yes, one for the whole organisation";
        put(sheet, 5, &["demonstration-site-02", "2026-02-30", yes, "twenty"]);
        sheet.write_string(6, 9, "beside the table").expect("a cell");
    });
    let cells = [
        ("C5", "like 2026-03-27"),
        ("D5", "one of the answers offered"),
        ("E5", "only asked if"),
        ("E6", "number"),
        ("F5", "one of the answers offered"),
        ("G5", "no record"),
        ("C6", "like 2026-03-27"),
        ("J7", "asks nothing"),
    ];
    refused(bytes, XLSX, &cells).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_rows_are_refused_by_their_number() {
    let bytes = workbook(TOOL, "1", |sheet| {
        for row in 4..100_004 {
            sheet.write_string(row, 3, "No").expect("a cell");
        }
    });
    unreadable(bytes, XLSX, "row 1005").await;
    // A single cell at the far end of the sheet takes no room either.
    let far = workbook(TOOL, "1", |sheet| {
        sheet.write_string(1_048_575, 16_383, "here").expect("a cell");
    });
    unreadable(far, XLSX, "row 1048576").await;
    let mut csv = "site,date,front-door\n".to_owned();
    csv.push_str(&format!("{SITE},2026-11-02,No\n").repeat(100_000));
    unreadable(csv.into_bytes(), "text/csv", "row 1005").await;
}

/// An archive with one file of so many zeros, and what a workbook has.
fn archive(extra: &str, zeros: usize) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("[Content_Types].xml", options).expect("a file");
    writer.write_all(b"<Types/>").expect("written");
    writer.start_file(extra, options).expect("a file");
    let block = vec![0_u8; 1 << 20];
    for _ in 0..(zeros >> 20) {
        writer.write_all(&block).expect("written");
    }
    writer.finish().expect("an archive").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_bomb_is_not_unpacked() {
    let bomb = archive("xl/worksheets/sheet1.xml", 512 << 20);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    unreadable(bomb.clone(), XLSX, "larger than 32 MB").await;
    // One that says of itself that it is small.
    let mut liar = bomb;
    let real = (512_u32 << 20).to_le_bytes();
    let places: Vec<usize> =
        liar.windows(4).enumerate().filter(|(_, four)| *four == real).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "no size is told");
    for at in places {
        liar[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    let service = curator();
    let alice = service.clone();
    let answer = send(&alice, "?confirm=yes", XLSX, liar).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn macros_are_refused() {
    unreadable(archive("xl/vbaProject.bin", 1 << 20), XLSX, "macros").await;
    let plain = workbook(TOOL, "1", |_| ());
    unreadable(plain, "application/vnd.ms-excel.sheet.macroEnabled.12", "macros").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_changed_on_their_way_back_are_judged_again() {
    let service = Service::seeded_alone();
    let alice = service.clone().contributor_of("alice", SITE);
    let send = |rows: String| {
        let boundary = "----x";
        let field = |name: &str, value: &str| {
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        };
        let body = format!("{}{}--{boundary}--\r\n", field("rows", &rows), field("confirm", "yes"));
        let request = Request::post(format!("/capture/questionnaire/{TOOL}/import"))
            .header("content-type", format!("multipart/form-data; boundary={boundary}"))
            .body(Body::from(body))
            .expect("a request");
        alice.send(request)
    };
    let row = |site: &str, door: &str| {
        json!([{ "row": 5, "site": site, "part": "agree-priorities",
            "values": { "date": ["2026-11-02"], "front-door": [door] } }])
        .to_string()
    };
    let (own, other) = (SITE, "demonstration-site-02");
    assert_eq!(send(row(other, "front-door-no")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(row(own, "perhaps")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send("[{]".to_owned()).await.status, StatusCode::BAD_REQUEST);
    let drafts = alice.get("/api/capture/drafts", "").await.json();
    assert_eq!(drafts["drafts"], json!([]), "{drafts}");
    assert_eq!(send(row(own, "front-door-no")).await.status, StatusCode::CREATED);
    let unknown = json!({ "values": { "title": "x", "colour": "red" } });
    let refused = post_json(&alice, "/api/capture/case-study", &unknown).await;
    assert_eq!(refused.problem(), "invalid-parameter");
}

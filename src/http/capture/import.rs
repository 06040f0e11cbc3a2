//! Spreadsheets: the templates, and reading them back. First it is told what
//! was read; only what is confirmed is saved, all rows or none.

use crate::access::Role;
use crate::capture::{self, Basis, Fault, Form, Questionnaire, ReviewState, Sheet, Values};
use crate::http::capture::alike::look;
use crate::http::capture::case_study;
use crate::http::capture::questionnaire::{self, answers, named};
use crate::http::capture::shown::{Place, Saving, save, shorter};
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::site::{html, layout};
use crate::http::sparql::{accept, pairs, take};
use crate::http::{Shared, State};
use crate::pages::{self, ImportPage, ImportRead, Link};
use crate::problem::Kind;
use crate::rdf::{Revision, Term};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Path, RawQuery, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What a spreadsheet is about.
enum About {
    Cases(Form),
    Tool(Box<Questionnaire>),
}

impl About {
    fn of(place: &Place, slug: Option<&str>) -> Result<Self, Problem> {
        Ok(match slug {
            None => Self::Cases(capture::case_study_form(&place.records())),
            Some(slug) => Self::Tool(Box::new(named(place, slug)?)),
        })
    }

    fn sheet(&self, place: &Place) -> Sheet {
        match self {
            Self::Cases(_) => Sheet::of_case_studies(&place.records()),
            Self::Tool(questionnaire) => Sheet::of_questionnaire(questionnaire, &place.records()),
        }
    }

    fn address(&self) -> String {
        match self {
            Self::Cases(_) => "/capture/case-study".to_owned(),
            Self::Tool(questionnaire) => format!("/capture/questionnaire/{}", questionnaire.slug),
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Cases(_) => "Case studies from a spreadsheet".to_owned(),
            Self::Tool(questionnaire) => {
                format!("{}: answers from a spreadsheet", questionnaire.title)
            }
        }
    }
}

/// One draft that a row makes, as it is sent back to be confirmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    /// Where it stands in the sheet.
    row: u32,
    /// The organisation that it is for: its identifier.
    site: String,
    /// The dimension, for answers to a questionnaire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// The draft that it takes the place of, and the revision it was seen at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<(String, Revision)>,
    values: BTreeMap<String, Vec<String>>,
}

impl Wanted {
    fn values(&self) -> Values {
        let mut values = Values::default();
        for (name, texts) in &self.values {
            for text in texts {
                values.add(name, text);
            }
        }
        values
    }
}

/// What a spreadsheet would do.
#[derive(Default)]
struct Outlook {
    rows: usize,
    wanted: Vec<Wanted>,
    good: Vec<(String, String)>,
    refused: Vec<capture::Refusal>,
    matched: Vec<(String, String, Link)>,
}

fn template(about: &About, place: &Place, name: &str) -> Result<Response, Problem> {
    let bytes = about.sheet(place).template().map_err(|error| Problem::internal(&error))?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(XLSX));
    let disposition = format!("attachment; filename=\"{name}.xlsx\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// GET `/capture/case-study/template.xlsx`.
pub(in crate::http) async fn case_study_template(
    Shared(state): Shared<State>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    template(&About::of(&place, None)?, &place, "case-studies")
}

/// GET `/capture/questionnaire/{slug}/template.xlsx`.
pub(in crate::http) async fn questionnaire_template(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    template(&About::of(&place, Some(&slug))?, &place, &slug)
}

fn page(state: &State, about: &About, wrong: &str, read: Option<ImportRead>) -> Response {
    let mut layout = layout(state, &about.title());
    layout.part = "/capture";
    html(pages::import(&ImportPage {
        layout,
        above: vec![
            Link::new("Home", "/"),
            Link::new("Contribute", "/capture"),
            Link::new(
                match about {
                    About::Cases(_) => "Case study",
                    About::Tool(questionnaire) => &questionnaire.title,
                },
                &about.address(),
            ),
        ],
        title: about.title(),
        action: format!("{}/import", about.address()),
        template: format!("{}/template.xlsx", about.address()),
        wrong: wrong.to_owned(),
        read,
    }))
}

/// GET `/capture/case-study/import`.
pub(in crate::http) async fn import_case_studies_page(
    Shared(state): Shared<State>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    Ok(page(&state, &About::of(&place, None)?, "", None))
}

/// GET `/capture/questionnaire/{slug}/import`.
pub(in crate::http) async fn questionnaire_import_page(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    Ok(page(&state, &About::of(&place, Some(&slug))?, "", None))
}

/// POST `/capture/case-study/import`.
pub(in crate::http) async fn import_case_studies(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    run(&state, None, query, request).await
}

/// POST `/capture/questionnaire/{slug}/import`.
pub(in crate::http) async fn questionnaire_import(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    run(&state, Some(slug), query, request).await
}

/// What was sent: fields, and a file with its name.
struct Sent {
    fields: Vec<(String, String)>,
    file: Option<(String, Bytes)>,
}

async fn sent(
    query: Option<String>,
    headers: &HeaderMap,
    request: Request,
) -> Result<Sent, Problem> {
    let mut fields = pairs(query.as_deref().unwrap_or_default())?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let kind = kind.to_ascii_lowercase();
    let unread = |error: &dyn std::fmt::Display| {
        Problem::parameter(format!("the form cannot be read: {error}"))
    };
    if kind.starts_with("multipart/form-data") {
        let mut form = Multipart::from_request(request, &()).await.map_err(|e| unread(&e))?;
        let mut file = None;
        while let Some(part) = form.next_field().await.map_err(|e| unread(&e))? {
            let name = part.name().unwrap_or_default().to_owned();
            if name == "file" {
                let called = part.file_name().unwrap_or_default().to_owned();
                let bytes = part.bytes().await.map_err(|e| unread(&e))?;
                file = Some((called, bytes));
            } else {
                fields.push((name, part.text().await.map_err(|e| unread(&e))?));
            }
        }
        return Ok(Sent { fields, file });
    }
    let bytes = Bytes::from_request(request, &()).await.map_err(|e| unread(&e))?;
    let name = match kind.split(';').next().unwrap_or_default().trim() {
        XLSX => "sheet.xlsx",
        "application/vnd.ms-excel.sheet.macroenabled.12" => "sheet.xlsm",
        "text/csv" => "sheet.csv",
        "" | "application/octet-stream" => "",
        other => {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                format!("{other} is not read here"),
            )
            .with_hint(format!(
                "send multipart/form-data with the field file, {XLSX}, or text/csv"
            )));
        }
    };
    Ok(Sent { fields, file: Some((name.to_owned(), bytes)) })
}

async fn run(
    state: &State,
    slug: Option<String>,
    query: Option<String>,
    request: Request,
) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let place = Place::of(state)?;
    let headers = request.headers().clone();
    let wants_page = accept(&headers).is_some_and(|accept| accept.contains("text/html"));
    let about = About::of(&place, slug.as_deref())?;
    let mut sent = sent(query, &headers, request).await?;
    check_form(state, &mut sent.fields)?;
    let confirmed = take(&mut sent.fields, "confirm").pop().is_some_and(|text| text == "yes");
    let rows = take(&mut sent.fields, "rows").pop().unwrap_or_default();
    let mut outlook = if rows.is_empty() {
        let Some((name, bytes)) = sent.file.filter(|(_, bytes)| !bytes.is_empty()) else {
            if wants_page {
                let mut page = page(state, &about, "Choose a file", None);
                *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                return Ok(page);
            }
            return Err(Problem::parameter("there is no file"));
        };
        let sheet = about.sheet(&place);
        let read = tokio::task::spawn_blocking(move || capture::read_sheet(&sheet, &name, &bytes))
            .await
            .map_err(|error| Problem::internal(&error))?;
        match read {
            Ok(read) => look_at(state, &place, &about, read)?,
            Err(unreadable) if wants_page => {
                let mut page = page(state, &about, &capitalised(&unreadable.to_string()), None);
                *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                return Ok(page);
            }
            Err(unreadable) => return Err(Problem::parameter(unreadable.to_string())),
        }
    } else {
        let wanted: Vec<Wanted> = serde_json::from_str(&rows)
            .map_err(|error| Problem::parameter(format!("rows cannot be read: {error}")))?;
        judge(state, &place, &about, wanted)?
    };
    outlook.refused.sort_by(|one, other| one.place().cmp(&other.place()));
    if confirmed && outlook.refused.is_empty() && !outlook.wanted.is_empty() {
        return keep(state, &place, &about, outlook, wants_page).await;
    }
    let status = if outlook.refused.is_empty() && !outlook.wanted.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    if wants_page {
        let rows_json = if status == StatusCode::OK {
            serde_json::to_string(&outlook.wanted).map_err(|error| Problem::internal(&error))?
        } else {
            String::new()
        };
        let wrong = if outlook.rows == 0 && outlook.refused.is_empty() {
            "No row is filled in below the example"
        } else {
            ""
        };
        let refused =
            outlook.refused.into_iter().map(|one| (one.cell, one.question, one.reason)).collect();
        let read = ImportRead {
            rows: outlook.rows,
            good: outlook.good,
            refused,
            matched: outlook.matched,
            rows_json,
        };
        let mut page = page(state, &about, wrong, Some(read));
        *page.status_mut() = status;
        return Ok(page);
    }
    Ok((status, Json(told(&outlook, None))).into_response())
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// What was read, for programs.
fn told(outlook: &Outlook, saved: Option<&[(String, String)]>) -> serde_json::Value {
    json!({
        "rows": outlook.rows,
        "refused": outlook.refused.iter().map(|one| json!({
            "cell": one.cell, "question": one.question, "reason": one.reason,
        })).collect::<Vec<_>>(),
        "matched": outlook.matched.iter().map(|(cell, name, link)| json!({
            "cell": cell, "name": name, "title": link.text, "url": link.url,
        })).collect::<Vec<_>>(),
        "drafts": outlook.good.iter().map(|(row, title)| json!({ "row": row, "title": title })).collect::<Vec<_>>(),
        "saved": saved.map(|drafts| drafts.iter().map(|(kind, slug)| json!({
            "kind": kind, "slug": slug, "url": format!("/capture/draft/{kind}/{slug}"),
        })).collect::<Vec<_>>()),
    })
}

/// What the rows of a spreadsheet would make.
fn look_at(
    state: &State,
    place: &Place,
    about: &About,
    read: capture::Rows,
) -> Result<Outlook, Problem> {
    let mut outlook =
        Outlook { rows: read.rows.len(), refused: read.refused, ..Outlook::default() };
    let sheet = about.sheet(place);
    let records = place.records();
    for row in &read.rows {
        let cell = |name: &str| {
            row.cells.get(name).cloned().unwrap_or_else(|| format!("row {}", row.number))
        };
        let mut values = row.values.clone();
        let given = values.first("site").to_owned();
        values.remove("site");
        let site = match place.site(state, &given) {
            Ok(site) => site,
            Err(problem) => {
                let reason = match problem.hint {
                    Some(hint) => format!("{}: {hint}", problem.detail),
                    None => problem.detail,
                };
                let question = "Organisation".to_owned();
                outlook.refused.push(capture::Refusal { cell: cell("site"), question, reason });
                continue;
            }
        };
        for (name, texts) in row.values.iter() {
            let Some(capture::Control::Record { class, .. }) =
                sheet.column(name).map(|column| &column.field.control)
            else {
                continue;
            };
            for text in texts {
                if let Ok(record) = records.find(class.as_str(), text)
                    && let Some((kind, slug)) = place.names.kind_and_slug(record.as_str())
                {
                    let choice = records.choice_of(&Term::from(record.clone()));
                    let link = Link::new(&choice.text, &format!("/{kind}/{slug}"));
                    outlook.matched.push((cell(name), text.clone(), link));
                }
            }
        }
        let refusals = |faults: &[Fault]| -> Vec<capture::Refusal> {
            faults
                .iter()
                .filter(|fault| !fault.missing)
                .map(|fault| {
                    let column = sheet.column(&fault.field);
                    let question = column.map(|column| column.field.label.clone());
                    let question = question.unwrap_or_default();
                    let reason = reason(fault, &question);
                    capture::Refusal { cell: cell(&fault.field), question, reason }
                })
                .collect()
        };
        let texts = |values: &Values| -> BTreeMap<String, Vec<String>> {
            values.iter().map(|(name, texts)| (name.to_owned(), texts.to_vec())).collect()
        };
        match about {
            About::Cases(form) => {
                let record = place.names.record("case-study", "row");
                let (_, faults) = capture::case_study(form, &values, &record, &site, &records);
                outlook.refused.extend(refusals(&faults));
                let title = capture::title_in(form, &values);
                if title.is_empty() {
                    outlook.refused.push(capture::Refusal {
                        cell: format!("row {}", row.number),
                        question: "What is the case study called?".to_owned(),
                        reason: "a row needs a title".to_owned(),
                    });
                    continue;
                }
                for link in look(state, place, &title, "")? {
                    outlook.matched.push((
                        cell("title"),
                        format!("{title} – looks like this one"),
                        link,
                    ));
                }
                outlook.good.push((format!("row {}", row.number), title));
                outlook.wanted.push(Wanted {
                    row: row.number,
                    site,
                    part: None,
                    replaces: None,
                    values: texts(&values),
                });
            }
            About::Tool(questionnaire) => {
                let drafts = answers(state, place, questionnaire, &site);
                for part in &questionnaire.parts {
                    let mut own = Values::default();
                    let mut answered = false;
                    for field in part.form.fields() {
                        for text in values.all(&field.name) {
                            own.add(&field.name, text);
                            answered |= field.question;
                        }
                    }
                    if !answered {
                        continue;
                    }
                    let record = place.names.record("tool-answer", "row");
                    let (_, faults) =
                        capture::tool_answer((questionnaire, part), &own, &record, &site, &records);
                    for refusal in refusals(&faults) {
                        // Who answered and when is asked once for all dimensions.
                        if !outlook.refused.contains(&refusal) {
                            outlook.refused.push(refusal);
                        }
                    }
                    let draft = drafts.iter().find(|(dimension, _)| *dimension == part.dimension);
                    let mut title = capture::answer_title(part, &site, &records);
                    if let Some((_, draft)) = draft {
                        title.push_str(if draft.state == ReviewState::InReview {
                            " (the draft is in review)"
                        } else {
                            " (takes the place of the draft)"
                        });
                    }
                    outlook.good.push((format!("row {}", row.number), title));
                    outlook.wanted.push(Wanted {
                        row: row.number,
                        site: site.clone(),
                        part: Some(part.slug.clone()),
                        replaces: draft
                            .map(|(_, draft)| (draft.slug.clone(), place.whole.revision)),
                        values: texts(&own),
                    });
                }
            }
        }
    }
    twice(&mut outlook);
    Ok(outlook)
}

/// Why a cell is refused; its question stands beside it.
fn reason(fault: &Fault, label: &str) -> String {
    let meant: Vec<&str> = fault.meant.iter().take(8).map(|one| one.text.as_str()).collect();
    let message = shorter(&fault.message, label);
    if meant.is_empty() { message } else { format!("{message}: {}", meant.join("; ")) }
}

/// Two rows of one sheet may not answer the same dimension for the same site.
fn twice(outlook: &mut Outlook) {
    let mut met: Vec<(&str, &str)> = Vec::new();
    let mut again = Vec::new();
    for one in &outlook.wanted {
        let Some(part) = &one.part else { continue };
        if met.contains(&(one.site.as_str(), part.as_str())) {
            again.push(one.row);
        }
        met.push((&one.site, part));
    }
    again.dedup();
    for row in again {
        outlook.refused.push(capture::Refusal {
            cell: format!("row {row}"),
            question: String::new(),
            reason: "a row above answers for the same organisation".to_owned(),
        });
    }
}

/// Judges rows that were sent back to be confirmed: they may have been changed.
fn judge(
    state: &State,
    place: &Place,
    about: &About,
    wanted: Vec<Wanted>,
) -> Result<Outlook, Problem> {
    let records = place.records();
    let mut outlook = Outlook { rows: wanted.len(), ..Outlook::default() };
    for mut one in wanted {
        one.site = place.site(state, &one.site)?;
        let values = one.values();
        let faults = match (about, &one.part) {
            (About::Cases(form), _) => {
                let record = place.names.record("case-study", "row");
                outlook.good.push((format!("row {}", one.row), capture::case_title(form, &values)));
                capture::case_study(form, &values, &record, &one.site, &records).1
            }
            (About::Tool(questionnaire), Some(slug)) => {
                let part = questionnaire
                    .parts
                    .iter()
                    .find(|part| part.slug == *slug)
                    .ok_or_else(|| Problem::parameter(format!("part={slug} is none")))?;
                let record = place.names.record("tool-answer", "row");
                let title = capture::answer_title(part, &one.site, &records);
                outlook.good.push((format!("row {}", one.row), title));
                capture::tool_answer((questionnaire, part), &values, &record, &one.site, &records).1
            }
            (About::Tool(_), None) => return Err(Problem::parameter("part is missing")),
        };
        outlook.refused.extend(faults.iter().filter(|fault| !fault.missing).map(|fault| {
            capture::Refusal {
                cell: format!("row {}", one.row),
                question: fault.field.clone(),
                reason: reason(fault, ""),
            }
        }));
        outlook.wanted.push(one);
    }
    twice(&mut outlook);
    Ok(outlook)
}

/// Saves all rows, or none.
async fn keep(
    state: &State,
    place: &Place,
    about: &About,
    outlook: Outlook,
    wants_page: bool,
) -> Result<Response, Problem> {
    let mut all: Vec<Saving> = Vec::new();
    for one in &outlook.wanted {
        let values = one.values();
        let basis = match &one.replaces {
            Some((_, seen)) => Basis::Draft(*seen),
            None => Basis::New,
        };
        let slug = one.replaces.as_ref().map(|(slug, _)| slug.clone());
        let address = (slug, one.site.clone(), basis);
        all.push(match (about, &one.part) {
            (About::Tool(questionnaire), Some(part)) => {
                let part = questionnaire
                    .parts
                    .iter()
                    .find(|known| known.slug == *part)
                    .ok_or_else(|| Problem::parameter(format!("part={part} is none")))?;
                questionnaire::saving(place, (questionnaire, part), address, values)
            }
            _ => case_study::saving(place, address, values),
        });
    }
    let kinds: Vec<&'static str> = all.iter().map(|one| one.kind).collect();
    let saved = save(state, "spreadsheet", all).await?;
    if wants_page {
        let location = [(header::LOCATION, "/capture?done=imported")];
        return Ok((StatusCode::SEE_OTHER, location).into_response());
    }
    let drafts: Vec<(String, String)> =
        kinds.into_iter().map(str::to_owned).zip(saved.slugs).collect();
    let body = Json(told(&outlook, Some(&drafts)));
    Ok(crate::http::at_revision((StatusCode::CREATED, body).into_response(), saved.revision))
}

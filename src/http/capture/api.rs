//! The same as the pages, for programs: what a form asks, what a draft says,
//! saving it. All under `/api/capture/`.

use crate::capture::{self, Basis, Control, Draft, Fault, Form, Values};
use crate::http::capture::case_study::{self, find};
use crate::http::capture::questionnaire::{self, answers, named};
use crate::http::capture::review::{form_of, title};
use crate::http::capture::shown::{Place, Saving, all_faults, save};
use crate::http::error::Problem;
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::rdf::Revision;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Texts = BTreeMap<String, Value>;

/// A case study as it is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentCase {
    #[serde(default)]
    site: String,
    #[serde(default)]
    revision: Option<Revision>,
    /// Set to save a case that looks like another one.
    #[serde(default)]
    confirm: bool,
    values: Texts,
}

/// Answers as they are sent: by dimension.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentAnswers {
    #[serde(default)]
    site: String,
    #[serde(default)]
    revision: Option<Revision>,
    answers: BTreeMap<String, Texts>,
}

fn parse<T: for<'a> Deserialize<'a>>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::parameter(format!("the body is not as it should be: {error}")))
}

/// Texts, numbers, or lists of them.
fn values(texts: &Texts, form: &Form) -> Result<Values, Problem> {
    let mut values = Values::default();
    for (name, value) in texts {
        let list = match value {
            Value::Array(list) => list.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        for one in list {
            match one {
                Value::String(text) => values.add(name, &text),
                Value::Number(number) => values.add(name, &number.to_string()),
                _ => return Err(Problem::parameter(format!("{name}: texts and numbers are read"))),
            }
        }
    }
    if let Some(name) = values.unknown(form).first() {
        return Err(Problem::parameter(format!("{name} is no question of this form")));
    }
    Ok(values)
}

fn shown_values(values: &Values) -> Value {
    values.iter().map(|(name, texts)| (name.to_owned(), json!(texts))).collect()
}

fn shown_faults(faults: &[Fault]) -> Value {
    faults
        .iter()
        .map(|fault| {
            json!({
                "field": fault.field, "message": fault.message, "missing": fault.missing,
                "meant": fault.meant.iter().map(|one| &one.text).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn shown_form(form: &Form) -> Value {
    let groups: Vec<Value> = form
        .groups
        .iter()
        .map(|group| {
            let fields: Vec<Value> = group
                .fields
                .iter()
                .map(|field| {
                    let kind = match &field.control {
                        Control::Line => "line",
                        Control::Text => "text",
                        Control::Number { .. } => "number",
                        Control::NumberOrText => "number or text",
                        Control::Date { .. } => "date",
                        Control::Choice(_) => "choice",
                        Control::Scale(_) => "scale",
                        Control::Record { .. } => "record",
                        Control::Address => "address",
                    };
                    let choices: Vec<Value> = match &field.control {
                        // Records are found by search.
                        Control::Record { .. } => Vec::new(),
                        _ => field
                            .choices()
                            .iter()
                            .map(|one| json!({ "value": one.value, "text": one.text }))
                            .collect(),
                    };
                    let only_if = field
                        .only_if
                        .as_ref()
                        .map(|only| json!({ "field": only.field, "values": only.values }));
                    json!({
                        "name": field.name, "label": field.label, "help": field.help,
                        "required": field.required, "multiple": field.multiple, "control": kind,
                        "property": field.path.as_str(), "choices": choices, "onlyIf": only_if,
                        "unit": field.unit,
                    })
                })
                .collect();
            json!({
                "name": group.slug, "heading": group.heading, "repeated": group.repeat.is_some(),
                "fields": fields,
            })
        })
        .collect();
    json!({ "kind": form.kind, "title": form.title, "groups": groups })
}

fn shown_draft(place: &Place, draft: &Draft) -> Value {
    let (form, values, known) = form_of(place, draft);
    let faults = all_faults(place, &form, draft, known);
    let values = shown_values(&values);
    json!({
        "kind": draft.kind, "slug": draft.slug, "id": draft.record, "title": title(draft),
        "site": draft.site, "state": draft.state.name(), "authors": draft.authors,
        "revision": place.whole.revision, "savedAt": draft.revision, "values": values,
        "problems": shown_faults(&faults),
        "comments": draft.comments.iter().map(|said| json!({
            "time": said.time, "author": said.author, "text": said.text,
        })).collect::<Vec<_>>(),
    })
}

fn at(place: &Place, body: Value) -> Response {
    crate::http::at_revision(Json(body).into_response(), place.whole.revision)
}

/// GET `/api/capture/drafts`.
pub(in crate::http) async fn api_drafts(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let drafts: Vec<Value> = capture::drafts(&place.whole.graph, &place.names, &state.caller)
        .iter()
        .map(|draft| {
            json!({
                "kind": draft.kind, "slug": draft.slug, "title": title(draft), "site": draft.site,
                "state": draft.state.name(), "authors": draft.authors, "savedAt": draft.revision,
                "url": format!("/capture/draft/{}/{}", draft.kind, draft.slug),
            })
        })
        .collect();
    Ok(at(&place, json!({ "drafts": drafts })))
}

/// GET `/api/capture/case-study`.
pub(in crate::http) async fn api_case_study_form(
    Shared(state): Shared<State>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let form = case_study::case_study_form(&place);
    Ok(at(&place, shown_form(&form)))
}

/// POST `/api/capture/case-study`: a new draft.
pub(in crate::http) async fn api_write_case_study(
    Shared(state): Shared<State>,
    body: Bytes,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let sent: SentCase = parse(&body)?;
    let form = case_study::case_study_form(&place);
    let values = values(&sent.values, &form)?;
    let site = place.site(&state, sent.site.trim())?;
    let name = capture::title_in(&form, &values);
    if name.is_empty() {
        return Err(Problem::parameter("values.title is needed"));
    }
    if !sent.confirm {
        let alike = super::alike::look(&state, &place, &name, "")?;
        if !alike.is_empty() {
            let alike: Vec<Value> =
                alike.iter().map(|link| json!({ "title": link.text, "url": link.url })).collect();
            let body = json!({ "saved": false, "alike": alike, "hint": "send it with \"confirm\": true if it is another case" });
            return Ok((StatusCode::CONFLICT, Json(body)).into_response());
        }
    }
    let saved = case_study::store(&state, &place, "API", (None, site, Basis::New), values).await?;
    after(&state, "case-study", &saved.slugs, StatusCode::CREATED)
}

/// GET `/api/capture/case-study/{slug}`.
pub(in crate::http) async fn api_case_study(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let (draft, _) = find(&state, &place, &slug)?;
    Ok(at(&place, shown_draft(&place, &draft)))
}

/// POST `/api/capture/case-study/{slug}`: replaces what the draft says.
pub(in crate::http) async fn api_save_case_study(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let sent: SentCase = parse(&body)?;
    let form = case_study::case_study_form(&place);
    let values = values(&sent.values, &form)?;
    let (draft, basis) = find(&state, &place, &slug)?;
    let basis = match (basis, sent.revision) {
        (Basis::Published, _) => Basis::Published,
        (_, Some(revision)) => Basis::Draft(revision),
        (_, None) => return Err(Problem::parameter("revision is needed: of what was read before")),
    };
    let site = draft.site.unwrap_or_default();
    let saved = case_study::store(&state, &place, "API", (Some(slug), site, basis), values).await?;
    after(&state, "case-study", &saved.slugs, StatusCode::OK)
}

/// The drafts as they are now.
fn after(
    state: &State,
    kind: &str,
    slugs: &[String],
    status: StatusCode,
) -> Result<Response, Problem> {
    let place = Place::of(state)?;
    let shown: Vec<Value> = slugs
        .iter()
        .filter_map(|slug| place.draft(state, kind, slug))
        .map(|draft| shown_draft(&place, &draft))
        .collect();
    let body = match <[Value; 1]>::try_from(shown) {
        Ok([one]) => one,
        Err(several) => json!({ "drafts": several }),
    };
    let mut response = at(&place, body);
    *response.status_mut() = status;
    Ok(response)
}

/// GET `/api/capture/questionnaire/{slug}?site=`: what is asked, and what that
/// site answered in drafts.
pub(in crate::http) async fn api_questionnaire(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let questionnaire = named(&place, &slug)?;
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let given = take(&mut parameters, "site").pop().unwrap_or_default();
    let drafts = if given.is_empty() && state.caller.site.is_none() {
        Vec::new()
    } else {
        let site = place.site(&state, given.trim())?;
        answers(&state, &place, &questionnaire, &site)
    };
    let parts: Vec<Value> = questionnaire
        .parts
        .iter()
        .map(|part| {
            let draft = drafts.iter().find(|(dimension, _)| *dimension == part.dimension);
            json!({
                "name": part.slug, "dimension": part.dimension, "form": shown_form(&part.form),
                "draft": draft.map(|(_, draft)| shown_draft(&place, draft)),
            })
        })
        .collect();
    let body = json!({
        "id": questionnaire.record, "title": questionnaire.title, "version": questionnaire.version,
        "replaces": questionnaire.replaces, "description": questionnaire.description,
        "note": questionnaire.note, "parts": parts,
    });
    Ok(at(&place, body))
}

/// POST `/api/capture/questionnaire/{slug}`: answers of a site, by dimension;
/// all are saved, or none.
pub(in crate::http) async fn api_save_questionnaire(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let sent: SentAnswers = parse(&body)?;
    let questionnaire = named(&place, &slug)?;
    let site = place.site(&state, sent.site.trim())?;
    let drafts = answers(&state, &place, &questionnaire, &site);
    let mut all: Vec<Saving> = Vec::new();
    for (name, texts) in &sent.answers {
        let part = questionnaire.parts.iter().find(|part| part.slug == *name).ok_or_else(|| {
            Problem::parameter(format!("{name} is no part of this questionnaire"))
        })?;
        let values = values(texts, &part.form)?;
        let draft = drafts.iter().find(|(dimension, _)| *dimension == part.dimension);
        let basis = match (draft, sent.revision) {
            (None, _) => Basis::New,
            (Some(_), Some(revision)) => Basis::Draft(revision),
            (Some(_), None) => {
                return Err(Problem::parameter("revision is needed: of what was read before"));
            }
        };
        let address = (draft.map(|(_, draft)| draft.slug.clone()), site.clone(), basis);
        all.push(questionnaire::saving(&place, (&questionnaire, part), address, values));
    }
    if all.is_empty() {
        return Err(Problem::parameter("answers is empty"));
    }
    let saved = save(&state, "API", all).await?;
    after(&state, "tool-answer", &saved.slugs, StatusCode::CREATED)
}

//! `/capture/interview`: writing an interview down. Everything that looks like
//! personal data is decided on before a draft is written. Not for publishing:
//! a draft is handed on as any other (`http/lifecycle.rs`).

pub(super) mod codes;
pub(super) mod coding;
mod fields;
mod sent;

use crate::access::Role;
use crate::capture::interview::{Around, Consent, Interview, passage_slug};
use crate::capture::{self, Basis, Draft, Refused, Writing, passages};
use crate::commit::{Rules, Snapshot};
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::record_page::facts::Facts;
use crate::http::site::layout;
use crate::http::sparql::accept;
use crate::http::update::{answer_with, change};
use crate::http::{Shared, State};
use crate::pages::interviews::{Choosable, Fault, FindsPage, InterviewForm};
use crate::pages::{self, Link};
use crate::problem::Kind;
use crate::rdf::{Provenance, Visibility};
use axum::Json;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fields::{Choices, Fields, Looked, Valid};
use sent::Sent;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// Most passages of one interview.
const MOST_PASSAGES: usize = 1_500;

/// Whether a person asks.
fn is_person(headers: &HeaderMap) -> bool {
    accept(headers).is_some_and(|accept| accept.contains("text/html"))
}

/// A page that nobody keeps: what is not saved yet, or not for all.
fn shown(status: StatusCode, page: String) -> Response {
    let fields =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, fields, page).into_response()
}

/// An interview as somebody works on it.
struct Open {
    interview: Interview,
    /// The draft, if there is one; else it is published.
    draft: Option<Draft>,
    seen: Arc<Snapshot>,
}

impl Open {
    /// The interview with this slug, if the caller may work on it.
    fn load(state: &State, slug: &str) -> Result<Self, Problem> {
        let names = &state.config.names;
        let seen = state.snapshot()?;
        let whole = state.app()?.reader.snapshot();
        let draft = capture::read(&whole.graph, names, &state.caller, "interview", slug);
        let triples = match &draft {
            Some(draft) => draft.triples.clone(),
            // What they do not see published they do not work on.
            None => capture::published(&seen.graph, names, &names.record("interview", slug)),
        };
        let interview = Interview::read(names, slug, &triples);
        let site = Some(interview.site.as_str());
        let may = draft.is_some() || capture::may_work_on(names, &state.caller, site);
        if triples.is_empty() || interview.site.is_empty() || !may {
            return Err(Problem::not_found(format!("there is no interview {slug} to work on")));
        }
        Ok(Self { interview, draft, seen })
    }

    /// What the form must say that it was read from.
    fn basis(&self) -> String {
        match &self.draft {
            Some(draft) => format!("draft-{}", draft.revision),
            None => "published".to_owned(),
        }
    }

    fn title(&self, state: &State) -> String {
        around(state, &self.seen, &self.interview).title
    }
}

/// What only the rest of the graph knows of an interview.
fn around(state: &State, seen: &Snapshot, interview: &Interview) -> Around {
    let facts = Facts { snapshot: seen, names: &state.config.names };
    let label = |iri: &str| {
        let id = seen.graph.iri_id(iri);
        id.map_or_else(
            || iri.rsplit('/').next().unwrap_or_default().to_owned(),
            |id| facts.label(id),
        )
    };
    let role = interview.roles.first().map(|role| label(role)).unwrap_or_default();
    let id = seen.graph.iri_id(&interview.site);
    let illustrative =
        id.is_some_and(|id| crate::search::status(&seen.graph, id) == "Illustrative");
    let mut who = role.clone();
    if let Some(first) = who.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let begin = if illustrative { "Illustrative interview" } else { "Interview" };
    let title = format!(
        "{begin} with the {who} of {}, {}",
        label(&interview.site),
        pages::day(&interview.date)
    );
    Around { title, role, illustrative }
}

fn form_page(
    state: &State,
    slug: Option<&str>,
    fields: &Fields,
    faults: Vec<Fault>,
    choices: &Choices,
    status: StatusCode,
) -> Response {
    let title = if slug.is_some() { "Change an interview" } else { "Write down an interview" };
    let mut layout = layout(state, title);
    layout.part = "/capture";
    if !faults.is_empty() {
        layout.title = format!("Error: {title}");
    }
    let audiences = [
        (Visibility::Public, "Everyone", "Anybody can read the passages."),
        (
            Visibility::Members,
            "Members",
            "Those who signed in as members of the network, and curators.",
        ),
        (Visibility::Curators, "Curators", "Only those who review and publish."),
    ];
    let page = pages::interviews::interview_form(&InterviewForm {
        action: slug.map_or_else(
            || "/capture/interview".to_owned(),
            |slug| format!("/capture/interview/{slug}"),
        ),
        faults,
        sites: Choices::shown(
            &choices.sites,
            if choices.sites.len() == 1 { &choices.sites[0].value } else { &fields.site },
        ),
        roles: Choices::shown(&choices.roles, &fields.role),
        audiences: audiences
            .into_iter()
            .map(|(visibility, text, help)| Choosable {
                value: visibility.name().to_lowercase(),
                text: text.to_owned(),
                help: help.to_owned(),
                chosen: Visibility::parse(&fields.audience) == Some(visibility),
            })
            .collect(),
        date: fields.date.clone(),
        consent: fields.consent,
        consent_for: fields.consent_for.clone(),
        consent_date: fields.consent_date.clone(),
        notes: fields.notes.clone(),
        basis: fields.basis.clone(),
        edits: slug.is_some(),
        coding: slug
            .map(|slug| Link::new("Code its passages", &format!("/capture/interview/{slug}/code"))),
        heading: title.to_owned(),
        layout,
    });
    shown(status, page)
}

/// GET `/capture/interview`: the empty form.
pub(super) async fn new_interview(Shared(state): Shared<State>) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let choices = Choices::of(&state)?;
    Ok(form_page(&state, None, &Fields::default(), Vec::new(), &choices, StatusCode::OK))
}

/// GET `/capture/interview/{slug}`: the form with what is there, or JSON.
pub(super) async fn read_interview(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let open = Open::load(&state, &slug)?;
    if !is_person(&headers) {
        let mut response = Json(as_json(&state, &slug, &open)).into_response();
        let fields = response.headers_mut();
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(header::VARY, HeaderValue::from_static("Accept"));
        return Ok(response);
    }
    let fields = Fields::of_interview(&open.interview, open.basis());
    let choices = Choices::of(&state)?;
    Ok(form_page(&state, Some(&slug), &fields, Vec::new(), &choices, StatusCode::OK))
}

fn as_json(state: &State, slug: &str, open: &Open) -> serde_json::Value {
    let Interview { roles, site, date, consent, audience, passages: said, kept, .. } =
        &open.interview;
    let names = &state.config.names;
    let all: Vec<_> = said
        .iter()
        .map(|passage| {
            json!({
                "number": passage.number,
                "id": names.record("evidence", &passage_slug(slug, passage.number)),
                "text": passage.text,
                "question": passages::is_question(&passage.text),
                "theme": passage.codes.themes,
                "dimension": passage.codes.dimensions,
                "supports": passage.codes.supports,
                "disputes": passage.codes.disputes,
            })
        })
        .collect();
    json!({
        "id": names.record("interview", slug),
        "title": open.title(state),
        "role": roles.first(),
        "site": site,
        "date": date,
        "consent": consent.is_some(),
        "consent-for": consent.as_ref().map(|consent| &consent.scope),
        "consent-date": consent.as_ref().map(|consent| &consent.date),
        "audience": audience.name().to_lowercase(),
        "state": open.draft.as_ref().map_or("Published", |draft| draft.state.name()),
        "basis": open.basis(),
        "kept": kept.iter().map(|(text, why)| json!({ "text": text, "keep": why })).collect::<Vec<_>>(),
        "passages": all,
    })
}

/// POST `/capture/interview`: a new draft.
pub(super) async fn create_interview(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    save(state, None, &headers, request).await
}

/// POST `/capture/interview/{slug}`: the draft with other words.
pub(super) async fn change_interview(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    save(state, Some(slug), &headers, request).await
}

async fn save(
    state: State,
    slug: Option<String>,
    headers: &HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let mut sent = Sent::read(request).await?;
    check_form(&state, &mut sent.fields)?;
    let step = sent.field("step");
    // Reading a file and looking through a long text takes a while.
    let (sent, fields, faults) = tokio::task::spawn_blocking(move || {
        let (fields, faults) = Fields::of(&mut sent);
        (sent, fields, faults)
    })
    .await
    .map_err(|error| Problem::internal(&error))?;
    let person = !sent.json && is_person(headers);
    let open = slug.as_deref().map(|slug| Open::load(&state, slug)).transpose()?;
    let choices = Choices::of(&state)?;
    let form = |fields: &Fields, faults: Vec<Fault>, status: StatusCode| {
        form_page(&state, slug.as_deref(), fields, faults, &choices, status)
    };
    if step == "edit" {
        return Ok(form(&fields, Vec::new(), StatusCode::OK));
    }
    let judged = fields.judge(&choices, faults);
    let valid = match judged {
        Ok(valid) => valid,
        Err(faults) if person => return Ok(form(&fields, faults, StatusCode::BAD_REQUEST)),
        Err(faults) => {
            let all: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
            return Err(Problem::parameter(all.join("; ")));
        }
    };
    let before = open.as_ref().map(|open| open.interview.kept.clone()).unwrap_or_default();
    let looked = tokio::task::spawn_blocking(move || (fields.look(&before), fields))
        .await
        .map_err(|error| Problem::internal(&error))?;
    let (fields, kept) = match looked {
        (Looked::Clean(fields, kept), _) => (fields, kept),
        (Looked::Open(replaced, open, faults), asked) => {
            if !person {
                return Err(personal_data(&open));
            }
            let mut layout = layout(&state, "Check for personal data");
            layout.part = "/capture";
            if !faults.is_empty() {
                layout.title = format!("Error: {}", layout.title);
            }
            let mut hidden = replaced.pairs();
            hidden.extend(asked.decided_to_keep(&open));
            let action = slug.as_deref().map_or_else(
                || "/capture/interview".to_owned(),
                |slug| format!("/capture/interview/{slug}"),
            );
            let page = pages::interviews::finds(&FindsPage {
                layout,
                action,
                faults,
                finds: open,
                hidden,
            });
            return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, page));
        }
    };
    let passages = passages::split(&fields.notes).len();
    if passages > MOST_PASSAGES {
        let message = format!(
            "The text has {passages} passages; the limit is {MOST_PASSAGES}. Split it into several interviews"
        );
        return if person {
            Ok(form(&fields, vec![fields::fault("notes", message)], StatusCode::BAD_REQUEST))
        } else {
            Err(Problem::parameter(message))
        };
    }
    write(&state, slug, open, fields, valid, kept, person).await
}

/// Finds that a program must decide on.
fn personal_data(open: &[pages::interviews::FindShown]) -> Problem {
    let finds: Vec<_> = open
        .iter()
        .map(|shown| {
            let places: Vec<String> = shown
                .places
                .iter()
                .map(|(before, words, after)| format!("{before}{words}{after}"))
                .collect();
            json!({ "kind": shown.kind, "text": shown.text, "places": places, "neutral": shown.word })
        })
        .collect();
    let detail = format!(
        "{}{} finds look like personal data; nothing was saved",
        if open.len() == fields::ASKED { "at least " } else { "" },
        open.len()
    );
    Problem::new(Kind::PersonalData, detail)
        .with_member("finds", finds)
        .with_hint("send the same again with resolutions: for each find its text, and replace (a neutral word) or keep (why it is no personal data)")
}

async fn write(
    state: &State,
    slug: Option<String>,
    open: Option<Open>,
    fields: Fields,
    valid: Valid,
    kept: Vec<(String, String)>,
    person: bool,
) -> Result<Response, Problem> {
    let Valid { role, site, date, consent_date, audience } = valid;
    let basis = match (slug.is_some(), fields.basis.strip_prefix("draft-")) {
        (false, _) => Basis::New,
        (true, Some(revision)) => Basis::Draft(
            revision
                .parse()
                .map_err(|_| Problem::parameter(format!("basis={} is unknown", fields.basis)))?,
        ),
        (true, None) => Basis::Published,
    };
    let seen = match &open {
        Some(open) => Arc::clone(&open.seen),
        None => state.snapshot()?,
    };
    let mut interview = open.map(|open| open.interview).unwrap_or_default();
    interview.roles = vec![role];
    interview.site.clone_from(&site);
    interview.date = date;
    interview.consent = Some(Consent { scope: fields.consent_for.clone(), date: consent_date });
    interview.audience = audience;
    interview.kept = kept;
    let carried = interview.rewrite(&fields.notes);
    let around = around(state, &seen, &interview);
    // Which site, which role, when: what people look for in an address.
    let last = |iri: &str| iri.rsplit('/').next().unwrap_or_default().to_owned();
    let address =
        format!("{} {} {}", last(&interview.site), last(&interview.roles[0]), interview.date);
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: if slug.is_some() { "interview changed" } else { "interview written down" }
            .to_owned(),
        source: "interview form".to_owned(),
    };
    let made: Arc<Mutex<String>> = Arc::default();
    let (names, caller, slot) =
        (state.config.names.clone(), state.caller.clone(), Arc::clone(&made));
    let count = interview.passages.len();
    let new = slug.is_none();
    let committed = change(state, provenance, Rules::Refuse, move |edit| {
        let slug = slug
            .unwrap_or_else(|| capture::unused_slug(&edit.state(), &names, "interview", &address));
        let triples = interview.triples(&names, &slug, &around);
        slot.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&slug);
        let writing = Writing {
            kind: "interview".to_owned(),
            slug,
            site,
            basis,
            triples,
            visible_to: Visibility::Curators,
        };
        capture::write(edit, &names, &caller, &writing).map_err(refused)
    })
    .await?;
    let slug = made.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if person {
        let carried: Vec<String> = carried.iter().map(ToString::to_string).collect();
        let look =
            if carried.is_empty() { String::new() } else { format!("?look={}", carried.join(",")) };
        let location = [(header::LOCATION, format!("/capture/interview/{slug}/code{look}"))];
        return Ok((StatusCode::SEE_OTHER, location).into_response());
    }
    let address = format!("/capture/interview/{slug}");
    let mut response = answer_with(&committed, |body| {
        body["slug"] = slug.as_str().into();
        body["id"] = state.config.names.record("interview", &slug).into();
        body["url"] = address.as_str().into();
        body["passages"] = count.into();
        body["carried"] = carried.into();
    });
    if new {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(address) = HeaderValue::from_str(&address) {
            response.headers_mut().insert(header::LOCATION, address);
        }
    }
    Ok(response)
}

fn refused(refused: Refused) -> Problem {
    refused.into()
}

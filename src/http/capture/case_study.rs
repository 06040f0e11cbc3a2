//! `/capture/case-study`: the form that asks what was tried and how it ended.

use crate::capture::{self, Basis, Draft, Fault, Form, Values};
use crate::http::capture::alike::look;
use crate::http::capture::shown::{
    Place, Saved, Saving, all_faults, groups, revision, save, summary,
};
use crate::http::error::{Problem, status};
use crate::http::identity::check_form;
use crate::http::site::{html, layout};
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::pages::{self, FormPage, Link};
use crate::problem::Kind;
use crate::rdf::Revision;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What the form shows besides its questions.
#[derive(Default)]
struct Shown<'a> {
    slug: &'a str,
    values: Values,
    faults: Vec<Fault>,
    /// The revision that the values were read at; none for a new case.
    read_at: Option<Revision>,
    site: String,
    alike: Vec<Link>,
    done: String,
    adding: Option<String>,
    published: bool,
}

fn page(state: &State, place: &Place, form: &Form, shown: &Shown<'_>) -> String {
    let new = shown.slug.is_empty();
    let title = if new { "New case study" } else { "Case study" };
    let mut layout = layout(state, title);
    layout.part = "/capture";
    let mut hidden = vec![
        ("revision".to_owned(), shown.read_at.map(|r| r.to_string()).unwrap_or_default()),
        ("site".to_owned(), shown.site.clone()),
    ];
    if shown.published {
        hidden.push(("published".to_owned(), "yes".to_owned()));
    }
    let mut form_groups = groups(form, &shown.values, &shown.faults, shown.adding.as_deref());
    if shown.site.is_empty() {
        let options =
            place.records().offered(&crate::http::record_page::facts::iri("insites:Organisation"));
        hidden.retain(|(name, _)| name != "site");
        let field = pages::FormField {
            name: "site".to_owned(),
            label: "For which organisation do you write?".to_owned(),
            hint: "Its contributors can work on the draft too.".to_owned(),
            control: pages::FormControl::Record(options.into_iter().map(|one| one.text).collect()),
            values: shown.values.all("site").to_vec(),
            error: shown
                .faults
                .iter()
                .find(|fault| fault.field == "site")
                .map(|fault| fault.message.clone())
                .unwrap_or_default(),
            ..pages::FormField::default()
        };
        if let Some(first) = form_groups.first_mut() {
            first.fields.insert(0, field);
        }
    }
    let name = place.label(&shown.site);
    let lead = if name.is_empty() { Vec::new() } else { vec![format!("For {name}.")] };
    let main =
        if shown.alike.is_empty() { "Save and preview" } else { "It is a different case: save it" };
    pages::form(&FormPage {
        layout,
        above: vec![Link::new("Home", "/"), Link::new("Contribute", "/capture")],
        title: title.to_owned(),
        lead: lead
            .into_iter()
            .chain(["What was tried, what came of it and what stood in the way. You can save at any time and come back. Nothing is public before somebody else has looked at it and published it.".to_owned()])
            .collect(),
        ways: if new {
            vec![
                Link::new("Fill in a spreadsheet instead", "/capture/case-study/import"),
            ]
        } else {
            vec![Link::new("Preview and review", &format!("/capture/draft/case-study/{}", shown.slug))]
        },
        done: shown.done.clone(),
        errors: summary(&shown.faults),
        alike: shown.alike.clone(),
        action: if new { "/capture/case-study".to_owned() } else { format!("/capture/case-study/{}", shown.slug) },
        hidden,
        groups: form_groups,
        buttons: vec![
            ("do", "preview".to_owned(), main.to_owned()),
            ("do", "save".to_owned(), "Save and return later".to_owned()),
        ],
        looks_alike: "title",
    })
}

/// GET `/capture/case-study`.
pub(in crate::http) async fn new_case_study(
    Shared(state): Shared<State>,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let form = capture::case_study_form(&place.records());
    let site = capture::site_of(&place.names, &state.caller).unwrap_or_default();
    let shown = Shown { site, ..Shown::default() };
    Ok(html(page(&state, &place, &form, &shown)))
}

/// The form of case studies, for the API.
pub(in crate::http) fn case_study_form(place: &Place) -> Form {
    capture::case_study_form(&place.records())
}

fn missing(slug: &str) -> Problem {
    Problem::not_found(format!("there is no case study {slug} that you can work on"))
}

/// A draft, or what is published of a record of which there is no draft yet.
pub(super) fn find(state: &State, place: &Place, slug: &str) -> Result<(Draft, Basis), Problem> {
    if let Some(draft) = place.draft(state, "case-study", slug) {
        let basis = Basis::Draft(place.whole.revision);
        return Ok((draft, basis));
    }
    let record = place.names.record("case-study", slug);
    let triples = capture::published(&place.seen.graph, &place.names, &record);
    let own = capture::site_of(&place.names, &state.caller);
    let is_own = own.as_ref().is_some_and(|own| {
        triples.iter().any(|triple| {
            matches!(&triple.object, crate::rdf::Term::NamedNode(iri) if iri.as_str() == own)
        })
    });
    let curator = state.caller.role >= crate::access::Role::Curator;
    if triples.is_empty() || !(curator || is_own) {
        return Err(missing(slug));
    }
    let at = crate::http::record_page::facts::iri("insites:atOrganisation");
    let site = own.filter(|_| is_own).or_else(|| {
        triples.iter().find(|triple| triple.predicate.as_str() == at).and_then(|triple| {
            match &triple.object {
                crate::rdf::Term::NamedNode(iri) => Some(iri.as_str().to_owned()),
                _ => None,
            }
        })
    });
    let draft = Draft {
        kind: "case-study".to_owned(),
        slug: slug.to_owned(),
        record,
        site,
        state: capture::ReviewState::Draft,
        authors: Vec::new(),
        revision: 0,
        comments: Vec::new(),
        triples,
    };
    Ok((draft, Basis::Published))
}

/// GET `/capture/case-study/{slug}`.
pub(in crate::http) async fn edit_case_study(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let records = place.records();
    let form = capture::case_study_form(&records);
    let (draft, basis) = find(&state, &place, &slug)?;
    let values = capture::from_triples(&form, &draft.triples, &draft.record, &records);
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let faults = if take(&mut parameters, "check").pop().is_some() {
        let (_, known) = capture::case_study(
            &form,
            &values,
            &draft.record,
            draft.site.as_deref().unwrap_or_default(),
            &records,
        );
        all_faults(&place, &form, &draft, known)
    } else {
        Vec::new()
    };
    let shown = Shown {
        slug: &slug,
        values,
        faults,
        read_at: Some(place.whole.revision),
        site: draft.site.clone().unwrap_or_default(),
        published: basis == Basis::Published,
        ..Shown::default()
    };
    Ok(html(page(&state, &place, &form, &shown)))
}

/// POST `/capture/case-study`.
pub(in crate::http) async fn save_new_case_study(
    Shared(state): Shared<State>,
    body: Bytes,
) -> Result<Response, Problem> {
    save_form(&state, None, &body).await
}

/// POST `/capture/case-study/{slug}`.
pub(in crate::http) async fn save_case_study(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    save_form(&state, Some(slug), &body).await
}

async fn save_form(state: &State, slug: Option<String>, body: &Bytes) -> Result<Response, Problem> {
    let place = Place::of(state)?;
    let text =
        std::str::from_utf8(body).map_err(|_| Problem::parameter("the form is not UTF-8"))?;
    let mut posted = pairs(text)?;
    check_form(state, &mut posted)?;
    let mut field = |name: &str| take(&mut posted, name).pop().unwrap_or_default();
    let (what, adding) = (field("do"), field("add"));
    let (read_at, confirmed) = (field("revision"), !field("confirm").is_empty());
    let (site_given, published) = (field("site"), !field("published").is_empty());
    let read_at = revision(&read_at)?;
    let values = Values::of_pairs(&posted);
    let form = capture::case_study_form(&place.records());
    let current = slug.as_deref().unwrap_or_default();
    let mut shown = Shown {
        slug: current,
        values: values.clone(),
        read_at,
        published,
        adding: (!adding.is_empty()).then_some(adding),
        ..Shown::default()
    };
    let again = |shown: &Shown<'_>, status: StatusCode| {
        (status, html(page(state, &place, &form, shown))).into_response()
    };
    let site = match &slug {
        Some(slug) => find(state, &place, slug)?.0.site.unwrap_or_default(),
        None => match place.site(state, site_given.trim()) {
            Ok(site) => site,
            Err(problem) if state.caller.role > crate::access::Role::Contributor => {
                shown.values.add("site", &site_given);
                let hint = problem.hint.unwrap_or_default();
                shown.faults = vec![Fault::new("site", format!("{}. {hint}", problem.detail))];
                return Ok(again(&shown, StatusCode::UNPROCESSABLE_ENTITY));
            }
            Err(problem) => return Err(problem),
        },
    };
    shown.site.clone_from(&site);
    if shown.adding.is_some() {
        return Ok(again(&shown, StatusCode::OK));
    }
    let title = capture::case_title(&form, &values);
    if slug.is_none() {
        if capture::title_in(&form, &values).is_empty() {
            shown.faults =
                vec![Fault::new("title", "Give the case study a title, so that you find it again")];
            return Ok(again(&shown, StatusCode::UNPROCESSABLE_ENTITY));
        }
        if !confirmed {
            shown.alike = look(state, &place, &title, "")?;
            if !shown.alike.is_empty() {
                return Ok(again(&shown, StatusCode::CONFLICT));
            }
        }
    }
    let basis = match (&slug, read_at, published) {
        (None, ..) => Basis::New,
        (Some(_), _, true) => Basis::Published,
        (Some(_), Some(read), false) => Basis::Draft(read),
        (Some(_), None, false) => return Err(Problem::parameter("revision is missing")),
    };
    let saved = match store(state, &place, "form", (slug.clone(), site, basis), values).await {
        Ok(saved) => saved,
        Err(problem) if problem.kind == Kind::PreconditionFailed => {
            // What was typed stays on the page; the other version is a link away.
            let address = format!("/capture/draft/case-study/{current}");
            shown.faults = vec![
                Fault::new(
                    "",
                    "Somebody else saved this draft while you were writing. Nothing of yours is lost: it stands below, but it is not saved.",
                ),
                Fault::new(
                    &address,
                    "Look at what is saved now (in another tab), bring both together below, and save again",
                ),
            ];
            shown.read_at = Some(state.app()?.reader.snapshot().revision);
            shown.published = false;
            return Ok(again(&shown, status(Kind::PreconditionFailed)));
        }
        Err(problem) => return Err(problem),
    };
    let saved_as = saved.slugs.first().cloned().unwrap_or_default();
    let location = if what == "save" {
        "/capture?done=saved".to_owned()
    } else {
        format!("/capture/draft/case-study/{saved_as}?done=saved")
    };
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Saves a case study as a draft.
pub(super) async fn store(
    state: &State,
    place: &Place,
    source: &str,
    (slug, site, basis): (Option<String>, String, Basis),
    values: Values,
) -> Result<Saved, Problem> {
    save(state, source, vec![saving(place, (slug, site, basis), values)]).await
}

/// A case study as it is to be saved.
pub(super) fn saving(
    place: &Place,
    (slug, site, basis): (Option<String>, String, Basis),
    values: Values,
) -> Saving {
    let seen = std::sync::Arc::clone(&place.seen);
    let names = place.names.clone();
    let form = capture::case_study_form(&place.records());
    Saving {
        kind: "case-study",
        title: capture::case_title(&form, &values),
        slug,
        site: site.clone(),
        basis,
        make: Box::new(move |record| {
            let records = capture::Records { graph: &seen.graph, names: &names };
            capture::case_study(&form, &values, record, &site, &records).0
        }),
    }
}

//! `/capture/questionnaire/{slug}`: the data-collection tool as pages, one for
//! each dimension, with save and return, and a page to check the answers.

use crate::access::Role;
use crate::capture::{self, Basis, Draft, Fault, Part, Questionnaire, ReviewState, Values};
use crate::http::capture::review::hand_over;
use crate::http::capture::shown::{
    Place, Saving, all_faults, groups, read_only, revision, save, state_name, summary,
};
use crate::http::error::{Problem, status};
use crate::http::identity::check_form;
use crate::http::record_page::facts::iri;
use crate::http::site::{html, layout};
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::pages::{self, DraftAction, FormPage, Link, TaskList, TasksPage};
use crate::problem::Kind;
use crate::rdf::{NamedOrBlankNode, Term, now};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The questionnaire at an address.
pub(super) fn named(place: &Place, slug: &str) -> Result<Questionnaire, Problem> {
    capture::questionnaire(slug, &place.records()).ok_or_else(|| {
        Problem::not_found(format!("there is no questionnaire {slug} that can be answered here"))
    })
}

fn object(draft: &Draft, property: &str) -> Option<String> {
    let property = iri(property);
    draft.triples.iter().find_map(|triple| match (&triple.subject, &triple.object) {
        (NamedOrBlankNode::NamedNode(node), Term::NamedNode(value))
            if node.as_str() == draft.record && triple.predicate.as_str() == property =>
        {
            Some(value.as_str().to_owned())
        }
        _ => None,
    })
}

/// The questions that a draft answers.
pub(super) fn of_draft(place: &Place, draft: &Draft) -> Option<(Questionnaire, Part)> {
    let questionnaire = object(draft, "insites:questionnaire")?;
    let (_, slug) = place.names.kind_and_slug(&questionnaire)?;
    let questionnaire = capture::questionnaire(slug, &place.records())?;
    let dimension = object(draft, "insites:dimension")?;
    let part = questionnaire.parts.iter().find(|part| part.dimension == dimension)?.clone();
    Some((questionnaire, part))
}

/// The drafts in which a site answers a questionnaire, by dimension.
pub(super) fn answers(
    state: &State,
    place: &Place,
    questionnaire: &Questionnaire,
    site: &str,
) -> Vec<(String, Draft)> {
    capture::drafts(&place.whole.graph, &place.names, &state.caller)
        .into_iter()
        .filter(|draft| draft.kind == "tool-answer" && draft.site.as_deref() == Some(site))
        .filter(|draft| {
            object(draft, "insites:questionnaire").as_deref() == Some(&questionnaire.record)
        })
        .filter_map(|draft| Some((object(&draft, "insites:dimension")?, draft)))
        .collect()
}

/// Whether an answer of a site to these questions is published.
fn is_published(place: &Place, questionnaire: &Questionnaire, part: &Part, site: &str) -> bool {
    let graph = &place.seen.graph;
    let (Some(asked), Some(dimension), Some(site)) =
        (graph.iri_id(&questionnaire.record), graph.iri_id(&part.dimension), graph.iri_id(site))
    else {
        return false;
    };
    let has =
        |subject, property: &str, value| graph.objects(subject, &iri(property)).contains(&value);
    graph.subjects(&iri("insites:questionnaire"), asked).into_iter().any(|answer| {
        let record = graph.text(answer).unwrap_or_default();
        has(answer, "insites:dimension", dimension)
            && has(answer, "insites:atSite", site)
            && !capture::published(graph, &place.names, &record).is_empty()
    })
}

/// The last part of a site's identifier, which stands in addresses.
fn short(site: &str) -> &str {
    site.rsplit('/').next().unwrap_or(site)
}

fn site_in(state: &State, place: &Place, query: Option<&str>) -> Result<Option<String>, Problem> {
    let mut parameters = pairs(query.unwrap_or_default())?;
    let given = take(&mut parameters, "site").pop().unwrap_or_default();
    if given.is_empty() && state.caller.site.is_none() {
        return Ok(None);
    }
    place.site(state, given.trim()).map(Some)
}

fn the_site(state: &State, place: &Place, query: Option<&str>) -> Result<String, Problem> {
    site_in(state, place, query)?
        .ok_or_else(|| Problem::parameter("site is needed: the organisation that answers"))
}

fn heads(state: &State, title: &str) -> pages::Layout {
    let mut layout = layout(state, title);
    layout.part = "/capture";
    layout
}

fn above(questionnaire: &Questionnaire, site: &str) -> Vec<Link> {
    let url = format!("/capture/questionnaire/{}?site={}", questionnaire.slug, short(site));
    vec![
        Link::new("Home", "/"),
        Link::new("Contribute", "/capture"),
        Link::new(&questionnaire.title, &url),
    ]
}

/// GET `/capture/questionnaire/{slug}`: how far each dimension has come.
pub(in crate::http) async fn questionnaire_overview(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let questionnaire = named(&place, &slug)?;
    let mut page = TasksPage {
        layout: heads(&state, &questionnaire.title),
        above: vec![Link::new("Home", "/"), Link::new("Contribute", "/capture")],
        title: questionnaire.title.clone(),
        lead: vec![questionnaire.description.clone()],
        note: questionnaire.note.clone(),
        ways: vec![
            Link::new(
                "Download a template for a spreadsheet (Excel)",
                &format!("/capture/questionnaire/{slug}/template.xlsx"),
            ),
            Link::new(
                "Send a filled-in spreadsheet",
                &format!("/capture/questionnaire/{slug}/import"),
            ),
            Link::new("The questions as a record", &format!("/questionnaire/{slug}")),
        ],
        ..TasksPage::default()
    };
    let Some(site) = site_in(&state, &place, query.as_deref())? else {
        let sites = place.records().offered(&iri("insites:Site"));
        page.chooser = Some((
            format!("/capture/questionnaire/{slug}"),
            sites.into_iter().map(|one| one.text).collect(),
        ));
        return Ok(html(pages::tasks(&page)));
    };
    let drafts = answers(&state, &place, &questionnaire, &site);
    let entries = questionnaire
        .parts
        .iter()
        .map(|part| {
            let draft = drafts.iter().find(|(dimension, _)| *dimension == part.dimension);
            let published = is_published(&place, &questionnaire, part, &site);
            let state = match draft {
                Some((_, draft)) => state_name(draft.state),
                None if published => "Published",
                None => "Not started",
            };
            let url = format!("/capture/questionnaire/{slug}/{}?site={}", part.slug, short(&site));
            let count = part.form.groups.first().map_or(0, |group| group.fields.len());
            let again = if published {
                ". To answer again makes a new answer with its own date"
            } else {
                ""
            };
            (
                Link::new(&part.form.title, &url),
                state.to_owned(),
                format!("{count} questions{again}"),
            )
        })
        .collect();
    page.lead.push(format!(
        "Answers of {}. Each dimension is saved by itself; come back when you like.",
        place.label(&site)
    ));
    page.lists = vec![
        TaskList { heading: "Dimensions".to_owned(), entries, ..TaskList::default() },
        TaskList {
            heading: "When you have answered".to_owned(),
            entries: vec![(
                Link::new(
                    "Check your answers and hand them in",
                    &format!("/capture/questionnaire/{slug}/check?site={}", short(&site)),
                ),
                String::new(),
                String::new(),
            )],
            ..TaskList::default()
        },
    ];
    Ok(html(pages::tasks(&page)))
}

/// What a part's page shows besides its questions.
struct Shown {
    values: Values,
    faults: Vec<Fault>,
    read_at: String,
    adding: Option<String>,
}

fn part_page(
    state: &State,
    place: &Place,
    (questionnaire, part): (&Questionnaire, &Part),
    site: &str,
    shown: &Shown,
) -> String {
    let place_of = questionnaire.parts.iter().position(|one| one.slug == part.slug).unwrap_or(0);
    let last = place_of + 1 == questionnaire.parts.len();
    pages::form(&FormPage {
        layout: heads(state, &part.form.title),
        above: above(questionnaire, site),
        title: part.form.title.clone(),
        lead: vec![format!(
            "{}, part {} of {}: answers of {}.",
            questionnaire.title,
            place_of + 1,
            questionnaire.parts.len(),
            place.label(site)
        )],
        errors: summary(&shown.faults),
        action: format!(
            "/capture/questionnaire/{}/{}?site={}",
            questionnaire.slug,
            part.slug,
            short(site)
        ),
        hidden: vec![("revision".to_owned(), shown.read_at.clone())],
        groups: groups(&part.form, &shown.values, &shown.faults, shown.adding.as_deref()),
        buttons: vec![
            (
                "do",
                "continue".to_owned(),
                if last { "Save and check answers" } else { "Save and continue" }.to_owned(),
            ),
            ("do", "save".to_owned(), "Save and return later".to_owned()),
        ],
        ..FormPage::default()
    })
}

/// GET `/capture/questionnaire/{slug}/{part}`: the questions of a dimension, or
/// `check`, the page to check the answers.
pub(in crate::http) async fn questionnaire_part(
    Shared(state): Shared<State>,
    Path((slug, part)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let questionnaire = named(&place, &slug)?;
    if part == "check" {
        let site = the_site(&state, &place, query.as_deref())?;
        return Ok(html(check_page(&state, &place, &questionnaire, &site, false)));
    }
    let part = part_named(&questionnaire, &part)?;
    let site = the_site(&state, &place, query.as_deref())?;
    let draft = answers(&state, &place, &questionnaire, &site)
        .into_iter()
        .find(|(dimension, _)| *dimension == part.dimension)
        .map(|(_, draft)| draft);
    let records = place.records();
    let mut parameters = pairs(query.as_deref().unwrap_or_default())?;
    let checked = take(&mut parameters, "check").pop().is_some();
    let shown = if let Some(draft) = &draft {
        let values = capture::from_triples(&part.form, &draft.triples, &draft.record, &records);
        let faults = if checked {
            let asked = (&questionnaire, part);
            let (_, known) = capture::tool_answer(asked, &values, &draft.record, &site, &records);
            all_faults(&place, &part.form, draft, known)
        } else {
            Vec::new()
        };
        Shown { values, faults, read_at: place.whole.revision.to_string(), adding: None }
    } else {
        let mut values = Values::default();
        values.add("date", now().get(..10).unwrap_or_default());
        Shown { values, faults: Vec::new(), read_at: String::new(), adding: None }
    };
    Ok(html(part_page(&state, &place, (&questionnaire, part), &site, &shown)))
}

fn part_named<'a>(questionnaire: &'a Questionnaire, slug: &str) -> Result<&'a Part, Problem> {
    questionnaire.parts.iter().find(|part| part.slug == slug).ok_or_else(|| {
        Problem::not_found(format!("{} asks nothing about {slug}", questionnaire.title))
    })
}

/// Answers to one dimension as they are to be saved.
pub(super) fn saving(
    place: &Place,
    (questionnaire, part): (&Questionnaire, &Part),
    (slug, site, basis): (Option<String>, String, Basis),
    values: Values,
) -> Saving {
    let seen = std::sync::Arc::clone(&place.seen);
    let names = place.names.clone();
    let (questionnaire, part) = (questionnaire.clone(), part.clone());
    let date = values.first("date").to_owned();
    Saving {
        kind: "tool-answer",
        title: format!("{} {} {date}", short(&site), part.slug),
        slug,
        site: site.clone(),
        basis,
        make: Box::new(move |record| {
            let records = capture::Records { graph: &seen.graph, names: &names };
            capture::tool_answer((&questionnaire, &part), &values, record, &site, &records).0
        }),
    }
}

/// POST `/capture/questionnaire/{slug}/{part}`.
pub(in crate::http) async fn save_questionnaire_part(
    Shared(state): Shared<State>,
    Path((slug, part)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let text =
        std::str::from_utf8(&body).map_err(|_| Problem::parameter("the form is not UTF-8"))?;
    let mut posted = pairs(text)?;
    check_form(&state, &mut posted)?;
    let questionnaire = named(&place, &slug)?;
    let site = the_site(&state, &place, query.as_deref())?;
    let mut field = |name: &str| take(&mut posted, name).pop().unwrap_or_default();
    let (what, adding) = (field("do"), field("add"));
    let (read_at, comment) = (field("revision"), field("comment"));
    if part == "check" {
        return submit(&state, &place, &questionnaire, &site, &comment).await;
    }
    let part = part_named(&questionnaire, &part)?;
    let values = Values::of_pairs(&posted);
    let draft = answers(&state, &place, &questionnaire, &site)
        .into_iter()
        .find(|(dimension, _)| *dimension == part.dimension)
        .map(|(_, draft)| draft);
    let records = place.records();
    let mut shown = Shown {
        values: values.clone(),
        faults: Vec::new(),
        read_at: read_at.clone(),
        adding: None,
    };
    let again = |shown: &Shown, status: StatusCode| {
        let page = part_page(&state, &place, (&questionnaire, part), &site, shown);
        (status, html(page)).into_response()
    };
    if !adding.is_empty() {
        shown.adding = Some(adding);
        return Ok(again(&shown, StatusCode::OK));
    }
    let read = revision(&read_at)?;
    let basis = match (&draft, read) {
        (None, _) => Basis::New,
        (Some(_), Some(read)) => Basis::Draft(read),
        // The form was opened before there was a draft.
        (Some(_), None) => Basis::Draft(0),
    };
    let slug_of = draft.as_ref().map(|draft| draft.slug.clone());
    let wanted = saving(
        &place,
        (&questionnaire, part),
        (slug_of.clone(), site.clone(), basis),
        values.clone(),
    );
    let saved = match save(&state, "form", vec![wanted]).await {
        Ok(saved) => saved,
        Err(problem) if problem.kind == Kind::PreconditionFailed => {
            let address = format!("/capture/draft/tool-answer/{}", slug_of.unwrap_or_default());
            shown.faults = vec![
                Fault::new(
                    "",
                    "Somebody else saved these answers while you were writing. Nothing of yours is lost: it stands below, but it is not saved.",
                ),
                Fault::new(
                    &address,
                    "Look at what is saved now (in another tab), bring both together below, and save again",
                ),
            ];
            shown.read_at = state.app()?.reader.snapshot().revision.to_string();
            return Ok(again(&shown, status(Kind::PreconditionFailed)));
        }
        Err(problem) => return Err(problem),
    };
    let short = short(&site).to_owned();
    if what == "save" {
        let location = format!("/capture/questionnaire/{slug}?site={short}");
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response());
    }
    // It is saved whatever is wrong with it; what cannot be read is told at once.
    let record = place.names.record("tool-answer", saved.slugs.first().map_or("", String::as_str));
    let (_, faults) =
        capture::tool_answer((&questionnaire, part), &values, &record, &site, &records);
    if faults.iter().any(|fault| !fault.missing) {
        shown.faults = faults;
        shown.read_at = saved.revision.to_string();
        return Ok(again(&shown, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let place_of = questionnaire.parts.iter().position(|one| one.slug == part.slug).unwrap_or(0);
    let next = questionnaire.parts.get(place_of + 1).map_or("check", |part| part.slug.as_str());
    let location = format!("/capture/questionnaire/{slug}/{next}?site={short}");
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// What stops each draft from being handed in: part, field, message.
fn to_do(
    place: &Place,
    questionnaire: &Questionnaire,
    drafts: &[(String, Draft)],
) -> Vec<(String, Fault)> {
    let records = place.records();
    let mut found = Vec::new();
    for part in &questionnaire.parts {
        let Some((_, draft)) = drafts.iter().find(|(dimension, _)| *dimension == part.dimension)
        else {
            continue;
        };
        let site = draft.site.clone().unwrap_or_default();
        let values = capture::from_triples(&part.form, &draft.triples, &draft.record, &records);
        let (_, known) =
            capture::tool_answer((questionnaire, part), &values, &draft.record, &site, &records);
        let faults = all_faults(place, &part.form, draft, known);
        found.extend(faults.into_iter().map(|fault| (part.slug.clone(), fault)));
    }
    found
}

fn check_page(
    state: &State,
    place: &Place,
    questionnaire: &Questionnaire,
    site: &str,
    refused: bool,
) -> String {
    let records = place.records();
    let drafts = answers(state, place, questionnaire, site);
    let address = |part: &str| {
        format!("/capture/questionnaire/{}/{part}?site={}", questionnaire.slug, short(site))
    };
    let errors: Vec<(String, String)> = to_do(place, questionnaire, &drafts)
        .into_iter()
        .map(|(part, fault)| {
            (format!("{}&check=yes#{}", address(&part), fault.field), fault.message)
        })
        .collect();
    let mut shown = Vec::new();
    for part in &questionnaire.parts {
        let draft = drafts.iter().find(|(dimension, _)| *dimension == part.dimension);
        let rows = draft.map_or_else(Vec::new, |(_, draft)| {
            let values = capture::from_triples(&part.form, &draft.triples, &draft.record, &records);
            read_only(&part.form, &values, &records)
                .into_iter()
                .flat_map(|part| part.rows)
                .filter(|(_, values)| !values.is_empty())
                .collect()
        });
        let (heading, change) = (part.form.title.clone(), Some(address(&part.slug)));
        shown.push(pages::DraftPart { heading, change, rows });
    }
    let open = drafts.iter().any(|(_, draft)| draft.state == ReviewState::Draft);
    let remark = if drafts.is_empty() {
        "Nothing is answered yet."
    } else if !open {
        "The answers are with the curators."
    } else if !errors.is_empty() {
        "They can be handed in when what is listed above is done."
    } else {
        ""
    };
    let state_of = if open || drafts.is_empty() { "Draft" } else { "In review" };
    pages::draft(&pages::DraftPage {
        layout: heads(state, "Check the answers"),
        title: "Check the answers".to_owned(),
        kind: format!("{}: {}", questionnaire.title, place.label(site)),
        state: state_of.to_owned(),
        to_do: if open { errors.clone() } else { Vec::new() },
        refused,
        groups: shown,
        comments: Vec::new(),
        action: address("check"),
        actions: if open && errors.is_empty() {
            vec![DraftAction { value: "submit", text: "Hand in for review", main: true }]
        } else {
            Vec::new()
        },
        remark: remark.to_owned(),
        ..pages::DraftPage::default()
    })
}

/// Hands all answers of a site in.
async fn submit(
    state: &State,
    place: &Place,
    questionnaire: &Questionnaire,
    site: &str,
    comment: &str,
) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let drafts: Vec<(String, Draft)> = answers(state, place, questionnaire, site)
        .into_iter()
        .filter(|(_, draft)| draft.state == ReviewState::Draft)
        .collect();
    if drafts.is_empty() {
        return Err(Problem::parameter("there are no answers to hand in"));
    }
    if !to_do(place, questionnaire, &drafts).is_empty() {
        let page = check_page(state, place, questionnaire, site, true);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(page)).into_response());
    }
    let addresses = drafts.into_iter().map(|(_, draft)| (draft.kind, draft.slug)).collect();
    hand_over(state, addresses, "submit", comment).await?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/capture?done=submitted")]).into_response())
}

//! `/capture`: one's drafts and those to review; `/capture/draft/{kind}/{slug}`:
//! a draft as it will read, what changes, what was said, what may be done.

use crate::access::Role;
use crate::capture::{self, Draft, Fault, Form, Refused, ReviewState, Values};
use crate::commit::Rules;
use crate::http::capture::shown::{Place, all_faults, read_only, state_name, summary};
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::lifecycle;
use crate::http::site::{html, layout};
use crate::http::sparql::{pairs, take};
use crate::http::update::change;
use crate::http::{Shared, State};
use crate::pages::{self, DraftAction, Link, TaskList, TasksPage, Value};
use crate::problem::Kind;
use crate::rdf::vocabulary::TYPE;
use crate::rdf::{NamedNode, NamedOrBlankNode, Provenance, Term};
use crate::search::kind_label;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What happened, as an address says it and as people read it.
const DONE: [(&str, &str); 6] = [
    ("saved", "Saved as a draft."),
    ("imported", "All rows are saved as drafts."),
    ("submitted", "Handed in for review."),
    ("returned", "Given back to its authors."),
    ("published", "Published."),
    ("discarded", "The draft is gone."),
];

fn done(query: Option<&str>) -> Result<String, Problem> {
    let mut parameters = pairs(query.unwrap_or_default())?;
    let said = take(&mut parameters, "done").pop().unwrap_or_default();
    let found = DONE.iter().find(|(name, _)| *name == said);
    Ok(found.map_or_else(String::new, |(_, text)| (*text).to_owned()))
}

/// What a draft is called: its title, whatever its kind.
pub(super) fn title(draft: &Draft) -> String {
    let property = "http://purl.org/dc/terms/title";
    match draft
        .triples
        .iter()
        .find(|triple| is_of(draft, triple, property))
        .map(|triple| &triple.object)
    {
        Some(Term::Literal(literal)) => literal.value().to_owned(),
        _ => draft.slug.clone(),
    }
}

/// GET `/capture`.
pub(in crate::http) async fn drafts_page(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let curator = state.caller.role >= Role::Curator;
    let all = capture::drafts(&place.whole.graph, &place.names, &state.caller);
    let list = |wanted: &dyn Fn(&Draft) -> bool| -> Vec<(Link, String, String)> {
        let mut found: Vec<&Draft> = all.iter().filter(|draft| wanted(draft)).collect();
        found.sort_by_key(|draft| std::cmp::Reverse(draft.revision));
        found
            .into_iter()
            .map(|draft| {
                let site = draft.site.as_deref().map(|site| place.label(site)).unwrap_or_default();
                let mut facts = vec![kind_label(&draft.kind, false)];
                facts.extend((!site.is_empty()).then_some(site));
                if let Some(last) = draft.comments.last() {
                    facts.push(format!(
                        "last comment: {}",
                        crate::http::record_page::facts::shorten(&last.text, 80)
                    ));
                }
                let url = match draft.kind.as_str() {
                    "interview" => format!("/capture/interview/{}/code", draft.slug),
                    kind => format!("/capture/draft/{kind}/{}", draft.slug),
                };
                let link = Link::new(&title(draft), &url);
                (link, state_name(draft.state).to_owned(), facts.join(" · "))
            })
            .collect()
    };
    let name = state.caller.name.clone();
    let mut lists = vec![TaskList {
        heading: "Your drafts".to_owned(),
        empty: "You have no draft.".to_owned(),
        entries: list(&|draft| draft.authors.contains(&name)),
    }];
    if curator {
        lists.insert(
            0,
            TaskList {
                heading: "To review".to_owned(),
                empty: "Nothing waits for review by you.".to_owned(),
                entries: list(&|draft| {
                    draft.state == ReviewState::InReview && !draft.authors.contains(&name)
                }),
            },
        );
    }
    lists.push(TaskList {
        heading: if curator { "Other drafts" } else { "Other drafts of your site" }.to_owned(),
        empty: "There is none.".to_owned(),
        entries: list(&|draft| {
            !(draft.authors.contains(&name) || curator && draft.state == ReviewState::InReview)
        }),
    });
    let mut ways = vec![TaskList {
        heading: "Write something".to_owned(),
        empty: String::new(),
        entries: vec![(
            Link::new("Write a case study", "/capture/case-study"),
            String::new(),
            "What was tried and how it ended, also if it did not work.".to_owned(),
        )],
    }];
    for (slug, title) in capture::questionnaires(&place.records()) {
        ways[0].entries.push((
            Link::new(&format!("Answer: {title}"), &format!("/capture/questionnaire/{slug}")),
            String::new(),
            "Questions about your site, by form or by spreadsheet.".to_owned(),
        ));
    }
    for (text, url, about) in [
        (
            "Write down an interview",
            "/capture/interview",
            "What somebody in a role said, by form or from a file.",
        ),
        ("Code book", "/capture/codes", "The themes that passages of interviews are coded with."),
    ] {
        ways[0].entries.push((Link::new(text, url), String::new(), about.to_owned()));
    }
    lists.splice(0..0, ways);
    let mut layout = layout(&state, "Contribute");
    layout.part = "/capture";
    Ok(html(pages::tasks(&TasksPage {
        layout,
        above: vec![Link::new("Home", "/")],
        title: "Contribute".to_owned(),
        lead: vec!["Drafts are seen by their site's contributors and by curators. Whoever wrote in a draft does not publish it.".to_owned()],
        done: done(query.as_deref())?,
        lists,
        ..TasksPage::default()
    })))
}

/// The form of a draft, its values and what the form finds wrong with them. For
/// kinds without a form here it asks nothing.
pub(super) fn form_of(place: &Place, draft: &Draft) -> (Form, Values, Vec<Fault>) {
    known_form(place, draft).unwrap_or_else(|| {
        let class = draft.triples.iter().find(|triple| is_of(draft, triple, TYPE));
        let class = match class.map(|triple| &triple.object) {
            Some(Term::NamedNode(class)) => class.clone(),
            _ => NamedNode::new_unchecked(TYPE),
        };
        let (kind, title) = (draft.kind.clone(), kind_label(&draft.kind, false));
        (Form { kind, class, title, groups: Vec::new() }, Values::default(), Vec::new())
    })
}

fn is_of(draft: &Draft, triple: &crate::rdf::Triple, property: &str) -> bool {
    matches!(&triple.subject, NamedOrBlankNode::NamedNode(node) if node.as_str() == draft.record)
        && triple.predicate.as_str() == property
}

/// What a draft says, property by property, where no form shows it.
fn as_it_is(place: &Place, draft: &Draft) -> pages::DraftPart {
    let graph = &place.seen.graph;
    let mut rows: Vec<(String, Vec<Value>)> = Vec::new();
    for triple in &draft.triples {
        let property = triple.predicate.as_str();
        if !is_of(draft, triple, property) || property == TYPE {
            continue;
        }
        let text = place.records().choice_of(&triple.object).text;
        let name = crate::http::record_page::property_label(graph, property);
        match rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(Value::text(&text)),
            None => rows.push((name, vec![Value::text(&text)])),
        }
    }
    pages::DraftPart { heading: "What it says".to_owned(), change: None, rows }
}

fn known_form(place: &Place, draft: &Draft) -> Option<(Form, Values, Vec<Fault>)> {
    let records = place.records();
    let site = draft.site.clone().unwrap_or_default();
    match draft.kind.as_str() {
        "case-study" => {
            let form = capture::case_study_form(&records);
            let values = capture::from_triples(&form, &draft.triples, &draft.record, &records);
            let (_, faults) = capture::case_study(&form, &values, &draft.record, &site, &records);
            Some((form, values, faults))
        }
        "tool-answer" => {
            let (questionnaire, part) = super::questionnaire::of_draft(place, draft)?;
            let values = capture::from_triples(&part.form, &draft.triples, &draft.record, &records);
            let (_, faults) = capture::tool_answer(
                (&questionnaire, &part),
                &values,
                &draft.record,
                &site,
                &records,
            );
            Some((part.form, values, faults))
        }
        _ => None,
    }
}

/// Where a draft is changed.
fn address(place: &Place, draft: &Draft) -> Option<String> {
    match draft.kind.as_str() {
        "case-study" => Some(format!("/capture/case-study/{}", draft.slug)),
        "tool-answer" => {
            let (questionnaire, part) = super::questionnaire::of_draft(place, draft)?;
            let site = draft.site.as_deref().and_then(|site| site.rsplit('/').next())?;
            Some(format!("/capture/questionnaire/{}/{}?site={site}", questionnaire.slug, part.slug))
        }
        _ => None,
    }
}

/// Refuses to hand in or to publish a draft in which its form finds something
/// to do. Drafts of kinds without a form are left to the shapes.
pub(in crate::http) fn refuse_unfinished(
    state: &State,
    kind: &str,
    slug: &str,
) -> Result<(), Problem> {
    let place = Place::of(state)?;
    let Some(draft) = place.draft(state, kind, slug) else { return Ok(()) };
    let Some((form, _, known)) = known_form(&place, &draft) else { return Ok(()) };
    let faults = all_faults(&place, &form, &draft, known);
    if faults.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
    Err(Problem::new(Kind::ShapesViolated, format!("to do first: {}", told.join("; "))))
}

/// What differs between what is published and a draft, by question.
fn differences(
    place: &Place,
    draft: &Draft,
    form: &Form,
    now: &Values,
) -> Option<Vec<(String, String, String)>> {
    let records = place.records();
    let published: Vec<crate::rdf::Triple> =
        capture::published(&place.seen.graph, &place.names, &draft.record);
    if published.is_empty() {
        return None;
    }
    let before = capture::from_triples(form, &published, &draft.record, &records);
    let texts = |values: &Values| -> Vec<(String, String)> {
        read_only(form, values, &records)
            .into_iter()
            .flat_map(|part| {
                let heading = part.heading;
                part.rows.into_iter().map(move |(name, values)| {
                    let texts: Vec<&str> = values.iter().map(Value::plain).collect();
                    (format!("{heading}: {name}"), texts.join("; "))
                })
            })
            .collect()
    };
    let (before, after) = (texts(&before), texts(now));
    let find = |list: &[(String, String)], name: &str| {
        list.iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    };
    let mut names: Vec<&String> = after.iter().chain(&before).map(|(name, _)| name).collect();
    let mut met = std::collections::HashSet::new();
    names.retain(|name| met.insert(*name));
    Some(
        names
            .into_iter()
            .map(|name| (name.clone(), find(&before, name), find(&after, name)))
            .filter(|(_, before, after)| before != after)
            .collect(),
    )
}

fn missing(kind: &str, slug: &str) -> Problem {
    Refused::Missing(format!("{kind}/{slug}")).into()
}

/// GET `/capture/draft/{kind}/{slug}`.
pub(in crate::http) async fn draft_page(
    Shared(state): Shared<State>,
    Path((kind, slug)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let draft = place.draft(&state, &kind, &slug).ok_or_else(|| missing(&kind, &slug))?;
    Ok(html(show(&state, &place, &draft, done(query.as_deref())?, false)))
}

fn show(state: &State, place: &Place, draft: &Draft, done: String, refused: bool) -> String {
    let mut layout = layout(state, "Draft");
    layout.part = "/capture";
    let records = place.records();
    let address = address(place, draft);
    let (form, values, known) = form_of(place, draft);
    let faults = all_faults(place, &form, draft, known);
    let changed = differences(place, draft, &form, &values);
    let mut groups: Vec<pages::DraftPart> = read_only(&form, &values, &records)
        .into_iter()
        .map(|mut part| {
            let group = form.groups.iter().find(|group| {
                group.heading == part.heading
                    || part.heading.starts_with(group.heading.trim_end_matches('s'))
            });
            part.change = address.as_ref().map(|address| match group {
                Some(group) => format!("{address}#group-{}", group.slug),
                None => address.clone(),
            });
            part.rows.retain(|(_, values)| !values.is_empty());
            part
        })
        .collect();
    if groups.is_empty() {
        groups.push(as_it_is(place, draft));
    }
    let curator = state.caller.role >= Role::Curator;
    let author = draft.authors.contains(&state.caller.name);
    let in_review = draft.state == ReviewState::InReview;
    let mut actions = Vec::new();
    let mut remark = String::new();
    if in_review {
        if curator && !author {
            actions.push(DraftAction { value: "publish", text: "Publish", main: true });
        }
        if curator {
            actions.push(DraftAction { value: "return", text: "Give back", main: false });
            if author {
                "You wrote in this draft, so somebody else must publish it."
                    .clone_into(&mut remark);
            }
        } else {
            "It is with the curators. They publish it, or give it back with a comment."
                .clone_into(&mut remark);
        }
    } else if faults.is_empty() {
        actions.push(DraftAction { value: "submit", text: "Hand in for review", main: true });
    } else {
        "It can be handed in when what is listed above is done.".clone_into(&mut remark);
    }
    if !in_review || curator {
        actions.push(DraftAction { value: "discard", text: "Throw this draft away", main: false });
    }
    let to_do = summary(&faults)
        .into_iter()
        .map(|(field, message)| match &address {
            Some(address) if !field.is_empty() => {
                let joint = if address.contains('?') { '&' } else { '?' };
                (format!("{address}{joint}check=yes#{field}"), message)
            }
            _ => (String::new(), message),
        })
        .collect();
    let mut facts = vec![
        ("Written by".to_owned(), draft.authors.iter().map(|name| Value::text(name)).collect()),
        ("For".to_owned(), draft.site.iter().map(|site| Value::text(&place.label(site))).collect()),
    ];
    if changed.is_some() {
        let url = format!("/{}/{}", draft.kind, draft.slug);
        facts.push((
            "Published version".to_owned(),
            vec![Value::Link(Link::new(&title(draft), &url))],
        ));
    }
    pages::draft(&pages::DraftPage {
        layout,
        title: title(draft),
        kind: format!("Draft: {}", kind_label(&draft.kind, false)),
        state: state_name(draft.state).to_owned(),
        facts,
        done,
        to_do,
        refused,
        groups,
        differences: changed,
        comments: draft
            .comments
            .iter()
            .map(|said| {
                let day = said.time.get(..10).unwrap_or(&said.time).to_owned();
                (day, said.author.clone(), said.text.clone())
            })
            .collect(),
        action: format!("/capture/draft/{}/{}", draft.kind, draft.slug),
        actions,
        remark,
    })
}

/// POST `/capture/draft/{kind}/{slug}`: `do` = submit, return, publish, discard.
pub(in crate::http) async fn act_on_draft(
    Shared(state): Shared<State>,
    Path((kind, slug)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let place = Place::of(&state)?;
    let mut posted = lifecycle::form(&body)?;
    check_form(&state, &mut posted)?;
    let what = take(&mut posted, "do").pop().unwrap_or_default();
    let comment = take(&mut posted, "comment").pop().unwrap_or_default();
    let draft = place.draft(&state, &kind, &slug).ok_or_else(|| missing(&kind, &slug))?;
    if matches!(what.as_str(), "return" | "publish") {
        state.needs(Role::Curator)?;
    }
    if matches!(what.as_str(), "submit" | "publish") {
        let (form, _, known) = form_of(&place, &draft);
        let faults = all_faults(&place, &form, &draft, known);
        if !faults.is_empty() {
            let page = show(&state, &place, &draft, String::new(), true);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(page)).into_response());
        }
    }
    hand_over(&state, vec![(kind.clone(), slug.clone())], &what, &comment).await?;
    let location = match what.as_str() {
        "submit" => "/capture?done=submitted".to_owned(),
        "return" => "/capture?done=returned".to_owned(),
        "discard" => "/capture?done=discarded".to_owned(),
        _ => format!("/{kind}/{slug}"),
    };
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Hands drafts over, all or none: `what` is submit, return, publish or
/// discard.
pub(super) async fn hand_over(
    state: &State,
    drafts: Vec<(String, String)>,
    what: &str,
    comment: &str,
) -> Result<(), Problem> {
    let names = state.app()?.config.names.clone();
    let caller = state.caller.clone();
    let provenance = Provenance {
        author: caller.name.clone(),
        reason: if comment.trim().is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", comment.trim())
        },
        source: "review".to_owned(),
    };
    let (what, comment) = (what.to_owned(), comment.to_owned());
    change(state, provenance, Rules::Refuse, move |edit| {
        for (kind, slug) in &drafts {
            let address = (kind.as_str(), slug.as_str());
            let graph = edit.state();
            let draft = capture::read(&graph, &names, &caller, kind, slug)
                .ok_or_else(|| missing(kind, slug))?;
            let needed = match what.as_str() {
                "submit" => ReviewState::Draft,
                "return" | "publish" => ReviewState::InReview,
                "discard" => draft.state,
                other => {
                    return Err(Problem::parameter(format!(
                        "do={other} is none of submit, return, publish, discard"
                    )));
                }
            };
            if draft.state != needed {
                let (is, needed) = (draft.state.name(), needed.name());
                return Err(Problem::parameter(format!("the draft is {is}, not {needed}")));
            }
            match what.as_str() {
                "submit" => capture::set_state(edit, &names, address, ReviewState::InReview),
                "return" => capture::set_state(edit, &names, address, ReviewState::Draft),
                "publish" => lifecycle::publish(edit, &names, &caller, address)?,
                _ => capture::discard(edit, &names, &caller, kind, slug)?,
            }
            if matches!(what.as_str(), "submit" | "return") {
                capture::comment(edit, &names, &caller, address, &comment);
            }
        }
        Ok(())
    })
    .await?;
    Ok(())
}

//! `/capture/interview/{slug}/code`: passages are marked with themes and
//! dimensions and linked to lessons. Not for the words of a passage.

use crate::access::{Role, hash};
use crate::capture::interview::{Codes, Interview};
use crate::capture::{self, Basis, Records, ReviewState, Writing, passages};
use crate::commit::Rules;
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::interviews::fields::{choosable, fault};
use crate::http::interviews::sent::Sent;
use crate::http::interviews::{Open, around, is_person, refused, shown};
use crate::http::site::layout;
use crate::http::sparql::{pairs, take};
use crate::http::update::{answer_with, change};
use crate::http::{Shared, State};
use crate::pages::interviews::{Choosable, CodedPassage, CodingPage, Fault, Handover};
use crate::pages::{self, Value, day};
use crate::problem::Kind;
use crate::rdf::vocabulary::INSITES;
use crate::rdf::{NamedNode, Provenance, Term, Visibility};
use axum::extract::{Path, RawQuery, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Most lessons named when one that was typed is not found.
const SUGGESTED: usize = 3;

/// What stands for a state of codes, so that a form can say what it was read
/// from.
fn fingerprint(codes: &Codes) -> String {
    let Codes { themes, dimensions, supports, disputes } = codes;
    let all: Vec<String> =
        [themes, dimensions, supports, disputes].iter().map(|list| list.join(" ")).collect();
    hash(&all.join("|")).chars().take(16).collect()
}

/// What was typed for a passage and could not be taken.
struct Rejected {
    number: u32,
    codes: Codes,
    typed: [String; 2],
    faults: Vec<Fault>,
}

/// GET `/capture/interview/{slug}/code`.
pub(in crate::http) async fn coding_page(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let open = Open::load(&state, &slug)?;
    let mut query = pairs(query.as_deref().unwrap_or_default())?;
    let saved = take(&mut query, "saved").pop().and_then(|number| number.parse().ok());
    let look = take(&mut query, "look").pop().unwrap_or_default();
    let numbers: Vec<&str> = look.split(',').filter(|part| part.parse::<u32>().is_ok()).collect();
    let notice = if numbers.is_empty() {
        String::new()
    } else {
        format!(
            "Other words stand in passages {} now. Their codes were taken over from the words before: look whether they still fit.",
            numbers.join(", ")
        )
    };
    Ok(shown(StatusCode::OK, page(&state, &slug, &open, saved, notice, None)))
}

/// The codes that can be given, as somebody sees them.
struct Book {
    themes: Vec<capture::Choice>,
    dimensions: Vec<capture::Choice>,
}

impl Book {
    fn of(records: &Records<'_>) -> Self {
        Self {
            themes: records.concepts(&records.names.record("scheme", "themes")),
            dimensions: records.instances(&format!("{INSITES}Dimension")),
        }
    }
}

fn iri(choice: &capture::Choice) -> &str {
    match &choice.term {
        Term::NamedNode(node) => node.as_str(),
        _ => "",
    }
}

fn page(
    state: &State,
    slug: &str,
    open: &Open,
    saved: Option<u32>,
    notice: String,
    rejected: Option<&Rejected>,
) -> String {
    let names = &state.config.names;
    let records = Records { graph: &open.seen.graph, names };
    let book = Book::of(&records);
    let ticked = |choices: &[capture::Choice], chosen: &[String]| -> Vec<Choosable> {
        choices
            .iter()
            .map(|choice| choosable(choice, chosen.iter().any(|code| code == iri(choice))))
            .collect()
    };
    let linked = |lessons: &[String]| -> Vec<Choosable> {
        lessons
            .iter()
            .map(|lesson| {
                let term = Term::from(NamedNode::new_unchecked(lesson));
                let choice = records.choice_of(&term);
                Choosable {
                    value: lesson.clone(),
                    text: choice.text,
                    help: String::new(),
                    chosen: true,
                }
            })
            .collect()
    };
    let shown: Vec<CodedPassage> = open
        .interview
        .passages
        .iter()
        .map(|passage| {
            let rejected = rejected.filter(|rejected| rejected.number == passage.number);
            let codes = rejected.map_or(&passage.codes, |rejected| &rejected.codes);
            CodedPassage {
                number: passage.number,
                text: passage.text.clone(),
                question: passages::is_question(&passage.text),
                themes: ticked(&book.themes, &codes.themes),
                dimensions: ticked(&book.dimensions, &codes.dimensions),
                supports: linked(&codes.supports),
                disputes: linked(&codes.disputes),
                was: fingerprint(&passage.codes),
                typed: rejected.map(|rejected| rejected.typed.clone()).unwrap_or_default(),
            }
        })
        .collect();
    let title = open.title(state);
    let heading = format!("Code: {title}");
    let mut layout = layout(state, &heading);
    layout.part = "/capture";
    if rejected.is_some() {
        layout.title = format!("Error: {heading}");
    }
    let mut lessons: Vec<String> = records
        .instances(&format!("{INSITES}Lesson"))
        .into_iter()
        .map(|choice| choice.text)
        .collect();
    lessons.dedup();
    pages::interviews::coding(&CodingPage {
        layout,
        heading,
        action: format!("/capture/interview/{slug}/code"),
        faults: rejected.map(|rejected| rejected.faults.clone()).unwrap_or_default(),
        about: about(open),
        compared: {
            let slugged = names.record("interview", slug);
            let triples = capture::published(&open.seen.graph, names, &slugged);
            let published = Interview::read(names, slug, &triples);
            let is_published = open.draft.is_some() && !triples.is_empty();
            compared(is_published.then_some(&published), &open.interview)
        },
        edit: format!("/capture/interview/{slug}"),
        passages: shown,
        lessons,
        saved,
        notice,
        handover: handover(state, slug, open),
    })
}

/// What a coder must know of an interview.
fn about(open: &Open) -> Vec<(String, Vec<Value>)> {
    let Interview { consent, audience, kept, .. } = &open.interview;
    let state = open.draft.as_ref().map_or("Published", |draft| match draft.state {
        ReviewState::Draft => "Draft",
        ReviewState::InReview => "In review",
    });
    let who = match audience {
        Visibility::Public => "Everyone",
        Visibility::Members => "Members",
        Visibility::Curators => "Curators",
    };
    let consent = consent
        .as_ref()
        .map(|consent| Value::text(&format!("{} ({})", consent.scope, day(&consent.date))));
    let mut rows = vec![
        ("State".to_owned(), vec![Value::text(state)]),
        ("Who will see it".to_owned(), vec![Value::text(who)]),
        ("Consent".to_owned(), consent.into_iter().collect()),
    ];
    let comments: Vec<Value> = open
        .draft
        .iter()
        .flat_map(|draft| &draft.comments)
        .map(|said| {
            let day = day(said.time.get(..10).unwrap_or_default());
            Value::text(&format!("{} ({}, {day})", said.text, said.author))
        })
        .collect();
    rows.push(("Comments".to_owned(), comments));
    let kept = kept.iter().map(|(words, why)| Value::text(&format!("“{words}”: {why}")));
    rows.push(("Looks like personal data and is none".to_owned(), kept.collect()));
    rows
}

/// What a draft changes of what is published; empty if nothing is.
fn compared(published: Option<&Interview>, draft: &Interview) -> String {
    let Some(published) = published else { return String::new() };
    let of = |interview: &Interview, number: u32| {
        interview.passages.iter().find(|p| p.number == number).map(|p| p.codes.clone())
    };
    let listed = |numbers: Vec<String>, what: &str| {
        (!numbers.is_empty()).then(|| format!("{what}: {}", numbers.join(", ")))
    };
    let (mut new, mut other) = (Vec::new(), Vec::new());
    for passage in &draft.passages {
        match of(published, passage.number) {
            None => new.push(passage.number.to_string()),
            Some(codes) if codes != passage.codes => other.push(passage.number.to_string()),
            Some(_) => {}
        }
    }
    let gone = published.passages.iter().filter(|p| of(draft, p.number).is_none());
    let gone = gone.map(|passage| passage.number.to_string()).collect();
    let mut parts: Vec<String> =
        [listed(new, "new passages"), listed(other, "with other codes"), listed(gone, "gone")]
            .into_iter()
            .flatten()
            .collect();
    if published.audience != draft.audience {
        parts.push(format!("audience {} before", published.audience.name().to_lowercase()));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("Compared with what is published: {}.", parts.join("; "))
}

/// What the caller may do with the draft.
fn handover(state: &State, slug: &str, open: &Open) -> Option<Handover> {
    let draft = open.draft.as_ref()?;
    let curator = state.caller.role >= Role::Curator;
    let own = draft.authors.contains(&state.caller.name);
    let mut actions = Vec::new();
    let mut note = String::new();
    match draft.state {
        ReviewState::Draft => actions.push(("submit", "Submit for review")),
        ReviewState::InReview if curator => {
            if own {
                "Somebody else must publish it, since you wrote in it.".clone_into(&mut note);
            } else {
                actions.push(("publish", "Publish"));
            }
            actions.push(("return", "Give back"));
        }
        ReviewState::InReview => "It is with the curators.".clone_into(&mut note),
    }
    if draft.state == ReviewState::Draft || curator {
        actions.push(("discard", "Throw the draft away"));
    }
    let actions =
        actions.into_iter().map(|(action, text)| (action.to_owned(), text.to_owned())).collect();
    Some(Handover { action: format!("/capture/draft/interview/{slug}"), actions, note })
}

/// The identifiers of codes that were sent by value or identifier.
fn taken(
    choices: &[capture::Choice],
    sent: Vec<String>,
    what: &str,
) -> Result<Vec<String>, Problem> {
    sent.into_iter()
        .map(|value| {
            let found = choices.iter().find(|choice| choice.value == value || iri(choice) == value);
            found
                .map(|choice| iri(choice).to_owned())
                .ok_or_else(|| Problem::parameter(format!("there is no {what} {value}")))
        })
        .collect()
}

/// POST `/capture/interview/{slug}/code`: the codes of one passage.
pub(in crate::http) async fn code_passage(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    state.needs(Role::Contributor)?;
    let mut sent = Sent::read(request).await?;
    check_form(&state, &mut sent.fields)?;
    let open = Open::load(&state, &slug)?;
    let number: u32 = sent
        .field("passage")
        .parse()
        .map_err(|_| Problem::parameter("passage is needed: the number of one"))?;
    let missing = || Problem::parameter(format!("the interview has no passage {number}"));
    let passage =
        open.interview.passages.iter().find(|p| p.number == number).ok_or_else(missing)?;
    if passages::is_question(&passage.text) {
        return Err(Problem::parameter(
            "a question is nothing that the person said, and is not coded",
        ));
    }
    let records = Records { graph: &open.seen.graph, names: &state.config.names };
    let book = Book::of(&records);
    let mut codes = Codes {
        themes: taken(&book.themes, sent.all("theme"), "theme")?,
        dimensions: taken(&book.dimensions, sent.all("dimension"), "dimension")?,
        ..Codes::default()
    };
    let mut faults = Vec::new();
    let mut typed: [String; 2] = Default::default();
    let lists = [&mut codes.supports, &mut codes.disputes];
    for (place, (list, name)) in lists.into_iter().zip(["supports", "disputes"]).enumerate() {
        let given = sent.all(name);
        let added = sent.all(&format!("add-{name}"));
        for text in given.into_iter().chain(added) {
            match records.find(&format!("{INSITES}Lesson"), &text) {
                Ok(lesson) => list.push(lesson.into_string()),
                Err(near) => {
                    faults.push(fault(&format!("p{number}-{name}"), not_found(&text, &near)));
                    typed[place] = text;
                }
            }
        }
    }
    let codes = codes.sorted();
    let both = codes.supports.iter().find(|lesson| codes.disputes.contains(lesson));
    if let Some(lesson) = both {
        let text = records.choice_of(&NamedNode::new_unchecked(lesson).into()).text;
        let message = format!("A passage cannot both support and contradict “{text}”");
        faults.push(fault(&format!("p{number}-disputes"), message));
    }
    let person = !sent.json && is_person(&headers);
    if !faults.is_empty() {
        if person {
            let rejected = Rejected { number, codes, typed, faults };
            let page = page(&state, &slug, &open, None, String::new(), Some(&rejected));
            return Ok(shown(StatusCode::BAD_REQUEST, page));
        }
        let all: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        return Err(Problem::parameter(all.join("; ")));
    }
    let was = sent.field("was");
    let committed = write(&state, &slug, &open, number, codes, was).await?;
    if person {
        let location = format!("/capture/interview/{slug}/code?saved={number}#p{number}");
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response());
    }
    Ok(answer_with(&committed, |body| body["passage"] = number.into()))
}

fn not_found(text: &str, near: &[capture::Choice]) -> String {
    let begin = format!("No lesson is called “{text}”");
    let near: Vec<String> =
        near.iter().take(SUGGESTED).map(|choice| format!("“{}”", choice.text)).collect();
    if near.is_empty() { begin } else { format!("{begin}. Did you mean {}?", near.join(" or ")) }
}

async fn write(
    state: &State,
    slug: &str,
    open: &Open,
    number: u32,
    codes: Codes,
    was: String,
) -> Result<crate::commit::Committed, Problem> {
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: format!("passage {number} coded"),
        source: "coding page".to_owned(),
    };
    let (names, caller, slug) = (state.config.names.clone(), state.caller.clone(), slug.to_owned());
    let around = around(state, &open.seen, &open.interview);
    let (published, site) = (open.interview.clone(), open.interview.site.clone());
    change(state, provenance, Rules::Refuse, move |edit| {
        // Somebody may have coded another passage meanwhile: that stays.
        let draft = capture::read(&edit.state(), &names, &caller, "interview", &slug);
        let (mut interview, basis) = match &draft {
            Some(draft) => {
                (Interview::read(&names, &slug, &draft.triples), Basis::Draft(draft.revision))
            }
            None => (published, Basis::Published),
        };
        let changed = || {
            Problem::new(
                Kind::PreconditionFailed,
                format!("passage {number} was changed meanwhile"),
            )
            .with_hint("load the page again and code it anew")
        };
        let passage =
            interview.passages.iter_mut().find(|p| p.number == number).ok_or_else(changed)?;
        if !was.is_empty() && was != fingerprint(&passage.codes) {
            return Err(changed());
        }
        passage.codes = codes;
        let writing = Writing {
            kind: "interview".to_owned(),
            triples: interview.triples(&names, &slug, &around),
            slug,
            site,
            basis,
            visible_to: Visibility::Curators,
        };
        capture::write(edit, &names, &caller, &writing).map_err(refused)
    })
    .await
}

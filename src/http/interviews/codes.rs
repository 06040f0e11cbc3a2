//! `/capture/codes`: the code book, which is the scheme of themes. Curators
//! add codes and change them. Not for the ontology's other lists.

use crate::access::Role;
use crate::capture::{self, Choice, Records};
use crate::commit::{Edit, Rules, Snapshot};
use crate::graph::GraphPattern;
use crate::http::error::Problem;
use crate::http::identity::check_form;
use crate::http::interviews::fields::fault;
use crate::http::interviews::sent::Sent;
use crate::http::interviews::{is_person, shown};
use crate::http::record_page::facts::Facts;
use crate::http::site::{html, layout};
use crate::http::update::{answer_with, change};
use crate::http::{Shared, State};
use crate::pages;
use crate::pages::interviews::{Choosable, Code, CodeForm, CodesPage, Fault};
use crate::rdf::vocabulary::{DCTERMS, INSITES, SKOS, TYPE};
use crate::rdf::{Literal, NamedNode, Names, Provenance, Quad, Term};
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest label (characters).
const LONGEST_LABEL: usize = 80;
/// Longest definition (characters).
const LONGEST_DEFINITION: usize = 1_000;

fn skos(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{SKOS}{name}"))
}

fn scheme(names: &Names) -> String {
    names.record("scheme", "themes")
}

fn iri(choice: &Choice) -> String {
    match &choice.term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        _ => String::new(),
    }
}

/// The codes as somebody sees them.
struct Book<'a> {
    facts: Facts<'a>,
    codes: Vec<Choice>,
}

impl<'a> Book<'a> {
    fn of(snapshot: &'a Snapshot, names: &'a Names) -> Self {
        let codes = Records { graph: &snapshot.graph, names }.concepts(&scheme(names));
        Self { facts: Facts { snapshot, names }, codes }
    }

    /// The wider code of a code, if that is in the book.
    fn broader(&self, code: &str) -> Option<String> {
        let graph = &self.facts.snapshot.graph;
        let found = self.facts.objects(graph.iri_id(code)?, "skos:broader");
        let found = found.into_iter().filter_map(|id| graph.text(id));
        found.into_iter().find(|wider| self.codes.iter().any(|code| iri(code) == *wider))
    }

    /// Whether a code stands, however deep, under another one.
    fn is_under(&self, code: &str, other: &str) -> bool {
        let mut seen = HashSet::new();
        let mut at = Some(code.to_owned());
        while let Some(code) = at {
            if code == other {
                return true;
            }
            at = seen.insert(code.clone()).then(|| self.broader(&code)).flatten();
        }
        false
    }

    /// Codes with their depth, each after the one it stands under.
    fn in_order(&self) -> Vec<(&Choice, usize)> {
        let mut under: BTreeMap<Option<String>, Vec<&Choice>> = BTreeMap::new();
        for code in &self.codes {
            under.entry(self.broader(&iri(code))).or_default().push(code);
        }
        let mut ordered = Vec::new();
        let mut waiting: Vec<(&Choice, usize)> =
            under.get(&None).into_iter().flatten().rev().map(|code| (*code, 0)).collect();
        while let Some((code, depth)) = waiting.pop() {
            ordered.push((code, depth));
            let below = under.get(&Some(iri(code))).into_iter().flatten().rev();
            waiting.extend(below.map(|code| (*code, depth + 1)));
        }
        ordered
    }

    /// Passages and other evidence that have a code.
    fn evidence(&self, code: &str) -> usize {
        let graph = &self.facts.snapshot.graph;
        let Some(id) = graph.iri_id(code) else { return 0 };
        let mut found = self.facts.subjects("dct:subject", id);
        found.retain(|id| self.facts.is_a(*id, "insites:Evidence"));
        found.sort_unstable();
        found.dedup();
        found.len()
    }

    fn choosable(&self, chosen: Option<&str>, without: Option<&str>) -> Vec<Choosable> {
        let possible = self
            .codes
            .iter()
            .filter(|code| without.is_none_or(|own| !self.is_under(&iri(code), own)));
        possible
            .map(|code| Choosable {
                value: code.value.clone(),
                text: code.text.clone(),
                help: String::new(),
                chosen: chosen == Some(iri(code).as_str()) || chosen == Some(code.value.as_str()),
            })
            .collect()
    }
}

/// The fields of a code.
#[derive(Debug, Clone, Default)]
struct Fields {
    label: String,
    definition: String,
    broader: String,
}

impl Fields {
    fn of(sent: &mut Sent) -> Self {
        Self {
            label: sent.field("label").split_whitespace().collect::<Vec<_>>().join(" "),
            definition: sent.field("definition"),
            broader: sent.field("broader"),
        }
    }

    /// The wider code, or what is wrong.
    fn judge(&self, book: &Book<'_>, own: Option<&str>) -> Result<Option<String>, Vec<Fault>> {
        let mut faults = Vec::new();
        let same = book.codes.iter().find(|code| {
            code.text.to_lowercase() == self.label.to_lowercase() && own != Some(iri(code).as_str())
        });
        if self.label.is_empty() || self.label.chars().count() > LONGEST_LABEL {
            faults.push(fault(
                "label",
                format!("Enter a label of at most {LONGEST_LABEL} characters"),
            ));
        } else if let Some(same) = same {
            faults.push(fault("label", format!("There is a code “{}” already", same.text)));
        }
        if self.definition.is_empty() || self.definition.chars().count() > LONGEST_DEFINITION {
            faults.push(fault(
                "definition",
                format!("Say what the code means, in at most {LONGEST_DEFINITION} characters"),
            ));
        }
        let broader = book
            .codes
            .iter()
            .find(|code| code.value == self.broader || iri(code) == self.broader)
            .map(iri);
        if !self.broader.is_empty() && broader.is_none() {
            faults.push(fault("broader", "Choose a code of the book"));
        }
        if let (Some(own), Some(wider)) = (own, &broader)
            && book.is_under(wider, own)
        {
            faults.push(fault("broader", "A code cannot stand under itself"));
        }
        if faults.is_empty() { Ok(broader) } else { Err(faults) }
    }
}

fn book_page(state: &State, fields: &Fields, faults: Vec<Fault>) -> Result<String, Problem> {
    let snapshot = state.snapshot()?;
    let book = Book::of(&snapshot, &state.config.names);
    let curator = state.caller.role >= Role::Curator;
    let codes = book
        .in_order()
        .into_iter()
        .map(|(code, depth)| Code {
            link: pages::Link::new(&code.text, &book.facts.url(&iri(code))),
            definition: code.help.clone(),
            depth,
            evidence: book.evidence(&iri(code)),
            edit: curator.then(|| format!("/capture/codes/{}", code.value)),
        })
        .collect();
    let form = curator.then(|| CodeForm {
        action: "/capture/codes".to_owned(),
        label: fields.label.clone(),
        definition: fields.definition.clone(),
        broader: book.choosable(Some(&fields.broader), None),
        button: "Add the code".to_owned(),
    });
    let mut layout = layout(state, "Code book");
    layout.part = "/capture";
    if !faults.is_empty() {
        "Error: Code book".clone_into(&mut layout.title);
    }
    let heading = "Code book".to_owned();
    Ok(pages::interviews::codes(&CodesPage { layout, heading, faults, codes, form }))
}

/// GET `/capture/codes`.
pub(in crate::http) async fn codes_page(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(html(book_page(&state, &Fields::default(), Vec::new())?))
}

/// POST `/capture/codes`: a new code.
pub(in crate::http) async fn add_code(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    save(&state, None, &headers, request).await
}

/// GET `/capture/codes/{slug}`: the form of one code.
pub(in crate::http) async fn code_page(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    state.needs(Role::Curator)?;
    let snapshot = state.snapshot()?;
    let book = Book::of(&snapshot, &state.config.names);
    let code = known(&book, &slug)?;
    let fields = Fields {
        label: code.text.clone(),
        definition: code.help.clone(),
        broader: book.broader(&iri(code)).unwrap_or_default(),
    };
    Ok(shown(StatusCode::OK, one_page(&state, &book, code, &fields, Vec::new())))
}

/// POST `/capture/codes/{slug}`: a code with another label, definition or place.
pub(in crate::http) async fn change_code(
    Shared(state): Shared<State>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    save(&state, Some(slug), &headers, request).await
}

fn known<'a>(book: &'a Book<'_>, slug: &str) -> Result<&'a Choice, Problem> {
    let missing = || Problem::not_found(format!("the code book has no code {slug}"));
    book.codes.iter().find(|code| code.value == slug).ok_or_else(missing)
}

fn one_page(
    state: &State,
    book: &Book<'_>,
    code: &Choice,
    fields: &Fields,
    faults: Vec<Fault>,
) -> String {
    let heading = format!("Change the code “{}”", code.text);
    let mut layout = layout(state, &heading);
    layout.part = "/capture";
    if !faults.is_empty() {
        layout.title = format!("Error: {heading}");
    }
    pages::interviews::code_page(&CodesPage {
        layout,
        heading,
        faults,
        codes: Vec::new(),
        form: Some(CodeForm {
            action: format!("/capture/codes/{}", code.value),
            label: fields.label.clone(),
            definition: fields.definition.clone(),
            broader: book.choosable(Some(&fields.broader), Some(&iri(code))),
            button: "Save the code".to_owned(),
        }),
    })
}

async fn save(
    state: &State,
    slug: Option<String>,
    headers: &HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    state.needs(Role::Curator)?;
    let mut sent = Sent::read(request).await?;
    check_form(state, &mut sent.fields)?;
    let person = !sent.json && is_person(headers);
    let fields = Fields::of(&mut sent);
    let names = state.config.names.clone();
    let own = {
        let snapshot = state.snapshot()?;
        let book = Book::of(&snapshot, &names);
        let code = slug.as_deref().map(|slug| known(&book, slug)).transpose()?;
        let own = code.map(iri);
        if let Err(faults) = fields.judge(&book, own.as_deref()) {
            if !person {
                let all: Vec<String> = faults
                    .iter()
                    .map(|fault| format!("{}: {}", fault.field, fault.message))
                    .collect();
                return Err(Problem::parameter(all.join("; ")));
            }
            let page = match code {
                Some(code) => one_page(state, &book, code, &fields, faults),
                None => book_page(state, &fields, faults)?,
            };
            return Ok(shown(StatusCode::BAD_REQUEST, page));
        }
        own
    };
    let new = own.is_none();
    let provenance = Provenance {
        author: state.caller.name.clone(),
        reason: format!("code “{}” {}", fields.label, if new { "added" } else { "changed" }),
        source: "code book".to_owned(),
    };
    let made: Arc<Mutex<String>> = Arc::default();
    let slot = Arc::clone(&made);
    let committed = change(state, provenance, Rules::Refuse, move |edit| {
        let code = own.unwrap_or_else(|| {
            let slug = capture::unused_slug(&edit.state(), &names, "theme", &fields.label);
            names.record("theme", &slug)
        });
        slot.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&code);
        put(edit, &names, &code, &fields);
        Ok(())
    })
    .await?;
    let code = made.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let url = code.rsplit('/').next().map(|slug| format!("/theme/{slug}")).unwrap_or_default();
    if person {
        let location = [(header::LOCATION, "/capture/codes".to_owned())];
        return Ok((StatusCode::SEE_OTHER, location).into_response());
    }
    let mut response = answer_with(&committed, |body| {
        body["id"] = code.as_str().into();
        body["url"] = url.as_str().into();
    });
    if new {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(url) = HeaderValue::from_str(&url) {
            response.headers_mut().insert(header::LOCATION, url);
        }
    }
    Ok(response)
}

/// Writes a code: into the graph where it stands, or where records stand.
fn put(edit: &mut Edit, names: &Names, code: &str, fields: &Fields) {
    let graph = edit.state();
    let subject = NamedNode::new_unchecked(code);
    let mut place = names.graph("records");
    let broader = {
        let found = Records { graph: &graph, names }.concepts(&scheme(names));
        let mut wider =
            found.iter().filter(|c| c.value == fields.broader || iri(c) == fields.broader);
        wider.next().map(iri)
    };
    if let (Some(id), Some(type_)) = (graph.iri_id(code), graph.iri_id(TYPE)) {
        let is = graph.quads().matching(Some(id), Some(type_), None, GraphPattern::Any).next();
        if let Some(name) = is.and_then(|quad| graph.text(quad[3])) {
            place = NamedNode::new_unchecked(name);
        }
        for name in ["prefLabel", "definition", "broader", "topConceptOf"] {
            let Some(property) = graph.iri_id(skos(name).as_str()) else { continue };
            for quad in graph.quads().matching(Some(id), Some(property), None, GraphPattern::Any) {
                edit.remove_ids(quad);
            }
        }
    }
    let english =
        |text: &str| Term::from(Literal::new_language_tagged_literal_unchecked(text, "en"));
    let node = |iri: &str| Term::from(NamedNode::new_unchecked(iri));
    let mut say = |property: NamedNode, object: Term| {
        edit.add(&Quad::new(subject.clone(), property, object, place.clone()));
    };
    say(NamedNode::new_unchecked(TYPE), skos("Concept").into());
    say(NamedNode::new_unchecked(TYPE), node(&format!("{INSITES}Theme")));
    say(skos("prefLabel"), english(&fields.label));
    say(skos("definition"), english(&fields.definition));
    say(skos("inScheme"), node(&scheme(names)));
    match broader {
        Some(wider) => say(skos("broader"), node(&wider)),
        None => say(skos("topConceptOf"), node(&scheme(names))),
    }
    let source = NamedNode::new_unchecked(format!("{DCTERMS}source"));
    let known = graph.iri_id(code).is_some_and(|id| !graph.objects(id, source.as_str()).is_empty());
    if !known {
        say(source, node(&format!("{}ontology", names.base())));
    }
}

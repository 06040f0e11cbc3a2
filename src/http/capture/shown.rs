//! Forms and values as pages show them, and how what was posted becomes a
//! draft. Shared by all routes where people write.

use crate::access::Role;
use crate::capture::{
    self, Basis, Control, Draft, Fault, Field, Form, Group, Records, Refused, ReviewState, Values,
    Writing,
};
use crate::commit::{Rules, Snapshot};
use crate::http::State;
use crate::http::error::Problem;
use crate::http::update::change;
use crate::pages::{DraftPart, FormControl, FormField, FormGroup, Link, Value, day};
use crate::rdf::{Names, Provenance, Revision, Triple, Visibility};
use crate::search::label;
use std::sync::{Arc, Mutex, PoisonError};

/// What writing needs: the state as the caller sees it, and as a whole. The
/// whole is for finding drafts alone, which `capture` does by who asks.
pub(super) struct Place {
    pub(super) names: Names,
    pub(super) seen: Arc<Snapshot>,
    pub(super) whole: Arc<Snapshot>,
}

impl Place {
    /// Refused to those who may not write.
    pub(super) fn of(state: &State) -> Result<Self, Problem> {
        state.needs(Role::Contributor)?;
        let app = state.app()?;
        Ok(Self {
            names: app.config.names.clone(),
            seen: state.snapshot()?,
            whole: app.reader.snapshot(),
        })
    }

    pub(super) fn records(&self) -> Records<'_> {
        Records { graph: &self.seen.graph, names: &self.names }
    }

    pub(super) fn label(&self, iri: &str) -> String {
        self.seen.graph.iri_id(iri).map(|id| label(&self.seen.graph, id)).unwrap_or_default()
    }

    /// The draft at an address, if the caller may see it.
    pub(super) fn draft(&self, state: &State, kind: &str, slug: &str) -> Option<Draft> {
        capture::read(&self.whole.graph, &self.names, &state.caller, kind, slug)
    }

    /// The organisation that the caller writes for: their own, or for those
    /// who have none the one they name.
    pub(super) fn site(&self, state: &State, given: &str) -> Result<String, Problem> {
        let class = crate::http::record_page::facts::iri("insites:Organisation");
        let found = (!given.is_empty())
            .then(|| self.records().find(&class, given).map(crate::rdf::NamedNode::into_string));
        let own = capture::site_of(&self.names, &state.caller);
        if state.caller.role == Role::Contributor {
            let own = own.ok_or_else(|| Problem::from(Refused::Site))?;
            return match found {
                None => Ok(own),
                Some(Ok(given)) if given == own => Ok(own),
                Some(_) => Err(Refused::Site.into()),
            };
        }
        match (found, own) {
            (Some(Ok(site)), _) | (None, Some(site)) => Ok(site),
            (Some(Err(near)), _) => {
                let names: Vec<String> = near.into_iter().map(|one| one.text).collect();
                let problem = Problem::parameter(format!(
                    "site={given} is no organisation that is known here"
                ));
                Err(if names.is_empty() {
                    problem
                } else {
                    problem.with_hint(format!("is it one of these: {}?", names.join(", ")))
                })
            }
            (None, None) => Err(Problem::parameter("site is needed: the organisation it is for")
                .with_hint("give its name, or the last part of its address")),
        }
    }
}

/// A draft that is to be saved.
pub(super) struct Saving {
    pub(super) kind: &'static str,
    /// What a new address is made from.
    pub(super) title: String,
    /// The address, if there is one.
    pub(super) slug: Option<String>,
    pub(super) site: String,
    pub(super) basis: Basis,
    /// Makes what it says, given its identifier.
    #[expect(clippy::type_complexity, reason = "one function with one use")]
    pub(super) make: Box<dyn FnOnce(&str) -> Vec<Triple> + Send>,
}

/// What was saved.
#[derive(Debug, Clone)]
pub(super) struct Saved {
    /// The addresses, in the order of what was to be saved.
    pub(super) slugs: Vec<String>,
    pub(super) revision: Revision,
}

/// Saves drafts in one change: all or none.
pub(super) async fn save(
    state: &State,
    source: &str,
    wanted: Vec<Saving>,
) -> Result<Saved, Problem> {
    let names = state.app()?.config.names.clone();
    let caller = state.caller.clone();
    let provenance = Provenance {
        author: caller.name.clone(),
        reason: "draft saved".to_owned(),
        source: source.to_owned(),
    };
    let slugs: Arc<Mutex<Vec<String>>> = Arc::default();
    let out = Arc::clone(&slugs);
    let committed = change(state, provenance, Rules::Refuse, move |edit| {
        for one in wanted {
            let slug = one.slug.unwrap_or_else(|| {
                capture::unused_slug(&edit.state(), &names, one.kind, &one.title)
            });
            let triples = (one.make)(&names.record(one.kind, &slug));
            let writing = Writing {
                kind: one.kind.to_owned(),
                slug: slug.clone(),
                site: one.site,
                basis: one.basis,
                triples,
                visible_to: Visibility::Curators,
            };
            capture::write(edit, &names, &caller, &writing)?;
            out.lock().unwrap_or_else(PoisonError::into_inner).push(slug);
        }
        Ok(())
    })
    .await?;
    let slugs = slugs.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Saved { slugs, revision: committed.revision })
}

/// What stops a draft from being published: in its form, and by the shapes.
pub(super) fn all_faults(
    place: &Place,
    form: &Form,
    draft: &Draft,
    mut known: Vec<Fault>,
) -> Vec<Fault> {
    let report = capture::judge(&place.whole.graph, &place.names, draft);
    let more = capture::faults(form, &report, &draft.record, &known);
    known.extend(more);
    known
}

/// The groups of a form as a page shows them. `adding` names what one more is
/// wanted of.
pub(super) fn groups(
    form: &Form,
    values: &Values,
    faults: &[Fault],
    adding: Option<&str>,
) -> Vec<FormGroup> {
    form.groups.iter().map(|group| group_of(group, values, faults, adding)).collect()
}

fn group_of(group: &Group, values: &Values, faults: &[Fault], adding: Option<&str>) -> FormGroup {
    let mut shown = FormGroup {
        id: format!("group-{}", group.slug),
        heading: group.heading.clone(),
        lead: group.lead.clone(),
        ..FormGroup::default()
    };
    let Some(repeat) = &group.repeat else {
        shown.fields = group
            .fields
            .iter()
            .map(|field| field_of(field, field.name.clone(), values, faults, adding))
            .collect();
        return shown;
    };
    let mut numbers = values.parts(group);
    if adding == Some(group.slug.as_str()) {
        numbers.push(numbers.last().map_or(1, |last| last + 1));
    }
    shown.more = Some((
        format!("Add {} {}", if numbers.is_empty() { "a" } else { "another" }, repeat.noun),
        group.slug.clone(),
    ));
    shown.parts = numbers
        .into_iter()
        .map(|number| {
            let fields = group
                .fields
                .iter()
                .map(|field| field_of(field, group.name_in(number, field), values, faults, adding));
            (format!("{} {number}", group.heading.trim_end_matches('s')), fields.collect())
        })
        .collect();
    shown
}

fn field_of(
    field: &Field,
    name: String,
    values: &Values,
    faults: &[Fault],
    adding: Option<&str>,
) -> FormField {
    let error = faults.iter().find(|fault| fault.field == name).map(|fault| {
        let meant: Vec<&str> = fault.meant.iter().take(5).map(|one| one.text.as_str()).collect();
        let message = shorter(&fault.message, &field.label);
        match field.control {
            Control::Record { .. } if !meant.is_empty() => {
                format!("{message}. Is it one of these: {}?", meant.join("; "))
            }
            _ => message,
        }
    });
    let options = |choices: &[capture::Choice]| -> Vec<(String, String, String)> {
        let one = |one: &capture::Choice| (one.value.clone(), one.text.clone(), one.help.clone());
        choices.iter().map(one).collect()
    };
    let control = match &field.control {
        Control::Line | Control::Address => FormControl::Line,
        Control::NumberOrText | Control::Date { .. } => FormControl::Short,
        Control::Number { .. } => FormControl::Number,
        Control::Text => FormControl::Text,
        Control::Choice(choices) if field.multiple => FormControl::Any(options(choices)),
        Control::Choice(choices) | Control::Scale(choices) => FormControl::One(options(choices)),
        Control::Record { options, .. } => {
            FormControl::Record(options.iter().map(|one| one.text.clone()).collect())
        }
    };
    let repeats = field.multiple && !matches!(control, FormControl::Any(_));
    let mut shown = values.all(&name).to_vec();
    if repeats && adding == Some(name.as_str()) {
        shown.push(String::new());
    }
    let hint = match (&field.control, field.help.is_empty()) {
        (Control::Date { partial: false }, true) => "Like 2026-03-27.".to_owned(),
        _ => field.help.clone(),
    };
    FormField {
        label: field.label.clone(),
        hint,
        error: error.unwrap_or_default(),
        optional: !field.required,
        control,
        values: shown,
        more: repeats.then(|| name.clone()),
        only_if: field
            .only_if
            .as_ref()
            .map(|only| (only.field.clone(), only.values.join(" "), only.text.clone())),
        unit: field.unit.clone(),
        name,
    }
}

/// A message without the question that it stands below.
pub(super) fn shorter(message: &str, label: &str) -> String {
    let rest = message.strip_prefix(&format!("“{label}”")).unwrap_or(message);
    let rest = rest.trim_start_matches([':', ' ']);
    let mut letters = rest.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Faults as an error summary lists them.
pub(super) fn summary(faults: &[Fault]) -> Vec<(String, String)> {
    faults.iter().map(|fault| (fault.field.clone(), fault.message.clone())).collect()
}

/// What a form says, for reading: headings, names and values.
pub(super) fn read_only(form: &Form, values: &Values, records: &Records<'_>) -> Vec<DraftPart> {
    let mut shown = Vec::new();
    for group in &form.groups {
        let row = |field: &Field, name: &str| {
            let texts = values.all(name);
            let values = texts.iter().map(|text| value_of(field, text, records)).collect();
            (field.label.clone(), values)
        };
        if group.repeat.is_none() {
            let rows = group.fields.iter().map(|field| row(field, &field.name)).collect();
            let heading = group.heading.clone();
            shown.push(DraftPart { heading, change: None, rows });
            continue;
        }
        for number in values.parts(group) {
            let rows = group
                .fields
                .iter()
                .map(|field| row(field, &group.name_in(number, field)))
                .collect();
            let heading = format!("{} {number}", group.heading.trim_end_matches('s'));
            shown.push(DraftPart { heading, change: None, rows });
        }
    }
    shown
}

fn value_of(field: &Field, text: &str, records: &Records<'_>) -> Value {
    if let Control::Record { class, .. } = &field.control
        && let Ok(record) = records.find(class.as_str(), text)
        && let Some((kind, slug)) = records.names.kind_and_slug(record.as_str())
    {
        return Value::Link(Link::new(text, &format!("/{kind}/{slug}")));
    }
    if matches!(field.control, Control::Date { .. }) {
        return Value::text(&day(text));
    }
    let chosen = field.choices().iter().find(|choice| choice.value == text);
    let text = chosen.map_or(text, |choice| &choice.text);
    if field.unit.is_empty() {
        Value::text(text)
    } else {
        Value::text(&format!("{text} {}", field.unit))
    }
}

/// How far a draft has come, for people.
pub(super) fn state_name(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Draft => "Draft",
        ReviewState::InReview => "In review",
    }
}

/// The revision in a form; 400 if it is none.
pub(super) fn revision(text: &str) -> Result<Option<Revision>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || Problem::parameter(format!("revision={text} is no revision"));
    text.parse().map(Some).map_err(|_| wrong())
}

//! What the service adds to what people fill in: status, place, titles of
//! parts; and whether a draft could be published. Not for forms.

use crate::capture::draft::{Draft, published_quads};
use crate::capture::fields::Form;
use crate::capture::form::{Forms, Records};
use crate::capture::questions::{Part, Questionnaire};
use crate::capture::values::{Fault, Values, title_in, to_triples};
use crate::commit::Gate;
use crate::graph::Snapshot;
use crate::rdf::vocabulary::{DCTERMS, INSITES, TYPE};
use crate::rdf::{Literal, NamedNode, NamedOrBlankNode, Names, Term, Triple};
use crate::search::{label, status};
use crate::shapes::Report;
use std::collections::HashSet;

/// The form that asks for a case study.
#[must_use]
pub fn case_study_form(records: &Records<'_>) -> Form {
    let forms = Forms::built_in();
    let mut form = forms.form("CaseStudy", "case-study", "Case study", records);
    for group in &mut form.groups {
        group.fields.retain(|field| field.name != "at-site");
    }
    form.groups.retain(|group| !group.fields.is_empty());
    let mut figures = forms.repeated(
        (
            "figure",
            "Figures",
            "Only if there are any. Say of each how it is known and who says so: a forecast is not a measurement.",
        ),
        ("hasResult", "ofCaseStudy"),
        ("Result", "result"),
        records,
    );
    let asked = ["title", "value", "unit", "period", "result-kind", "claimed-by"];
    figures.fields.retain(|field| asked.contains(&field.name.as_str()));
    for field in &mut figures.fields {
        field.multiple = false;
    }
    if let Some(repeat) = &mut figures.repeat {
        "figure".clone_into(&mut repeat.noun);
    }
    let place = form.groups.iter().position(|group| group.slug == "partners-and-themes");
    form.groups.insert(place.unwrap_or(form.groups.len()), figures);
    form
}

fn insites(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{INSITES}{name}"))
}

fn dcterms(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{DCTERMS}{name}"))
}

struct Adding<'a> {
    triples: &'a mut Vec<Triple>,
    records: &'a Records<'a>,
    site: &'a str,
}

impl Adding<'_> {
    fn say(&mut self, subject: &str, property: NamedNode, value: impl Into<Term>) {
        let subject = NamedNode::new_unchecked(subject);
        self.triples.push(Triple::new(subject, property, value));
    }

    fn has(&self, subject: &str, property: &NamedNode) -> bool {
        self.triples.iter().any(|triple| {
            triple.predicate == *property
                && matches!(&triple.subject, NamedOrBlankNode::NamedNode(node) if node.as_str() == subject)
        })
    }

    fn site_is_site(&self) -> bool {
        let graph = self.records.graph;
        let (id, class) = (graph.iri_id(self.site), graph.iri_id(insites("Site").as_str()));
        id.zip(class).is_some_and(|(id, class)| graph.objects(id, TYPE).contains(&class))
    }

    fn site_status(&self) -> String {
        let graph = self.records.graph;
        graph.iri_id(self.site).map(|id| status(graph, id)).unwrap_or_default()
    }

    /// How far the record can be relied on: what an invented site says is
    /// invented, and without a source nothing is sourced.
    fn status(&self, record: &str) -> &'static str {
        if self.site_status() == "Illustrative" {
            "Illustrative"
        } else if self.has(record, &dcterms("source")) && self.has(record, &dcterms("date")) {
            "Sourced"
        } else {
            "Unverified"
        }
    }
}

/// What a case study says, with all that need not be asked, and what is wrong.
#[must_use]
pub fn case_study(
    form: &Form,
    values: &Values,
    record: &str,
    site: &str,
    records: &Records<'_>,
) -> (Vec<Triple>, Vec<Fault>) {
    let (mut triples, faults) = to_triples(form, values, record, records);
    let mut adding = Adding { triples: &mut triples, records, site };
    let site_node = NamedNode::new_unchecked(site);
    if !adding.has(record, &insites("atOrganisation")) {
        adding.say(record, insites("atOrganisation"), site_node.clone());
    }
    if adding.site_is_site() {
        adding.say(record, insites("atSite"), site_node);
    }
    let status = adding.status(record);
    adding.say(record, insites("status"), insites(status));
    let has_part = insites("hasResult");
    let shared: Vec<(NamedNode, Term)> = adding
        .triples
        .iter()
        .filter(|triple| {
            triple.predicate == dcterms("source") || triple.predicate == dcterms("date")
        })
        .map(|triple| (triple.predicate.clone(), triple.object.clone()))
        .collect();
    let parts: Vec<String> = adding
        .triples
        .iter()
        .filter(|triple| triple.predicate == has_part)
        .filter_map(|triple| match &triple.object {
            Term::NamedNode(part) => Some(part.as_str().to_owned()),
            _ => None,
        })
        .collect();
    for part in parts {
        adding.say(&part, insites("status"), insites(status));
        if status == "Sourced" {
            for (property, value) in &shared {
                adding.say(&part, property.clone(), value.clone());
            }
        }
    }
    (triples, faults)
}

/// What an answer to one dimension says, with all that need not be asked, and
/// what is wrong.
#[must_use]
pub fn tool_answer(
    (questionnaire, part): (&Questionnaire, &Part),
    values: &Values,
    record: &str,
    site: &str,
    records: &Records<'_>,
) -> (Vec<Triple>, Vec<Fault>) {
    let (mut triples, faults) = to_triples(&part.form, values, record, records);
    let mut adding = Adding { triples: &mut triples, records, site };
    let title = answer_title(part, site, records);
    let english = Literal::new_language_tagged_literal_unchecked(title, "en");
    adding.say(record, dcterms("title"), english);
    let named = |iri: &str| NamedNode::new_unchecked(iri);
    adding.say(record, insites("questionnaire"), named(&questionnaire.record));
    adding.say(record, insites("dimension"), named(&part.dimension));
    adding.say(record, insites("atSite"), named(site));
    let invented = adding.site_status() == "Illustrative";
    let status = if invented { "Illustrative" } else { "Unverified" };
    adding.say(record, insites("status"), insites(status));
    (triples, faults)
}

/// What an answer to one dimension is called.
#[must_use]
pub fn answer_title(part: &Part, site: &str, records: &Records<'_>) -> String {
    let name = records.graph.iri_id(site).map(|id| label(records.graph, id)).unwrap_or_default();
    format!("{name} on “{}”", part.form.title)
}

/// The title under which a case study is kept.
#[must_use]
pub fn case_title(form: &Form, values: &Values) -> String {
    let title = title_in(form, values);
    if title.is_empty() { "Case study without a title".to_owned() } else { title }
}

/// What the shapes would say of a draft if it were published now. `graph` must
/// be the whole state.
pub fn judge(graph: &Snapshot, names: &Names, draft: &Draft) -> Report {
    let own = names.graph(&format!("draft/{}/{}", draft.kind, draft.slug));
    let prefix = names.graph("draft/").into_string();
    let others = graph
        .named_graphs()
        .into_iter()
        .filter(|id| {
            graph.text(*id).is_some_and(|name| name.starts_with(&prefix) && name != own.as_str())
        })
        .collect();
    let old = published_quads(graph, names, &draft.record);
    let quads = graph.quads().with(&old, &[]);
    let after = Snapshot::new(graph.dictionary().clone(), quads).without_graphs(others);
    let nodes: HashSet<Term> = draft
        .triples
        .iter()
        .filter_map(|triple| match &triple.subject {
            NamedOrBlankNode::NamedNode(node) => Some(node.clone().into()),
            NamedOrBlankNode::BlankNode(_) => None,
        })
        .collect();
    Gate::built_in().judge_nodes(&after, &nodes)
}

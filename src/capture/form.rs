//! Forms made from SHACL shapes: fields by `sh:order`, grouped by `sh:group`,
//! with the shape's name and description; options come from concept schemes
//! and records that the caller sees. Not for what is posted.
//!
//! Three annotations of property shapes, beside SHACL's own, say what the data
//! need not know: `dash:editor` (DASH, <https://datashapes.org/forms.html>)
//! tells long texts from lines, `insites:optionsFrom` names the concept scheme
//! of a choice, `insites:prompt` is the question as a form asks it.

use crate::capture::fields::{Choice, Control, Field, Form, Group, Repeat};
use crate::graph::Snapshot;
use crate::ontology::shape_files;
use crate::rdf::vocabulary::{DCTERMS, INSITES, RDFS, SKOS, TYPE};
use crate::rdf::{NamedNode, NamedOrBlankNode, Names, Term, TermId, Triple};
use crate::search::label;
use crate::shapes::{Constraint, Shape, Shapes};
use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::vocab::xsd;
use oxigraph::model::{Graph, NamedNodeRef, TermRef};
use std::sync::OnceLock;

/// Records that are offered by name; of more, the name must be typed.
const OFFERED: usize = 600;
/// Properties that a form does not ask for: the service fills them in.
const NOT_ASKED: [&str; 3] = ["status", "sourceDateKind", "hasResult"];

/// The shapes built into the program, as forms read them.
pub struct Forms {
    shapes: Shapes,
    graph: Graph,
}

impl Forms {
    /// The shapes built into this program.
    ///
    /// # Panics
    ///
    /// When they cannot be read, which a test excludes.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static FORMS: OnceLock<Forms> = OnceLock::new();
        FORMS.get_or_init(|| {
            let triples: Vec<Triple> = shape_files()
                .into_iter()
                .flat_map(|file| {
                    RdfParser::from_format(RdfFormat::Turtle)
                        .rename_blank_nodes()
                        .for_slice(file.text.as_bytes())
                        .map(|quad| Triple::from(quad.expect("the shapes built in are Turtle")))
                })
                .collect();
            let shapes = Shapes::parse(triples.iter().cloned())
                .expect("the shapes built in are well-formed");
            Forms { shapes, graph: triples.into_iter().collect() }
        })
    }

    /// The shapes.
    #[must_use]
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The form for records of a class: fields of all shapes that aim at it.
    #[must_use]
    pub fn form(&self, class: &str, kind: &str, title: &str, records: &Records<'_>) -> Form {
        let class = NamedNode::new_unchecked(format!("{INSITES}{class}"));
        let mut groups: Vec<(f64, Group)> = Vec::new();
        for shape in self.shapes.for_class(&class) {
            for property in self.shapes.properties(shape) {
                let Some(field) = self.field(property, records) else { continue };
                // What a class says itself comes before what all records share.
                if groups.iter().flat_map(|(_, group)| &group.fields).any(|f| f.name == field.name)
                {
                    continue;
                }
                let (order, slug, heading, lead) = self.group(property);
                if let Some((_, group)) = groups.iter_mut().find(|(_, group)| group.slug == slug) {
                    group.fields.push(field);
                } else {
                    let fields = vec![field];
                    groups.push((order, Group { slug, heading, lead, fields, repeat: None }));
                }
            }
        }
        groups.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Form {
            kind: kind.to_owned(),
            class,
            title: title.to_owned(),
            groups: groups.into_iter().map(|(_, group)| group).collect(),
        }
    }

    /// The questions about a part of a record, asked once for each part.
    #[must_use]
    pub fn repeated(
        &self,
        heading: (&str, &str, &str),
        (link, back): (&str, &str),
        (class, kind): (&str, &str),
        records: &Records<'_>,
    ) -> Group {
        let (slug, heading, lead) = heading;
        let named = |name: &str| NamedNode::new_unchecked(format!("{INSITES}{name}"));
        let back = named(back);
        let form = self.form(class, kind, "", records);
        let fields = form.groups.into_iter().flat_map(|group| group.fields);
        Group {
            slug: slug.to_owned(),
            heading: heading.to_owned(),
            lead: lead.to_owned(),
            fields: fields.filter(|field| field.path != back).collect(),
            repeat: Some(Repeat {
                link: named(link),
                back: back.clone(),
                class: named(class),
                kind: kind.to_owned(),
                noun: kind.to_owned(),
            }),
        }
    }

    fn annotation(&self, node: &NamedOrBlankNode, property: &str) -> Option<Term> {
        let property = NamedNodeRef::new_unchecked(property);
        self.graph.object_for_subject_predicate(node.as_ref(), property).map(TermRef::into_owned)
    }

    fn text(&self, node: &NamedOrBlankNode, property: &str) -> Option<String> {
        match self.annotation(node, property)? {
            Term::Literal(literal) => Some(literal.value().to_owned()),
            _ => None,
        }
    }

    /// Order, slug, heading and lead of the group of a property shape.
    fn group(&self, property: &Shape) -> (f64, String, String, String) {
        let group = match property.group() {
            Some(Term::NamedNode(group)) => NamedOrBlankNode::from(group.clone()),
            _ => return (f64::INFINITY, "more".to_owned(), "More".to_owned(), String::new()),
        };
        let heading = self.text(&group, &format!("{RDFS}label")).unwrap_or_default();
        let order = self.text(&group, "http://www.w3.org/ns/shacl#order");
        let lead = self.text(&group, "http://www.w3.org/ns/shacl#description");
        (
            order.and_then(|text| text.parse().ok()).unwrap_or(f64::INFINITY),
            crate::capture::slug(&heading),
            heading,
            lead.unwrap_or_default(),
        )
    }

    fn field(&self, property: &Shape, records: &Records<'_>) -> Option<Field> {
        let path = property.path()?.predicate()?.clone();
        let local = path.as_str().rsplit(['#', '/']).next().unwrap_or_default();
        property.name("en")?;
        if NOT_ASKED.contains(&local) {
            return None;
        }
        let several = property.max_count() != Some(1) && !property.has_unique_languages();
        let name = property.name("en").map_or(local, |name| name.value());
        let label = self
            .text(property.node(), &format!("{INSITES}prompt"))
            .unwrap_or_else(|| capitalised(name));
        let help = property.description("en").map(|text| text.value().to_owned());
        Some(Field {
            name: kebab(local),
            label,
            help: help.unwrap_or_default(),
            required: property.min_count().unwrap_or(0) > 0,
            multiple: several,
            control: self.control(property, records),
            path,
            question: false,
            only_if: None,
            unit: String::new(),
        })
    }

    fn control(&self, property: &Shape, records: &Records<'_>) -> Control {
        if let Some(Term::NamedNode(scheme)) =
            self.annotation(property.node(), &format!("{INSITES}optionsFrom"))
        {
            return Control::Choice(records.concepts(scheme.as_str()));
        }
        if let Some(class) = property.class() {
            if class.as_str() == format!("{INSITES}Dimension") {
                return Control::Choice(records.instances(class.as_str()));
            }
            let options = records.offered(class.as_str());
            return Control::Record { class: class.clone(), options };
        }
        if let Some(allowed) = property.allowed_values() {
            return Control::Choice(allowed.iter().map(|term| records.choice_of(term)).collect());
        }
        let either: Vec<NamedNode> = property
            .constraints()
            .iter()
            .filter_map(|constraint| match constraint {
                Constraint::Or(shapes) => Some(shapes),
                _ => None,
            })
            .flatten()
            .filter_map(|id| self.shapes.shape(*id).datatype().cloned())
            .collect();
        let has = |datatype: NamedNodeRef<'_>| {
            property.datatype().is_some_and(|one| one.as_ref() == datatype)
                || either.iter().any(|one| one.as_ref() == datatype)
        };
        let editor = self.annotation(property.node(), "http://datashapes.org/dash#editor");
        let long = matches!(&editor, Some(Term::NamedNode(editor)) if editor.as_str().ends_with("TextAreaEditor"));
        if has(xsd::DATE) {
            Control::Date { partial: has(xsd::G_YEAR) }
        } else if has(xsd::DECIMAL) && has(xsd::STRING) {
            Control::NumberOrText
        } else if has(xsd::INTEGER) || has(xsd::DECIMAL) {
            Control::Number { whole: !has(xsd::DECIMAL) }
        } else if property.node_kind() == Some(crate::shapes::NodeKind::Iri) {
            Control::Address
        } else if long {
            Control::Text
        } else {
            Control::Line
        }
    }
}

/// `outcomeStatus` as `outcome-status`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Records and concepts that somebody can choose: those that they see.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// The state as they see it.
    pub graph: &'a Snapshot,
    /// The names of records.
    pub names: &'a Names,
}

impl Records<'_> {
    /// The concepts of a scheme, in the order of their notation, then by name.
    #[must_use]
    pub fn concepts(&self, scheme: &str) -> Vec<Choice> {
        let Some(scheme) = self.graph.iri_id(scheme) else { return Vec::new() };
        self.sorted(self.graph.subjects(&format!("{SKOS}inScheme"), scheme))
    }

    /// The instances of a class that have a name, by name.
    #[must_use]
    pub fn instances(&self, class: &str) -> Vec<Choice> {
        let Some(class) = self.graph.iri_id(class) else { return Vec::new() };
        self.sorted(self.graph.subjects(TYPE, class))
    }

    /// The same, but none if there are too many to be offered: then the name
    /// must be typed.
    #[must_use]
    pub fn offered(&self, class: &str) -> Vec<Choice> {
        let count =
            self.graph.iri_id(class).map_or(0, |class| self.graph.subjects(TYPE, class).len());
        if count > OFFERED { Vec::new() } else { self.instances(class) }
    }

    fn sorted(&self, ids: Vec<TermId>) -> Vec<Choice> {
        let mut choices: Vec<(String, Choice)> = ids
            .into_iter()
            .filter_map(|id| {
                let choice = self.choice_of(&self.graph.term(id)?);
                let place = self
                    .graph
                    .objects(id, "https://schema.org/position")
                    .into_iter()
                    .find_map(|id| self.graph.text(id)?.parse::<u32>().ok());
                let key = format!("{:06}{}", place.unwrap_or(999_999), choice.text.to_lowercase());
                (!choice.value.is_empty()).then_some((key, choice))
            })
            .collect();
        choices.sort_by(|(a, _), (b, _)| a.cmp(b));
        choices.into_iter().map(|(_, choice)| choice).collect()
    }

    /// A term as something to choose.
    #[must_use]
    pub fn choice_of(&self, term: &Term) -> Choice {
        let Term::NamedNode(iri) = term else {
            let text = match term {
                Term::Literal(literal) => literal.value().to_owned(),
                other => other.to_string(),
            };
            return Choice { value: text.clone(), term: term.clone(), text, help: String::new() };
        };
        let value = iri.as_str().rsplit(['/', '#']).next().unwrap_or_default().to_owned();
        let id = self.graph.iri_id(iri.as_str());
        let text = id.map(|id| label(self.graph, id)).filter(|text| !text.is_empty());
        let help = id.and_then(|id| {
            let found = self.graph.objects(id, &format!("{SKOS}definition"));
            self.graph.text(*found.first()?)
        });
        Choice {
            text: text.unwrap_or_else(|| value.clone()),
            value,
            term: term.clone(),
            help: help.unwrap_or_default(),
        }
    }

    /// The record of a class that somebody means: its identifier, its address
    /// (`/organisation/x`), its slug or its name, in any case. If no single
    /// record is meant, those that may be.
    pub fn find(&self, class: &str, text: &str) -> Result<NamedNode, Vec<Choice>> {
        let text = text.trim();
        let class = self.graph.iri_id(class);
        let is_one = |iri: &str| {
            self.graph.iri_id(iri).is_some_and(|id| {
                let types = self.graph.objects(id, TYPE);
                class.is_some_and(|class| types.contains(&class))
            })
        };
        if is_one(text) {
            return Ok(NamedNode::new_unchecked(text));
        }
        if let Some((kind, slug)) = text.trim_start_matches('/').split_once('/') {
            let iri = self.names.record(kind, slug);
            if is_one(&iri) {
                return Ok(NamedNode::new_unchecked(iri));
            }
        }
        let Some(class) = class else { return Err(Vec::new()) };
        let wanted = text.to_lowercase();
        let mut near = Vec::new();
        let mut same = Vec::new();
        for id in self.graph.subjects(TYPE, class) {
            let name = label(self.graph, id).to_lowercase();
            let Some(Term::NamedNode(iri)) = self.graph.term(id) else { continue };
            let slug = iri.as_str().rsplit('/').next().unwrap_or_default();
            if name == wanted || slug == wanted {
                same.push(iri);
            } else if near.len() < 8 && alike(&name, &wanted) {
                near.push(self.choice_of(&iri.into()));
            }
        }
        match same.len() {
            1 => Ok(same.remove(0)),
            0 => Err(near),
            _ => Err(same.into_iter().map(|iri| self.choice_of(&iri.into())).collect()),
        }
    }
}

/// Whether one name holds the other, or they share their longest word.
fn alike(name: &str, wanted: &str) -> bool {
    if wanted.len() < 3 {
        return false;
    }
    let longest = wanted.split_whitespace().max_by_key(|word| word.len()).unwrap_or(wanted);
    name.contains(wanted) || wanted.contains(name) || (longest.len() > 4 && name.contains(longest))
}

/// The title of a record, in the properties that records use for it.
pub(super) fn title_property() -> NamedNode {
    NamedNode::new_unchecked(format!("{DCTERMS}title"))
}

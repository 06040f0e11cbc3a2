//! Judges data by shapes (SHACL §3.4, §4): from focus nodes to a report. Not
//! for reading shapes, nor for finding out what a change touches (`affected`).

use crate::shapes::DataGraph;
use crate::shapes::constraint::{Constraint, Qualified};
use crate::shapes::message::message;
use crate::shapes::path::{Path, resource};
use crate::shapes::report::{Report, ValidationResult};
use crate::shapes::shape::{Shape, ShapeId, Shapes, Target};
use crate::shapes::value::{compare, has_datatype};
use oxigraph::model::vocab::{rdf, rdfs};
use oxigraph::model::{NamedNode, NamedOrBlankNode, Term};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// How deep shapes may lead to shapes. What recursive shapes mean is left open
/// by SHACL (§3.4.3); here, a node that is being judged, and one this far away,
/// conforms.
const DEPTH_LIMIT: usize = 64;

/// Which focus nodes to judge.
#[derive(Debug, Clone, Copy)]
pub enum Focus<'a> {
    /// All that shapes aim at.
    All,
    /// Of those, only these.
    Nodes(&'a HashSet<Term>),
}

/// Judges the focus nodes of all shapes (SHACL §3.4).
pub fn validate(shapes: &Shapes, data: &dyn DataGraph, focus: Focus<'_>) -> Report {
    let mut validator = Validator::new(shapes, data);
    let mut results = Vec::new();
    for (index, shape) in shapes.shapes.iter().enumerate() {
        if shape.deactivated || shape.targets.is_empty() {
            continue;
        }
        for node in validator.focus_nodes(shape, focus) {
            validator.judge(ShapeId(index), &node, &mut results);
        }
    }
    Report { results }
}

/// Judges one node by one shape, whatever the shape aims at. Empty for a shape
/// that is not among these shapes.
pub fn validate_node(shapes: &Shapes, data: &dyn DataGraph, shape: &Shape, node: &Term) -> Report {
    let mut results = Vec::new();
    if let Some(id) = shapes.by_node.get(&shape.node) {
        Validator::new(shapes, data).judge(*id, node, &mut results);
    }
    Report { results }
}

struct Validator<'a> {
    shapes: &'a Shapes,
    data: &'a dyn DataGraph,
    under_way: Vec<(ShapeId, Term)>,
    /// Classes of nodes that were asked for: many shapes ask for the same.
    classes: RefCell<HashMap<Term, HashSet<NamedNode>>>,
}

impl<'a> Validator<'a> {
    fn new(shapes: &'a Shapes, data: &'a dyn DataGraph) -> Self {
        Self { shapes, data, under_way: Vec::new(), classes: RefCell::default() }
    }

    /// The nodes a shape aims at (SHACL §2.1.3), each once.
    fn focus_nodes(&self, shape: &Shape, focus: Focus<'_>) -> Vec<Term> {
        let mut seen = HashSet::new();
        let mut nodes = Vec::new();
        if let Focus::Nodes(wanted) = focus {
            // Few nodes against many instances: ask each node, not each target.
            let mut wanted: Vec<&Term> =
                wanted.iter().filter(|node| self.is_target(shape, node)).collect();
            wanted.sort_by_cached_key(ToString::to_string);
            return wanted.into_iter().cloned().collect();
        }
        let mut add = |node: Term| {
            if seen.insert(node.clone()) {
                nodes.push(node);
            }
        };
        for target in &shape.targets {
            match target {
                Target::Node(node) => add(node.clone()),
                Target::Class(class) => {
                    for class in self.subclasses(class) {
                        for triple in
                            self.data.triples(None, Some(&rdf::TYPE.into_owned()), Some(&class))
                        {
                            add(triple.subject.into());
                        }
                    }
                }
                Target::SubjectsOf(predicate) => {
                    for triple in self.data.triples(None, Some(predicate), None) {
                        add(triple.subject.into());
                    }
                }
                Target::ObjectsOf(predicate) => {
                    for triple in self.data.triples(None, Some(predicate), None) {
                        add(triple.object);
                    }
                }
            }
        }
        nodes
    }

    fn is_target(&self, shape: &Shape, node: &Term) -> bool {
        shape.targets.iter().any(|target| match target {
            Target::Node(target) => target == node,
            Target::Class(class) => self.is_instance(node, class),
            Target::SubjectsOf(predicate) => resource(node).is_some_and(|subject| {
                self.data.triples(Some(&subject), Some(predicate), None).next().is_some()
            }),
            Target::ObjectsOf(predicate) => {
                self.data.triples(None, Some(predicate), Some(node)).next().is_some()
            }
        })
    }

    /// A class and all below it, by the data graph and the shapes graph.
    fn subclasses(&self, class: &NamedNode) -> Vec<Term> {
        let mut classes = vec![Term::from(class.clone())];
        let mut next = 0;
        while let Some(class) = classes.get(next).cloned() {
            next += 1;
            let below = self
                .data
                .triples(None, Some(&rdfs::SUB_CLASS_OF.into_owned()), Some(&class))
                .map(|triple| Term::from(triple.subject));
            let stated = self.shapes.subclasses.get(&class).into_iter().flatten().cloned();
            for class in below.chain(stated) {
                if !classes.contains(&class) {
                    classes.push(class);
                }
            }
        }
        classes
    }

    /// Whether a node is an instance of a class or of one below it (SHACL §1.1,
    /// "SHACL instance").
    fn is_instance(&self, node: &Term, class: &NamedNode) -> bool {
        if let Some(classes) = self.classes.borrow().get(node) {
            return classes.contains(class);
        }
        let classes = self.classes_of(node);
        let found = classes.contains(class);
        self.classes.borrow_mut().insert(node.clone(), classes);
        found
    }

    /// The classes of a node and all above them, by the data graph and the
    /// shapes graph.
    fn classes_of(&self, node: &Term) -> HashSet<NamedNode> {
        let mut known = HashSet::new();
        let Some(subject) = resource(node) else { return known };
        let (type_, above) = (rdf::TYPE.into_owned(), rdfs::SUB_CLASS_OF.into_owned());
        let mut open: Vec<Term> =
            self.data.triples(Some(&subject), Some(&type_), None).map(|t| t.object).collect();
        let mut seen = HashSet::new();
        while let Some(class) = open.pop() {
            let Some(node) = resource(&class) else { continue };
            if !seen.insert(class.clone()) {
                continue;
            }
            if let NamedOrBlankNode::NamedNode(iri) = &node {
                known.insert(iri.clone());
            }
            open.extend(self.shapes.superclasses.get(&class).into_iter().flatten().cloned());
            open.extend(self.data.triples(Some(&node), Some(&above), None).map(|t| t.object));
        }
        known
    }

    fn conforms(&mut self, id: ShapeId, node: &Term) -> bool {
        let mut results = Vec::new();
        self.judge(id, node, &mut results);
        results.is_empty()
    }

    /// Adds what is wrong with a focus node by a shape.
    fn judge(&mut self, id: ShapeId, focus: &Term, into: &mut Vec<ValidationResult>) {
        let shapes = self.shapes;
        let shape = shapes.shape(id);
        if shape.deactivated
            || self.under_way.len() >= DEPTH_LIMIT
            || self.under_way.iter().any(|(other, node)| *other == id && node == focus)
        {
            return;
        }
        self.under_way.push((id, focus.clone()));
        let values = match &shape.path {
            Some(path) => path.values(self.data, focus),
            None => vec![focus.clone()],
        };
        for constraint in &shape.constraints {
            Check { validator: self, shape, constraint, focus, into }.run(&values);
        }
        self.under_way.pop();
    }
}

/// One constraint against the value nodes of one focus node.
struct Check<'a, 'v, 's> {
    validator: &'a mut Validator<'v>,
    shape: &'s Shape,
    constraint: &'s Constraint,
    focus: &'a Term,
    into: &'a mut Vec<ValidationResult>,
}

impl Check<'_, '_, '_> {
    fn run(&mut self, values: &[Term]) {
        use Constraint as C;
        match self.constraint {
            C::Class(class) => self.each(values, |v, term| v.is_instance(term, class)),
            C::Datatype(datatype) => {
                self.each(values, |_, term| has_datatype(term, datatype.as_ref()));
            }
            C::NodeKind(kind) => self.each(values, |_, term| kind.matches(term)),
            C::MinCount(count) => self.count(values, *count <= length(values)),
            C::MaxCount(count) => self.count(values, *count >= length(values)),
            C::MinExclusive(limit) => self.bound(values, limit, &[Ordering::Greater]),
            C::MinInclusive(limit) => {
                self.bound(values, limit, &[Ordering::Greater, Ordering::Equal]);
            }
            C::MaxExclusive(limit) => self.bound(values, limit, &[Ordering::Less]),
            C::MaxInclusive(limit) => {
                self.bound(values, limit, &[Ordering::Less, Ordering::Equal]);
            }
            C::MinLength(least) => self.each(values, |_, term| {
                text(term).is_some_and(|text| text.chars().count() as u64 >= *least)
            }),
            C::MaxLength(most) => self.each(values, |_, term| {
                text(term).is_some_and(|text| text.chars().count() as u64 <= *most)
            }),
            C::Pattern(pattern) => {
                self.each(values, |_, term| text(term).is_some_and(|text| pattern.is_match(text)));
            }
            C::LanguageIn(ranges) => self.each(values, |_, term| {
                language(term)
                    .is_some_and(|tag| ranges.iter().any(|range| lang_matches(tag, range)))
            }),
            C::UniqueLang => self.unique_languages(values),
            C::Equals(other) => self.equals(values, other),
            C::Disjoint(other) => {
                let others = self.of_focus(other);
                self.each(values, |_, term| !others.contains(term));
            }
            C::LessThan(other) => self.less(values, other, &[Ordering::Less]),
            C::LessThanOrEquals(other) => {
                self.less(values, other, &[Ordering::Less, Ordering::Equal]);
            }
            C::Not(id) => self.each(values, |v, term| !v.conforms(*id, term)),
            C::And(ids) => {
                self.each(values, |v, term| ids.iter().all(|id| v.conforms(*id, term)));
            }
            C::Or(ids) => self.each(values, |v, term| ids.iter().any(|id| v.conforms(*id, term))),
            C::Xone(ids) => {
                for term in values {
                    let found = ids.iter().filter(|id| self.validator.conforms(**id, term)).count();
                    if found != 1 {
                        self.report(Some(term), found, Vec::new());
                    }
                }
            }
            C::Node(id) => {
                for term in values {
                    let mut details = Vec::new();
                    self.validator.judge(*id, term, &mut details);
                    if !details.is_empty() {
                        self.report(Some(term), 0, details);
                    }
                }
            }
            C::Property(id) => {
                for term in values {
                    self.validator.judge(*id, term, self.into);
                }
            }
            C::QualifiedMinCount(qualified) => {
                let found = self.qualified(values, qualified);
                if found < qualified.count {
                    self.report(None, usize::try_from(found).unwrap_or(usize::MAX), Vec::new());
                }
            }
            C::QualifiedMaxCount(qualified) => {
                let found = self.qualified(values, qualified);
                if found > qualified.count {
                    self.report(None, usize::try_from(found).unwrap_or(usize::MAX), Vec::new());
                }
            }
            C::Closed(allowed) => self.closed(values, allowed),
            C::HasValue(wanted) => {
                if !values.contains(wanted) {
                    self.report(None, 0, Vec::new());
                }
            }
            C::In(allowed) => self.each(values, |_, term| allowed.contains(term)),
        }
    }

    fn each(&mut self, values: &[Term], good: impl Fn(&mut Validator<'_>, &Term) -> bool) {
        for term in values {
            if !good(self.validator, term) {
                self.report(Some(term), 0, Vec::new());
            }
        }
    }

    fn count(&mut self, values: &[Term], good: bool) {
        if !good {
            self.report(None, values.len(), Vec::new());
        }
    }

    fn bound(&mut self, values: &[Term], limit: &oxigraph::model::Literal, good: &[Ordering]) {
        let limit = Term::from(limit.clone());
        self.each(values, |_, term| compare(term, &limit).is_some_and(|o| good.contains(&o)));
    }

    /// The values the focus node has of another property.
    fn of_focus(&self, predicate: &NamedNode) -> Vec<Term> {
        Path::Predicate(predicate.clone()).values(self.validator.data, self.focus)
    }

    fn equals(&mut self, values: &[Term], other: &NamedNode) {
        let others = self.of_focus(other);
        let missing = values.iter().filter(|value| !others.contains(value));
        let odd = others.iter().filter(|value| !values.contains(value));
        for value in missing.chain(odd) {
            self.report(Some(value), 0, Vec::new());
        }
    }

    /// A result for each pair that is not in order (SHACL §4.5.3).
    fn less(&mut self, values: &[Term], other: &NamedNode, good: &[Ordering]) {
        let others = self.of_focus(other);
        for value in values {
            for other in &others {
                if !compare(value, other).is_some_and(|o| good.contains(&o)) {
                    self.report(Some(value), 0, Vec::new());
                }
            }
        }
    }

    fn unique_languages(&mut self, values: &[Term]) {
        let mut seen: Vec<String> = Vec::new();
        let mut told: Vec<String> = Vec::new();
        for tag in values.iter().filter_map(language).map(str::to_ascii_lowercase) {
            if !seen.contains(&tag) {
                seen.push(tag);
            } else if !told.contains(&tag) {
                told.push(tag);
                self.report(None, 0, Vec::new());
            }
        }
    }

    fn qualified(&mut self, values: &[Term], qualified: &Qualified) -> u64 {
        let mut count = 0;
        for term in values {
            if self.validator.conforms(qualified.shape, term)
                && !qualified.siblings.iter().any(|id| self.validator.conforms(*id, term))
            {
                count += 1;
            }
        }
        count
    }

    fn closed(&mut self, values: &[Term], allowed: &[NamedNode]) {
        for subject in values.iter().filter_map(resource) {
            let mut seen = HashSet::new();
            let data = self.validator.data;
            for triple in data.triples(Some(&subject), None, None) {
                if !allowed.contains(&triple.predicate)
                    && seen.insert((triple.predicate.clone(), triple.object.clone()))
                {
                    self.report(Some(&triple.object), 0, Vec::new());
                    if let Some(result) = self.into.last_mut() {
                        result.path = Some(Path::Predicate(triple.predicate));
                    }
                }
            }
        }
    }

    fn report(&mut self, value: Option<&Term>, found: usize, details: Vec<ValidationResult>) {
        let shape = self.shape;
        let messages = if shape.messages.is_empty() {
            vec![message(self.validator.shapes, shape, self.constraint, value, found)]
        } else {
            shape.messages.clone()
        };
        self.into.push(ValidationResult {
            focus_node: self.focus.clone(),
            path: shape.path.clone(),
            value: value.cloned(),
            source_shape: shape.node.clone().into(),
            component: self.constraint.component().into_owned(),
            details,
            messages,
            severity: shape.severity.clone(),
        });
    }
}

fn length(values: &[Term]) -> u64 {
    values.len() as u64
}

/// The text of an IRI or a literal; blank nodes and triple terms have none
/// (SHACL §4.4).
fn text(term: &Term) -> Option<&str> {
    match term {
        Term::NamedNode(node) => Some(node.as_str()),
        Term::Literal(literal) => Some(literal.value()),
        Term::BlankNode(_) | Term::Triple(_) => None,
    }
}

fn language(term: &Term) -> Option<&str> {
    match term {
        Term::Literal(literal) => literal.language(),
        _ => None,
    }
}

/// Basic filtering of RFC 4647 §3.3.1, as SPARQL's `langMatches`.
fn lang_matches(tag: &str, range: &str) -> bool {
    if range == "*" {
        return !tag.is_empty();
    }
    let head = tag.get(..range.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(range))
        && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

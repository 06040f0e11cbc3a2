//! Judges data by shapes (SHACL §3.4, §4): from focus nodes to a report. Not
//! for reading shapes, nor for finding out what a change touches (`affected`).

use crate::shapes::constraint::{Constraint, Qualified};
use crate::shapes::data::{DataGraph, Node};
use crate::shapes::message::message;
use crate::shapes::path::Path;
use crate::shapes::report::{Report, ValidationResult};
use crate::shapes::shape::{Shape, ShapeId, Shapes, Target};
use crate::shapes::value::{compare, has_datatype};
use oxigraph::model::vocab::{rdf, rdfs};
use oxigraph::model::{NamedNode, Term};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

/// How deep shapes may lead to shapes. What recursive shapes mean is left open
/// by SHACL (§3.4.3); here, a node that is being judged, and one this far away,
/// conforms.
const DEPTH_LIMIT: usize = 64;
/// Of a node with more triples than this, each property is asked for by itself.
const MANY: usize = 256;
/// Nodes whose triples, and classes, are remembered.
const REMEMBERED: usize = 4_096;

/// Which focus nodes to judge.
#[derive(Debug, Clone, Copy)]
pub enum Focus<'a> {
    /// All that shapes aim at.
    All,
    /// Of those, only these.
    Nodes(&'a FxHashSet<Node>),
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
            validator.judge(ShapeId(index), node, &mut results);
        }
    }
    Report { results }
}

/// Judges one node by one shape, whatever the shape aims at. Empty for a shape
/// that is not among these shapes.
pub fn validate_node(shapes: &Shapes, data: &dyn DataGraph, shape: &Shape, node: &Term) -> Report {
    let mut results = Vec::new();
    if let Some(id) = shapes.by_node.get(&shape.node) {
        let mut validator = Validator::new(shapes, data);
        let node = validator.node(node);
        validator.judge(*id, node, &mut results);
    }
    Report { results }
}

/// The triples of a subject: its values, by property.
type About = Vec<(NamedNode, Vec<Node>)>;

struct Validator<'a> {
    shapes: &'a Shapes,
    data: &'a dyn DataGraph,
    under_way: Vec<(ShapeId, Node)>,
    /// Terms that no triple has, numbered down from the highest number.
    strays: RefCell<Vec<Term>>,
    type_: Option<Node>,
    below: Option<Node>,
    /// What is said of nodes, `None` where it is much: many shapes ask for the
    /// same.
    about: RefCell<FxHashMap<Node, Option<Rc<About>>>>,
    /// The classes that nodes are said to have.
    classes: RefCell<FxHashMap<Node, Rc<[Node]>>>,
    /// A class and all above it.
    above: RefCell<FxHashMap<Node, Rc<FxHashSet<NamedNode>>>>,
}

impl<'a> Validator<'a> {
    fn new(shapes: &'a Shapes, data: &'a dyn DataGraph) -> Self {
        Self {
            shapes,
            data,
            under_way: Vec::new(),
            strays: RefCell::default(),
            type_: data.node(rdf::TYPE.into()),
            below: data.node(rdfs::SUB_CLASS_OF.into()),
            about: RefCell::default(),
            classes: RefCell::default(),
            above: RefCell::default(),
        }
    }

    /// The number of a term, also of one that no triple has.
    fn node(&self, term: &Term) -> Node {
        self.data.node(term.as_ref()).unwrap_or_else(|| {
            let mut strays = self.strays.borrow_mut();
            let at = strays.iter().position(|stray| stray == term).unwrap_or_else(|| {
                strays.push(term.clone());
                strays.len() - 1
            });
            Node::MAX - Node::try_from(at).unwrap_or(Node::MAX)
        })
    }

    fn term(&self, node: Node) -> Term {
        let stray = || self.strays.borrow().get((Node::MAX - node) as usize).cloned();
        let term = self.data.term(node).or_else(stray);
        term.expect("a number that the data or this validator gave")
    }

    /// The nodes a shape aims at (SHACL §2.1.3), each once.
    fn focus_nodes(&self, shape: &Shape, focus: Focus<'_>) -> Vec<Node> {
        let mut nodes = Vec::new();
        if let Focus::Nodes(wanted) = focus {
            // Few nodes against many instances: ask each node, not each target.
            nodes.extend(wanted.iter().filter(|node| self.is_target(shape, **node)));
            if nodes.len() > 1 {
                nodes.sort_by_cached_key(|node| self.term(*node).to_string());
            }
            return nodes;
        }
        let mut seen = FxHashSet::default();
        let mut add = |node: Node| {
            if seen.insert(node) {
                nodes.push(node);
            }
            true
        };
        for target in &shape.targets {
            match target {
                Target::Node(node) => {
                    add(self.node(node));
                }
                Target::Class(class) => {
                    let Some(type_) = self.type_ else { continue };
                    for class in self.subclasses(class) {
                        self.data.triples(None, Some(type_), Some(class), &mut |[s, ..]| add(s));
                    }
                }
                Target::SubjectsOf(predicate) => {
                    self.each_of(predicate, None, &mut |[subject, ..]| add(subject));
                }
                Target::ObjectsOf(predicate) => {
                    self.each_of(predicate, None, &mut |[.., object]| add(object));
                }
            }
        }
        nodes
    }

    /// Goes through the triples of a property, all or those with this value.
    fn each_of(
        &self,
        predicate: &NamedNode,
        object: Option<Node>,
        each: &mut dyn FnMut([Node; 3]) -> bool,
    ) {
        if let Some(predicate) = self.data.node(predicate.into()) {
            self.data.triples(None, Some(predicate), object, each);
        }
    }

    fn is_target(&self, shape: &Shape, node: Node) -> bool {
        shape.targets.iter().any(|target| match target {
            Target::Node(target) => self.data.node(target.as_ref()) == Some(node),
            Target::Class(class) => self.is_instance(node, class),
            Target::SubjectsOf(predicate) => !self.values_of(node, predicate).is_empty(),
            Target::ObjectsOf(predicate) => {
                let mut found = false;
                self.each_of(predicate, Some(node), &mut |_| {
                    found = true;
                    false
                });
                found
            }
        })
    }

    /// The values that a node has of a property, each once.
    fn values_of(&self, node: Node, predicate: &NamedNode) -> Vec<Node> {
        let Some(about) = self.about(node) else {
            return Path::Predicate(predicate.clone()).values(self.data, node);
        };
        let found = about.iter().find(|(other, _)| other == predicate);
        found.map_or_else(Vec::new, |(_, values)| values.clone())
    }

    /// What is said of a node; `None` if it is much.
    fn about(&self, node: Node) -> Option<Rc<About>> {
        if let Some(about) = self.about.borrow().get(&node) {
            return about.clone();
        }
        let mut rows: Vec<(Node, Node)> = Vec::new();
        self.data.triples(Some(node), None, None, &mut |[_, predicate, object]| {
            rows.push((predicate, object));
            rows.len() <= MANY
        });
        let about = (rows.len() <= MANY).then(|| {
            rows.sort_by_key(|(predicate, _)| *predicate);
            let properties = rows.chunk_by(|a, b| a.0 == b.0).filter_map(|rows| {
                let Term::NamedNode(predicate) = self.term(rows[0].0) else { return None };
                let mut values: Vec<Node> = Vec::with_capacity(rows.len());
                for (_, value) in rows {
                    if !values.contains(value) {
                        values.push(*value);
                    }
                }
                Some((predicate, values))
            });
            Rc::new(properties.collect())
        });
        remember(&self.about, node, about)
    }

    /// A class and all below it, by the data graph and the shapes graph.
    fn subclasses(&self, class: &NamedNode) -> Vec<Node> {
        let mut classes = vec![self.node(&class.clone().into())];
        let mut next = 0;
        while let Some(class) = classes.get(next).copied() {
            next += 1;
            let mut found = Vec::new();
            if let Some(below) = self.below {
                self.data.triples(None, Some(below), Some(class), &mut |[subclass, ..]| {
                    found.push(subclass);
                    true
                });
            }
            let stated = self.shapes.subclasses.get(&self.term(class)).into_iter().flatten();
            found.extend(stated.map(|class| self.node(class)));
            for class in found {
                if !classes.contains(&class) {
                    classes.push(class);
                }
            }
        }
        classes
    }

    /// Whether a node is an instance of a class or of one below it (SHACL §1.1,
    /// "SHACL instance").
    fn is_instance(&self, node: Node, class: &NamedNode) -> bool {
        self.classes_of(node).iter().any(|of_node| self.above(*of_node).contains(class))
    }

    /// The classes that a node is said to have.
    fn classes_of(&self, node: Node) -> Rc<[Node]> {
        if let Some(classes) = self.classes.borrow().get(&node) {
            return Rc::clone(classes);
        }
        let mut classes = Vec::new();
        if let Some(type_) = self.type_ {
            self.data.triples(Some(node), Some(type_), None, &mut |[.., class]| {
                classes.push(class);
                true
            });
        }
        remember(&self.classes, node, classes.into())
    }

    /// A class and all above it, by the data graph and the shapes graph.
    fn above(&self, class: Node) -> Rc<FxHashSet<NamedNode>> {
        if let Some(above) = self.above.borrow().get(&class) {
            return Rc::clone(above);
        }
        let mut known = FxHashSet::default();
        let mut open = vec![class];
        let mut seen = FxHashSet::default();
        while let Some(class) = open.pop() {
            if !seen.insert(class) {
                continue;
            }
            let term = self.term(class);
            open.extend(
                self.shapes.superclasses.get(&term).into_iter().flatten().map(|c| self.node(c)),
            );
            match term {
                Term::NamedNode(iri) => known.insert(iri),
                Term::BlankNode(_) => true,
                Term::Literal(_) | Term::Triple(_) => continue,
            };
            if let Some(below) = self.below {
                self.data.triples(Some(class), Some(below), None, &mut |[.., above]| {
                    open.push(above);
                    true
                });
            }
        }
        remember(&self.above, class, Rc::new(known))
    }

    fn conforms(&mut self, id: ShapeId, node: Node) -> bool {
        let mut results = Vec::new();
        self.judge(id, node, &mut results);
        results.is_empty()
    }

    /// Adds what is wrong with a focus node by a shape.
    fn judge(&mut self, id: ShapeId, focus: Node, into: &mut Vec<ValidationResult>) {
        let shapes = self.shapes;
        let shape = shapes.shape(id);
        if shape.deactivated
            || self.under_way.len() >= DEPTH_LIMIT
            || self.under_way.contains(&(id, focus))
        {
            return;
        }
        self.under_way.push((id, focus));
        let values = match &shape.path {
            Some(Path::Predicate(predicate)) => self.values_of(focus, predicate),
            Some(path) => path.values(self.data, focus),
            None => vec![focus],
        };
        let values: Vec<Value> = values.into_iter().map(Value::from).collect();
        for constraint in &shape.constraints {
            Check { validator: self, shape, constraint, focus, into }.run(&values);
        }
        self.under_way.pop();
    }
}

/// Remembers what was found for a node, and begins anew where that gets much.
fn remember<T: Clone>(kept: &RefCell<FxHashMap<Node, T>>, node: Node, found: T) -> T {
    let mut kept = kept.borrow_mut();
    if kept.len() >= REMEMBERED {
        kept.clear();
    }
    kept.insert(node, found.clone());
    found
}

/// A value node, and its term once somebody looks at it.
struct Value {
    node: Node,
    term: OnceCell<Term>,
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        Self { node, term: OnceCell::new() }
    }
}

impl Value {
    fn term(&self, validator: &Validator<'_>) -> &Term {
        self.term.get_or_init(|| validator.term(self.node))
    }
}

/// One constraint against the value nodes of one focus node.
struct Check<'a, 'v, 's> {
    validator: &'a mut Validator<'v>,
    shape: &'s Shape,
    constraint: &'s Constraint,
    focus: Node,
    into: &'a mut Vec<ValidationResult>,
}

impl Check<'_, '_, '_> {
    fn run(&mut self, values: &[Value]) {
        use Constraint as C;
        match self.constraint {
            C::Class(class) => self.each_node(values, |v, node| v.is_instance(node, class)),
            C::Datatype(datatype) => {
                self.each(values, |term| has_datatype(term, datatype.as_ref()));
            }
            C::NodeKind(kind) => self.each(values, |term| kind.matches(term)),
            C::MinCount(count) => self.count(values, *count <= values.len() as u64),
            C::MaxCount(count) => self.count(values, *count >= values.len() as u64),
            C::MinExclusive(limit) => self.bound(values, limit, &[Ordering::Greater]),
            C::MinInclusive(limit) => {
                self.bound(values, limit, &[Ordering::Greater, Ordering::Equal]);
            }
            C::MaxExclusive(limit) => self.bound(values, limit, &[Ordering::Less]),
            C::MaxInclusive(limit) => {
                self.bound(values, limit, &[Ordering::Less, Ordering::Equal]);
            }
            C::MinLength(least) => self.each(values, |term| {
                text(term).is_some_and(|text| text.chars().count() as u64 >= *least)
            }),
            C::MaxLength(most) => self.each(values, |term| {
                text(term).is_some_and(|text| text.chars().count() as u64 <= *most)
            }),
            C::Pattern(pattern) => {
                self.each(values, |term| text(term).is_some_and(|text| pattern.is_match(text)));
            }
            C::LanguageIn(ranges) => self.each(values, |term| {
                language(term)
                    .is_some_and(|tag| ranges.iter().any(|range| lang_matches(tag, range)))
            }),
            C::UniqueLang => self.unique_languages(values),
            C::Equals(other) => self.equals(values, other),
            C::Disjoint(other) => {
                let others = self.of_focus(other);
                self.each_node(values, |_, node| !others.contains(&node));
            }
            C::LessThan(other) => self.less(values, other, &[Ordering::Less]),
            C::LessThanOrEquals(other) => {
                self.less(values, other, &[Ordering::Less, Ordering::Equal]);
            }
            C::Not(id) => self.each_node(values, |v, node| !v.conforms(*id, node)),
            C::And(ids) => {
                self.each_node(values, |v, node| ids.iter().all(|id| v.conforms(*id, node)));
            }
            C::Or(ids) => {
                self.each_node(values, |v, node| ids.iter().any(|id| v.conforms(*id, node)));
            }
            C::Xone(ids) => {
                for value in values {
                    let conforms = |id: &&ShapeId| self.validator.conforms(**id, value.node);
                    let found = ids.iter().filter(conforms).count();
                    if found != 1 {
                        self.report(Some(value), found, Vec::new());
                    }
                }
            }
            C::Node(id) => {
                for value in values {
                    let mut details = Vec::new();
                    self.validator.judge(*id, value.node, &mut details);
                    if !details.is_empty() {
                        self.report(Some(value), 0, details);
                    }
                }
            }
            C::Property(id) => {
                for value in values {
                    self.validator.judge(*id, value.node, self.into);
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
                let wanted = self.validator.node(wanted);
                if !values.iter().any(|value| value.node == wanted) {
                    self.report(None, 0, Vec::new());
                }
            }
            C::In(allowed) => self.each(values, |term| allowed.contains(term)),
        }
    }

    /// Reports the values that are not good, by their terms.
    fn each(&mut self, values: &[Value], good: impl Fn(&Term) -> bool) {
        for value in values {
            if !good(value.term(self.validator)) {
                self.report(Some(value), 0, Vec::new());
            }
        }
    }

    /// Reports the values that are not good, by their numbers.
    fn each_node(&mut self, values: &[Value], good: impl Fn(&mut Validator<'_>, Node) -> bool) {
        for value in values {
            if !good(self.validator, value.node) {
                self.report(Some(value), 0, Vec::new());
            }
        }
    }

    fn count(&mut self, values: &[Value], good: bool) {
        if !good {
            self.report(None, values.len(), Vec::new());
        }
    }

    fn bound(&mut self, values: &[Value], limit: &oxigraph::model::Literal, good: &[Ordering]) {
        let limit = Term::from(limit.clone());
        self.each(values, |term| compare(term, &limit).is_some_and(|o| good.contains(&o)));
    }

    /// The values the focus node has of another property.
    fn of_focus(&self, predicate: &NamedNode) -> Vec<Node> {
        self.validator.values_of(self.focus, predicate)
    }

    fn equals(&mut self, values: &[Value], other: &NamedNode) {
        let others = self.of_focus(other);
        let missing = values.iter().map(|value| value.node).filter(|node| !others.contains(node));
        let is_value = |node: &Node| values.iter().any(|value| value.node == *node);
        let odd = others.iter().copied().filter(|node| !is_value(node));
        for node in missing.chain(odd).collect::<Vec<_>>() {
            self.report(Some(&Value::from(node)), 0, Vec::new());
        }
    }

    /// A result for each pair that is not in order (SHACL §4.5.3).
    fn less(&mut self, values: &[Value], other: &NamedNode, good: &[Ordering]) {
        let others: Vec<Value> = self.of_focus(other).into_iter().map(Value::from).collect();
        for value in values {
            for other in &others {
                let (one, other) = (value.term(self.validator), other.term(self.validator));
                if !compare(one, other).is_some_and(|o| good.contains(&o)) {
                    self.report(Some(value), 0, Vec::new());
                }
            }
        }
    }

    fn unique_languages(&mut self, values: &[Value]) {
        let mut seen: Vec<String> = Vec::new();
        let mut told: Vec<String> = Vec::new();
        let tag = |value: &Value| language(value.term(self.validator)).map(str::to_ascii_lowercase);
        for tag in values.iter().filter_map(tag).collect::<Vec<_>>() {
            if !seen.contains(&tag) {
                seen.push(tag);
            } else if !told.contains(&tag) {
                told.push(tag);
                self.report(None, 0, Vec::new());
            }
        }
    }

    fn qualified(&mut self, values: &[Value], qualified: &Qualified) -> u64 {
        let mut count = 0;
        for Value { node, .. } in values {
            if self.validator.conforms(qualified.shape, *node)
                && !qualified.siblings.iter().any(|id| self.validator.conforms(*id, *node))
            {
                count += 1;
            }
        }
        count
    }

    fn closed(&mut self, values: &[Value], allowed: &[NamedNode]) {
        for subject in values {
            let mut seen = FxHashSet::default();
            let mut found = Vec::new();
            let data = self.validator.data;
            data.triples(Some(subject.node), None, None, &mut |[_, predicate, object]| {
                if seen.insert((predicate, object)) {
                    found.push((predicate, object));
                }
                true
            });
            for (predicate, object) in found {
                let Term::NamedNode(predicate) = self.validator.term(predicate) else { continue };
                if !allowed.contains(&predicate) {
                    self.report(Some(&Value::from(object)), 0, Vec::new());
                    if let Some(result) = self.into.last_mut() {
                        result.path = Some(Path::Predicate(predicate));
                    }
                }
            }
        }
    }

    fn report(&mut self, value: Option<&Value>, found: usize, details: Vec<ValidationResult>) {
        let shape = self.shape;
        let value = value.map(|value| value.term(self.validator));
        let messages = if shape.messages.is_empty() {
            vec![message(self.validator.shapes, shape, self.constraint, value, found)]
        } else {
            shape.messages.clone()
        };
        self.into.push(ValidationResult {
            focus_node: self.validator.term(self.focus),
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

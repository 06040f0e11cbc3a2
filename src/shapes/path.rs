//! Property paths (SHACL §2.3.1): reading, following and writing them. Not for
//! what the values at their end must be.

use crate::shapes::source::Source;
use crate::shapes::{DataGraph, Error, Node, vocabulary as sh};
use oxigraph::model::vocab::rdf;
use oxigraph::model::{BlankNode, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, Triple};
use rustc_hash::FxHashSet;
use std::fmt;

/// How deep paths may be nested. Written paths have two or three levels; a path
/// that contains itself has no end.
const DEPTH_LIMIT: usize = 32;

/// A property path (SHACL §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Path {
    /// One property (§2.3.1.1).
    Predicate(NamedNode),
    /// One after the other (§2.3.1.2).
    Sequence(Vec<Path>),
    /// Any of these (§2.3.1.3).
    Alternative(Vec<Path>),
    /// From value to subject (§2.3.1.4).
    Inverse(Box<Path>),
    /// Any number of steps (§2.3.1.5).
    ZeroOrMore(Box<Path>),
    /// At least one step (§2.3.1.6).
    OneOrMore(Box<Path>),
    /// One step or none (§2.3.1.7).
    ZeroOrOne(Box<Path>),
}

/// A place in a path where triples are read: those with this predicate that
/// begin (or end, if `backward`) at a node reached by `before`.
pub(super) struct Step<'a> {
    pub(super) before: Path,
    pub(super) predicate: &'a NamedNode,
    pub(super) backward: bool,
}

impl Path {
    /// The property, if the path is nothing but a property.
    #[must_use]
    pub fn predicate(&self) -> Option<&NamedNode> {
        match self {
            Self::Predicate(predicate) => Some(predicate),
            _ => None,
        }
    }

    /// Reads the path that `node` stands for.
    pub(super) fn parse(
        source: &Source,
        shape: &NamedOrBlankNode,
        node: &Term,
    ) -> Result<Self, Error> {
        Parser { source, shape }.path(node, 0)
    }

    /// The nodes at the end of the path from `start`, each once.
    pub(super) fn values(&self, data: &dyn DataGraph, start: Node) -> Vec<Node> {
        let mut values = Distinct::default();
        self.follow(data, start, false, &mut values);
        values.items
    }

    /// The nodes from which the path leads to `end`, each once.
    pub(super) fn origins(&self, data: &dyn DataGraph, end: Node) -> Vec<Node> {
        let mut origins = Distinct::default();
        self.follow(data, end, true, &mut origins);
        origins.items
    }

    fn follow(&self, data: &dyn DataGraph, start: Node, backward: bool, into: &mut Distinct) {
        match self {
            Self::Predicate(predicate) => {
                let Some(predicate) = data.node(predicate.into()) else { return };
                let (subject, object) =
                    if backward { (None, Some(start)) } else { (Some(start), None) };
                data.triples(subject, Some(predicate), object, &mut |[subject, _, object]| {
                    into.add(if backward { subject } else { object });
                    true
                });
            }
            Self::Inverse(path) => path.follow(data, start, !backward, into),
            Self::Alternative(paths) => {
                for path in paths {
                    path.follow(data, start, backward, into);
                }
            }
            Self::Sequence(paths) => {
                let mut here = vec![start];
                for index in 0..paths.len() {
                    let path = &paths[if backward { paths.len() - 1 - index } else { index }];
                    let mut next = Distinct::default();
                    for node in &here {
                        path.follow(data, *node, backward, &mut next);
                    }
                    here = next.items;
                }
                for node in here {
                    into.add(node);
                }
            }
            Self::ZeroOrOne(path) => {
                into.add(start);
                path.follow(data, start, backward, into);
            }
            Self::ZeroOrMore(path) => {
                for node in path.closure(data, start, backward, true) {
                    into.add(node);
                }
            }
            Self::OneOrMore(path) => {
                for node in path.closure(data, start, backward, false) {
                    into.add(node);
                }
            }
        }
    }

    /// What any number of steps reach. A work list, not recursion: chains in
    /// data can be longer than the stack.
    fn closure(&self, data: &dyn DataGraph, start: Node, backward: bool, own: bool) -> Vec<Node> {
        let mut reached = Distinct::default();
        if own {
            reached.add(start);
        }
        self.follow(data, start, backward, &mut reached);
        let mut next = 0;
        while let Some(node) = reached.items.get(next).copied() {
            self.follow(data, node, backward, &mut reached);
            next += 1;
        }
        reached.items
    }

    /// Whether what is at the end of the path is the object of a triple, wherever
    /// the path begins.
    pub(super) fn ends_in_object(&self) -> bool {
        match self {
            Self::Predicate(_) => true,
            Self::Sequence(paths) => paths.last().is_some_and(Self::ends_in_object),
            Self::Alternative(paths) => paths.iter().all(Self::ends_in_object),
            Self::OneOrMore(path) => path.ends_in_object(),
            Self::Inverse(_) | Self::ZeroOrMore(_) | Self::ZeroOrOne(_) => false,
        }
    }

    /// Every place where following this path reads triples.
    pub(super) fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        self.collect_steps(&Self::Sequence(Vec::new()), false, &mut steps);
        steps
    }

    fn collect_steps<'a>(&'a self, before: &Self, backward: bool, into: &mut Vec<Step<'a>>) {
        match self {
            Self::Predicate(predicate) => {
                into.push(Step { before: before.clone(), predicate, backward });
            }
            Self::Inverse(path) => path.collect_steps(before, !backward, into),
            Self::Alternative(paths) => {
                for path in paths {
                    path.collect_steps(before, backward, into);
                }
            }
            Self::Sequence(paths) => {
                let mut before = before.clone();
                for index in 0..paths.len() {
                    let path = &paths[if backward { paths.len() - 1 - index } else { index }];
                    path.collect_steps(&before, backward, into);
                    before = before.followed_by(&path.clone().turned(backward));
                }
            }
            Self::ZeroOrOne(path) => path.collect_steps(before, backward, into),
            Self::ZeroOrMore(path) | Self::OneOrMore(path) => {
                let steps = Self::ZeroOrMore(path.clone()).turned(backward);
                path.collect_steps(&before.followed_by(&steps), backward, into);
            }
        }
    }

    /// This path, then another, as one flat sequence; the empty sequence stays
    /// where it is.
    pub(super) fn followed_by(&self, next: &Self) -> Self {
        let parts = |path: &Self| match path {
            Self::Sequence(paths) => paths.clone(),
            other => vec![other.clone()],
        };
        let mut all = parts(self);
        all.extend(parts(next));
        if all.len() == 1 { all.remove(0) } else { Self::Sequence(all) }
    }

    fn turned(self, backward: bool) -> Self {
        if backward { Self::Inverse(Box::new(self)) } else { self }
    }

    /// The path as it is written in a graph: its node, and the triples of
    /// blank nodes, if any.
    pub(super) fn write(&self, into: &mut Vec<Triple>) -> Term {
        let (property, value) = match self {
            Self::Predicate(predicate) => return predicate.clone().into(),
            Self::Sequence(paths) => return write_list(paths, into),
            Self::Alternative(paths) => (sh::ALTERNATIVE_PATH, write_list(paths, into)),
            Self::Inverse(path) => (sh::INVERSE_PATH, path.write(into)),
            Self::ZeroOrMore(path) => (sh::ZERO_OR_MORE_PATH, path.write(into)),
            Self::OneOrMore(path) => (sh::ONE_OR_MORE_PATH, path.write(into)),
            Self::ZeroOrOne(path) => (sh::ZERO_OR_ONE_PATH, path.write(into)),
        };
        let node = BlankNode::default();
        into.push(Triple::new(node.clone(), property, value));
        node.into()
    }

    /// The path for people: local names only.
    pub(super) fn short(&self) -> String {
        self.text(&|predicate| local_name(predicate.as_str()).to_owned())
    }

    fn text(&self, name: &dyn Fn(&NamedNode) -> String) -> String {
        let join = |paths: &[Self], by: &str| {
            paths.iter().map(|path| path.inner_text(name)).collect::<Vec<_>>().join(by)
        };
        match self {
            Self::Predicate(predicate) => name(predicate),
            Self::Sequence(paths) => join(paths, "/"),
            Self::Alternative(paths) => join(paths, "|"),
            Self::Inverse(path) => format!("^{}", path.inner_text(name)),
            Self::ZeroOrMore(path) => format!("{}*", path.inner_text(name)),
            Self::OneOrMore(path) => format!("{}+", path.inner_text(name)),
            Self::ZeroOrOne(path) => format!("{}?", path.inner_text(name)),
        }
    }

    fn inner_text(&self, name: &dyn Fn(&NamedNode) -> String) -> String {
        match self {
            Self::Predicate(_) => self.text(name),
            _ => format!("({})", self.text(name)),
        }
    }
}

impl fmt::Display for Path {
    /// The path in SPARQL's notation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&NamedNode::to_string))
    }
}

/// A form of path that has one inner path.
type Form = fn(Box<Path>) -> Path;

struct Parser<'a> {
    source: &'a Source,
    shape: &'a NamedOrBlankNode,
}

impl Parser<'_> {
    fn path(&self, node: &Term, depth: usize) -> Result<Path, Error> {
        if depth > DEPTH_LIMIT {
            return Err(self.error(node, "it contains itself, or is nested too deeply"));
        }
        if let Term::NamedNode(predicate) = node {
            return Ok(Path::Predicate(predicate.clone()));
        }
        let Some(subject) = resource(node) else {
            return Err(self.error(node, "it is neither an IRI nor a blank node"));
        };
        let value = |property: NamedNodeRef<'static>| self.source.object(&subject, property);
        // The order decides between two forms on one node; the W3C's
        // path-strange tests want the list first.
        if value(rdf::FIRST).is_some() {
            return self.paths(node, depth).map(Path::Sequence);
        }
        if let Some(list) = value(sh::ALTERNATIVE_PATH) {
            return self.paths(list, depth).map(Path::Alternative);
        }
        let forms: [(NamedNodeRef<'static>, Form); 4] = [
            (sh::INVERSE_PATH, Path::Inverse),
            (sh::ZERO_OR_MORE_PATH, Path::ZeroOrMore),
            (sh::ONE_OR_MORE_PATH, Path::OneOrMore),
            (sh::ZERO_OR_ONE_PATH, Path::ZeroOrOne),
        ];
        for (property, form) in forms {
            if let Some(inner) = value(property) {
                return Ok(form(Box::new(self.path(inner, depth + 1)?)));
            }
        }
        Err(self.error(node, "it has none of the forms of a path"))
    }

    fn paths(&self, list: &Term, depth: usize) -> Result<Vec<Path>, Error> {
        let Some(members) = self.source.list(list) else {
            return Err(self.error(list, "it is not a list"));
        };
        if members.len() < 2 {
            return Err(self.error(list, "the list needs at least two members"));
        }
        members.iter().map(|member| self.path(member, depth + 1)).collect()
    }

    fn error(&self, node: &Term, reason: &'static str) -> Error {
        Error::Path { shape: self.shape.clone(), path: Box::new(node.clone()), reason }
    }
}

/// Nodes in the order in which they came, each once.
#[derive(Default)]
struct Distinct {
    items: Vec<Node>,
    seen: FxHashSet<Node>,
}

impl Distinct {
    /// Up to this many items a scan is cheaper than a set. Most properties
    /// have fewer values.
    const FEW: usize = 16;

    fn add(&mut self, node: Node) {
        if self.items.len() < Self::FEW {
            if self.items.contains(&node) {
                return;
            }
        } else {
            if self.seen.is_empty() {
                self.seen.extend(self.items.iter().copied());
            }
            if !self.seen.insert(node) {
                return;
            }
        }
        self.items.push(node);
    }
}

fn write_list(paths: &[Path], into: &mut Vec<Triple>) -> Term {
    let mut rest = Term::from(rdf::NIL);
    for path in paths.iter().rev() {
        let first = path.write(into);
        let node = BlankNode::default();
        into.push(Triple::new(node.clone(), rdf::FIRST, first));
        into.push(Triple::new(node.clone(), rdf::REST, rest));
        rest = node.into();
    }
    rest
}

/// The term as a subject; none if it is a literal or a triple term.
pub(super) fn resource(term: &Term) -> Option<NamedOrBlankNode> {
    match term {
        Term::NamedNode(node) => Some(node.clone().into()),
        Term::BlankNode(node) => Some(node.clone().into()),
        Term::Literal(_) | Term::Triple(_) => None,
    }
}

/// The last part of an IRI, for people.
pub(super) fn local_name(iri: &str) -> &str {
    let name = iri.trim_end_matches(['/', '#']).rsplit(['#', '/', ':']).next().unwrap_or(iri);
    if name.is_empty() { iri } else { name }
}

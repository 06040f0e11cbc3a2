//! A plan as people read it: the operators as a tree, each with the rows that
//! were expected, those that came, and its time, that of its inputs included.

use crate::graph::engine::batch::Slots;
use crate::graph::engine::plan::{Atom, Filter, Kind, Link, Node, Place, Plan, Steps};
use crate::graph::engine::run::Engine;
use crate::rdf::TermId;
use serde::Serialize;
use std::fmt::Write;

/// An operator of a plan that was run.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// What it does: `join`, `pattern`, `optional`, `sort` …
    pub operator: &'static str,
    /// On what: a triple pattern, a filter, the keys of a sort.
    pub detail: String,
    /// Rows that were expected for one row of input; not told of all operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_rows: Option<f64>,
    /// Rows that came.
    pub rows: usize,
    /// Milliseconds, those of what it reads from and gives to included.
    pub milliseconds: f64,
    /// What it reads from.
    pub inputs: Vec<Explained>,
}

impl Explained {
    /// The tree as indented text, one operator a line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        let estimated =
            self.estimated_rows.map(|rows| format!(", about {rows:.1} a row")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{:indent$}{} {} ({} rows{estimated}, {:.3} ms)",
            "",
            self.operator,
            self.detail,
            self.rows,
            self.milliseconds,
            indent = depth * 2
        );
        for input in &self.inputs {
            input.write(out, depth + 1);
        }
    }
}

impl Engine<'_> {
    /// Explains a plan that this engine has run.
    pub(in crate::graph) fn explained(&self, plan: &Plan) -> Explained {
        self.node(&plan.root, &plan.names)
    }

    fn node(&self, node: &Node, names: &[String]) -> Explained {
        let one = |inner: &Node| vec![self.node(inner, names)];
        let two = |a: &Node, b: &Node| vec![self.node(a, names), self.node(b, names)];
        let list = |slots: Slots| {
            let shown: Vec<String> = slots.iter().map(|slot| variable(slot, names)).collect();
            shown.join(" ")
        };
        let filters = |filters: &[Filter], inputs: &mut Vec<Explained>| {
            let mut shown = Vec::new();
            for filter in filters {
                match filter {
                    Filter::Expression(expr) => {
                        shown.push(format!("FILTER({})", expr.expression));
                        let patterns = expr.tests.iter().map(|test| &test.exists.pattern);
                        inputs.extend(patterns.map(|pattern| self.node(pattern, names)));
                    }
                    Filter::Exists { exists, wanted } => {
                        shown.push((if *wanted { "EXISTS" } else { "NOT EXISTS" }).to_owned());
                        inputs.push(self.node(&exists.pattern, names));
                    }
                }
            }
            shown.join(" ")
        };
        let mut inputs = Vec::new();
        let (operator, detail) = match &node.kind {
            Kind::Group { atoms, filters: own } => {
                inputs = self.atoms(atoms, names);
                ("join", filters(own, &mut inputs))
            }
            Kind::Join(a, b) => {
                inputs = two(a, b);
                ("then", String::new())
            }
            Kind::Optional { left, right, filters: own, .. } => {
                inputs = two(left, right);
                ("optional", filters(own, &mut inputs))
            }
            Kind::Union(a, b) => {
                inputs = two(a, b);
                ("union", String::new())
            }
            Kind::Minus { left, right, shared } => {
                inputs = two(left, right);
                ("minus", format!("on {}", list(*shared)))
            }
            Kind::Filter(inner, own) => {
                inputs = one(inner);
                ("filter", filters(own, &mut inputs))
            }
            Kind::Extend(inner, slot, expr) => {
                inputs = one(inner);
                ("bind", format!("{} = {}", variable(*slot, names), expr.expression))
            }
            Kind::Table(table) => ("values", format!("{} rows", table.len)),
            Kind::Apart(inner) => {
                inputs = one(inner);
                ("hash join", "of a part that runs by itself".to_owned())
            }
            Kind::Project(inner, shown) => {
                inputs = one(inner);
                ("project", list(*shown))
            }
            Kind::Distinct(inner, slots) => {
                inputs = one(inner);
                ("distinct", list(*slots))
            }
            Kind::Sort { inner, keys, limit } => {
                inputs = one(inner);
                let keys: Vec<String> = keys
                    .iter()
                    .map(|(slot, descending)| {
                        let name = variable(*slot, names);
                        if *descending { format!("DESC({name})") } else { name }
                    })
                    .collect();
                let first = limit.map(|rows| format!(", first {rows}")).unwrap_or_default();
                ("sort", format!("by {}{first}", keys.join(" ")))
            }
            Kind::Slice { inner, start, length } => {
                inputs = one(inner);
                let limit = length.map(|rows| format!("LIMIT {rows}")).unwrap_or_default();
                let offset = if *start > 0 { format!(" OFFSET {start}") } else { String::new() };
                ("slice", format!("{limit}{offset}"))
            }
            Kind::Aggregate { inner, keys, aggregates } => {
                inputs = one(inner);
                let shown: Vec<String> = aggregates
                    .iter()
                    .map(|aggregate| {
                        let argument = aggregate
                            .argument
                            .map_or_else(|| "*".to_owned(), |slot| variable(slot, names));
                        let distinct = if aggregate.distinct { "DISTINCT " } else { "" };
                        format!("{:?}({distinct}{argument})", aggregate.kind)
                    })
                    .collect();
                ("group", format!("by {}: {}", list(*keys), shown.join(", ")))
            }
        };
        let measured = self.measured(std::ptr::from_ref(node).addr());
        Explained {
            operator,
            detail,
            estimated_rows: None,
            rows: measured.rows,
            milliseconds: measured.time.as_secs_f64() * 1e3,
            inputs,
        }
    }

    /// The patterns of a join, in the order in which they were taken first.
    fn atoms(&self, atoms: &[Atom], names: &[String]) -> Vec<Explained> {
        let mut bound = Slots::default();
        let mut shown = Vec::new();
        for at in self.order(atoms, bound, 1) {
            let atom = &atoms[at];
            let measured = self.measured(std::ptr::from_ref(atom).addr());
            let link = match &atom.link {
                Link::Predicate(id) => self.shown(*id),
                Link::Variable(slot) => variable(*slot, names),
                Link::Not(ids) => {
                    let ids: Vec<String> = ids.iter().map(|id| self.shown(*id)).collect();
                    format!("!({})", ids.join("|"))
                }
                Link::Closure(steps) => self.path(steps),
            };
            let place = |place: Place| match place {
                Place::Term(id) => self.shown(id),
                Place::Slot(slot) => variable(slot, names),
            };
            shown.push(Explained {
                operator: "pattern",
                detail: format!("{} {link} {}", place(atom.subject), place(atom.object)),
                estimated_rows: Some(self.fan(atom, bound)),
                rows: measured.rows,
                milliseconds: measured.time.as_secs_f64() * 1e3,
                inputs: Vec::new(),
            });
            bound = bound.or(atom.slots());
        }
        shown
    }

    fn shown(&self, id: TermId) -> String {
        let text = self.dataset.term(id).to_string();
        let iri = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
        for (prefix, namespace) in crate::rdf::prefixes() {
            if let Some(name) = iri.and_then(|iri| iri.strip_prefix(*namespace))
                && !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            {
                return format!("{prefix}:{name}");
            }
        }
        text
    }

    fn path(&self, steps: &Steps) -> String {
        match steps {
            Steps::Predicate(id) => self.shown(*id),
            Steps::Reverse(inner) => format!("^{}", self.path(inner)),
            Steps::Sequence(a, b) => format!("({}/{})", self.path(a), self.path(b)),
            Steps::Either(a, b) => format!("({}|{})", self.path(a), self.path(b)),
            Steps::Not(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| self.shown(*id)).collect();
                format!("!({})", ids.join("|"))
            }
            Steps::Repeat { inner, zero, many } => {
                let mark = match (zero, many) {
                    (true, true) => '*',
                    (false, _) => '+',
                    (true, false) => '?',
                };
                format!("{}{mark}", self.path(inner))
            }
        }
    }
}

fn variable(slot: usize, names: &[String]) -> String {
    match names.get(slot) {
        Some(name) if name.starts_with("_:") => name.clone(),
        Some(name) if !name.is_empty() => format!("?{name}"),
        _ => format!("?.{slot}"),
    }
}

//! SPARQL Update: which quads an update removes and adds, step by step. Not for
//! making it happen, nor for who may do it.

use crate::graph::budget::{self, Budget};
use crate::graph::dataset::QueryDataset;
use crate::graph::evaluate::{EvaluationError, Scope};
use crate::graph::guard::{Refused, guard_pattern, with_guards};
use crate::graph::query::{ParseError, syntax_error};
use crate::graph::{Size, Snapshot};
use oxigraph::model::{
    BlankNode, GraphName, GraphNameRef, NamedNode, NamedOrBlankNode, Quad, Term, Triple,
};
use spareval::{DeleteInsertQuad, QueryEvaluator};
use spargebra::algebra::{GraphTarget, QueryDataset as Using};
use spargebra::{GraphUpdateOperation, SparqlParser};
use std::collections::HashMap;

/// An update that has been read.
#[derive(Debug, Clone)]
pub struct ReadUpdate {
    operations: Vec<GraphUpdateOperation>,
    size: Size,
}

/// How deep triple terms may lie in one another, as deep as a query may nest:
/// terms are read, written and dropped by recursion.
pub const DEEPEST: usize = 100;

/// The triple terms around the innermost term; none is 0.
#[must_use]
pub fn depth(term: &Term) -> usize {
    let mut term = term;
    let mut depth = 0;
    while let Term::Triple(triple) = term {
        term = &triple.object;
        depth += 1;
    }
    depth
}

/// What an update does to the data. The state is asked for before each
/// operation, so that it sees what those before it did.
pub trait Target {
    /// The triples as they are now.
    fn state(&mut self) -> Snapshot;
    /// The quad shall no longer hold.
    fn remove(&mut self, quad: &Quad);
    /// The quad shall hold.
    fn add(&mut self, quad: &Quad);
    /// No quad of this graph shall hold.
    fn clear(&mut self, graph: GraphNameRef<'_>);
    /// Whether this graph may be written to.
    fn may_write(&self, graph: GraphNameRef<'_>) -> bool;
}

/// Why an update did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// A WHERE clause failed or was stopped.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// CREATE of a graph that exists.
    #[error("the graph {0} exists already")]
    Exists(NamedNode),
    /// DROP or CLEAR of a graph that does not exist.
    #[error("there is no graph {0}")]
    Missing(NamedNode),
    /// LOAD from somewhere else.
    #[error("LOAD {0} would ask another host, which this service does not do")]
    Load(NamedNode),
    /// A triple term would lie too deep in others.
    #[error("a triple term would lie more than {DEEPEST} levels deep")]
    TooDeep,
    /// The caller may not write to this graph.
    #[error("you may not write to the graph {0}")]
    Forbidden(GraphName),
}

impl ReadUpdate {
    /// Reads an update.
    pub fn parse(text: &str, base: Option<&str>) -> Result<Self, ParseError> {
        let mut parser = SparqlParser::new();
        if let Some(base) = base {
            parser = parser.with_base_iri(base).map_err(|e| ParseError::Syntax {
                message: format!("the base IRI is invalid: {e}"),
                line: None,
                column: None,
            })?;
        }
        let update = parser.parse_update(text).map_err(|e| syntax_error(&e.to_string()))?;
        let mut operations = update.operations;
        let mut size = Size::default();
        for operation in &mut operations {
            if let GraphUpdateOperation::DeleteInsert { delete, insert, pattern, .. } = operation {
                size.patterns += delete.len() + insert.len();
                guard_pattern(pattern, &mut size)
                    .map_err(|Refused::Service(name)| ParseError::Service(name))?;
            }
        }
        Ok(Self { operations, size })
    }

    /// How much the update asks for.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether a WHERE clause names its own dataset, which the protocol's
    /// parameters must not contradict (SPARQL 1.1 Protocol §2.2.3).
    #[must_use]
    pub fn names_dataset(&self) -> bool {
        self.operations.iter().any(|operation| {
            matches!(operation, GraphUpdateOperation::DeleteInsert { using: Some(_), .. })
        })
    }

    /// Runs the operations in their order.
    pub fn run(
        &self,
        scope: &Scope,
        budget: &Budget,
        target: &mut dyn Target,
    ) -> Result<(), UpdateError> {
        let mut blank_nodes = HashMap::new();
        for operation in &self.operations {
            operate(operation, scope, budget, target, &mut blank_nodes)?;
        }
        Ok(())
    }
}

fn operate(
    operation: &GraphUpdateOperation,
    scope: &Scope,
    budget: &Budget,
    target: &mut dyn Target,
    blank_nodes: &mut HashMap<BlankNode, BlankNode>,
) -> Result<(), UpdateError> {
    match operation {
        GraphUpdateOperation::InsertData { data } => {
            for quad in data {
                let quad = renamed(quad, blank_nodes);
                writable(target, &quad.graph_name)?;
                target.add(&quad);
            }
        }
        GraphUpdateOperation::DeleteData { data } => {
            for quad in data {
                let graph = name_of(&quad.graph_name);
                writable(target, &graph)?;
                let object = Term::from(quad.object.clone());
                target.remove(&Quad::new(
                    quad.subject.clone(),
                    quad.predicate.clone(),
                    object,
                    graph,
                ));
            }
        }
        GraphUpdateOperation::DeleteInsert { delete, insert, using, pattern } => {
            let state = target.state();
            let dataset = state.update_dataset(scope, using.as_ref());
            let found =
                budget::run(budget, || -> Result<Vec<DeleteInsertQuad>, EvaluationError> {
                    let evaluator = with_guards(QueryEvaluator::new());
                    let prepared = evaluator.prepare_delete_insert(
                        delete.clone(),
                        insert.clone(),
                        None,
                        None,
                        pattern,
                    );
                    let quads = prepared.execute(dataset)?;
                    quads.map(|quad| quad.map_err(EvaluationError::from)).collect()
                })
                .map_err(|stopped| UpdateError::Evaluation(EvaluationError::Stopped(stopped)))??;
            for quad in found {
                match quad {
                    DeleteInsertQuad::Delete(quad) => {
                        writable(target, &quad.graph_name)?;
                        target.remove(&quad);
                    }
                    DeleteInsertQuad::Insert(quad) => {
                        writable(target, &quad.graph_name)?;
                        // TRIPLE() can nest what is stored once more.
                        if depth(&quad.object) > DEEPEST {
                            return Err(UpdateError::TooDeep);
                        }
                        target.add(&quad);
                    }
                }
            }
        }
        GraphUpdateOperation::Load { silent, source, .. } => {
            if !silent {
                return Err(UpdateError::Load(source.clone()));
            }
        }
        GraphUpdateOperation::Create { silent, graph } => {
            let exists = target.state().named_graph_iris().contains(graph);
            // Graphs without quads are not kept, so there is nothing to make.
            if exists && !silent {
                return Err(UpdateError::Exists(graph.clone()));
            }
        }
        GraphUpdateOperation::Clear { silent, graph }
        | GraphUpdateOperation::Drop { silent, graph } => {
            let graphs = target.state().named_graph_iris();
            let mut chosen: Vec<GraphName> = Vec::new();
            match graph {
                GraphTarget::NamedNode(name) if graphs.contains(name) => {
                    chosen.push(name.clone().into());
                }
                GraphTarget::NamedNode(_) if *silent => {}
                GraphTarget::NamedNode(name) => return Err(UpdateError::Missing(name.clone())),
                GraphTarget::DefaultGraph => chosen.push(GraphName::DefaultGraph),
                GraphTarget::NamedGraphs => chosen.extend(graphs.into_iter().map(Into::into)),
                GraphTarget::AllGraphs => {
                    chosen.push(GraphName::DefaultGraph);
                    chosen.extend(graphs.into_iter().map(Into::into));
                }
            }
            for graph in &chosen {
                writable(target, graph)?;
            }
            for graph in &chosen {
                target.clear(graph.as_ref());
            }
        }
    }
    // What comes next sees this.
    target.state();
    Ok(())
}

fn writable(target: &dyn Target, graph: &GraphName) -> Result<(), UpdateError> {
    if target.may_write(graph.as_ref()) {
        Ok(())
    } else {
        Err(UpdateError::Forbidden(graph.clone()))
    }
}

/// The quad with blank nodes of its own: those of a request are never those of
/// the data (SPARQL 1.1 Update §4.1.1).
fn renamed(quad: &spargebra::term::Quad, blank_nodes: &mut HashMap<BlankNode, BlankNode>) -> Quad {
    Quad::new(
        subject_renamed(&quad.subject, blank_nodes),
        quad.predicate.clone(),
        object_renamed(&quad.object, blank_nodes),
        name_of(&quad.graph_name),
    )
}

fn subject_renamed(
    subject: &NamedOrBlankNode,
    blank_nodes: &mut HashMap<BlankNode, BlankNode>,
) -> NamedOrBlankNode {
    match subject {
        NamedOrBlankNode::NamedNode(iri) => iri.clone().into(),
        NamedOrBlankNode::BlankNode(node) => fresh(node, blank_nodes).into(),
    }
}

/// Triple terms lie at most as deep as an update may nest.
fn object_renamed(object: &Term, blank_nodes: &mut HashMap<BlankNode, BlankNode>) -> Term {
    match object {
        Term::BlankNode(node) => fresh(node, blank_nodes).into(),
        Term::Triple(triple) => Triple::new(
            subject_renamed(&triple.subject, blank_nodes),
            triple.predicate.clone(),
            object_renamed(&triple.object, blank_nodes),
        )
        .into(),
        Term::NamedNode(_) | Term::Literal(_) => object.clone(),
    }
}

fn fresh(node: &BlankNode, blank_nodes: &mut HashMap<BlankNode, BlankNode>) -> BlankNode {
    blank_nodes.entry(node.clone()).or_default().clone()
}

fn name_of(graph: &spargebra::term::GraphName) -> GraphName {
    match graph {
        spargebra::term::GraphName::NamedNode(iri) => GraphName::NamedNode(iri.clone()),
        spargebra::term::GraphName::DefaultGraph => GraphName::DefaultGraph,
    }
}

impl Snapshot {
    /// What the WHERE clause of an update sees: `USING`, else the protocol's
    /// graphs, else the service's own default.
    fn update_dataset(&self, scope: &Scope, using: Option<&Using>) -> QueryDataset {
        self.dataset_of(using, scope)
    }
}

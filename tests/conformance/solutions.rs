//! Results of queries as sets that can be compared, whatever their blank nodes
//! are called.

use oxigraph::model::dataset::{CanonicalizationAlgorithm, Dataset};
use oxigraph::model::vocab::{rdf, xsd};
use oxigraph::model::{
    BlankNode, Graph, Literal, NamedNode, NamedOrBlankNode, Quad, Term, Triple, TripleRef,
};
use oxigraph::sparql::results::{
    QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput,
};
use std::collections::BTreeSet;

const RS: &str = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";

/// An answer to a query.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Boolean(bool),
    /// The variables, and the solutions as canonical quads.
    Solutions(BTreeSet<String>, BTreeSet<String>),
    /// A graph as canonical triples.
    Graph(BTreeSet<String>),
}

fn rs(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{RS}{name}"))
}

pub(super) fn canonical(triples: impl IntoIterator<Item = Triple>) -> BTreeSet<String> {
    let mut dataset: Dataset = triples
        .into_iter()
        .map(|t| t.in_graph(oxigraph::model::GraphName::DefaultGraph))
        .collect::<Vec<Quad>>()
        .into_iter()
        .collect();
    dataset.canonicalize(CanonicalizationAlgorithm::Unstable);
    dataset.iter().map(|quad| quad.to_string()).collect()
}

/// A number in one form for all its lexical forms, which the suite does not
/// tell apart: `2.0` and `2`, `1.0E4` and `10000`. The datatype stays.
fn by_value(term: &Term) -> Term {
    let Term::Literal(literal) = term else { return term.clone() };
    let exact = [xsd::DECIMAL].contains(&literal.datatype());
    let inexact = [xsd::FLOAT, xsd::DOUBLE].contains(&literal.datatype());
    match literal.value().parse::<f64>() {
        Ok(value) if exact || inexact => {
            Literal::new_typed_literal(value.to_string(), literal.datatype()).into()
        }
        _ => term.clone(),
    }
}

impl Answer {
    /// Reads an answer in one of SPARQL's result formats.
    pub(super) fn read(format: QueryResultsFormat, text: &[u8]) -> Result<Self, String> {
        let parser = QueryResultsParser::from_format(format);
        match parser.for_slice(text).map_err(|error| error.to_string())? {
            SliceQueryResultsParserOutput::Boolean(value) => Ok(Self::Boolean(value)),
            SliceQueryResultsParserOutput::Solutions(solutions) => {
                let variables =
                    solutions.variables().iter().map(|v| v.as_str().to_owned()).collect();
                let mut rows = Vec::new();
                for solution in solutions {
                    let solution = solution.map_err(|error| error.to_string())?;
                    rows.push(
                        solution
                            .iter()
                            .map(|(variable, value)| {
                                (variable.as_str().to_owned(), by_value(value))
                            })
                            .collect(),
                    );
                }
                Ok(Self::solutions(variables, rows))
            }
        }
    }

    fn solutions(variables: BTreeSet<String>, rows: Vec<Vec<(String, Term)>>) -> Self {
        let mut graph = Graph::new();
        for row in rows {
            let node = BlankNode::default();
            graph.insert(&Triple::new(node.clone(), rdf::TYPE, rs("Solution")));
            for (variable, value) in row {
                let property = NamedNode::new_unchecked(format!("{RS}binding/{variable}"));
                graph.insert(&Triple::new(node.clone(), property, value));
            }
        }
        Self::Solutions(variables, canonical(graph.iter().map(TripleRef::into_owned)))
    }

    /// Reads an answer written with the result-set vocabulary, or a graph.
    pub(super) fn from_graph(triples: Vec<Triple>) -> Self {
        let graph: Graph = triples.iter().cloned().collect();
        let set = graph.subject_for_predicate_object(rdf::TYPE, &rs("ResultSet"));
        let Some(set) = set else { return Self::Graph(canonical(triples)) };
        if let Some(value) = graph.object_for_subject_predicate(set, &rs("boolean")) {
            return Self::Boolean(
                value == Literal::new_typed_literal("true", xsd::BOOLEAN).as_ref().into(),
            );
        }
        let name = |term: Term| match term {
            Term::Literal(name) => name.value().to_owned(),
            other => panic!("{other}"),
        };
        let variables = graph
            .objects_for_subject_predicate(set, &rs("resultVariable"))
            .map(|term| name(term.into_owned()))
            .collect();
        let node = |term: Term| NamedOrBlankNode::try_from(term).expect("a node");
        let rows = graph
            .objects_for_subject_predicate(set, &rs("solution"))
            .map(|solution| {
                let solution = node(solution.into_owned());
                graph
                    .objects_for_subject_predicate(&solution, &rs("binding"))
                    .map(|binding| {
                        let binding = node(binding.into_owned());
                        let of = |property: &str| {
                            graph
                                .object_for_subject_predicate(&binding, &rs(property))
                                .expect("a binding")
                                .into_owned()
                        };
                        (name(of("variable")), by_value(&of("value")))
                    })
                    .collect()
            })
            .collect();
        Self::solutions(variables, rows)
    }
}

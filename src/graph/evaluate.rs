//! Runs a query over a snapshot, on the calling thread, within a budget, and
//! writes its answer as it comes. Not for choosing formats or graphs.

use crate::graph::Snapshot;
use crate::graph::budget::{self, Budget, Stopped};
use crate::graph::dataset::{GraphSet, QueryDataset};
use crate::graph::dictionary::DEFAULT_GRAPH;
use crate::graph::engine::{self, Engine};
use crate::graph::guard::with_guards;
use crate::graph::query::{QueryForm, ReadQuery};
use crate::graph::writer::SolutionWriter;
use crate::rdf::TermId;
use crate::rdf::{GraphFormat, NamedNode, SolutionsFormat, Term};
use oxigraph::io::RdfSerializer;
use oxigraph::sparql::results::QueryResultsSerializer;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults};
use spargebra::Query;
use spargebra::algebra::QueryDataset as Named;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// The graphs that a query may see, decided by who asks and how.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// What the default graph is when the query does not say.
    pub default: DefaultGraphs,
    /// `default-graph-uri` of the protocol; wins over FROM.
    pub default_graph_uris: Vec<NamedNode>,
    /// `named-graph-uri` of the protocol; wins over FROM NAMED.
    pub named_graph_uris: Vec<NamedNode>,
}

/// What the default graph is when neither query nor protocol says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DefaultGraphs {
    /// The union of the default graph and all named graphs.
    #[default]
    Union,
    /// The default graph alone.
    Strict,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Solutions and booleans.
    Solutions(SolutionsFormat),
    /// Graphs.
    Graph(GraphFormat),
}

/// Rows in memory, for pages and for tests.
#[derive(Debug, Clone, Default)]
pub struct Solutions {
    /// Variable names, in the order of the SELECT clause.
    pub variables: Vec<String>,
    /// One cell a variable; `None` is unbound.
    pub rows: Vec<Vec<Option<Term>>>,
    /// Whether there were more rows than asked for.
    pub truncated: bool,
}

/// Why an answer ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The budget was used up.
    #[error("the query was stopped: {0:?}")]
    Stopped(Stopped),
    /// The query calls a function that is not known here.
    #[error("the function {0} is not known here")]
    UnknownFunction(NamedNode),
    /// The query cannot be evaluated for another reason.
    #[error("{0}")]
    Evaluation(String),
    /// The format has no way to write a triple term.
    #[error("JSON-LD cannot express the triple terms in this data")]
    NoTripleTerms,
    /// The answer could not be delivered.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl From<QueryEvaluationError> for EvaluationError {
    fn from(error: QueryEvaluationError) -> Self {
        match error {
            QueryEvaluationError::UnsupportedCustomFunction(name) => Self::UnknownFunction(name),
            other => Self::Evaluation(other.to_string()),
        }
    }
}

impl Snapshot {
    /// Writes the answer of a query. Returns the number of solutions or
    /// triples. The format must fit the query's form: a graph format for
    /// CONSTRUCT and DESCRIBE, a solutions format for SELECT and ASK.
    pub fn write_answer(
        &self,
        query: &ReadQuery,
        scope: &Scope,
        format: Format,
        budget: &Budget,
        output: &mut dyn Write,
    ) -> Result<u64, EvaluationError> {
        budget::run(budget, || self.write_within(query, scope, format, output))
            .map_err(EvaluationError::Stopped)?
    }

    fn write_within(
        &self,
        query: &ReadQuery,
        scope: &Scope,
        format: Format,
        output: &mut dyn Write,
    ) -> Result<u64, EvaluationError> {
        let dataset = self.dataset(query, scope);
        if let Some(count) = self.write_by_engine(query, &dataset, format, output)? {
            return Ok(count);
        }
        let evaluator = with_guards(QueryEvaluator::new());
        let results = evaluator.prepare(&query.parsed).execute(dataset)?;
        let mut count = 0;
        match (results, format) {
            (QueryResults::Boolean(value), Format::Solutions(format)) => {
                let serializer = QueryResultsSerializer::from_format(format.results_format());
                serializer.serialize_boolean_to_writer(output, value)?;
                count = 1;
            }
            (QueryResults::Solutions(solutions), Format::Solutions(format)) => {
                let mut writer = QueryResultsSerializer::from_format(format.results_format())
                    .serialize_solutions_to_writer(output, solutions.variables().to_vec())?;
                for solution in solutions {
                    writer.serialize(&solution?)?;
                    count += 1;
                }
                writer.finish()?;
            }
            (QueryResults::Graph(triples), Format::Graph(format)) => {
                let mut serializer = RdfSerializer::from_format(format.rdf_format());
                for (prefix, iri) in crate::rdf::prefixes() {
                    serializer = serializer
                        .with_prefix(*prefix, *iri)
                        .map_err(|e| EvaluationError::Evaluation(e.to_string()))?;
                }
                let mut writer = serializer.for_writer(output);
                for triple in triples {
                    let triple = triple?;
                    if format == GraphFormat::JsonLd && triple.object.is_triple() {
                        return Err(EvaluationError::NoTripleTerms);
                    }
                    writer.serialize_triple(&triple)?;
                    count += 1;
                }
                writer.finish()?;
            }
            _ => {
                return Err(EvaluationError::Evaluation(
                    "the format does not fit the query's form".to_owned(),
                ));
            }
        }
        Ok(count)
    }

    /// Writes the answer by the engine; `None` if it does not cover the query.
    fn write_by_engine(
        &self,
        query: &ReadQuery,
        dataset: &QueryDataset,
        format: Format,
        output: &mut dyn Write,
    ) -> Result<Option<u64>, EvaluationError> {
        let Some(variables) = query.answer_variables() else { return Ok(None) };
        let (Query::Select { pattern, .. } | Query::Ask { pattern, .. }) = &query.parsed else {
            return Ok(None);
        };
        let Format::Solutions(format) = format else { return Ok(None) };
        let Ok(plan) = engine::plan(pattern, &variables, dataset) else { return Ok(None) };
        let engine = Engine::new(self, dataset, &plan, &query.parsed, false);
        if query.form() == QueryForm::Ask {
            let mut found = false;
            let run = engine.run(&plan, &mut |batch| {
                found |= batch.len > 0;
                if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            if run.is_err() {
                return Ok(None);
            }
            QueryResultsSerializer::from_format(format.results_format())
                .serialize_boolean_to_writer(output, found)?;
            return Ok(Some(1));
        }
        let mut output = Some(output);
        let mut writer: Option<SolutionWriter<'_>> = None;
        let mut failed = None;
        let run = engine.run(&plan, &mut |batch| {
            let written = (|| {
                if let Some(output) = output.take() {
                    writer = Some(SolutionWriter::new(
                        format,
                        &variables,
                        &plan.answer,
                        dataset,
                        output,
                    )?);
                }
                writer.as_mut().map_or(Ok(()), |writer| writer.write(&batch))
            })();
            match written {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        if let Err(why) = run {
            return match writer {
                None => Ok(None),
                Some(_) => Err(EvaluationError::Evaluation(why.to_string())),
            };
        }
        let writer = match (writer, output) {
            (Some(writer), _) => writer,
            (None, Some(output)) => {
                SolutionWriter::new(format, &variables, &plan.answer, dataset, output)?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(writer.finish()?))
    }

    /// The first `limit` solutions of a SELECT query; an ASK gives one row with
    /// the variable `result`, a graph query rows of `subject`, `predicate`,
    /// `object`.
    pub fn solutions(
        &self,
        query: &ReadQuery,
        scope: &Scope,
        budget: &Budget,
        limit: usize,
    ) -> Result<Solutions, EvaluationError> {
        budget::run(budget, || self.solutions_within(query, scope, limit))
            .map_err(EvaluationError::Stopped)?
    }

    fn solutions_within(
        &self,
        query: &ReadQuery,
        scope: &Scope,
        limit: usize,
    ) -> Result<Solutions, EvaluationError> {
        let dataset = self.dataset(query, scope);
        if let Some(answer) = self.solutions_by_engine(query, &dataset, limit) {
            return Ok(answer);
        }
        let evaluator = with_guards(QueryEvaluator::new());
        let results = evaluator.prepare(&query.parsed).execute(dataset)?;
        let mut answer = Solutions::default();
        match results {
            QueryResults::Boolean(value) => {
                answer.variables = vec!["result".to_owned()];
                answer.rows = vec![vec![Some(oxigraph::model::Literal::from(value).into())]];
            }
            QueryResults::Solutions(solutions) => {
                let variables = solutions.variables().to_vec();
                answer.variables = variables.iter().map(|v| v.as_str().to_owned()).collect();
                for solution in solutions {
                    let solution = solution?;
                    if answer.rows.len() == limit {
                        answer.truncated = true;
                        break;
                    }
                    answer.rows.push(variables.iter().map(|v| solution.get(v).cloned()).collect());
                }
            }
            QueryResults::Graph(triples) => {
                answer.variables = ["subject", "predicate", "object"].map(str::to_owned).to_vec();
                for triple in triples {
                    let triple = triple?;
                    if answer.rows.len() == limit {
                        answer.truncated = true;
                        break;
                    }
                    answer.rows.push(vec![
                        Some(triple.subject.into()),
                        Some(triple.predicate.into()),
                        Some(triple.object),
                    ]);
                }
            }
        }
        Ok(answer)
    }

    fn solutions_by_engine(
        &self,
        query: &ReadQuery,
        dataset: &QueryDataset,
        limit: usize,
    ) -> Option<Solutions> {
        let Query::Select { pattern, .. } = &query.parsed else { return None };
        let variables = query.answer_variables()?;
        let plan = engine::plan(pattern, &variables, dataset).ok()?;
        let engine = Engine::new(self, dataset, &plan, &query.parsed, false);
        let mut answer = Solutions {
            variables: variables.iter().map(|v| v.as_str().to_owned()).collect(),
            ..Solutions::default()
        };
        let run = engine.run(&plan, &mut |batch| {
            for row in 0..batch.len {
                if answer.rows.len() == limit {
                    answer.truncated = true;
                    return ControlFlow::Break(());
                }
                let cell = |slot: &usize| {
                    let id = batch.get(*slot, row);
                    (id != 0).then(|| dataset.term(id))
                };
                answer.rows.push(plan.answer.iter().map(cell).collect());
            }
            ControlFlow::Continue(())
        });
        run.ok().map(|()| answer)
    }

    /// SPARQL 1.1 Query §13.2 and Protocol §2.1.4: what the protocol names
    /// wins over what the query names, which wins over the service's own.
    fn dataset(&self, query: &ReadQuery, scope: &Scope) -> QueryDataset {
        self.dataset_of(query.dataset.as_ref(), scope)
    }

    /// The graphs that a query sees, sorted, 0 being the default graph; `None`
    /// if these are all.
    #[must_use]
    pub fn dataset_graphs(&self, query: &ReadQuery, scope: &Scope) -> Option<Vec<TermId>> {
        self.dataset(query, scope).graphs()
    }

    pub(super) fn dataset_of(&self, named: Option<&Named>, scope: &Scope) -> QueryDataset {
        let set = |iris: &[NamedNode]| {
            // A graph that does not exist is empty; number 0 would be the
            // default graph, so it is left out.
            GraphSet::only(iris.iter().filter_map(|g| self.id(g.as_ref().into())).collect())
        };
        let (default, named) =
            if !scope.default_graph_uris.is_empty() || !scope.named_graph_uris.is_empty() {
                (set(&scope.default_graph_uris), set(&scope.named_graph_uris))
            } else if let Some(dataset) = named {
                // WITH of an update changes the default graph alone.
                let named = dataset.named.as_deref().map_or(GraphSet::All, set);
                (set(&dataset.default), named)
            } else {
                let default = match scope.default {
                    DefaultGraphs::Union => GraphSet::All,
                    DefaultGraphs::Strict => GraphSet::only(vec![DEFAULT_GRAPH]),
                };
                (default, GraphSet::All)
            };
        QueryDataset::new(self.clone(), default, named)
    }
}

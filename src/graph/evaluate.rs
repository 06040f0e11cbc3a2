//! Runs a query over a snapshot, on the calling thread, within a budget, and
//! writes its answer as it comes. Not for choosing formats or graphs.

use crate::graph::Snapshot;
use crate::graph::budget::{self, Budget, Stopped};
use crate::graph::dataset::{GraphSet, QueryDataset};
use crate::graph::dictionary::DEFAULT_GRAPH;
use crate::graph::engine::{self, Batch, Engine, Explained, NotCovered};
use crate::graph::guard::with_guards;
use crate::graph::query::{QueryForm, ReadQuery};
use crate::graph::writer::{SolutionWriter, TripleWriter, graph_writer, write_triple};
use crate::rdf::TermId;
use crate::rdf::{GraphFormat, NamedNode, SolutionsFormat, Term};
use oxigraph::model::{BlankNode, Variable};
use oxigraph::sparql::results::QueryResultsSerializer;
use rustc_hash::FxHashSet;
use serde::Serialize;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults};
use spargebra::Query;
use spargebra::algebra::QueryDataset as Named;
use spargebra::term::{NamedNodePattern, TermPattern};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

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
    /// Not the answer, but how it is found: an [`Explanation`].
    Explanation {
        /// Indented text; else JSON.
        text: bool,
    },
}

impl Format {
    /// The media type, with its parameters.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Solutions(format) => format.media_type(),
            Self::Graph(format) => format.media_type(),
            Self::Explanation { text: true } => "text/plain; charset=utf-8",
            Self::Explanation { text: false } => "application/json",
        }
    }
}

/// How a query was answered.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// `engine`, or `evaluator` if the engine does not cover the query.
    pub by: &'static str,
    /// What the engine does not cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// Milliseconds, planning included.
    pub milliseconds: f64,
    /// The operators with their rows and times; none for the evaluator, whose
    /// rows are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Explained>,
}

impl Explanation {
    /// The same as indented text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("answered by the {} in {:.3} ms", self.by, self.milliseconds);
        if let Some(why) = self.why {
            text = format!("answered by the {}, since the engine does not cover: {why}", self.by);
        }
        text.push('\n');
        if let Some(plan) = &self.plan {
            text.push_str(&plan.text());
        }
        text
    }
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

/// How many queries were answered in which way since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// By the vectorised executor.
    pub engine: u64,
    /// By the evaluator, row by row.
    pub evaluator: u64,
}

static BY_ENGINE: AtomicU64 = AtomicU64::new(0);
static BY_EVALUATOR: AtomicU64 = AtomicU64::new(0);

/// How many queries were answered in which way.
#[must_use]
pub fn coverage() -> Coverage {
    Coverage {
        engine: BY_ENGINE.load(Ordering::Relaxed),
        evaluator: BY_EVALUATOR.load(Ordering::Relaxed),
    }
}

/// A place of a template.
enum Place<'a> {
    Variable(&'a Variable),
    Term(Term),
    /// A blank node, new in each solution.
    Fresh(&'a str),
}

impl<'a> Place<'a> {
    fn of(term: &'a TermPattern) -> Option<Self> {
        Some(match term {
            TermPattern::Variable(variable) => Self::Variable(variable),
            TermPattern::NamedNode(iri) => Self::Term(iri.clone().into()),
            TermPattern::Literal(literal) => Self::Term(literal.clone().into()),
            TermPattern::BlankNode(node) => Self::Fresh(node.as_str()),
            // Such a template is not covered.
            TermPattern::Triple(_) => return None,
        })
    }

    fn of_name(name: &'a NamedNodePattern) -> Self {
        match name {
            NamedNodePattern::Variable(variable) => Self::Variable(variable),
            NamedNodePattern::NamedNode(iri) => Self::Term(iri.clone().into()),
        }
    }
}

/// Whether whoever was handed a triple wants more; keeps why not.
fn goes_on(
    wanted: Result<bool, EvaluationError>,
    failed: &mut Option<EvaluationError>,
) -> ControlFlow<()> {
    match wanted {
        Ok(true) => return ControlFlow::Continue(()),
        Ok(false) => {}
        Err(error) => *failed = Some(error),
    }
    ControlFlow::Break(())
}

/// Whether these can be subject and predicate of a triple.
fn can_be_a_triple(dataset: &QueryDataset, [s, p]: [TermId; 2]) -> bool {
    matches!(dataset.tag(s), b'I' | b'B') && dataset.tag(p) == b'I'
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

    /// The same by the evaluator alone, for comparisons.
    pub fn write_answer_by_evaluator(
        &self,
        query: &ReadQuery,
        scope: &Scope,
        format: Format,
        budget: &Budget,
        output: &mut dyn Write,
    ) -> Result<u64, EvaluationError> {
        let dataset = self.dataset(query, scope);
        budget::run(budget, || Self::write_by_evaluator(query, dataset, format, output))
            .map_err(EvaluationError::Stopped)?
    }

    fn write_within(
        &self,
        query: &ReadQuery,
        scope: &Scope,
        format: Format,
        output: &mut dyn Write,
    ) -> Result<u64, EvaluationError> {
        if let Format::Explanation { text } = format {
            let explanation = self.explain_within(query, scope);
            if text {
                output.write_all(explanation.text().as_bytes())?;
            } else {
                serde_json::to_writer_pretty(output, &explanation).map_err(io::Error::from)?;
            }
            return Ok(1);
        }
        let dataset = self.dataset(query, scope);
        if let Some(count) = self.write_by_engine(query, &dataset, format, output)? {
            BY_ENGINE.fetch_add(1, Ordering::Relaxed);
            return Ok(count);
        }
        BY_EVALUATOR.fetch_add(1, Ordering::Relaxed);
        Self::write_by_evaluator(query, dataset, format, output)
    }

    /// Writes the answer by the evaluator, whose rows are terms one by one.
    fn write_by_evaluator(
        query: &ReadQuery,
        dataset: QueryDataset,
        format: Format,
        output: &mut dyn Write,
    ) -> Result<u64, EvaluationError> {
        let evaluator = with_guards(QueryEvaluator::new());
        let filled = query.filled(&dataset);
        let results = evaluator.prepare(&filled).execute(dataset)?;
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
                let mut writer = graph_writer(format, output)?;
                for triple in triples {
                    write_triple(&mut writer, format, &triple?)?;
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
        match (query.form(), format) {
            (QueryForm::Ask, Format::Solutions(format)) => {
                let mut found = false;
                let run = self.run_by_engine(query, dataset, &mut |_, batch| {
                    found |= batch.len > 0;
                    if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                if run.is_none() {
                    return Ok(None);
                }
                QueryResultsSerializer::from_format(format.results_format())
                    .serialize_boolean_to_writer(output, found)?;
                Ok(Some(1))
            }
            (QueryForm::Select, Format::Solutions(format)) => {
                let Some(variables) = query.answer_variables() else { return Ok(None) };
                let mut output = Some(output);
                let mut writer: Option<SolutionWriter<'_>> = None;
                let mut failed = None;
                let run = self.run_by_engine(query, dataset, &mut |slots, batch| {
                    let mut write = || {
                        if let Some(output) = output.take() {
                            let begun =
                                SolutionWriter::new(format, &variables, slots, dataset, output)?;
                            writer = Some(begun);
                        }
                        writer.as_mut().map_or(Ok(()), |writer| writer.write(&batch))
                    };
                    match write() {
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
                let writer = match (run, writer, output) {
                    (Some(()), Some(writer), _) => writer,
                    (Some(()), None, Some(output)) => {
                        SolutionWriter::new(format, &variables, &[], dataset, output)?
                    }
                    (None, None, _) | (Some(()), None, None) => return Ok(None),
                    (None, Some(_), _) => {
                        let told = "an expression could not be evaluated".to_owned();
                        return Err(EvaluationError::Evaluation(told));
                    }
                };
                Ok(Some(writer.finish()?))
            }
            (QueryForm::Construct | QueryForm::Describe, Format::Graph(format)) => {
                let mut writer = TripleWriter::new(format, dataset, output)?;
                let mut count = 0;
                let made = self.triples_by_engine(query, dataset, &mut |triple| {
                    writer.write(triple)?;
                    count += 1;
                    Ok(true)
                });
                match made {
                    None if count == 0 => Ok(None),
                    None => {
                        let told = "an expression could not be evaluated".to_owned();
                        Err(EvaluationError::Evaluation(told))
                    }
                    Some(made) => {
                        made?;
                        writer.finish()?;
                        Ok(Some(count))
                    }
                }
            }
            _ => Ok(None),
        }
    }

    /// Runs a query by the engine: `None` if it is not covered. Rows come with
    /// the slots of the answer's variables.
    fn run_by_engine(
        &self,
        query: &ReadQuery,
        dataset: &QueryDataset,
        each: &mut dyn FnMut(&[usize], Batch) -> ControlFlow<()>,
    ) -> Option<()> {
        let variables = query.answer_variables()?;
        let plan = engine::plan(query.pattern(), &variables, dataset, query.tables()).ok()?;
        let engine = Engine::new(self, dataset, &plan, &query.parsed, false);
        engine.run(&plan, &mut |batch| each(&plan.answer, batch)).ok()
    }

    /// The triples of a CONSTRUCT or DESCRIBE, as numbers, each once, until `each`
    /// says no.
    fn triples_by_engine(
        &self,
        query: &ReadQuery,
        dataset: &QueryDataset,
        each: &mut dyn FnMut([TermId; 3]) -> Result<bool, EvaluationError>,
    ) -> Option<Result<(), EvaluationError>> {
        let template = match &query.parsed {
            Query::Construct { template, .. } => template,
            Query::Describe { .. } => return self.described_by_engine(query, dataset, each),
            _ => return None,
        };
        let variables = query.answer_variables()?;
        let mut seen = FxHashSet::default();
        let mut failed = None;
        let run = self.run_by_engine(query, dataset, &mut |slots, batch| {
            for row in 0..batch.len {
                let mut fresh: Vec<(String, TermId)> = Vec::new();
                for pattern in template {
                    let mut cell = |place: Place<'_>| match place {
                        Place::Variable(variable) => {
                            let at = variables.iter().position(|known| known == variable)?;
                            Some(batch.get(slots[at], row)).filter(|id| *id != 0)
                        }
                        Place::Term(term) => Some(dataset.number(term)),
                        Place::Fresh(label) => {
                            let known = fresh.iter().find(|(known, _)| known == label);
                            if let Some((_, id)) = known {
                                return Some(*id);
                            }
                            let id = dataset.number(BlankNode::default().into());
                            fresh.push((label.to_owned(), id));
                            Some(id)
                        }
                    };
                    let (Some(s), Some(p), Some(o)) = (
                        Place::of(&pattern.subject).and_then(&mut cell),
                        cell(Place::of_name(&pattern.predicate)),
                        Place::of(&pattern.object).and_then(&mut cell),
                    ) else {
                        continue;
                    };
                    if !seen.insert([s, p, o]) {
                        continue;
                    }
                    if !can_be_a_triple(dataset, [s, p]) {
                        continue;
                    }
                    goes_on(each([s, p, o]), &mut failed)?;
                }
            }
            ControlFlow::Continue(())
        });
        run.map(|()| failed.map_or(Ok(()), Err))
    }

    /// What the default graph says of each node of the solutions, and of the blank
    /// nodes that it leads to from there.
    fn described_by_engine(
        &self,
        query: &ReadQuery,
        dataset: &QueryDataset,
        each: &mut dyn FnMut([TermId; 3]) -> Result<bool, EvaluationError>,
    ) -> Option<Result<(), EvaluationError>> {
        let mut seen = FxHashSet::default();
        let mut failed = None;
        let run = self.run_by_engine(query, dataset, &mut |slots, batch| {
            let cells = (0..batch.len).flat_map(|row| slots.iter().map(move |slot| (*slot, row)));
            for (slot, row) in cells {
                let node = batch.get(slot, row);
                let mut open = Vec::new();
                if node != 0 && seen.insert(node) {
                    open.push(node);
                }
                while let Some(subject) = open.pop() {
                    for [predicate, object] in dataset.about(subject) {
                        if dataset.tag(object) == b'B' && seen.insert(object) {
                            open.push(object);
                        }
                        goes_on(each([subject, predicate, object]), &mut failed)?;
                    }
                }
            }
            ControlFlow::Continue(())
        });
        run.map(|()| failed.map_or(Ok(()), Err))
    }

    /// Runs a query and tells how. One that the engine does not cover is not run.
    fn explain_within(&self, query: &ReadQuery, scope: &Scope) -> Explanation {
        let begun = Instant::now();
        let explained = || -> Result<_, NotCovered> {
            let dataset = self.dataset(query, scope);
            let variables =
                query.answer_variables().ok_or(NotCovered("a triple term in a template"))?;
            let plan = engine::plan(query.pattern(), &variables, &dataset, query.tables())?;
            let engine = Engine::new(self, &dataset, &plan, &query.parsed, true);
            let ask = query.form() == QueryForm::Ask;
            engine.run(&plan, &mut |batch| {
                if ask && batch.len > 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            Ok(engine.explained(&plan))
        };
        let plan = explained();
        Explanation {
            by: if plan.is_ok() { "engine" } else { "evaluator" },
            why: plan.as_ref().err().map(|why| why.0),
            milliseconds: begun.elapsed().as_secs_f64() * 1e3,
            plan: plan.ok(),
        }
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
        let filled = query.filled(&dataset);
        let results = evaluator.prepare(&filled).execute(dataset)?;
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
        let mut answer = Solutions::default();
        if matches!(query.form(), QueryForm::Construct | QueryForm::Describe) {
            answer.variables = ["subject", "predicate", "object"].map(str::to_owned).to_vec();
            let made = self.triples_by_engine(query, dataset, &mut |[s, p, o]| {
                if answer.rows.len() == limit {
                    answer.truncated = true;
                    return Ok(false);
                }
                answer.rows.push([s, p, o].map(|id| Some(dataset.term(id))).to_vec());
                Ok(true)
            });
            return made.and_then(Result::ok).map(|()| answer);
        }
        if query.form() != QueryForm::Select {
            return None;
        }
        let variables = query.answer_variables()?;
        answer.variables = variables.iter().map(|v| v.as_str().to_owned()).collect();
        let run = self.run_by_engine(query, dataset, &mut |slots, batch| {
            for row in 0..batch.len {
                if answer.rows.len() == limit {
                    answer.truncated = true;
                    return ControlFlow::Break(());
                }
                let cell = |slot: &usize| {
                    let id = batch.get(*slot, row);
                    (id != 0).then(|| dataset.term(id))
                };
                answer.rows.push(slots.iter().map(cell).collect());
            }
            ControlFlow::Continue(())
        });
        run.map(|()| answer)
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

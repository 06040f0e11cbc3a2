//! Search for the clause inside SPARQL: a list of hits, each record once, best
//! first. Not for reading the clause.

use crate::graph::{Column, GraphPattern, Snapshot};
use crate::index::{
    Error, Facet, Group, Matching, Part, Row, Scoring, Spelling, Term as Wants, surface_words_of,
};
use crate::rdf::vocabulary::{DCTERMS, TITLES, TYPE};
use crate::rdf::{NamedNode, Term, TermId};
use crate::search::ranking::{Mode, rank};
use crate::search::records::Known;
use crate::search::snippet;
use crate::search::understand::understand;
use crate::search::words::read_words;

/// Hits below which it is faster to look for the best than to score all.
const FEW: usize = 1_000;

/// What a clause looks for.
pub struct Wanted<'a> {
    /// The words, as typed.
    pub text: &'a str,
    /// Words as they are written, any of them, nothing dropped nor guessed.
    pub plain: bool,
    /// Properties whose values are searched; all if empty.
    pub properties: &'a [NamedNode],
    /// `hybrid`, `words` or `meaning`.
    pub mode: Option<&'a str>,
    /// Classes of which a hit must be one.
    pub classes: &'a [NamedNode],
    /// Most hits.
    pub limit: usize,
    /// The graphs of the query's dataset, sorted; `None` for all.
    pub graphs: Option<&'a [TermId]>,
    /// The record that must be found, if the query names it.
    pub only: Option<&'a Term>,
    /// What is asked of each hit.
    pub columns: &'a [Column],
}

impl Wanted<'_> {
    fn asks(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }
}

/// A hit of a clause.
pub struct ClauseHit {
    /// The record.
    pub record: TermId,
    /// Its score.
    pub score: f32,
    /// The passage that fits best, as HTML.
    pub snippet: Option<String>,
    /// The literal that matched.
    pub literal: Option<Term>,
    /// Its property.
    pub property: Option<Term>,
    /// The record's class.
    pub class: Option<Term>,
}

/// Runs a clause, within the budget of this thread.
pub fn search_clause(
    graph: &Snapshot,
    text: &crate::index::Snapshot,
    wanted: &Wanted<'_>,
) -> Result<Vec<ClauseHit>, Error> {
    let kinds: Vec<u64> = wanted
        .classes
        .iter()
        .map(|class| super::kind_of_class(class.as_str()).map_or(u64::MAX, |number| number as u64))
        .collect();
    let facets = if kinds.is_empty() { Vec::new() } else { vec![(Facet::Kind, kinds)] };
    let mut filters = text.filters(&facets, None, None);
    if let Some(only) = wanted.only {
        let mut row = text.nothing();
        if let Some(found) = graph.id(only.as_ref()).and_then(|id| text.row_of(id)) {
            row.set(found);
        }
        filters.all.and(&row);
    }
    // Hits that lie outside the query's graphs, or match by another property
    // than those asked for, are dropped afterwards.
    let is_exact = wanted.graphs.is_none()
        && (wanted.properties.is_empty()
            || wanted.plain && part_of(wanted.properties) == Part::Descriptions);
    let most = if is_exact { wanted.limit } else { usize::MAX };
    let known = text.remembered(|| Known::read(graph));
    let (hits, marked) = if wanted.plain {
        let (matching, scoring) = plain(wanted);
        let mut rows = text.matching(&matching)?;
        rows.and(&filters.all);
        let stems = crate::index::words_of(wanted.text).into_iter().map(|(stem, _)| (stem, None));
        let count = usize::try_from(rows.count()).unwrap_or(usize::MAX);
        let hits = if most < FEW && most < count {
            text.best(&scoring, &rows, most)?
        } else {
            let all: Vec<Row> = rows.iter().collect();
            let ranks = count > wanted.limit;
            let scores = if ranks || wanted.asks(Column::Score) {
                let scored = text.scored(&scoring)?;
                all.iter().map(|row| scored.of(*row)).collect()
            } else {
                vec![0.0; all.len()]
            };
            let mut hits: Vec<(Row, f32)> = all.into_iter().zip(scores).collect();
            if ranks {
                hits.sort_by(|a, b| b.1.total_cmp(&a.1));
            }
            hits
        };
        (hits, stems.collect::<Vec<_>>())
    } else {
        let asked = understand(wanted.text, false, text, &known.synonyms)?;
        let mode =
            Mode::ALL.into_iter().find(|mode| wanted.mode == Some(mode.name())).unwrap_or_default();
        let most = most.min(usize::try_from(text.len()).unwrap_or(usize::MAX));
        let ranked = rank(text, graph, &known, &asked, mode, &filters, most)?;
        (ranked.hits, asked.marked)
    };
    let reads = Reads { graph, wanted, marks: snippet::Wanted::new(&marked, wanted.text) };
    let mut found = Vec::new();
    for (at, (row, score)) in hits.into_iter().enumerate() {
        if at.is_multiple_of(64) {
            crate::graph::look_at_budget();
        }
        let subject = text.subject(row);
        if let Some(graphs) = wanted.graphs
            && !reads.is_in(subject, graphs)
        {
            continue;
        }
        if !wanted.properties.is_empty() && !reads.has_it(subject) {
            continue;
        }
        let (property, literal) = if wanted.asks(Column::Literal) || wanted.asks(Column::Property) {
            reads.literal(subject).unzip()
        } else {
            (None, None)
        };
        let snippet = wanted.asks(Column::Snippet).then(|| {
            snippet::best_passage(&known.properties.read(graph, subject).texts, &reads.marks).0
        });
        found.push(ClauseHit {
            class: if wanted.asks(Column::Kind) { reads.class(subject) } else { None },
            record: subject,
            score,
            snippet,
            literal,
            property,
        });
        if found.len() == wanted.limit {
            break;
        }
    }
    Ok(found)
}

/// Words as Jena's and RDF4J's analysers see them: quoted words stand in a
/// row, `-word` must not occur, `word*` is a beginning.
fn plain(wanted: &Wanted<'_>) -> (Matching, Scoring) {
    let words = read_words(wanted.text, true);
    let surface = |text: &str| -> Vec<String> {
        surface_words_of(text).into_iter().map(|(word, _)| word).collect()
    };
    let mut matching = Matching {
        spelling: Spelling::Surface,
        part: part_of(wanted.properties),
        ..Matching::default()
    };
    let mut scoring = Scoring { spelling: Spelling::Surface, ..Scoring::default() };
    for word in &words.any {
        if matches!(word.as_str(), "AND" | "OR") {
            continue;
        }
        let prefix = word.ends_with('*');
        for word in surface(word) {
            scoring.terms.push((vec![word.clone()], 1.0));
            let term = if prefix { Wants::Prefix(word) } else { Wants::Words(vec![word]) };
            matching.groups.push(Group { alternatives: vec![term], required: false });
        }
    }
    for phrase in &words.phrases {
        let phrase = surface(phrase);
        scoring.terms.push((phrase.clone(), 1.0));
        let required = words.any.is_empty();
        matching.groups.push(Group { alternatives: vec![Wants::Words(phrase)], required });
    }
    for word in &words.none {
        matching.none.push(Wants::Words(surface(word)));
    }
    if matching.groups.is_empty() {
        // Nothing asked for finds nothing here, unlike in a search box.
        let nothing = Group { alternatives: Vec::new(), required: true };
        matching.groups.push(nothing);
    }
    (matching, scoring)
}

/// The part of the text that some properties are.
fn part_of(properties: &[NamedNode]) -> Part {
    let is = |iri: &NamedNode, all: &[(&str, &str)]| {
        all.iter().any(|(namespace, name)| {
            iri.as_str().strip_prefix(namespace).is_some_and(|rest| rest == *name)
        })
    };
    if properties.is_empty() {
        Part::Whole
    } else if properties.iter().all(|p| is(p, &TITLES)) {
        Part::Titles
    } else if properties.iter().all(|p| is(p, &[(DCTERMS, "description")])) {
        Part::Descriptions
    } else if properties.iter().any(|p| is(p, &TITLES) || is(p, &[(DCTERMS, "description")])) {
        Part::Whole
    } else {
        Part::Rest
    }
}

struct Reads<'a> {
    graph: &'a Snapshot,
    wanted: &'a Wanted<'a>,
    marks: snippet::Wanted,
}

impl Reads<'_> {
    /// Whether the graphs of the dataset say something about the record that
    /// matches, or, for a hit by meaning, anything in words.
    fn is_in(&self, subject: TermId, graphs: &[TermId]) -> bool {
        let all = GraphPattern::Any;
        self.graph.quads().matching(Some(subject), None, None, all).any(|quad| {
            graphs.binary_search(&quad[3]).is_ok()
                && match self.graph.term(quad[2]) {
                    Some(Term::Literal(literal)) => {
                        !self.wanted.plain || !self.marks.matches(literal.value()).is_empty()
                    }
                    _ => false,
                }
        })
    }

    /// Whether a value of the properties that are searched matches. The index
    /// tells titles, descriptions and other texts apart, and no more.
    fn has_it(&self, subject: TermId) -> bool {
        let part = part_of(self.wanted.properties);
        if self.wanted.plain && part == Part::Descriptions {
            return true;
        }
        if self.wanted.plain && part != Part::Rest {
            return self.wanted.properties.iter().any(|property| {
                let property = self.graph.iri_id(property.as_str());
                let values = |property| {
                    let any = GraphPattern::Any;
                    self.graph.quads().matching(Some(subject), Some(property), None, any).next()
                };
                property.and_then(values).is_some()
            });
        }
        self.literal(subject).is_some()
    }

    /// The literal that matches best, with its property; of the properties
    /// that are searched.
    fn literal(&self, subject: TermId) -> Option<(Term, Term)> {
        let quads = self.graph.quads().matching(Some(subject), None, None, GraphPattern::Any);
        let mut best: Option<(usize, Term, Term)> = None;
        for [_, property, object, _] in quads {
            let (Some(property), Some(object)) =
                (self.graph.term(property), self.graph.term(object))
            else {
                continue;
            };
            let Term::Literal(literal) = &object else { continue };
            let searched = self.wanted.properties.is_empty()
                || self.wanted.properties.iter().any(|p| Term::from(p.clone()) == property);
            let matches = self.marks.matches(literal.value()).len();
            if searched && matches > 0 && best.as_ref().is_none_or(|(most, ..)| matches > *most) {
                best = Some((matches, property, object));
            }
        }
        best.map(|(_, property, object)| (property, object))
    }

    /// The class by which search knows the record.
    fn class(&self, subject: TermId) -> Option<Term> {
        self.graph
            .objects(subject, TYPE)
            .into_iter()
            .filter_map(|class| self.graph.term(class))
            .find(|class| match class {
                Term::NamedNode(iri) => super::kind_of_class(iri.as_str()).is_some(),
                _ => false,
            })
    }
}

//! What a request asks to compare: parameters to values, and back to
//! addresses. Not for counting.

use crate::access::Role;
use crate::compare::{Asked, Axis, Filters, Gathered, Source, Unit};
use crate::graph::Snapshot;
use crate::http::State;
use crate::http::error::Problem;
use crate::http::search_page::encode;
use crate::http::sparql::take;
use crate::rdf::Names;
use crate::search::label;
use std::fmt::Write as _;

/// Rows and columns that an answer has at most, unless another number is asked
/// for.
const USUAL: usize = 50;
/// Rows and columns that may be asked for.
const MOST: usize = 500;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) asked: Asked,
    /// What restricted evidence adds is told as it is, to curators.
    pub(super) exact: bool,
    /// The cell that is looked into: keys of its row and column, empty for all.
    pub(super) cell: Option<(Option<u32>, Option<u32>)>,
}

/// Values as parameters and words.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) graph: &'a Snapshot,
    pub(super) names: &'a Names,
}

/// The kind in the addresses of an axis's values.
fn kind(axis: Axis) -> &'static str {
    match axis {
        Axis::Site => "organisation",
        Axis::Role => "person-role",
        other => other.name(),
    }
}

impl Words<'_> {
    /// What people call a value.
    pub(super) fn label(self, axis: Axis, value: u32) -> String {
        match axis {
            Axis::Period => value.to_string(),
            Axis::Kind => {
                Source::numbered(value).map(|source| source.label().to_owned()).unwrap_or_default()
            }
            _ => {
                let text = label(self.graph, value);
                if text.is_empty() { self.key(axis, value) } else { text }
            }
        }
    }

    /// A value in parameters: its slug, or as much of its address as is needed.
    pub(super) fn key(self, axis: Axis, value: u32) -> String {
        match axis {
            Axis::Period => value.to_string(),
            Axis::Kind => {
                Source::numbered(value).map(|source| source.name().to_owned()).unwrap_or_default()
            }
            _ => {
                let iri = self.graph.text(value).unwrap_or_default();
                match self.names.kind_and_slug(&iri) {
                    Some((of, slug)) if of == kind(axis) => slug.to_owned(),
                    Some((of, slug)) => format!("{of}/{slug}"),
                    None => iri,
                }
            }
        }
    }

    /// The identifier of a value; a year and a kind of record have none.
    pub(super) fn iri(self, axis: Axis, value: u32) -> Option<String> {
        (!matches!(axis, Axis::Period | Axis::Kind)).then(|| self.graph.text(value)).flatten()
    }

    /// The page of a value.
    pub(super) fn url(self, axis: Axis, value: u32) -> String {
        if axis == Axis::Kind {
            return format!("/{}", self.key(axis, value));
        }
        let iri = self.iri(axis, value).unwrap_or_default();
        let page = self.names.kind_and_slug(&iri).map(|(kind, slug)| format!("/{kind}/{slug}"));
        page.unwrap_or_default()
    }

    /// The value that a parameter names.
    fn value(self, gathered: &Gathered, axis: Axis, key: &str) -> Result<u32, Problem> {
        let found = match axis {
            Axis::Period => key.parse().ok(),
            Axis::Kind => Source::parse(key).map(Source::number),
            _ if key.contains("://") => self.graph.iri_id(key),
            _ => match key.split_once('/') {
                Some((kind, slug)) => self.graph.iri_id(&self.names.record(kind, slug)),
                None => self.graph.iri_id(&self.names.record(kind(axis), key)),
            },
        };
        found.filter(|value| gathered.has(axis, *value)).ok_or_else(|| {
            Problem::parameter(format!("{}={key} is on no record that is compared", axis.name()))
                .with_hint(format!(
                    "/api/compare?rows={}&columns=kind lists the values there are",
                    axis.name()
                ))
        })
    }

    /// The filters as SPARQL terms.
    pub(super) fn filters(self, asked: &Asked) -> Filters {
        let term = |axis, value: u32| match self.iri(axis, value) {
            Some(iri) => format!("<{iri}>"),
            None => format!("\"{value}\""),
        };
        asked
            .filters
            .iter()
            .map(|(axis, values)| (*axis, values.iter().map(|value| term(*axis, *value)).collect()))
            .collect()
    }
}

fn names<T>(all: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &'static str) -> String {
    all.into_iter().map(|one| name(&one)).collect::<Vec<_>>().join(", ")
}

fn axis(parameter: &str, given: Option<String>, usual: Axis) -> Result<Axis, Problem> {
    let Some(given) = given.filter(|text| !text.is_empty()) else { return Ok(usual) };
    Axis::parse(&given).ok_or_else(|| {
        Problem::parameter(format!("{parameter}={given} is nothing to compare by"))
            .with_hint(format!("one of: {}", names(Axis::ALL, |axis| axis.name())))
    })
}

impl Request {
    /// Reads the parameters of a request.
    pub(super) fn parse(
        state: &State,
        words: Words<'_>,
        gathered: &Gathered,
        parameters: &mut Vec<(String, String)>,
    ) -> Result<Self, Problem> {
        let mut last = |name: &str| take(parameters, name).pop();
        let rows = axis("rows", last("rows"), Axis::Dimension)?;
        let usual = if rows == Axis::Organisation { Axis::Dimension } else { Axis::Organisation };
        let columns = axis("columns", last("columns"), usual)?;
        if rows == columns {
            return Err(Problem::parameter(format!("rows and columns are both {}", rows.name()))
                .with_hint("compare along two different things"));
        }
        let of_organisations = rows.is_organisation() || columns.is_organisation();
        let unit = match last("count").as_deref() {
            None | Some("") if of_organisations => Unit::Records,
            None | Some("" | "organisations") => Unit::Organisations,
            Some("records") => Unit::Records,
            Some(other) => {
                return Err(Problem::parameter(format!("count={other} is nothing to count"))
                    .with_hint("organisations or records"));
            }
        };
        let illustrative = match last("show").as_deref() {
            None | Some("" | "real") => false,
            Some("illustrative") => true,
            Some(other) => {
                return Err(Problem::parameter(format!("show={other} is not known")).with_hint(
                    "real (sourced and unverified records) or illustrative; never both",
                ));
            }
        };
        let limit = match last("limit").filter(|text| !text.is_empty()) {
            None => USUAL,
            Some(text) => {
                text.parse().ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| {
                    Problem::parameter(format!("limit={text} is not a number from 1 to {MOST}"))
                })?
            }
        };
        let exact = last("exact").as_deref() == Some("true");
        if exact {
            state.needs(Role::Curator)?;
        }
        let cell = last("cell").filter(|text| !text.is_empty());
        let mut sources = Vec::new();
        for name in take(parameters, "from").iter().filter(|name| !name.is_empty()) {
            sources.push(Source::parse(name).ok_or_else(|| {
                Problem::parameter(format!("from={name} is nothing to count"))
                    .with_hint(format!("one of: {}", names(Source::ALL, |source| source.name())))
            })?);
        }
        if sources.is_empty() {
            sources = Source::USUAL.to_vec();
        }
        sources.sort_unstable();
        sources.dedup();
        let mut filters = Vec::new();
        for axis in Axis::ALL.into_iter().filter(|axis| *axis != Axis::Kind) {
            let keys = take(parameters, axis.name());
            let values: Result<Vec<u32>, Problem> = keys
                .iter()
                .filter(|key| !key.is_empty())
                .map(|key| words.value(gathered, axis, key))
                .collect();
            let values = values?;
            if !values.is_empty() {
                filters.push((axis, values));
            }
        }
        let cell = match cell {
            None => None,
            Some(text) => {
                let (row, column) = text.split_once('~').ok_or_else(|| {
                    Problem::parameter(format!("cell={text} is no cell"))
                        .with_hint("a row's value, ~, and a column's value; either may be empty")
                })?;
                let value = |axis, key: &str| {
                    (!key.is_empty()).then(|| words.value(gathered, axis, key)).transpose()
                };
                Some((value(rows, row)?, value(columns, column)?))
            }
        };
        let asked = Asked { rows, columns, unit, sources, illustrative, filters, limit };
        Ok(Self { asked, exact, cell })
    }

    /// The same request as parameters, without a cell.
    pub(super) fn address(&self, words: Words<'_>) -> String {
        let asked = &self.asked;
        let mut text = format!("rows={}&columns={}", asked.rows.name(), asked.columns.name());
        let _ = write!(text, "&count={}", asked.unit.name());
        if asked.sources != Source::USUAL {
            for source in &asked.sources {
                let _ = write!(text, "&from={}", source.name());
            }
        }
        if asked.illustrative {
            text.push_str("&show=illustrative");
        }
        for (axis, values) in &asked.filters {
            for value in values {
                let _ = write!(text, "&{}={}", axis.name(), encode(&words.key(*axis, *value)));
            }
        }
        if asked.limit != USUAL {
            let _ = write!(text, "&limit={}", asked.limit);
        }
        if self.exact {
            text.push_str("&exact=true");
        }
        text
    }

    /// The address of what is behind a cell.
    pub(super) fn cell_url(
        &self,
        words: Words<'_>,
        row: Option<u32>,
        column: Option<u32>,
    ) -> String {
        let key = |axis, value: Option<u32>| {
            value.map(|value| encode(&words.key(axis, value))).unwrap_or_default()
        };
        format!(
            "/compare?{}&cell={}~{}",
            self.address(words),
            key(self.asked.rows, row),
            key(self.asked.columns, column)
        )
    }
}

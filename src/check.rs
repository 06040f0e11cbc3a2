//! The repository's own checks: views equal the ledger, records conform to the
//! shapes, and the queries of `queries/checks` find nothing. Not for judging a change before it happens.

use crate::commit::{Committer, Gate};
use crate::graph::{Budget, DefaultGraphs, ReadQuery, Scope, Snapshot};
use crate::shapes::{Report, Severity, ValidationResult};
use include_dir::{Dir, include_dir};
use std::time::Duration;

static CHECKS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/queries/checks");

/// Differences and rows told of one check.
const TOLD: usize = 20;
/// A check may take long on a large graph.
const TIME: Duration = Duration::from_secs(120);
const MEMORY: usize = 2 << 30;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name.
    pub check: String,
    /// Whether it must be mended, or only looked at.
    pub violation: bool,
    /// What was found.
    pub detail: String,
}

/// A rule as a query that must find nothing.
#[derive(Debug, Clone)]
pub struct Check {
    /// The file's name without `.rq`.
    pub name: String,
    /// What must hold.
    pub rule: String,
    /// Whether breaking it is a violation or a warning.
    pub violation: bool,
    query: ReadQuery,
}

/// The checks built into this program.
pub fn built_in() -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    for file in CHECKS.files() {
        let path = file.path();
        let (Some(name), Some(text)) =
            (path.file_stem().and_then(|n| n.to_str()), file.contents_utf8())
        else {
            continue;
        };
        if path.extension().is_none_or(|e| e != "rq") {
            continue;
        }
        let header = |key: &str| {
            text.lines()
                .filter_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "))
                .map(str::trim)
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let query = ReadQuery::parse(text, None)
            .map_err(|error| anyhow::anyhow!("queries/checks/{name}.rq: {error}"))?;
        checks.push(Check {
            name: name.to_owned(),
            rule: header("rule"),
            violation: header("severity") != "warning",
            query,
        });
    }
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(checks)
}

/// Runs all query checks on a graph.
pub fn queries(graph: &Snapshot) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let scope = Scope { default: DefaultGraphs::Union, ..Scope::default() };
    for check in built_in()? {
        let budget = Budget::new(TIME, MEMORY);
        let solutions = graph
            .solutions(&check.query, &scope, &budget, TOLD)
            .map_err(|error| anyhow::anyhow!("queries/checks/{}.rq: {error}", check.name))?;
        for row in solutions.rows {
            let cells: Vec<String> = solutions
                .variables
                .iter()
                .zip(row)
                .filter_map(|(name, term)| Some(format!("{name} {}", term?)))
                .collect();
            findings.push(Finding {
                check: check.name.clone(),
                violation: check.violation,
                detail: format!("{}: {}", check.rule, cells.join(", ")),
            });
        }
    }
    Ok(findings)
}

/// Judges all records by the shapes.
#[must_use]
pub fn shapes(graph: &Snapshot) -> Vec<Finding> {
    let report = Gate::built_in().judge_all(graph);
    let found = report.results.iter().zip(lines(&report)).map(|(result, detail)| Finding {
        check: "shapes".to_owned(),
        violation: result.severity == Severity::Violation,
        detail,
    });
    found.collect()
}

/// What a report says, a line a result.
#[must_use]
pub fn lines(report: &Report) -> Vec<String> {
    let line = |result: &ValidationResult| {
        let path = result.path.as_ref().map_or_else(String::new, |path| format!(" {path}"));
        let message = result.messages.first().map_or("", |message| message.value());
        format!("{}{path}: {message}", result.focus_node)
    };
    report.results.iter().map(line).collect()
}

/// The rules that records keep: the shapes, then the queries.
pub fn rules(graph: &Snapshot) -> anyhow::Result<Vec<Finding>> {
    let mut findings = shapes(graph);
    findings.extend(queries(graph)?);
    Ok(findings)
}

/// Everything: views against the ledger, the shapes, then the queries.
pub fn all(committer: &Committer) -> anyhow::Result<Vec<Finding>> {
    let mut findings: Vec<Finding> = committer
        .differences(TOLD)?
        .into_iter()
        .map(|detail| Finding { check: "views".to_owned(), violation: true, detail })
        .collect();
    findings.extend(rules(&committer.reader().snapshot().graph)?);
    Ok(findings)
}

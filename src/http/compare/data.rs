//! A comparison as JSON and as CSV.

use super::Comparison;
use crate::compare::statistics::{Share, Summary};
use crate::compare::suppression::Restricted;
use crate::compare::{Axis, Head, Unit};
use crate::http::search_page::encode;
use serde_json::{Value, json};

/// Organisations without it that are named; the page behind a cell names all.
const MISSING: usize = 50;
/// Records, and units with and without it, that are listed behind a cell.
const BEHIND: usize = 500;
/// Passages that are given.
const PASSAGES: usize = 60;

fn thing(comparison: &Comparison<'_>, axis: Axis, value: u32) -> Value {
    let words = comparison.words;
    let mut thing = json!({
        "value": words.key(axis, value),
        "label": words.label(axis, value),
    });
    if let Some(iri) = words.iri(axis, value) {
        thing["id"] = iri.into();
    }
    let url = words.url(axis, value);
    if !url.is_empty() {
        thing["url"] = url.into();
    }
    thing
}

fn share(share: Share) -> Value {
    let mut value = json!({ "count": share.count, "of": share.of });
    if let Some(per_cent) = share.per_cent() {
        value["percent"] = per_cent.into();
    }
    value
}

fn record(comparison: &Comparison<'_>, id: u32) -> Value {
    let facts = &comparison.facts;
    let iri = facts.snapshot.graph.text(id).unwrap_or_default();
    json!({
        "id": iri, "title": facts.label(id), "url": facts.url(&iri),
        "status": crate::search::status(&facts.snapshot.graph, id),
    })
}

fn summary(summary: &Summary) -> Value {
    serde_json::to_value(summary).unwrap_or_default()
}

/// The comparison as JSON.
pub(super) fn json(comparison: &Comparison<'_>) -> Value {
    let asked = &comparison.request.asked;
    let table = &comparison.table;
    let words = comparison.words;
    let head = |axis, head: &Head, restricted: Restricted, is_row: bool| {
        let mut value = thing(comparison, axis, head.value);
        value["count"] = head.units.into();
        value["records"] = head.records.into();
        if restricted != Restricted::Nothing {
            value["restricted"] = json!(restricted);
        }
        let (row, column) =
            if is_row { (Some(head.value), None) } else { (None, Some(head.value)) };
        value["behind"] = comparison.request.cell_url(words, row, column).into();
        value
    };
    let mut cells = Vec::new();
    for (row, of_row) in table.rows.iter().enumerate() {
        for (column, of_column) in table.columns.iter().enumerate() {
            let cell = table.cell(row, column);
            let mut value = share(table.share(row, column));
            value["row"] = words.key(asked.rows, of_row.value).into();
            value["column"] = words.key(asked.columns, of_column.value).into();
            value["missing"] = of_column.units.saturating_sub(cell.units).into();
            value["records"] = cell.records.into();
            let restricted = comparison.restricted(Some(row), Some(column));
            if restricted != Restricted::Nothing {
                value["restricted"] = json!(restricted);
            }
            let (row, column) = (Some(of_row.value), Some(of_column.value));
            value["behind"] = comparison.request.cell_url(words, row, column).into();
            cells.push(value);
        }
    }
    let address = comparison.request.address(words);
    let [of_cells, of_columns] = &comparison.queries;
    let mut answer = json!({
        "revision": comparison.facts.snapshot.revision,
        "rows": asked.rows, "columns": asked.columns, "count": asked.unit, "from": asked.sources,
        "show": if asked.illustrative { "illustrative" } else { "real" },
        "filters": asked.filters.iter().map(|(axis, values)| json!({
            "axis": axis,
            "values": values.iter().map(|value| thing(comparison, *axis, *value)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "total": { "count": table.units, "records": table.records },
        "leftOut": {
            "rows": table.more_rows, "columns": table.more_columns,
            "recordsWithoutRow": table.without_row,
            "recordsWithoutColumn": table.without_column,
            "recordsWithoutOrganisation": table.without_organisation,
        },
        "rowValues": table.rows.iter().enumerate().map(|(at, row)| {
            head(asked.rows, row, comparison.restricted(Some(at), None), true)
        }).collect::<Vec<_>>(),
        "columnValues": table.columns.iter().enumerate().map(|(at, column)| {
            head(asked.columns, column, comparison.restricted(None, Some(at)), false)
        }).collect::<Vec<_>>(),
        "cells": cells,
        "queries": {
            "cells": of_cells, "columns": of_columns,
            "workbench": format!("/sparql?query={}", encode(of_cells)),
        },
        "page": format!("/compare?{address}"),
        "csv": format!("/api/compare?{address}&format=csv"),
        "rules": "/compare#how",
    });
    if comparison.restricted_records != Restricted::Nothing {
        answer["total"]["restrictedRecords"] = json!(comparison.restricted_records);
    }
    if let Some(behind) = &comparison.behind {
        let of_organisations = asked.unit == Unit::Organisations;
        let list = |ids: &[u32]| -> Vec<Value> {
            ids.iter().take(BEHIND).map(|id| record(comparison, *id)).collect()
        };
        answer["cell"] = json!({
            "share": share(Share::new(
                u32::try_from(behind.with.len()).unwrap_or(u32::MAX),
                u32::try_from(behind.with.len() + behind.missing.len()).unwrap_or(u32::MAX),
            )),
            "recordsInAll": behind.records.len(),
            "records": list(&behind.records),
            "with": list(if of_organisations { &behind.with } else { &[] }),
            "missing": list(&behind.missing),
        });
        return answer;
    }
    findings(comparison, &mut answer);
    answer
}

fn findings(comparison: &Comparison<'_>, answer: &mut Value) {
    let rows = comparison.request.asked.rows;
    let columns = comparison.request.asked.columns;
    let found = &comparison.findings;
    let group = |axis, group: &crate::compare::Group| {
        let mut value = share(group.share);
        value["group"] = thing(comparison, axis, group.value);
        value
    };
    answer["common"] = found
        .common
        .iter()
        .map(|one| {
            let mut value = share(one.share);
            value["row"] = thing(comparison, rows, one.row);
            value["missing"] = one
                .missing
                .iter()
                .take(MISSING)
                .map(|id| thing(comparison, Axis::Organisation, *id))
                .collect();
            value
        })
        .collect();
    answer["varies"] = found
        .varies
        .iter()
        .map(|one| {
            json!({
                "row": thing(comparison, rows, one.row), "along": one.axis, "count": one.unit,
                "most": group(one.axis, &one.most), "least": group(one.axis, &one.least),
                "groups": one.groups,
            })
        })
        .collect();
    answer["contrasts"] = found
        .contrasts
        .iter()
        .map(|one| {
            json!({
                "row": thing(comparison, rows, one.row), "along": one.axis, "count": one.unit,
                "group": thing(comparison, one.axis, one.group),
                "here": share(one.here), "elsewhere": share(one.elsewhere),
            })
        })
        .collect();
    answer["outcomes"] = found
        .ended
        .iter()
        .map(|one| {
            json!({
                "row": thing(comparison, rows, one.row),
                "worked": share(one.worked), "stoppedOrMixed": share(one.did_not),
            })
        })
        .collect();
    let figures = &comparison.figures;
    let groups = |all: &[(u32, Summary)]| -> Vec<Value> {
        all.iter()
            .map(|(group, numbers)| {
                let mut value = summary(numbers);
                value["group"] = thing(comparison, columns, *group);
                value
            })
            .collect()
    };
    answer["distributions"] = figures
        .numbers
        .iter()
        .map(|one| {
            json!({
                "title": one.title, "unit": one.unit,
                "known": one.known.map(|id| comparison.facts.label(id)),
                "question": one.question.map(|id| record(comparison, id)),
                "all": summary(&one.summary), "groups": groups(&one.groups),
                "records": one.records.iter().map(|id| record(comparison, *id)).collect::<Vec<_>>(),
                "disagreeing": one.disagreeing,
            })
        })
        .collect();
    answer["choices"] = figures
        .choices
        .iter()
        .map(|one| {
            json!({
                "question": record(comparison, one.question), "of": one.of,
                "options": one.options.iter().map(|(option, count)| {
                    let mut value = record(comparison, *option);
                    value["count"] = (*count).into();
                    value
                }).collect::<Vec<_>>(),
            })
        })
        .collect();
    answer["recordsPerOrganisation"] =
        json!({ "all": summary(&figures.records), "groups": groups(&figures.records_by) });
    answer["roles"] = figures
        .roles
        .iter()
        .map(|(role, count)| {
            let role = role.map(|role| thing(comparison, Axis::Role, role));
            json!({ "role": role, "passages": count })
        })
        .collect();
    answer["passages"] = figures
        .passages
        .iter()
        .take(PASSAGES)
        .map(|one| {
            let mut value = record(comparison, one.record);
            value["text"] = comparison.facts.snapshot.graph.text(one.text).into();
            value["role"] = one.role.map(|role| thing(comparison, Axis::Role, role)).into();
            value
        })
        .collect();
}

/// The cells as CSV (RFC 4180), one a line.
pub(super) fn csv(comparison: &Comparison<'_>) -> String {
    let asked = &comparison.request.asked;
    let table = &comparison.table;
    let words = comparison.words;
    let mut out = format!(
        "{},{} id,{},{} id,{} with it,of,per cent,missing,records,restricted,behind\r\n",
        asked.rows.name(),
        asked.rows.name(),
        asked.columns.name(),
        asked.columns.name(),
        asked.unit.name(),
    );
    for (row, of_row) in table.rows.iter().enumerate() {
        for (column, of_column) in table.columns.iter().enumerate() {
            let cell = table.cell(row, column);
            let share = table.share(row, column);
            let line = [
                words.label(asked.rows, of_row.value),
                words.key(asked.rows, of_row.value),
                words.label(asked.columns, of_column.value),
                words.key(asked.columns, of_column.value),
                share.count.to_string(),
                share.of.to_string(),
                share.per_cent().map(|part| part.to_string()).unwrap_or_default(),
                share.of.saturating_sub(share.count).to_string(),
                cell.records.to_string(),
                comparison.restricted(Some(row), Some(column)).words(),
                comparison.request.cell_url(words, Some(of_row.value), Some(of_column.value)),
            ];
            out.push_str(&line.map(|text| crate::http::search_page::csv_cell(&text)).join(","));
            out.push_str("\r\n");
        }
    }
    out
}

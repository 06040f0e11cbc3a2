//! A comparison as a page: findings first, then the table, then numbers beside
//! words, and how all of it is counted.

use super::Comparison;
use super::parts;
use super::request::Request;
use crate::compare::suppression::Restricted;
use crate::compare::{Axis, Source, Unit};
use crate::http::State;
use crate::http::site::layout;
use crate::pages::{
    self, Block, Choosable, ChooseOne, CompareCell, CompareHead, ComparePage, CompareTable, Link,
    Narrowed, Section, Value,
};

/// Columns beside each other; more are put below each other.
const ACROSS: usize = 8;
/// Rows and columns that the page shows; JSON and CSV have more.
const SHOWN: usize = 20;
/// Records shown behind a cell.
const RECORDS: usize = 60;
/// Organisations named behind a cell.
const NAMED: usize = 200;

/// Other comparisons that people ask for.
const OTHERS: [(&str, &str); 7] = [
    ("Dimensions by organisation", "/compare"),
    ("Dimensions by region", "/compare?rows=dimension&columns=region"),
    ("Themes by region", "/compare?rows=theme&columns=region"),
    ("Themes by outcome", "/compare?rows=theme&columns=outcome&count=records&from=case-study"),
    ("Dimensions by kind of organisation", "/compare?rows=dimension&columns=organisation-kind"),
    ("Themes by year", "/compare?rows=theme&columns=period&count=records"),
    (
        "Dimensions by Innovation Site (illustrative)",
        "/compare?rows=dimension&columns=site&show=illustrative",
    ),
];

/// The page.
pub(super) fn page(state: &State, comparison: &Comparison<'_>) -> String {
    let request = comparison.request;
    let asked = &request.asked;
    let words = comparison.words;
    let rows = asked.rows.label();
    let title = match request.cell {
        None => "What is common, and what varies".to_owned(),
        Some((row, column)) => {
            let label = |axis, value: Option<u32>| value.map(|value| words.label(axis, value));
            let parts = [label(asked.rows, row), label(asked.columns, column)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if parts.is_empty() { "Everything compared".to_owned() } else { parts.join(" – ") }
        }
    };
    let mut layout = layout(state, &title);
    layout.part = "/explore";
    layout.description = format!(
        "{rows} by {}: how many of how many, who is missing, and what stands behind it.",
        asked.columns.in_sentence()
    );
    let address = request.address(words);
    layout.links = vec![("alternate", format!("/api/compare?{address}"), "application/json")];
    let lead = if request.cell.is_some() {
        "The records behind this number, and who is missing."
    } else {
        "Lessons, case studies and evidence side by side: how many of how many, who is missing, what differs between groups, and what stands behind each number."
    };
    let other = Request {
        asked: crate::compare::Asked {
            illustrative: !asked.illustrative,
            filters: Vec::new(),
            ..asked.clone()
        },
        cell: None,
        ..request.clone()
    };
    let instead = if asked.illustrative {
        "Compare real records instead"
    } else {
        "compare illustrative records instead"
    };
    let behind = comparison.behind.is_some();
    pages::compare(&ComparePage {
        layout,
        title,
        lead: lead.to_owned(),
        illustrative: asked.illustrative,
        back: behind.then(|| Link::new("Back to the comparison", &format!("/compare?{address}"))),
        others: OTHERS.into_iter().map(|(text, url)| Link::new(text, url)).collect(),
        choices: choices(request),
        sources: Source::ALL
            .into_iter()
            .map(|source| Choosable {
                value: source.name().to_owned(),
                label: source.label().to_owned(),
                chosen: asked.sources.contains(&source),
            })
            .collect(),
        narrowed: narrowed(comparison),
        instead: Link::new(instead, &format!("/compare?{}", other.address(words))),
        headlines: if behind { Vec::new() } else { parts::headlines(comparison) },
        table: (!behind && !comparison.table.rows.is_empty()).then(|| table(comparison)),
        sections: if behind { behind_cell(comparison) } else { parts::sections(comparison) },
    })
}

fn choices(request: &Request) -> Vec<ChooseOne> {
    let asked = &request.asked;
    let axes = |chosen: Axis| {
        Axis::ALL
            .into_iter()
            .map(|axis| Choosable {
                value: axis.name().to_owned(),
                label: axis.label().to_owned(),
                chosen: axis == chosen,
            })
            .collect()
    };
    let units = [(Unit::Organisations, "Organisations"), (Unit::Records, "Records")];
    vec![
        ChooseOne { name: "rows", label: "Compare", values: axes(asked.rows) },
        ChooseOne { name: "columns", label: "Among", values: axes(asked.columns) },
        ChooseOne {
            name: "count",
            label: "Count",
            values: units
                .into_iter()
                .map(|(unit, label)| Choosable {
                    value: unit.name().to_owned(),
                    label: label.to_owned(),
                    chosen: unit == asked.unit,
                })
                .collect(),
        },
    ]
}

fn narrowed(comparison: &Comparison<'_>) -> Vec<Narrowed> {
    let request = comparison.request;
    let words = comparison.words;
    let mut all = Vec::new();
    for (at, (axis, values)) in request.asked.filters.iter().enumerate() {
        for value in values {
            let mut without = request.clone();
            without.cell = None;
            without.asked.filters[at].1.retain(|other| other != value);
            all.push(Narrowed {
                text: format!("{}: {}", axis.label(), words.label(*axis, *value)),
                parameter: (axis.name().to_owned(), words.key(*axis, *value)),
                without: format!("/compare?{}", without.address(words)),
            });
        }
    }
    all
}

/// Cells with their headings; many columns are put below each other.
fn table(comparison: &Comparison<'_>) -> CompareTable {
    let request = comparison.request;
    let asked = &request.asked;
    let words = comparison.words;
    let table = &comparison.table;
    let plus = |restricted: Restricted| match restricted.words() {
        words if words.is_empty() => String::new(),
        words => format!(" + {words} restricted"),
    };
    let column_heads: Vec<CompareHead> = table
        .columns
        .iter()
        .enumerate()
        .take(SHOWN)
        .map(|(at, head)| CompareHead {
            link: Link::new(
                &words.label(asked.columns, head.value),
                &words.url(asked.columns, head.value),
            ),
            note: format!(
                "{}{}",
                parts::counted(head.units, asked.unit),
                plus(comparison.restricted(None, Some(at)))
            ),
        })
        .collect();
    let row_heads: Vec<CompareHead> = table
        .rows
        .iter()
        .take(SHOWN)
        .map(|head| CompareHead {
            link: Link::new(
                &words.label(asked.rows, head.value),
                &words.url(asked.rows, head.value),
            ),
            note: String::new(),
        })
        .collect();
    let cell = |row: usize, column: usize| {
        let share = table.share(row, column);
        let (of_row, of_column) = (table.rows[row].value, table.columns[column].value);
        CompareCell {
            text: format!("{} of {}", share.count, share.of),
            restricted: comparison.restricted(Some(row), Some(column)).words(),
            url: request.cell_url(words, Some(of_row), Some(of_column)),
            share: share.value(),
        }
    };
    let (height, width) = (row_heads.len(), column_heads.len());
    let across = width <= ACROSS || width < height;
    let (corner, columns, rows) = if across {
        let rows = row_heads
            .into_iter()
            .enumerate()
            .map(|(row, head)| (head, (0..width).map(|column| cell(row, column)).collect()))
            .collect();
        (asked.rows.label(), column_heads, rows)
    } else {
        let rows = column_heads
            .into_iter()
            .enumerate()
            .map(|(column, head)| (head, (0..height).map(|row| cell(row, column)).collect()))
            .collect();
        (asked.columns.label(), row_heads, rows)
    };
    let hidden = (
        table.rows.len() - height + table.more_rows,
        table.columns.len() - width + table.more_columns,
    );
    let count = |axis: Axis, count: usize| {
        (count > 0).then(|| format!("{}: {count} more", axis.in_sentence()))
    };
    let more: Vec<String> = [count(asked.rows, hidden.0), count(asked.columns, hidden.1)]
        .into_iter()
        .flatten()
        .collect();
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(
            "The most frequent are shown ({}); CSV and JSON below have up to {} of each, and up to 500 with limit=500.",
            more.join(", "),
            asked.limit
        )
    };
    CompareTable {
        caption: format!(
            "{} by {}: how many {} of how many",
            asked.rows.label(),
            asked.columns.in_sentence(),
            asked.unit.name()
        ),
        corner: corner.to_owned(),
        columns,
        rows,
        more,
    }
}

/// Records, and who has them and who does not.
fn behind_cell(comparison: &Comparison<'_>) -> Vec<Section> {
    let Some(behind) = &comparison.behind else { return Vec::new() };
    let request = comparison.request;
    let asked = &request.asked;
    let facts = &comparison.facts;
    let unit = asked.unit.name();
    let all = behind.with.len() + behind.missing.len();
    let links = |ids: &[u32]| {
        let mut links: Vec<Link> = ids.iter().take(NAMED).map(|id| facts.bare_link(*id)).collect();
        links.sort_by(|a, b| a.text.cmp(&b.text));
        links
    };
    let more = |count: usize, shown: usize| {
        if count > shown {
            Block::Note(format!("{shown} of {count} are shown; the JSON has up to 500."))
        } else {
            Block::Prose(Vec::new())
        }
    };
    let restricted = match comparison.restricted_records.words() {
        words if words.is_empty() => Vec::new(),
        words => vec![format!(
            "Of the whole comparison, {words} more records are restricted evidence. They are not listed here; search finds those that you may read."
        )],
    };
    let address = comparison.request.cell_url(
        comparison.words,
        request.cell.and_then(|(row, _)| row),
        request.cell.and_then(|(_, column)| column),
    );
    let mut take = vec![
        Link::new("This as JSON", &format!("{address}&format=json")),
        Link::new(
            "The whole comparison",
            &format!("/compare?{}", request.address(comparison.words)),
        ),
    ];
    take.extend(search(comparison));
    [
        Section::new(
            "many",
            "How many",
            vec![
                Block::Prose(vec![format!(
                    "{} of {all} {unit}; {} are behind it.",
                    behind.with.len(),
                    parts::records(behind.records.len()),
                )]),
                Block::Prose(restricted),
            ],
        ),
        Section::new(
            "records",
            "Records behind it",
            vec![
                Block::Cards(facts.cards(behind.records.clone(), RECORDS)),
                more(behind.records.len(), RECORDS),
            ],
        ),
        (asked.unit == Unit::Organisations)
            .then(|| {
                Section::new(
                    "with",
                    &format!("Where it is recorded ({})", behind.with.len()),
                    vec![Block::Links(links(&behind.with)), more(behind.with.len(), NAMED)],
                )
            })
            .flatten(),
        Section::new(
            "missing",
            &format!("Who is missing ({})", behind.missing.len()),
            vec![
                Block::Prose(vec![
                    "They have records in this comparison, but none of this. That nothing is recorded does not mean that nothing was done.".to_owned(),
                ]),
                Block::Links(links(&behind.missing)),
                more(behind.missing.len(), NAMED),
            ],
        )
        .filter(|_| !behind.missing.is_empty()),
        Section::new("take", "Take it with you", vec![Block::Links(take)]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The search for the same, where it has the same filters.
fn search(comparison: &Comparison<'_>) -> Option<Link> {
    let asked = &comparison.request.asked;
    let (row, column) = comparison.request.cell?;
    let mut filters = vec![(asked.rows, row?), (asked.columns, column?)];
    filters
        .extend(asked.filters.iter().filter_map(|(axis, values)| Some((*axis, *values.first()?))));
    let known = [Axis::Theme, Axis::Dimension, Axis::Outcome, Axis::Programme];
    if filters.iter().any(|(axis, _)| !known.contains(axis)) {
        return None;
    }
    let mut url = "/search?".to_owned();
    for source in &asked.sources {
        url.push_str("kind=");
        url.push_str(source.name());
        url.push('&');
    }
    for (axis, value) in filters {
        url.push_str(axis.name());
        url.push('=');
        url.push_str(&comparison.words.key(axis, value));
        url.push('&');
    }
    Some(Link::new("Search among these", url.trim_end_matches('&')))
}

/// A value as a link.
pub(super) fn value(comparison: &Comparison<'_>, axis: Axis, value: u32) -> Value {
    let words = comparison.words;
    Value::Link(Link::new(&words.label(axis, value), &words.url(axis, value)))
}

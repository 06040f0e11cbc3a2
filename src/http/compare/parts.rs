//! The findings in words, and how they were counted.

use super::Comparison;
use super::page::value;
use crate::compare::statistics::{Share, Summary};
use crate::compare::{Axis, Common, Group, Passage, Unit};
use crate::http::record_page::facts::shorten;
use crate::http::search_page::encode;
use crate::pages::{Bar, Bars, Block, Card, Grid, Link, Section, Value};

/// Rows of a table of findings.
const ROWS: usize = 20;
/// Rows of what varies: the widest differences.
const VARIES: usize = 10;
/// Organisations that are named as missing.
const MISSING: usize = 3;
/// Passages of a role, and what stood in the way.
const PASSAGES: usize = 3;
const BARRIERS: usize = 6;
/// Groups shown of a distribution.
const GROUPS: usize = 10;

/// So many records, in words.
pub(super) fn records(count: usize) -> String {
    format!("{count} {}", if count == 1 { "record" } else { "records" })
}

/// So many of what is counted.
pub(super) fn counted(count: u32, unit: Unit) -> String {
    match (unit, count) {
        (Unit::Organisations, 1) => "1 organisation".to_owned(),
        (Unit::Records, 1) => "1 record".to_owned(),
        (unit, count) => format!("{count} {}", unit.name()),
    }
}

/// `7 of 9 (78 %)`; without per cent where there are too few.
fn share(share: Share) -> String {
    let part = share.per_cent().map(|part| format!(" ({part} %)")).unwrap_or_default();
    format!("{} of {}{part}", share.count, share.of)
}

fn points(a: Share, b: Share) -> String {
    if !a.carries() || !b.carries() {
        return "too few to compare".to_owned();
    }
    let (a, b) = (a.per_cent().unwrap_or_default(), b.per_cent().unwrap_or_default());
    if a >= b { format!("+{} points", a - b) } else { format!("\u{2212}{} points", b - a) }
}

fn text(text: &str) -> Vec<Value> {
    vec![Value::text(text)]
}

/// What to know first.
pub(super) fn headlines(comparison: &Comparison<'_>) -> Vec<String> {
    let asked = &comparison.request.asked;
    let label = |axis, value| comparison.words.label(axis, value);
    let found = &comparison.findings;
    let mut lines = Vec::new();
    if let (Some(most), Some(least)) = (found.common.first(), found.common.last()) {
        let unit = if asked.rows.is_organisation() { "records" } else { "organisations" };
        lines.push(format!(
            "Most common: “{}”, in {} {unit} that have a record here.",
            label(asked.rows, most.row),
            share(most.share)
        ));
        if least.row != most.row {
            lines.push(format!(
                "Least common: “{}”, in {}.",
                label(asked.rows, least.row),
                share(least.share)
            ));
        }
    }
    if let Some(varies) = found.varies.first() {
        lines.push(format!(
            "Varies most: “{}”, along {}: {} for “{}”, {} for “{}”.",
            label(asked.rows, varies.row),
            varies.axis.in_sentence(),
            share(varies.most.share),
            label(varies.axis, varies.most.value),
            share(varies.least.share),
            label(varies.axis, varies.least.value)
        ));
    }
    match found.contrasts.first() {
        Some(contrast) => lines.push(format!(
            "Stands out: “{}” in “{}”, {}, against {} elsewhere.",
            label(asked.rows, contrast.row),
            label(contrast.axis, contrast.group),
            share(contrast.here),
            share(contrast.elsewhere)
        )),
        None if !found.common.is_empty() => lines.push(
            "No group stands out from the others by more than chance could explain among so few."
                .to_owned(),
        ),
        None => lines.push("Nothing is recorded for this.".to_owned()),
    }
    lines
}

/// The sections below the table.
pub(super) fn sections(comparison: &Comparison<'_>) -> Vec<Section> {
    [
        common(comparison),
        varies(comparison),
        contrasts(comparison),
        ended(comparison),
        numbers(comparison),
        passages(comparison),
        how(comparison),
        take(comparison),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn common(comparison: &Comparison<'_>) -> Option<Section> {
    let asked = &comparison.request.asked;
    let found = &comparison.findings.common;
    let of_records = asked.rows.is_organisation();
    // Behind a row stand organisations, whatever the cells count.
    let mut request = comparison.request.clone();
    request.asked.unit = if of_records { Unit::Records } else { Unit::Organisations };
    let behind = |row: u32| request.cell_url(comparison.words, Some(row), None);
    let bars = Bars {
        caption: if of_records {
            "How much is recorded of each".to_owned()
        } else {
            "In how many of the organisations that have a record here".to_owned()
        },
        columns: vec![asked.rows.label().to_owned()],
        number: if of_records { "Records" } else { "Organisations" }.to_owned(),
        full: 1.0,
        bars: found
            .iter()
            .take(ROWS)
            .map(|one| Bar {
                labels: vec![vec![value(comparison, asked.rows, one.row)]],
                value: one.share.value(),
                text: share(one.share),
            })
            .collect(),
    };
    let missing = |one: &Common| -> Vec<Value> {
        let mut links: Vec<Link> =
            one.missing.iter().map(|id| comparison.facts.bare_link(*id)).collect();
        links.sort_by(|a, b| a.text.cmp(&b.text));
        let more = links.len().saturating_sub(MISSING);
        links.truncate(MISSING);
        let mut values: Vec<Value> = links.into_iter().map(Value::Link).collect();
        if more > 0 {
            values.push(Value::Link(Link::new(&format!("and {more} more"), &behind(one.row))));
        }
        values
    };
    let grid = Grid {
        caption: "Who is missing".to_owned(),
        columns: vec![
            asked.rows.label().to_owned(),
            "Recorded at".to_owned(),
            "Not recorded at".to_owned(),
        ],
        rows: found
            .iter()
            .take(ROWS)
            .filter(|one| !one.missing.is_empty())
            .map(|one| {
                vec![
                    vec![value(comparison, asked.rows, one.row)],
                    vec![Value::Link(Link::new(&share(one.share), &behind(one.row)))],
                    missing(one),
                ]
            })
            .collect(),
    };
    Section::new("common", "What is common", vec![Block::Bars(bars), Block::Grid(grid)])
}

fn group(comparison: &Comparison<'_>, axis: Axis, group: &Group) -> Vec<Value> {
    vec![value(comparison, axis, group.value), Value::text(&share(group.share))]
}

fn along(axis: Axis, unit: Unit) -> Vec<Value> {
    let of = match axis {
        Axis::Outcome => "case studies",
        Axis::Role => "passages",
        _ => unit.name(),
    };
    vec![Value::text(axis.label()), Value::text(&format!("({of})"))]
}

fn varies(comparison: &Comparison<'_>) -> Option<Section> {
    let rows = comparison.request.asked.rows;
    let grid = Grid {
        caption: "Where it is most and least frequent, the widest difference first".to_owned(),
        columns: [rows.label(), "Along", "Most in", "Least in"].map(str::to_owned).to_vec(),
        rows: comparison
            .findings
            .varies
            .iter()
            .take(VARIES)
            .map(|one| {
                vec![
                    vec![value(comparison, rows, one.row)],
                    along(one.axis, one.unit),
                    group(comparison, one.axis, &one.most),
                    group(comparison, one.axis, &one.least),
                ]
            })
            .collect(),
    };
    Section::new("varies", "What varies, and along what", vec![Block::Grid(grid)])
}

fn contrasts(comparison: &Comparison<'_>) -> Option<Section> {
    let rows = comparison.request.asked.rows;
    let grid = Grid {
        caption: "Groups that stand out against all others".to_owned(),
        columns: [rows.label(), "Group", "In the group", "Elsewhere", "Difference"]
            .map(str::to_owned)
            .to_vec(),
        rows: comparison
            .findings
            .contrasts
            .iter()
            .map(|one| {
                let mut of = along(one.axis, one.unit);
                of.insert(0, value(comparison, one.axis, one.group));
                vec![
                    vec![value(comparison, rows, one.row)],
                    of,
                    text(&share(one.here)),
                    text(&share(one.elsewhere)),
                    text(&points(one.here, one.elsewhere)),
                ]
            })
            .collect(),
    };
    if grid.rows.is_empty() {
        return None;
    }
    Section::new(
        "contrasts",
        "Contrasts",
        vec![
            Block::Prose(vec!["Only differences of 20 points and more are told, between groups of at least 5, where the 95 % interval of the difference leaves zero out. The records are no sample: this keeps small numbers from being read as more than they are, and proves no cause.".to_owned()]),
            Block::Grid(grid),
        ],
    )
}

fn ended(comparison: &Comparison<'_>) -> Option<Section> {
    let rows = comparison.request.asked.rows;
    let grid = Grid {
        caption: "Case studies that worked, and those that were stopped or gave mixed results"
            .to_owned(),
        columns: [rows.label(), "Of those that worked", "Of those stopped or mixed", "Difference"]
            .map(str::to_owned)
            .to_vec(),
        rows: comparison
            .findings
            .ended
            .iter()
            .take(ROWS)
            .map(|one| {
                vec![
                    vec![value(comparison, rows, one.row)],
                    text(&share(one.worked)),
                    text(&share(one.did_not)),
                    text(&points(one.worked, one.did_not)),
                ]
            })
            .collect(),
    };
    if grid.rows.is_empty() {
        return None;
    }
    Section::new(
        "ended",
        "What worked against what did not",
        vec![
            Block::Grid(grid),
            Block::More(Link::new("The case studies themselves, by how they ended", "/outcomes")),
        ],
    )
}

/// A number as people read it: no more than two places.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, rest) = text.split_once('.').map_or((text, ""), |(whole, rest)| (whole, rest));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len() > 4 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{rest}")
}

/// Number, median, middle half and range; what the number cannot carry is said
/// so.
fn summary(summary: &Summary) -> [Vec<Value>; 4] {
    let range = match (summary.least, summary.greatest) {
        (Some(least), Some(greatest)) if summary.n > 1 => {
            format!("{} to {}", number(least), number(greatest))
        }
        (Some(only), _) => number(only),
        _ => "none".to_owned(),
    };
    let median = summary.median.map_or_else(|| "needs 3".to_owned(), number);
    let half = match (summary.lower, summary.upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", number(lower), number(upper)),
        _ => "needs 4".to_owned(),
    };
    [text(&summary.n.to_string()), text(&median), text(&half), text(&range)]
}

fn numbers(comparison: &Comparison<'_>) -> Option<Section> {
    let figures = &comparison.figures;
    let columns = comparison.request.asked.columns;
    let head = |first: &str, n: &str| {
        [first, n, "Median", "Middle half (quartiles)", "Range"].map(str::to_owned).to_vec()
    };
    let row = |first: Vec<Value>, numbers: &Summary| {
        let mut row = vec![first];
        row.extend(summary(numbers));
        row
    };
    let mut of_organisations = vec![row(text("All organisations"), &figures.records)];
    of_organisations.extend(
        figures
            .records_by
            .iter()
            .take(GROUPS)
            .map(|(group, numbers)| row(vec![value(comparison, columns, *group)], numbers)),
    );
    if figures.records.n == 0 {
        of_organisations.clear();
    }
    let mut distributions = Vec::new();
    for one in figures.numbers.iter().take(ROWS) {
        let mut first = match one.question {
            Some(question) => vec![Value::Link(comparison.facts.bare_link(question))],
            None => text(&one.title),
        };
        let known = one.known.map(|known| comparison.facts.label(known)).unwrap_or_default();
        let notes: Vec<&str> =
            [one.unit.as_str(), &known].into_iter().filter(|note| !note.is_empty()).collect();
        if !notes.is_empty() {
            first.push(Value::text(&notes.join(", ")));
        }
        if one.disagreeing > 0 {
            let text = format!("{} with figures that differ left out", one.disagreeing);
            first.push(Value::text(&text));
        }
        if one.summary.n <= 4 {
            first.extend(one.records.iter().map(|id| {
                // A figure by the case study that it is of.
                let case = comparison.facts.objects(*id, "insites:ofCaseStudy").first().copied();
                let iri = comparison.facts.snapshot.graph.text(*id).unwrap_or_default();
                let name = comparison.facts.label(case.unwrap_or(*id));
                Value::Link(Link::new(&shorten(&name, 60), &comparison.facts.url(&iri)))
            }));
        }
        distributions.push(row(first, &one.summary));
        for (of, numbers) in one.groups.iter().take(GROUPS).filter(|_| one.groups.len() > 1) {
            let label = format!("{}: {}", one.title, comparison.words.label(columns, *of));
            distributions.push(row(text(&label), numbers));
        }
    }
    let choices = figures.choices.iter().take(ROWS).flat_map(|one| {
        one.options.iter().map(move |(option, count)| {
            vec![
                vec![Value::Link(comparison.facts.bare_link(one.question))],
                text(&comparison.facts.label(*option)),
                text(&share(Share::new(*count, one.of))),
            ]
        })
    });
    let measures = figures.measures.iter().map(|one| {
        vec![
            text(&comparison.facts.label(one.known)),
            text(&one.figures.to_string()),
            text(&share(Share::new(one.cases, figures.cases.max(one.cases)))),
        ]
    });
    Section::new(
        "numbers",
        "In numbers",
        vec![
            Block::Grid(Grid {
                caption: "Records of each organisation".to_owned(),
                columns: head("Organisations", "How many"),
                rows: of_organisations,
            }),
            Block::Grid(Grid {
                caption: "Figures of the same thing, known in the same way, and answers in numbers"
                    .to_owned(),
                columns: head("What is counted", "How many"),
                rows: distributions,
            }),
            Block::Grid(Grid {
                caption: "Answers that were chosen".to_owned(),
                columns: ["Question", "Answer", "Organisations"].map(str::to_owned).to_vec(),
                rows: choices.collect(),
            }),
            Block::Grid(Grid {
                caption: "How the figures of the case studies are known".to_owned(),
                columns: ["How it is known", "Figures", "Case studies that have one"]
                    .map(str::to_owned)
                    .to_vec(),
                rows: measures.collect(),
            }),
        ],
    )
}

fn passages(comparison: &Comparison<'_>) -> Option<Section> {
    let facts = &comparison.facts;
    let words = comparison.words;
    let card = |one: &Passage, fact: String| {
        let text = facts.snapshot.graph.text(one.text).unwrap_or_default();
        let mut at: Vec<String> = facts
            .objects(one.record, "insites:atOrganisation")
            .into_iter()
            .chain(facts.objects(one.record, "insites:atSite"))
            .map(|id| facts.label(id))
            .collect();
        at.sort();
        at.dedup();
        at.truncate(2);
        let mut shown = vec![fact];
        shown.extend(at);
        Card { link: facts.link(one.record), facts: shown, text: shorten(&text, 260) }
    };
    let mut by_role: Vec<(Option<u32>, Vec<&Passage>)> = Vec::new();
    for passage in &comparison.figures.passages {
        match by_role.iter_mut().find(|(role, _)| *role == passage.role) {
            Some((_, passages)) => passages.push(passage),
            None => by_role.push((passage.role, vec![passage])),
        }
    }
    let said: Vec<Card> = by_role
        .into_iter()
        .take(GROUPS)
        .flat_map(|(role, passages)| {
            let label = role.map_or_else(
                || "No role recorded".to_owned(),
                |role| words.label(Axis::Role, role),
            );
            let roles = &comparison.figures.roles;
            let of = roles.iter().find(|(known, _)| *known == role).map_or(0, |(_, of)| *of);
            let fact = format!("{label} ({of} in all)");
            passages.into_iter().take(PASSAGES).map(move |one| (one, fact.clone()))
        })
        .map(|(one, fact)| card(one, fact))
        .collect();
    // What was stopped or mixed tells most.
    let mut barriers: Vec<(usize, &Passage, String)> = comparison
        .figures
        .barriers
        .iter()
        .map(|one| {
            let outcome = facts.objects(one.record, "insites:outcomeStatus").first().copied();
            let iri = outcome.and_then(|id| facts.snapshot.graph.text(id)).unwrap_or_default();
            let order = ["/stopped", "/mixed", "/worked"];
            let place = order.iter().position(|end| iri.ends_with(end)).unwrap_or(order.len());
            (place, one, outcome.map(|id| facts.label(id)).unwrap_or_default())
        })
        .collect();
    barriers.sort_by_key(|(place, one, _)| (*place, one.record));
    let in_all = barriers.len();
    let barriers: Vec<Card> = barriers
        .into_iter()
        .take(BARRIERS)
        .map(|(_, one, outcome)| {
            let mut card = card(one, outcome);
            card.text = format!("What stood in the way: {}", card.text);
            card
        })
        .collect();
    let more = if in_all > barriers.len() {
        Link::new(
            &format!("What stood in the way of all {in_all} case studies, by how they ended"),
            "/outcomes",
        )
    } else {
        Link::default()
    };
    Section::new(
        "words",
        "In words",
        vec![Block::Cards(said), Block::Cards(barriers), Block::More(more)],
    )
}

fn how(comparison: &Comparison<'_>) -> Option<Section> {
    let table = &comparison.table;
    let asked = &comparison.request.asked;
    let mut lines = vec![
        format!(
            "Compared: {}, {} of them without a value for {} and {} without one for {}.",
            records(table.records as usize),
            table.without_row,
            asked.rows.in_sentence(),
            table.without_column,
            asked.columns.in_sentence()
        ),
        "What a number is out of: the organisations (or records) of the column that have any record in the comparison. Organisations without a record are not counted, since nothing is known of them here.".to_owned(),
        "A case study is at the organisations where it took place, a lesson at those that it is about, a passage and an answer at their site; a figure has the values of its case study. Regions and kinds are those of the organisation. The year is the first that the period of a case study names, the day of an interview or answer, or the year in which a lesson was published.".to_owned(),
        "Themes and dimensions were given to the records by the authors of this service, unless the source prints them. Some themes are only those that one publisher prints on its case studies: that others have none of them says nothing. Drafts are never counted.".to_owned(),
        "Statistics: per cent and comparisons of shares from 5 on, a median from 3, quartiles from 4 (between neighbours in proportion). Figures go together only if they count the same and are known in the same way; where a case study has several that differ, none of them is used.".to_owned(),
        "Small numbers: what is public is published with its source and is counted as it is. What only restricted evidence adds is told if it is 5 or more; from 1 to 4 it is “fewer than 5”, and a further number is withheld where the small one could be worked out from a total. Findings and shares are of what is public. Curators can check exact figures with exact=true.".to_owned(),
    ];
    if table.without_organisation > 0 {
        lines.insert(
            1,
            format!(
                "{} that name no organisation are left out, since organisations are counted.",
                records(table.without_organisation as usize)
            ),
        );
    }
    match comparison.restricted_records.words() {
        words if words.is_empty() => {}
        words => lines.insert(1, format!("Restricted evidence adds {words} records.")),
    }
    Section::new("how", "How this is counted", vec![Block::Prose(lines)])
}

fn take(comparison: &Comparison<'_>) -> Option<Section> {
    let address = comparison.request.address(comparison.words);
    let [cells, columns] = &comparison.queries;
    Section::new(
        "take",
        "Take it with you",
        vec![Block::Links(vec![
            Link::new("The cells as CSV", &format!("/api/compare?{address}&format=csv")),
            Link::new("Everything on this page as JSON", &format!("/api/compare?{address}")),
            Link::new("The SPARQL behind the cells", &format!("/sparql?query={}", encode(cells))),
            Link::new(
                "The SPARQL behind what they are out of",
                &format!("/sparql?query={}", encode(columns)),
            ),
        ])],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, expected) in [
            (1.0, "1"),
            (2.5, "2.5"),
            (0.333_333, "0.33"),
            (1234.0, "1234"),
            (21_000_000.0, "21,000,000"),
            (-12_345.678, "-12,345.68"),
            (10.0, "10"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn small_shares_have_no_per_cent_and_no_difference() {
        assert_eq!(share(Share::new(2, 3)), "2 of 3");
        assert_eq!(share(Share::new(2, 8)), "2 of 8 (25 %)");
        assert_eq!(points(Share::new(1, 5), Share::new(4, 5)), "\u{2212}60 points");
        assert_eq!(points(Share::new(4, 5), Share::new(1, 5)), "+60 points");
        assert_eq!(points(Share::new(4, 5), Share::new(1, 4)), "too few to compare");
    }
}

//! What is common and who is missing, what varies and along what, and what
//! stands out. Pure functions over what was gathered; words are made elsewhere.

use crate::compare::asked::{Asked, Axis, Source, Unit};
use crate::compare::gather::Gathered;
use crate::compare::statistics::{Share, differ};
use crate::compare::table::{Table, count, holders};

/// Most rows that are looked at.
const ROWS: usize = 40;
/// Most groups of an axis that are compared.
const GROUPS: usize = 24;
/// Most contrasts that are told.
const CONTRASTS: usize = 12;

/// In how many of how many organisations something is, and where it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// The value.
    pub row: u32,
    /// In how many organisations, of all that have a record.
    pub share: Share,
    /// Organisations that have a record, but none of this.
    pub missing: Vec<u32>,
}

/// A group with its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Its value on the axis.
    pub value: u32,
    /// Units with the row's value, of the units of the group.
    pub share: Share,
}

/// How far a row differs between groups of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Varies {
    /// The row.
    pub row: u32,
    /// Along which axis.
    pub axis: Axis,
    /// What was counted.
    pub unit: Unit,
    /// Where it is most frequent.
    pub most: Group,
    /// Where it is least frequent.
    pub least: Group,
    /// Groups that were compared: those of five units at least.
    pub groups: usize,
}

impl Varies {
    /// How far most and least lie apart.
    #[must_use]
    pub fn spread(&self) -> f64 {
        self.most.share.value() - self.least.share.value()
    }
}

/// A group that stands out against all others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// The row.
    pub row: u32,
    /// Along which axis.
    pub axis: Axis,
    /// What was counted.
    pub unit: Unit,
    /// The group.
    pub group: u32,
    /// In the group.
    pub here: Share,
    /// In all others that have a value on the axis.
    pub elsewhere: Share,
}

/// A row among case studies that worked and among those that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The row.
    pub row: u32,
    /// Of those that worked.
    pub worked: Share,
    /// Of those that were stopped or gave mixed results.
    pub did_not: Share,
}

/// All findings.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// The most common first.
    pub common: Vec<Common>,
    /// The widest first.
    pub varies: Vec<Varies>,
    /// The widest first.
    pub contrasts: Vec<Contrast>,
    /// In the order of `common`.
    pub ended: Vec<Ended>,
}

/// The numbers of concepts that findings treat apart, where they are known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Concepts {
    /// It worked.
    pub worked: Option<u32>,
    /// Some of it did.
    pub mixed: Option<u32>,
    /// It was stopped.
    pub stopped: Option<u32>,
    /// Organisations of no other kind: a rest, not a group to compare.
    pub other: Option<u32>,
}

/// What is to be seen in the records that are asked for.
#[must_use]
pub fn find(gathered: &Gathered, asked: &Asked, concepts: Concepts) -> Findings {
    let common = common(gathered, asked);
    let rows: Vec<u32> = common.iter().map(|one| one.row).collect();
    let (mut varies, mut contrasts) = (Vec::new(), Vec::new());
    for axis in [Axis::Region, Axis::OrganisationKind, Axis::Outcome, Axis::Role] {
        if axis == asked.rows {
            continue;
        }
        let along = along(asked, axis);
        let table = count(gathered, &along, None);
        compare(&table, (&along, concepts.other), &mut varies, &mut contrasts);
    }
    varies.sort_by(|a, b| b.spread().total_cmp(&a.spread()).then(a.row.cmp(&b.row)));
    let gap = |one: &Contrast| (one.here.value() - one.elsewhere.value()).abs();
    contrasts.sort_by(|a, b| gap(b).total_cmp(&gap(a)).then(a.row.cmp(&b.row)));
    contrasts.truncate(CONTRASTS);
    let ended = ended(gathered, asked, &rows, concepts);
    Findings { common, varies, contrasts, ended }
}

/// The same records by another axis: organisations are counted, but where the
/// axis is of records.
fn along(asked: &Asked, axis: Axis) -> Asked {
    let of_records = !axis.of_organisation() || asked.rows.of_organisation();
    let sources = match axis {
        Axis::Outcome => vec![Source::CaseStudy],
        Axis::Role => vec![Source::Evidence],
        _ => asked.sources.clone(),
    };
    let sources = sources.into_iter().filter(|source| asked.sources.contains(source)).collect();
    Asked {
        columns: axis,
        unit: if of_records { Unit::Records } else { Unit::Organisations },
        sources,
        limit: ROWS.max(GROUPS),
        ..asked.clone()
    }
}

fn common(gathered: &Gathered, asked: &Asked) -> Vec<Common> {
    let unit = if asked.rows.is_organisation() { Unit::Records } else { Unit::Organisations };
    let (all, groups) = holders(gathered, &Asked { unit, ..asked.clone() });
    let of = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let mut common: Vec<(u32, Vec<u32>)> = groups;
    common.sort_by_key(|(row, units)| (std::cmp::Reverse(units.len()), *row));
    common.truncate(ROWS);
    common
        .into_iter()
        .map(|(row, units)| Common {
            row,
            share: Share::new(u32::try_from(units.len()).unwrap_or(u32::MAX), of),
            missing: if unit == Unit::Records {
                Vec::new()
            } else {
                all.iter().copied().filter(|one| units.binary_search(one).is_err()).collect()
            },
        })
        .collect()
}

fn compare(
    table: &Table,
    (asked, rest): (&Asked, Option<u32>),
    varies: &mut Vec<Varies>,
    contrasts: &mut Vec<Contrast>,
) {
    for (at, row) in table.rows.iter().enumerate() {
        let mut groups: Vec<Group> = Vec::new();
        for (column, head) in table.columns.iter().enumerate() {
            if Some(head.value) == rest {
                continue;
            }
            let here = table.share(at, column);
            let elsewhere = Share::new(
                row.within.saturating_sub(here.count),
                table.within.saturating_sub(head.units),
            );
            if here.carries() {
                groups.push(Group { value: head.value, share: here });
            }
            if differ(here, elsewhere) {
                contrasts.push(Contrast {
                    row: row.value,
                    axis: asked.columns,
                    unit: asked.unit,
                    group: head.value,
                    here,
                    elsewhere,
                });
            }
        }
        let by = |a: &&Group, b: &&Group| {
            a.share.value().total_cmp(&b.share.value()).then(b.value.cmp(&a.value))
        };
        if let (Some(most), Some(least)) = (groups.iter().max_by(by), groups.iter().min_by(by))
            && groups.len() > 1
            && most.share.value() > least.share.value()
        {
            varies.push(Varies {
                row: row.value,
                axis: asked.columns,
                unit: asked.unit,
                most: *most,
                least: *least,
                groups: groups.len(),
            });
        }
    }
}

fn ended(gathered: &Gathered, asked: &Asked, rows: &[u32], concepts: Concepts) -> Vec<Ended> {
    let Some(worked) = concepts.worked else { return Vec::new() };
    if asked.rows == Axis::Outcome || !asked.sources.contains(&Source::CaseStudy) {
        return Vec::new();
    }
    let did_not: Vec<u32> = [concepts.mixed, concepts.stopped].into_iter().flatten().collect();
    let columns: Vec<u32> = std::iter::once(worked).chain(did_not).collect();
    let table = count(gathered, &along(asked, Axis::Outcome), Some((rows, &columns)));
    let not = |at: usize| {
        let shares = (1..columns.len()).map(|column| table.share(at, column));
        shares.fold(Share::default(), |a, b| Share::new(a.count + b.count, a.of + b.of))
    };
    let rows = table.rows.iter().enumerate();
    rows.map(|(at, head)| Ended { row: head.value, worked: table.share(at, 0), did_not: not(at) })
        .filter(|one| one.worked.count + one.did_not.count > 0)
        .collect()
}

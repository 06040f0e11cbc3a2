//! How strong the support of a lesson is, by a rule that anyone can follow.
//!
//! What counts: evidence that supports it (`insites:supportedBy`,
//! `cito:supports`), case studies that it was drawn from
//! (`insites:fromCaseStudy`) and documents that state it (`insites:document`).
//! Of a real lesson only what is real counts; drafts never do.
//!
//! 1. *Independent lines.* Pieces that share an organisation, a source or a
//!    publisher are one line, and so are all pieces that name none. One line gives 1
//!    point, two give 2, three or four give 3, five and more give 4.
//! 2. *Kinds.* A second kind of support gives 1 point (interviews beside an
//!    evaluation, say).
//! 3. *Measured.* An evaluation, or a case study with a measured figure, gives
//!    1 point.
//! 4. *Against it.* Each independent line of evidence that disputes it
//!    (`insites:contradictedBy`, `cito:disputes`) takes 1 point away, at most
//!    2. With as many lines against it as for it, the lesson is contested,
//!    whatever the points say.
//!
//! Of 6 points, 1 and 2 are weak, 3 and 4 moderate, 5 and 6 strong. One line
//! alone is weak, however many points it has; nothing is strong with a line
//! against it. `insites:strength`, which illustrative
//! lessons state from 1 to 5, is what their author says; it has no part in
//! this and is shown apart.

use crate::rdf::TermId;
use serde::Serialize;

/// Most points that a lesson can have.
pub const MOST: u32 = 6;

/// A piece of support, or of evidence against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// The record.
    pub record: TermId,
    /// What sort of support: a kind of evidence, `case-study` or `document`.
    pub kind: String,
    /// Whether it is an evaluation or has a measured figure.
    pub measured: bool,
    /// Organisations that it is about.
    pub organisations: Vec<TermId>,
    /// Sources, documents and conversations that it comes from.
    pub sources: Vec<TermId>,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Nothing is recorded.
    None,
    /// As much speaks against it as for it.
    Contested,
    /// Up to 2 points, or one line alone.
    Weak,
    /// 3 and 4 points.
    Moderate,
    /// 5 points and more, and nothing against it.
    Strong,
}

impl Grade {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "no support recorded",
            Self::Contested => "contested",
            Self::Weak => "weak",
            Self::Moderate => "moderate",
            Self::Strong => "strong",
        }
    }
}

/// One step of the rule, with what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was looked at.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// What that gives or takes.
    pub points: i32,
}

/// The verdict on a lesson, with its workings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strength {
    /// The verdict.
    pub grade: Grade,
    /// Points, from 0 to [`MOST`].
    pub points: u32,
    /// Most points that there could be.
    pub of: u32,
    /// Pieces of support.
    pub supports: usize,
    /// Independent lines of support.
    pub lines: usize,
    /// Different organisations in it.
    pub organisations: usize,
    /// Different sources in it.
    pub sources: usize,
    /// Kinds of support, sorted.
    pub kinds: Vec<String>,
    /// Pieces of evidence against it.
    pub disputes: usize,
    /// Independent lines against it.
    pub lines_against: usize,
    /// The rule, step by step.
    pub workings: Vec<Step>,
}

/// How many groups these pieces fall into when those that share an
/// organisation or a source go together, and those that name neither as well.
fn lines(pieces: &[Piece]) -> usize {
    let mut group: Vec<usize> = (0..pieces.len()).collect();
    let root = |group: &[usize], mut at: usize| {
        while group[at] != at {
            at = group[at];
        }
        at
    };
    let nameless = |piece: &Piece| piece.organisations.is_empty() && piece.sources.is_empty();
    let shares = |a: &[TermId], b: &[TermId]| a.iter().any(|one| b.contains(one));
    for (one, a) in pieces.iter().enumerate() {
        for (other, b) in pieces.iter().enumerate().take(one) {
            let same = shares(&a.organisations, &b.organisations)
                || shares(&a.sources, &b.sources)
                || (nameless(a) && nameless(b));
            if same {
                let (x, y) = (root(&group, one), root(&group, other));
                group[x.max(y)] = x.min(y);
            }
        }
    }
    group.iter().enumerate().filter(|(at, parent)| at == *parent).count()
}

fn different(lists: impl Iterator<Item = TermId>) -> usize {
    let mut all: Vec<TermId> = lists.collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}

fn plural(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Judges a lesson by what supports and what disputes it. Pieces of the same
/// record count once.
#[must_use]
pub fn judge(supports: &[Piece], disputes: &[Piece]) -> Strength {
    let once = |pieces: &[Piece]| {
        let mut pieces = pieces.to_vec();
        pieces.sort_by_key(|piece| piece.record);
        pieces.dedup_by_key(|piece| piece.record);
        pieces
    };
    let (supports, disputes) = (once(supports), once(disputes));
    let (for_it, against) = (lines(&supports), lines(&disputes));
    let mut kinds: Vec<String> = supports.iter().map(|piece| piece.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    let organisations = different(supports.iter().flat_map(|p| p.organisations.iter().copied()));
    let sources = different(supports.iter().flat_map(|p| p.sources.iter().copied()));
    let measured = supports.iter().filter(|piece| piece.measured).count();
    let of_lines = match for_it {
        0 => 0,
        1 => 1,
        2 => 2,
        3 | 4 => 3,
        _ => 4,
    };
    let of_kinds = i32::from(kinds.len() > 1);
    let of_measured = i32::from(measured > 0);
    let of_disputes = match against {
        0 => 0,
        1 => -1,
        _ => -2,
    };
    let sum = (of_lines + of_kinds + of_measured + of_disputes).max(0);
    let points = u32::try_from(sum).unwrap_or(0);
    let grade = match (for_it, against, points) {
        (0, 0, _) => Grade::None,
        (for_it, against, _) if against >= for_it => Grade::Contested,
        (1, ..) | (_, _, 0..=2) => Grade::Weak,
        (_, 0, 5..) => Grade::Strong,
        _ => Grade::Moderate,
    };
    let workings = vec![
        Step {
            what: "Independent lines of support",
            found: format!(
                "{} in {}: {}, {}",
                plural(supports.len(), "piece", "pieces"),
                plural(for_it, "independent line", "independent lines"),
                plural(organisations, "organisation", "organisations"),
                plural(sources, "source", "sources"),
            ),
            points: of_lines,
        },
        Step {
            what: "Kinds of support",
            found: if kinds.is_empty() {
                "none".to_owned()
            } else {
                kinds.iter().map(|kind| kind.replace('-', " ")).collect::<Vec<_>>().join(", ")
            },
            points: of_kinds,
        },
        Step {
            what: "Evaluated or measured",
            found: if measured == 0 {
                "no evaluation, and no case study with a measured figure".to_owned()
            } else {
                plural(measured, "piece", "pieces")
            },
            points: of_measured,
        },
        Step {
            what: "Evidence against it",
            found: if disputes.is_empty() {
                "none recorded".to_owned()
            } else {
                format!(
                    "{} in {}",
                    plural(disputes.len(), "piece", "pieces"),
                    plural(against, "independent line", "independent lines")
                )
            },
            points: of_disputes,
        },
    ];
    Strength {
        grade,
        points,
        of: MOST,
        supports: supports.len(),
        lines: for_it,
        organisations,
        sources,
        kinds,
        disputes: disputes.len(),
        lines_against: against,
        workings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(record: TermId, kind: &str, organisations: &[TermId], sources: &[TermId]) -> Piece {
        Piece {
            record,
            kind: kind.to_owned(),
            measured: kind == "evaluation",
            organisations: organisations.to_vec(),
            sources: sources.to_vec(),
        }
    }

    #[test]
    fn nothing_recorded_is_said_so() {
        let none = judge(&[], &[]);
        assert_eq!((none.grade, none.points, none.lines), (Grade::None, 0, 0));
        assert_eq!(none.workings.len(), 4);
    }

    #[test]
    fn one_document_is_one_line_and_weak() {
        let one = judge(&[piece(1, "document", &[], &[10])], &[]);
        assert_eq!((one.grade, one.points), (Grade::Weak, 1));
        // The case study that the same document tells of is no second line.
        let same =
            judge(&[piece(1, "document", &[], &[10]), piece(2, "case-study", &[20], &[10])], &[]);
        assert_eq!((same.lines, same.points), (1, 2), "one line, two kinds");
        let measured = Piece { measured: true, ..piece(2, "case-study", &[20], &[10]) };
        let alone = judge(&[piece(1, "document", &[], &[10]), measured], &[]);
        assert_eq!((alone.grade, alone.points), (Grade::Weak, 3), "one line alone is weak");
    }

    #[test]
    fn independence_is_of_organisation_and_of_source() {
        let by_organisation =
            [piece(1, "interview", &[20], &[10]), piece(2, "interview", &[20], &[11])];
        assert_eq!(judge(&by_organisation, &[]).lines, 1, "the same organisation");
        let by_source = [piece(1, "interview", &[20], &[10]), piece(2, "interview", &[21], &[10])];
        assert_eq!(judge(&by_source, &[]).lines, 1, "the same source");
        let apart = [piece(1, "interview", &[20], &[10]), piece(2, "interview", &[21], &[11])];
        assert_eq!(judge(&apart, &[]).lines, 2);
        // A third that joins both makes one of them.
        let joined = [&apart[..], &[piece(3, "workshop", &[20, 21], &[12])]].concat();
        assert_eq!(judge(&joined, &[]).lines, 1);
        let nameless = [piece(1, "interview", &[], &[]), piece(2, "interview", &[], &[])];
        assert_eq!(judge(&nameless, &[]).lines, 1, "nothing shows that they are independent");
        assert_eq!(judge(&[apart[0].clone(), apart[0].clone()], &[]).supports, 1, "counted once");
    }

    #[test]
    fn many_lines_of_several_kinds_are_strong_unless_disputed() {
        let kinds = ["interview", "interview", "survey", "evaluation", "case-study"];
        let supports: Vec<Piece> =
            (0..5).zip(kinds).map(|(n, kind)| piece(n, kind, &[20 + n], &[40 + n])).collect();
        let strong = judge(&supports, &[]);
        assert_eq!((strong.grade, strong.points), (Grade::Strong, MOST));
        let against = [piece(9, "interview", &[60], &[61])];
        let disputed = judge(&supports, &against);
        assert_eq!((disputed.grade, disputed.points), (Grade::Moderate, 5), "never strong");
        let contested = judge(&supports[..1], &against);
        assert_eq!(contested.grade, Grade::Contested);
        let two = judge(&supports[..3], &[]);
        assert_eq!((two.grade, two.points), (Grade::Moderate, 4));
    }

    #[test]
    fn the_workings_add_up() {
        let supports = [piece(1, "interview", &[20], &[40]), piece(2, "evaluation", &[21], &[41])];
        let verdict = judge(&supports, &[piece(3, "feedback", &[22], &[])]);
        let sum: i32 = verdict.workings.iter().map(|step| step.points).sum();
        assert_eq!(u32::try_from(sum), Ok(verdict.points));
        assert_eq!(verdict.points, 3);
    }
}

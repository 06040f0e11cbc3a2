//! The order of a dictionary's terms by their values, as numbers: what a query
//! sorts or compares with a constant it then need not read. Only terms of one
//! class compare by their ranks. Terms that came after the ranks were made, and
//! values of which not all pairs have an order, have none.

use crate::graph::engine::{is_zoned, literals};
use crate::rdf::TermId;
use rustc_hash::FxHashMap;
use spareval::ExpressionTerm;
use std::cmp::Ordering;
use std::ops::Range;

/// No rank.
const NONE: u32 = u32::MAX;

/// What terms of one order have in common.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Class {
    Iri,
    Text,
    /// A text in a language, with its direction if it has one.
    Tagged(Box<[u8]>),
    /// Integers and decimals, of all types.
    Exact,
    Double,
    Date {
        zoned: bool,
    },
    DateTime {
        zoned: bool,
    },
}

impl Class {
    fn of(term: &ExpressionTerm) -> Option<Self> {
        use ExpressionTerm as E;
        Some(match term {
            E::StringLiteral(_) => Self::Text,
            E::IntegerLiteral(_) | E::DecimalLiteral(_) => Self::Exact,
            E::DoubleLiteral(value) if !value.is_nan() => Self::Double,
            E::DateLiteral(_) => Self::Date { zoned: is_zoned(term) },
            E::DateTimeLiteral(_) => Self::DateTime { zoned: is_zoned(term) },
            _ => return None,
        })
    }
}

/// The ranks of the terms with consecutive numbers.
pub(super) struct Ranks {
    first: TermId,
    /// By term; terms that compare equal share one.
    of: Vec<u32>,
    /// The terms in order, class by class: a rank is a place in it.
    sorted: Vec<TermId>,
    classes: Vec<(Class, Range<u32>)>,
}

/// A constant among the terms of its class.
pub(super) struct Among {
    class: Range<u32>,
    equal: Range<u32>,
}

impl Among {
    /// How the term of a rank compares with the constant; none if it is of
    /// another class.
    pub(super) fn compare(&self, rank: u32) -> Option<Ordering> {
        if !self.class.contains(&rank) {
            return None;
        }
        Some(if rank < self.equal.start {
            Ordering::Less
        } else if rank < self.equal.end {
            Ordering::Equal
        } else {
            Ordering::Greater
        })
    }
}

impl Ranks {
    /// Their size in memory (bytes).
    pub(super) fn memory(&self) -> usize {
        (self.of.capacity() + self.sorted.capacity()) * size_of::<u32>()
    }

    /// Ranks terms, given as they are encoded (see
    /// [`encode`](super::dictionary::encode)).
    pub(super) fn new<'a>(first: TermId, terms: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let mut texts: FxHashMap<Class, Vec<(&[u8], TermId)>> = FxHashMap::default();
        let mut values: FxHashMap<Class, Vec<(ExpressionTerm, TermId)>> = FxHashMap::default();
        let mut count = 0;
        for (id, bytes) in (first..).zip(terms) {
            count += 1;
            let Some((tag, rest)) = bytes.split_first() else { continue };
            match tag {
                b'I' => texts.entry(Class::Iri).or_default().push((rest, id)),
                b'S' => texts.entry(Class::Text).or_default().push((rest, id)),
                b'L' => {
                    let Some(end) = rest.iter().position(|byte| *byte == 0) else { continue };
                    let class = Class::Tagged(rest[..end].into());
                    texts.entry(class).or_default().push((&rest[end + 1..], id));
                }
                b'T' => {
                    let Some(term) = super::dictionary::decode(bytes) else { continue };
                    let term = ExpressionTerm::from(term);
                    if let Some(class) = Class::of(&term) {
                        values.entry(class).or_default().push((term, id));
                    }
                }
                _ => {}
            }
        }
        let mut ranks =
            Self { first, of: vec![NONE; count], sorted: Vec::new(), classes: Vec::new() };
        for (class, mut terms) in texts {
            terms.sort_unstable();
            ranks.push(class, &terms, |_, _| false);
        }
        for (class, mut terms) in values {
            let order =
                |a: &ExpressionTerm, b: &ExpressionTerm| literals(a, b).unwrap_or(Ordering::Equal);
            terms.sort_by(|a, b| order(&a.0, &b.0));
            ranks.push(class, &terms, |a, b| order(a, b).is_eq());
        }
        ranks
    }

    fn push<T>(&mut self, class: Class, terms: &[(T, TermId)], are_equal: impl Fn(&T, &T) -> bool) {
        let start = place(self.sorted.len());
        let mut rank = start;
        for (at, (term, id)) in terms.iter().enumerate() {
            if at > 0 && !are_equal(&terms[at - 1].0, term) {
                rank = place(self.sorted.len());
            }
            self.of[(*id - self.first) as usize] = rank;
            self.sorted.push(*id);
        }
        self.classes.push((class, start..place(self.sorted.len())));
    }

    /// A term's rank, if it has one.
    pub(super) fn of(&self, id: TermId) -> Option<u32> {
        let rank = *self.of.get(id.checked_sub(self.first)? as usize)?;
        (rank != NONE).then_some(rank)
    }

    /// How two terms compare, if both have a rank in one class.
    pub(super) fn compare(&self, a: TermId, b: TermId) -> Option<Ordering> {
        let (a, b) = (self.of(a)?, self.of(b)?);
        let (_, class) = self.classes.iter().find(|(_, class)| class.contains(&a))?;
        class.contains(&b).then(|| a.cmp(&b))
    }

    /// The ranks of terms if all are of one class, and a rank before them for
    /// terms that are unbound (number 0).
    pub(super) fn of_all(&self, ids: impl Iterator<Item = TermId>) -> Option<Vec<u32>> {
        let mut class: Option<Range<u32>> = None;
        let mut ranks = Vec::with_capacity(ids.size_hint().0);
        for id in ids {
            if id == 0 {
                ranks.push(0);
                continue;
            }
            let rank = self.of(id)?;
            match &class {
                Some(class) if !class.contains(&rank) => return None,
                Some(_) => {}
                None => {
                    let mut ranges = self.classes.iter().map(|(_, range)| range);
                    class = ranges.find(|range| range.contains(&rank)).cloned();
                }
            }
            ranks.push(rank + 1);
        }
        Some(ranks)
    }

    /// Where a constant stands; none if it is of no class that the terms have.
    pub(super) fn among(
        &self,
        constant: &ExpressionTerm,
        term: impl Fn(TermId) -> Option<ExpressionTerm>,
    ) -> Option<Among> {
        let wanted = Class::of(constant)?;
        let (_, class) = self.classes.iter().find(|(class, _)| *class == wanted)?;
        let terms = &self.sorted[class.start as usize..class.end as usize];
        let order = |id: &TermId| {
            term(*id).and_then(|term| literals(&term, constant)).unwrap_or(Ordering::Less)
        };
        let less = place(terms.partition_point(|id| order(id).is_lt()));
        let not_greater = place(terms.partition_point(|id| order(id).is_le()));
        let equal = class.start + less..class.start + not_greater;
        Some(Among { class: class.clone(), equal })
    }
}

fn place(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::dictionary::{decode, encode};
    use oxigraph::model::{Literal, NamedNode, Term};

    fn typed(value: &str, datatype: &str) -> Term {
        let datatype = format!("http://www.w3.org/2001/XMLSchema#{datatype}");
        Literal::new_typed_literal(value, NamedNode::new_unchecked(datatype)).into()
    }

    #[test]
    fn ranks_order_as_values_do() {
        let terms: Vec<Term> = vec![
            typed("10", "integer"),
            typed("9", "integer"),
            typed("9.0", "decimal"),
            typed("2024-05-01", "date"),
            typed("2023-05-01", "date"),
            typed("2024-05-01Z", "date"),
            typed("x", "integer"),
            typed("NaN", "double"),
            typed("1e0", "double"),
            NamedNode::new_unchecked("http://b").into(),
            NamedNode::new_unchecked("http://a").into(),
            Literal::new_language_tagged_literal_unchecked("b", "en").into(),
            Literal::new_language_tagged_literal_unchecked("a", "fr").into(),
            typed("-3", "int"),
        ];
        let encoded: Vec<Vec<u8>> = terms
            .iter()
            .map(|term| {
                let mut bytes = Vec::new();
                encode(term.as_ref(), &mut bytes);
                bytes
            })
            .collect();
        let ranks = Ranks::new(5, encoded.iter().map(Vec::as_slice));
        let of = |at: u32| ranks.of(5 + at);
        assert!(of(13) < of(1) && of(1) == of(2) && of(2) < of(0));
        assert!(of(4) < of(3) && of(10) < of(9));
        assert_eq!(ranks.compare(5, 6), Some(Ordering::Greater));
        assert_eq!((ranks.compare(5, 8), ranks.compare(5, 11)), (None, None));
        assert_eq!((of(6), of(7), of(14), ranks.of(4)), (None, None, None, None));
        assert!(ranks.of_all([5, 6, 0, 7].into_iter()).is_some());
        assert_eq!(ranks.of_all([8, 10].into_iter()), None, "dates with and without a zone");
        assert_eq!(ranks.of_all([16, 17].into_iter()), None, "two languages");
        let term = |id: TermId| Some(decode(&encoded[id as usize - 5])?.into());
        let nine = ranks.among(&typed("9.00", "decimal").into(), term).expect("numbers");
        let compared = |at: u32| nine.compare(of(at).expect("ranked"));
        assert_eq!(compared(0), Some(Ordering::Greater));
        assert_eq!(compared(1), Some(Ordering::Equal));
        assert_eq!(compared(13), Some(Ordering::Less));
        assert_eq!(compared(8), None);
    }
}

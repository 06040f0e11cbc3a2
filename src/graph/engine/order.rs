//! How terms compare: the order of ORDER BY (SPARQL 1.1 §15.1) and the
//! comparisons of filters (§17.3), as the evaluator that takes over where the
//! engine ends has them.

use spareval::{ExpressionTerm, ExpressionTriple};
use std::cmp::Ordering;

use ExpressionTerm as E;
use oxsdatatypes::{Decimal, Double, Float};

/// The order of ORDER BY: unbound, blank nodes, IRIs, literals, triple terms.
pub(in crate::graph) fn compare(a: Option<&E>, b: Option<&E>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some().cmp(&b.is_some()) };
    match (a, b) {
        (E::BlankNode(a), E::BlankNode(b)) => a.as_str().cmp(b.as_str()),
        (E::NamedNode(a), E::NamedNode(b)) => a.as_str().cmp(b.as_str()),
        (E::Triple(a), E::Triple(b)) => triples(a, b),
        _ => class(a).cmp(&class(b)).then_with(|| {
            literals(a, b).unwrap_or_else(|| {
                let text = |term: &E| match oxigraph::model::Term::from(term.clone()) {
                    oxigraph::model::Term::Literal(literal) => {
                        let datatype = literal.datatype().as_str().to_owned();
                        let language = literal.language().map(str::to_owned);
                        (literal.value().to_owned(), datatype, language)
                    }
                    _ => Default::default(),
                };
                text(a).cmp(&text(b))
            })
        }),
    }
}

fn class(term: &E) -> u8 {
    match term {
        E::BlankNode(_) => 0,
        E::NamedNode(_) => 1,
        E::Triple(_) => 3,
        _ => 2,
    }
}

fn triples(a: &ExpressionTriple, b: &ExpressionTriple) -> Ordering {
    let term = |triple: &ExpressionTriple| E::from(triple.clone());
    let parts = |term: E| match oxigraph::model::Term::from(term) {
        oxigraph::model::Term::Triple(triple) => {
            let triple = *triple;
            let subject = oxigraph::model::Term::from(triple.subject);
            let predicate = oxigraph::model::Term::from(triple.predicate);
            [subject, predicate, triple.object].map(E::from).to_vec()
        }
        _ => Vec::new(),
    };
    let (a, b) = (parts(term(a)), parts(term(b)));
    a.iter()
        .zip(&b)
        .map(|(a, b)| compare(Some(a), Some(b)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The order of two literals by their values; `None` where it has none.
pub(in crate::graph) fn literals(a: &E, b: &E) -> Option<Ordering> {
    match (a, b) {
        (E::StringLiteral(a), E::StringLiteral(b)) => Some(a.cmp(b)),
        (
            E::LangStringLiteral { value: a, language: one },
            E::LangStringLiteral { value: b, language: other },
        ) => (one == other).then(|| a.cmp(b)),
        (
            E::DirLangStringLiteral { value: a, language: one, direction: this },
            E::DirLangStringLiteral { value: b, language: other, direction: that },
        ) => (one == other && this == that).then(|| a.cmp(b)),
        (E::DateTimeLiteral(a), E::DateTimeLiteral(b)) => a.partial_cmp(b),
        (E::DateLiteral(a), E::DateLiteral(b)) => a.partial_cmp(b),
        (E::TimeLiteral(a), E::TimeLiteral(b)) => a.partial_cmp(b),
        (E::GYearLiteral(a), E::GYearLiteral(b)) => a.partial_cmp(b),
        (E::GYearMonthLiteral(a), E::GYearMonthLiteral(b)) => a.partial_cmp(b),
        (E::GMonthLiteral(a), E::GMonthLiteral(b)) => a.partial_cmp(b),
        (E::GMonthDayLiteral(a), E::GMonthDayLiteral(b)) => a.partial_cmp(b),
        (E::GDayLiteral(a), E::GDayLiteral(b)) => a.partial_cmp(b),
        (E::DurationLiteral(a), E::DurationLiteral(b)) => a.partial_cmp(b),
        (E::DurationLiteral(a), E::YearMonthDurationLiteral(b)) => a.partial_cmp(b),
        (E::DurationLiteral(a), E::DayTimeDurationLiteral(b)) => a.partial_cmp(b),
        (E::YearMonthDurationLiteral(a), E::DurationLiteral(b)) => a.partial_cmp(b),
        (E::YearMonthDurationLiteral(a), E::YearMonthDurationLiteral(b)) => a.partial_cmp(b),
        (E::YearMonthDurationLiteral(a), E::DayTimeDurationLiteral(b)) => a.partial_cmp(b),
        (E::DayTimeDurationLiteral(a), E::DurationLiteral(b)) => a.partial_cmp(b),
        (E::DayTimeDurationLiteral(a), E::YearMonthDurationLiteral(b)) => a.partial_cmp(b),
        (E::DayTimeDurationLiteral(a), E::DayTimeDurationLiteral(b)) => a.partial_cmp(b),
        _ => Numbers::of(a, b)?.order(),
    }
}

/// Whether a date has a time zone: with and without one, not all dates compare.
pub(in crate::graph) fn is_zoned(date: &E) -> bool {
    match date {
        E::DateLiteral(date) => date.timezone_offset().is_some(),
        E::DateTimeLiteral(time) => time.timezone_offset().is_some(),
        _ => false,
    }
}

/// Two numbers, promoted to one type (`XPath` 2.0 §B.1).
pub(in crate::graph) enum Numbers {
    Integer(oxsdatatypes::Integer, oxsdatatypes::Integer),
    Decimal(Decimal, Decimal),
    Float(Float, Float),
    Double(Double, Double),
}

impl Numbers {
    /// How they compare; none if one is not a number.
    pub(in crate::graph) fn order(&self) -> Option<Ordering> {
        match self {
            Self::Integer(a, b) => Some(a.cmp(b)),
            Self::Decimal(a, b) => a.partial_cmp(b),
            Self::Float(a, b) => a.partial_cmp(b),
            Self::Double(a, b) => a.partial_cmp(b),
        }
    }

    pub(in crate::graph) fn of(a: &E, b: &E) -> Option<Self> {
        Some(match (a, b) {
            (E::IntegerLiteral(a), E::IntegerLiteral(b)) => Self::Integer(*a, *b),
            (E::IntegerLiteral(a), E::DecimalLiteral(b)) => Self::Decimal((*a).into(), *b),
            (E::DecimalLiteral(a), E::IntegerLiteral(b)) => Self::Decimal(*a, (*b).into()),
            (E::DecimalLiteral(a), E::DecimalLiteral(b)) => Self::Decimal(*a, *b),
            (E::DoubleLiteral(a), b) => Self::Double(*a, double(b)?),
            (a, E::DoubleLiteral(b)) => Self::Double(double(a)?, *b),
            (a, b) => Self::Float(float(a)?, float(b)?),
        })
    }
}

fn double(term: &E) -> Option<Double> {
    Some(match term {
        E::IntegerLiteral(n) => (*n).into(),
        E::DecimalLiteral(n) => (*n).into(),
        E::FloatLiteral(n) => (*n).into(),
        E::DoubleLiteral(n) => *n,
        _ => return None,
    })
}

fn float(term: &E) -> Option<Float> {
    Some(match term {
        E::IntegerLiteral(n) => (*n).into(),
        E::DecimalLiteral(n) => (*n).into(),
        E::FloatLiteral(n) => *n,
        _ => return None,
    })
}

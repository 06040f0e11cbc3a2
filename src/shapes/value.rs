//! What a literal is worth: whether its lexical form fits its datatype, and how
//! two literals compare (SPARQL 1.1 §17.3). Not for terms as such.

use oxigraph::model::vocab::{rdf, xsd};
use oxigraph::model::{Literal, NamedNodeRef, Term};
use oxsdatatypes::{
    Boolean, Date, DateTime, DayTimeDuration, Decimal, Double, Duration, Float, GDay, GMonth,
    GMonthDay, GYear, GYearMonth, Time, YearMonthDuration,
};
use std::cmp::Ordering;
use std::str::FromStr;

/// The integer types XML Schema derives, with their bounds.
const INTEGERS: [(NamedNodeRef<'static>, i128, i128); 12] = [
    (xsd::BYTE, i8::MIN as i128, i8::MAX as i128),
    (xsd::SHORT, i16::MIN as i128, i16::MAX as i128),
    (xsd::INT, i32::MIN as i128, i32::MAX as i128),
    (xsd::LONG, i64::MIN as i128, i64::MAX as i128),
    (xsd::UNSIGNED_BYTE, 0, u8::MAX as i128),
    (xsd::UNSIGNED_SHORT, 0, u16::MAX as i128),
    (xsd::UNSIGNED_INT, 0, u32::MAX as i128),
    (xsd::UNSIGNED_LONG, 0, u64::MAX as i128),
    (xsd::POSITIVE_INTEGER, 1, i128::MAX),
    (xsd::NON_NEGATIVE_INTEGER, 0, i128::MAX),
    (xsd::NEGATIVE_INTEGER, i128::MIN, -1),
    (xsd::NON_POSITIVE_INTEGER, i128::MIN, 0),
];

/// Whether the term is a literal of this datatype with a lexical form the
/// datatype allows (SHACL §4.1.2). Of datatypes we do not know, any form is
/// allowed.
pub(super) fn has_datatype(term: &Term, datatype: NamedNodeRef<'_>) -> bool {
    let Term::Literal(literal) = term else { return false };
    literal.datatype() == datatype && is_well_formed(literal)
}

/// Whether the lexical form fits the datatype.
pub(super) fn is_well_formed(literal: &Literal) -> bool {
    let text = literal.value();
    let datatype = literal.datatype();
    if let Some((_, least, most)) = INTEGERS.iter().find(|(name, ..)| *name == datatype) {
        return integer(text).is_some_and(|n| (*least..=*most).contains(&n));
    }
    if datatype == xsd::INTEGER {
        // Longer than 128 bits is still an integer.
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    }
    if datatype == xsd::BOOLEAN {
        parses::<Boolean>(text)
    } else if datatype == xsd::DECIMAL {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && digits.bytes().filter(|b| *b == b'.').count() <= 1
            && digits.bytes().any(|b| b.is_ascii_digit())
    } else if datatype == xsd::FLOAT {
        parses::<Float>(text)
    } else if datatype == xsd::DOUBLE {
        parses::<Double>(text)
    } else if datatype == xsd::DATE_TIME {
        parses::<DateTime>(text)
    } else if datatype == xsd::DATE_TIME_STAMP {
        DateTime::from_str(text).is_ok_and(|time| time.timezone_offset().is_some())
    } else if datatype == xsd::DATE {
        parses::<Date>(text)
    } else if datatype == xsd::TIME {
        parses::<Time>(text)
    } else if datatype == xsd::G_YEAR {
        parses::<GYear>(text)
    } else if datatype == xsd::G_YEAR_MONTH {
        parses::<GYearMonth>(text)
    } else if datatype == xsd::G_MONTH {
        parses::<GMonth>(text)
    } else if datatype == xsd::G_MONTH_DAY {
        parses::<GMonthDay>(text)
    } else if datatype == xsd::G_DAY {
        parses::<GDay>(text)
    } else if datatype == xsd::DURATION {
        parses::<Duration>(text)
    } else if datatype == xsd::DAY_TIME_DURATION {
        parses::<DayTimeDuration>(text)
    } else if datatype == xsd::YEAR_MONTH_DURATION {
        parses::<YearMonthDuration>(text)
    } else if datatype == rdf::LANG_STRING {
        literal.language().is_some()
    } else {
        true
    }
}

/// How two terms compare, as SPARQL's `<` does; none if they cannot be compared.
pub(super) fn compare(left: &Term, right: &Term) -> Option<Ordering> {
    let (Term::Literal(left), Term::Literal(right)) = (left, right) else { return None };
    if !is_well_formed(left) || !is_well_formed(right) {
        return None;
    }
    let (a, b) = (left.value(), right.value());
    let (first, second) = (left.datatype(), right.datatype());
    if is_numeric(first) && is_numeric(second) {
        if is_exact(first)
            && is_exact(second)
            && let (Ok(x), Ok(y)) = (Decimal::from_str(a), Decimal::from_str(b))
        {
            return x.partial_cmp(&y);
        }
        return Double::from_str(a).ok()?.partial_cmp(&Double::from_str(b).ok()?);
    }
    if first != second {
        return None;
    }
    if first == xsd::STRING {
        Some(a.cmp(b))
    } else if first == xsd::BOOLEAN {
        both::<Boolean>(a, b)
    } else if first == xsd::DATE_TIME || first == xsd::DATE_TIME_STAMP {
        both::<DateTime>(a, b)
    } else if first == xsd::DATE {
        both::<Date>(a, b)
    } else if first == xsd::TIME {
        both::<Time>(a, b)
    } else if first == xsd::G_YEAR {
        both::<GYear>(a, b)
    } else if first == xsd::G_YEAR_MONTH {
        both::<GYearMonth>(a, b)
    } else if first == xsd::DURATION {
        both::<Duration>(a, b)
    } else if first == xsd::DAY_TIME_DURATION {
        both::<DayTimeDuration>(a, b)
    } else if first == xsd::YEAR_MONTH_DURATION {
        both::<YearMonthDuration>(a, b)
    } else {
        None
    }
}

fn is_exact(datatype: NamedNodeRef<'_>) -> bool {
    datatype == xsd::INTEGER
        || datatype == xsd::DECIMAL
        || INTEGERS.iter().any(|(name, ..)| *name == datatype)
}

fn is_numeric(datatype: NamedNodeRef<'_>) -> bool {
    is_exact(datatype) || datatype == xsd::FLOAT || datatype == xsd::DOUBLE
}

fn integer(text: &str) -> Option<i128> {
    text.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(text).parse().ok()
}

fn parses<T: FromStr>(text: &str) -> bool {
    T::from_str(text).is_ok()
}

fn both<T: FromStr + PartialOrd>(a: &str, b: &str) -> Option<Ordering> {
    T::from_str(a).ok()?.partial_cmp(&T::from_str(b).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str, datatype: NamedNodeRef<'_>) -> Term {
        Literal::new_typed_literal(text, datatype).into()
    }

    #[test]
    fn lexical_forms_are_judged_by_their_datatype() {
        for (text, datatype, good) in [
            ("127", xsd::BYTE, true),
            ("128", xsd::BYTE, false),
            ("+5", xsd::INT, true),
            ("+-5", xsd::INT, false),
            ("", xsd::INTEGER, false),
            ("123456789012345678901234567890123456789012345", xsd::INTEGER, true),
            ("1.5", xsd::DECIMAL, true),
            ("1.5.2", xsd::DECIMAL, false),
            (".", xsd::DECIMAL, false),
            ("2026-02-30", xsd::DATE, false),
            ("2026-02-28", xsd::DATE, true),
            ("true", xsd::BOOLEAN, true),
            ("yes", xsd::BOOLEAN, false),
            ("2026-01-01T00:00:00", xsd::DATE_TIME_STAMP, false),
        ] {
            assert_eq!(has_datatype(&literal(text, datatype), datatype), good, "{text} {datatype}");
        }
        assert!(!has_datatype(&literal("1", xsd::INT), xsd::INTEGER), "derived is another type");
    }

    #[test]
    fn values_compare_across_numeric_types_and_not_across_others() {
        let less = Some(Ordering::Less);
        assert_eq!(compare(&literal("9", xsd::INTEGER), &literal("1e1", xsd::DOUBLE)), less);
        assert_eq!(compare(&literal("9", xsd::BYTE), &literal("9.5", xsd::DECIMAL)), less);
        assert_eq!(compare(&literal("2026", xsd::G_YEAR), &literal("2027", xsd::G_YEAR)), less);
        assert_eq!(compare(&literal("2026", xsd::G_YEAR), &literal("9999", xsd::INTEGER)), None);
        assert_eq!(compare(&literal("x", xsd::INTEGER), &literal("9", xsd::INTEGER)), None);
    }
}

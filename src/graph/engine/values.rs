//! What the functions of `compute.rs` make of plain values. Not for terms that
//! have numbers.

use crate::graph::engine::order::Numbers;
use oxigraph::model::Term;
use oxsdatatypes::{Decimal, Double, Float, Integer};
use spareval::ExpressionTerm as E;
use spargebra::algebra::Expression;

/// The evaluator is asked instead.
pub(super) struct NotHere;

/// A value; none after an error.
pub(super) type Computed<T> = Result<Option<T>, NotHere>;

pub(super) fn lexical_of(term: Term) -> Option<String> {
    match term {
        Term::NamedNode(iri) => Some(iri.into_string()),
        Term::Literal(literal) => Some(literal.destruct().0),
        _ => None,
    }
}

/// The number of characters.
pub(super) fn length(text: &str) -> i64 {
    let count = if text.is_ascii() { text.len() } else { text.chars().count() };
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Year, month and day of a date as most are written, that exists in any month.
pub(super) fn plain_date(bytes: &[u8]) -> Option<[i64; 3]> {
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let [year, month, day] = [number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?];
    (year > 0 && (1..=12).contains(&month) && (1..=28).contains(&day)).then_some([year, month, day])
}

/// Basic filtering (RFC 4647 §3.3.1).
pub(super) fn language_matches(tag: &str, range: &str) -> bool {
    if range == "*" {
        return !tag.is_empty();
    }
    let mut tags = tag.split('-');
    range.split('-').all(|part| tags.next().is_some_and(|tag| tag.eq_ignore_ascii_case(part)))
}

/// Characters from a place, counted from one (`fn:substring`).
pub(super) fn substring(text: &str, from: i64, length: Option<i64>) -> Option<&str> {
    let from = from.checked_sub(1)?;
    let end = match length {
        Some(length) => Some(from.checked_add(length)?),
        None => None,
    };
    let at = |place: i64| {
        let place = usize::try_from(place).unwrap_or(0);
        text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte)
    };
    let begin = at(from);
    let end = end.map_or(text.len(), at);
    Some(if begin < end { &text[begin..end] } else { "" })
}

pub(super) fn arithmetic(expression: &Expression, numbers: Numbers) -> Option<E> {
    use Numbers as N;
    Some(match (expression, numbers) {
        (Expression::Add(..), N::Integer(a, b)) => E::IntegerLiteral(a.checked_add(b)?),
        (Expression::Add(..), N::Decimal(a, b)) => E::DecimalLiteral(a.checked_add(b)?),
        (Expression::Add(..), N::Float(a, b)) => E::FloatLiteral(a + b),
        (Expression::Add(..), N::Double(a, b)) => E::DoubleLiteral(a + b),
        (Expression::Subtract(..), N::Integer(a, b)) => E::IntegerLiteral(a.checked_sub(b)?),
        (Expression::Subtract(..), N::Decimal(a, b)) => E::DecimalLiteral(a.checked_sub(b)?),
        (Expression::Subtract(..), N::Float(a, b)) => E::FloatLiteral(a - b),
        (Expression::Subtract(..), N::Double(a, b)) => E::DoubleLiteral(a - b),
        (Expression::Multiply(..), N::Integer(a, b)) => E::IntegerLiteral(a.checked_mul(b)?),
        (Expression::Multiply(..), N::Decimal(a, b)) => E::DecimalLiteral(a.checked_mul(b)?),
        (Expression::Multiply(..), N::Float(a, b)) => E::FloatLiteral(a * b),
        (Expression::Multiply(..), N::Double(a, b)) => E::DoubleLiteral(a * b),
        (_, N::Integer(a, b)) => E::DecimalLiteral(Decimal::from(a).checked_div(b)?),
        (_, N::Decimal(a, b)) => E::DecimalLiteral(a.checked_div(b)?),
        (_, N::Float(a, b)) => E::FloatLiteral(a / b),
        (_, N::Double(a, b)) => E::DoubleLiteral(a / b),
    })
}

/// A number made of another of its type; an error if it becomes too large.
pub(super) fn number(
    term: &E,
    integer: impl Fn(Integer) -> Option<Integer>,
    decimal: impl Fn(Decimal) -> Option<Decimal>,
    float: impl Fn(Float) -> Float,
    double: impl Fn(Double) -> Double,
) -> Computed<E> {
    Ok(match term {
        E::IntegerLiteral(number) => integer(*number).map(E::IntegerLiteral),
        E::DecimalLiteral(number) => decimal(*number).map(E::DecimalLiteral),
        E::FloatLiteral(number) => Some(E::FloatLiteral(float(*number))),
        E::DoubleLiteral(number) => Some(E::DoubleLiteral(double(*number))),
        _ => return Err(NotHere),
    })
}

#[cfg(test)]
mod tests {
    use super::{language_matches, plain_date, substring};

    /// The examples of the specification (SPARQL 1.1 §17.4.3.3, `XPath` functions §5.4.3).
    #[test]
    fn substrings_count_characters_from_one() {
        assert_eq!(substring("foobar", 4, None), Some("bar"));
        assert_eq!(substring("foobar", 4, Some(1)), Some("b"));
        assert_eq!(substring("12345", 0, Some(3)), Some("12"));
        assert_eq!(substring("12345", 5, Some(-3)), Some(""));
        assert_eq!(substring("12345", -3, Some(5)), Some("1"));
        assert_eq!(substring("", 1, Some(3)), Some(""));
        assert_eq!(substring("a\u{e9}\u{65e5}z", 2, Some(2)), Some("\u{e9}\u{65e5}"));
        assert_eq!(substring("ab", i64::MIN, None), None);
    }

    #[test]
    fn a_plain_date_is_read_and_others_are_left() {
        let read = |text: &str| plain_date(text.as_bytes());
        assert_eq!(read("2024-02-28"), Some([2024, 2, 28]));
        for other in ["2024-02-29", "2024-13-01", "2024-00-10", "0000-01-01", "-024-01-01"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(
            (read("2024-02-1"), read("2024-02-01Z"), read("2024/02/01")),
            (None, None, None)
        );
    }

    #[test]
    fn a_range_matches_what_begins_with_it() {
        assert!(language_matches("en-GB", "en") && language_matches("EN", "en"));
        assert!(language_matches("fr", "*") && !language_matches("", "*"));
        assert!(!language_matches("en", "en-GB") && !language_matches("eng", "en"));
    }
}

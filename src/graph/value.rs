//! What the evaluator must know of a term again and again, in a few bytes: its
//! kind, and for the common types a key that orders and identifies the value.
//! It stands beside the terms, so that no term is parsed twice. Types whose
//! values do not fit a key exactly are [`Kind::Other`]; whoever meets them
//! reads the term.

use oxsdatatypes::{Date, DateTime};

/// What a term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Kind {
    /// Any other literal: its text must be read.
    Other,
    /// A blank node.
    Blank,
    /// An IRI.
    Iri,
    /// A simple literal.
    String,
    /// A literal with a language.
    Language,
    /// `xsd:integer` within 64 bits; the key is its value.
    Integer,
    /// `xsd:boolean`; the key is 0 or 1.
    Boolean,
    /// `xsd:date` without a zone; the key counts days.
    Date,
    /// `xsd:dateTime` without a zone, in whole seconds; the key counts them.
    DateTime,
    /// The same in a zone, as seconds in UTC.
    ZonedDateTime,
}

/// Kind and key of an encoded term (see [`crate::graph::encode`]).
pub(super) fn value(encoded: &[u8]) -> (Kind, i64) {
    match encoded.first() {
        Some(b'I') => (Kind::Iri, 0),
        Some(b'B') => (Kind::Blank, 0),
        Some(b'S') => (Kind::String, 0),
        Some(b'L') => (Kind::Language, 0),
        _ => encoded.get(1..).and_then(typed).unwrap_or((Kind::Other, 0)),
    }
}

fn typed(rest: &[u8]) -> Option<(Kind, i64)> {
    let datatype = rest.strip_prefix(b"http://www.w3.org/2001/XMLSchema#")?;
    let zero = datatype.iter().position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(&datatype[zero + 1..]).ok()?;
    match &datatype[..zero] {
        b"integer" => Some((Kind::Integer, text.parse().ok()?)),
        b"boolean" => match text {
            "true" | "1" => Some((Kind::Boolean, 1)),
            "false" | "0" => Some((Kind::Boolean, 0)),
            _ => None,
        },
        b"date" => {
            let date: Date = text.parse().ok()?;
            if date.timezone().is_some() {
                return None;
            }
            Some((Kind::Date, days(date.year(), date.month(), date.day())))
        }
        b"dateTime" => {
            let time: DateTime = text.parse().ok()?;
            // Other fractions than whole seconds would need a wider key.
            if text.contains('.') {
                return None;
            }
            let zone = time.timezone_offset();
            let second: i64 = time.second().to_string().parse().ok()?;
            let seconds = days(time.year(), time.month(), time.day()) * 86_400
                + i64::from(time.hour()) * 3_600
                + i64::from(time.minute()) * 60
                + second;
            match zone {
                None => Some((Kind::DateTime, seconds)),
                Some(zone) => {
                    let offset = i64::from(i16::from_be_bytes(zone.to_be_bytes()));
                    Some((Kind::ZonedDateTime, seconds - offset * 60))
                }
            }
        }
        _ => None,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (the civil-days
/// algorithm of H. Hinnant).
fn days(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = i64::from(month);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5
        + i64::from(day)
        - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::encode;
    use oxigraph::model::{Literal, NamedNode};

    fn of(text: &str, datatype: &str) -> (Kind, i64) {
        let datatype =
            NamedNode::new_unchecked(format!("http://www.w3.org/2001/XMLSchema#{datatype}"));
        let mut encoded = Vec::new();
        encode((&Literal::new_typed_literal(text, datatype)).into(), &mut encoded);
        value(&encoded)
    }

    #[test]
    fn values_have_their_keys() {
        assert_eq!(of("01", "integer"), (Kind::Integer, 1));
        assert_eq!(of("-7", "integer"), (Kind::Integer, -7));
        assert_eq!(of("x", "integer"), (Kind::Other, 0));
        assert_eq!(of("1970-01-02", "date"), (Kind::Date, 1));
        assert_eq!(of("2000-03-01", "date"), (Kind::Date, 11_017));
        assert_eq!(of("1969-12-31", "date"), (Kind::Date, -1));
        assert_eq!(of("2000-03-01Z", "date"), (Kind::Other, 0));
        assert_eq!(of("1970-01-01T00:01:02", "dateTime"), (Kind::DateTime, 62));
        assert_eq!(of("1970-01-01T01:00:00+01:00", "dateTime"), (Kind::ZonedDateTime, 0));
        assert_eq!(of("true", "boolean"), (Kind::Boolean, 1));
        assert_eq!(of("1.0", "decimal"), (Kind::Other, 0));
    }
}

//! The text of a query as tokens, without its grammar: for what must be known
//! before it is parsed, and for what the parser forgets. Not for meaning.

use std::collections::HashMap;

/// The order of the variables of a `SELECT *`, which the parser forgets: each
/// name with the number of its first place in the text. None for a query
/// that names its variables.
pub(super) fn star_order(text: &str) -> Option<HashMap<String, usize>> {
    let bytes = text.as_bytes();
    let mut order = HashMap::new();
    let mut selecting = false;
    let mut star = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let from = at;
        at = match byte {
            b'#' => end_of_line(bytes, at),
            b'"' | b'\'' => end_of_string(bytes, at),
            b'<' => end_of_iri(bytes, at).unwrap_or(at + 1),
            b if b.is_ascii_whitespace() => at + 1,
            b'?' | b'$' => end_of_name(bytes, at).max(at + 1),
            b if b.is_ascii_alphabetic() || b == b':' || b >= 0x80 => end_of_name(bytes, at),
            _ => at + 1,
        };
        let token = &bytes[from..at];
        if star {
            if matches!(byte, b'?' | b'$') && token.len() > 1 {
                // A variable's name holds neither dots nor colons.
                let name = token[1..].split(|b| matches!(b, b'.' | b':' | b'-' | b'%')).next()?;
                let next = order.len();
                order.entry(String::from_utf8_lossy(name).into_owned()).or_insert(next);
            }
        } else if selecting {
            if token == b"*" {
                star = true;
            } else if !(byte.is_ascii_whitespace()
                || byte == b'#'
                || token.eq_ignore_ascii_case(b"DISTINCT")
                || token.eq_ignore_ascii_case(b"REDUCED"))
            {
                return None;
            }
        } else if token.eq_ignore_ascii_case(b"SELECT") {
            selecting = true;
        } else if byte == b'{' {
            return None;
        }
    }
    star.then_some(order)
}

pub(crate) fn end_of_line(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|b| *b == b'\n' || *b == b'\r').map_or(text.len(), |n| from + n)
}

pub(crate) fn end_of_string(text: &[u8], from: usize) -> usize {
    let quote = text[from];
    let long = text.get(from + 1) == Some(&quote) && text.get(from + 2) == Some(&quote);
    let mut at = from + if long { 3 } else { 1 };
    while let Some(byte) = text.get(at) {
        if *byte == b'\\' {
            at += 2;
        } else if *byte == quote {
            if !long {
                return at + 1;
            }
            if text.get(at + 1) == Some(&quote) && text.get(at + 2) == Some(&quote) {
                return at + 3;
            }
            at += 1;
        } else if !long && (*byte == b'\n' || *byte == b'\r') {
            return at;
        } else {
            at += 1;
        }
    }
    text.len()
}

pub(crate) fn end_of_iri(text: &[u8], from: usize) -> Option<usize> {
    let rest = &text[from + 1..];
    let end = rest
        .iter()
        .position(|b| matches!(b, b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'`') || *b <= b' ')?;
    (rest[end] == b'>').then_some(from + 1 + end + 1)
}

/// Names hold letters, digits, `_`, `:`, `-`, `.`, `%` and escapes; a prefixed
/// name ends before an operator.
pub(crate) fn end_of_name(text: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b if b.is_ascii_alphanumeric()
                || matches!(b, b'_' | b':' | b'-' | b'.' | b'%')
                || *b >= 0x80 =>
            {
                at += 1;
            }
            _ => break,
        }
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_star_is_that_of_the_text() {
        let order = |text: &str| {
            let mut names: Vec<(usize, String)> =
                star_order(text)?.into_iter().map(|(name, n)| (n, name)).collect();
            names.sort();
            Some(names.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" "))
        };
        let star = "PREFIX ?: <x#?y> # SELECT ?c\nselect distinct * { ?s $p ?o. ?o ?p \"?q\" }";
        assert_eq!(order(star).as_deref(), Some("s p o"));
        assert_eq!(order("SELECT ?b { { SELECT * { ?a ?b ?c } } }"), None);
        assert_eq!(order("SELECT (COUNT(*) AS ?n) { ?a ?b ?c }"), None);
        assert_eq!(order("ASK { { SELECT * { ?a ?b ?c } } }"), None);
    }
}

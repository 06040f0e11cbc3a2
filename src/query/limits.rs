//! What can be refused before a query runs, most of it before it is parsed:
//! the parser and the planner recurse, and a stack that overflows takes the
//! whole process down. Not for time and memory: a budget watches those.

use crate::graph::tokens::{end_of_iri, end_of_line, end_of_name, end_of_string};
use crate::graph::{ReadQuery, Size};
use crate::query::Error;
use std::time::Duration;

/// What one query may be and use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Length of the text in bytes.
    pub length: usize,
    /// Nesting of braces, parentheses, brackets and triple terms together. The parser was
    /// seen to abort at 1,000 levels on a 2 MB stack; the stacks here are 256.
    pub depth: usize,
    /// Operators of paths and expressions: the planner's cost grows with the
    /// square of a filter's terms (1,000 took 1.3 s).
    pub operators: usize,
    /// Group elements: OPTIONAL, UNION, MINUS, FILTER, BIND and their like.
    pub groups: usize,
    /// Triple patterns and paths: planning is about cubic (150 took 0.35 s).
    pub patterns: usize,
    /// Cells of all VALUES tables.
    pub values: usize,
    /// The longest time a query may run.
    pub time: Duration,
    /// Memory one query may hold (bytes).
    pub memory: usize,
    /// Size of one answer (bytes, before compression).
    pub result: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            length: 1 << 20,
            depth: 100,
            operators: 500,
            groups: 400,
            patterns: 150,
            values: 50_000,
            time: Duration::from_secs(10),
            memory: 512 << 20,
            result: 1 << 30,
        }
    }
}

fn refuse(what: &str, found: usize, limit: usize) -> Result<(), Error> {
    if found <= limit {
        return Ok(());
    }
    Err(Error::TooComplex(format!("the query has {found} {what}, the limit is {limit}")))
}

/// Looks at the text of a query, in one pass and without recursion.
pub fn check_text(text: &str, limits: &Limits) -> Result<(), Error> {
    refuse("bytes", text.len(), limits.length)?;
    let found = measure(text.as_bytes());
    refuse("levels of nesting", found.depth, limits.depth)?;
    refuse("operators", found.operators, limits.operators)?;
    refuse("group elements", found.groups, limits.groups)
}

/// Longest update (bytes); more data goes to the Graph Store Protocol.
const LONGEST_UPDATE: usize = 16 << 20;

/// Looks at the text of an update. Data may be long; what surrounds it may not.
pub fn check_update_text(text: &str, limits: &Limits) -> Result<(), Error> {
    refuse("bytes", text.len(), LONGEST_UPDATE)?;
    let found = measure(text.as_bytes());
    refuse("levels of nesting", found.depth, limits.depth)?;
    refuse("operators", found.operators, limits.operators)?;
    refuse("group elements", found.groups, limits.groups)
}

/// Looks at a parsed update.
pub fn check_update_size(size: Size, limits: &Limits) -> Result<(), Error> {
    refuse("triple patterns", size.patterns, limits.patterns)?;
    refuse("cells in VALUES", size.values, limits.values)
}

/// Looks at a parsed query.
pub fn check_size(query: &ReadQuery, limits: &Limits) -> Result<(), Error> {
    let size = query.size();
    refuse("triple patterns", size.patterns, limits.patterns)?;
    refuse("cells in VALUES", size.values, limits.values)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Measure {
    depth: usize,
    operators: usize,
    groups: usize,
}

/// Keywords that begin an element of a group, or nest another query.
const GROUP_KEYWORDS: [&str; 13] = [
    "OPTIONAL", "UNION", "MINUS", "FILTER", "BIND", "VALUES", "SERVICE", "GRAPH", "EXISTS",
    "SELECT", "LATERAL", "FROM", "PREFIX",
];

/// Counts what the grammar would recurse on. Comments, strings and IRIs are
/// stepped over; a text that breaks the grammar is counted all the same.
fn measure(text: &[u8]) -> Measure {
    let mut found = Measure::default();
    let mut depth: usize = 0;
    // Data has no operators: the depth at which its block began.
    let mut data = None;
    let mut after_data = false;
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        match byte {
            b'#' => at = end_of_line(text, at),
            b'"' | b'\'' => {
                at = end_of_string(text, at);
                // The datatype mark of a literal is no operator.
                if text[at.min(text.len())..].starts_with(b"^^") {
                    at += 2;
                }
            }
            b'<' if text.get(at + 1) == Some(&b'<') => {
                depth += 1;
                found.depth = found.depth.max(depth);
                at += 2;
            }
            b'>' if text.get(at + 1) == Some(&b'>') => {
                depth = depth.saturating_sub(1);
                at += 2;
            }
            b'<' => {
                if let Some(end) = end_of_iri(text, at) {
                    at = end;
                } else {
                    found.operators += 1;
                    at += 1;
                }
            }
            b'{' | b'(' | b'[' => {
                if after_data && byte == b'{' {
                    data = Some(depth);
                }
                after_data = false;
                depth += 1;
                found.depth = found.depth.max(depth);
                at += 1;
            }
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if data == Some(depth) {
                    data = None;
                }
                at += 1;
            }
            b'/' | b'^' | b'!' | b'|' | b'&' | b'+' | b'*' | b'=' | b'>' | b'-' => {
                // `||`, `&&`, `!=`, `>=` are one operator each.
                let pair = text.get(at + 1).is_some_and(|next| match byte {
                    b'|' | b'&' => *next == byte,
                    b'!' | b'>' => *next == b'=',
                    _ => false,
                });
                found.operators += usize::from(data.is_none());
                at += 1 + usize::from(pair);
            }
            b if b.is_ascii_alphabetic() || b == b'?' || b == b'$' || b == b':' || b >= 0x80 => {
                let end = end_of_name(text, at);
                let word = &text[at..end];
                after_data = word.eq_ignore_ascii_case(b"DATA");
                if data.is_none()
                    && GROUP_KEYWORDS.iter().any(|k| word.eq_ignore_ascii_case(k.as_bytes()))
                {
                    found.groups += 1;
                }
                at = end.max(at + 1);
            }
            b'0'..=b'9' => at = end_of_name(text, at).max(at + 1),
            _ => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_comments_and_iris_do_not_count() {
        let found = measure(
            br#"SELECT * { # ((((
              ?s <http://a/b(c)/d> "((( \" ))" , '''(' (''' , "1"^^<http://x/y> }"#,
        );
        assert_eq!(found, Measure { depth: 1, operators: 1, groups: 1 });
    }

    #[test]
    fn nesting_and_operators_count() {
        assert_eq!(measure(b"{{[(").depth, 4);
        assert_eq!(measure(b"{}{}{}").depth, 1);
        assert_eq!(measure(b"<< <a> <b> <<( ?s <c> ?o )>> >> << <a> <b> ?o >>").depth, 3);
        assert_eq!(measure(b"<<( <a> <b> <c> )>>").operators, 0);
        assert_eq!(measure(b"?a <?b && ?c || !?d").operators, 4);
        assert_eq!(measure(b":a/:b/:c|^:d").operators, 4);
        assert_eq!(measure(b"optional OPTIONAL ?union ex:filter").groups, 2);
    }

    #[test]
    fn unfinished_texts_end() {
        for text in ["\"", "'''", "<", "\\", "\"\\", "a\\", "#", "<a", "?"] {
            measure(text.as_bytes());
        }
    }

    #[test]
    fn what_is_too_much_says_so() {
        let limits = Limits::default();
        let deep = "{".repeat(100_000);
        let error = check_text(&deep, &limits).expect_err("too deep");
        assert_eq!(error.kind(), crate::problem::Kind::QueryTooComplex);
        assert!(error.to_string().contains("100000 levels of nesting"), "{error}");
        let path = format!("SELECT * {{ ?s {}:p ?o }}", "^".repeat(50_000));
        assert!(check_text(&path, &limits).is_err());
        assert!(check_text("SELECT * { ?s ?p ?o }", &limits).is_ok());
    }
}

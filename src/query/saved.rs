//! The saved queries of `queries/saved`: a header that says what a query
//! answers, what it takes and what it gives, and the query itself. Values are
//! bound as terms, never pasted as text.

use crate::graph::ReadQuery;
use crate::query::Error;
use crate::rdf::NamedNode;
use crate::rdf::Term;
use include_dir::{Dir, include_dir};
use oxigraph::model::Literal;
use oxigraph::model::vocab::xsd;
use std::str::FromStr;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/queries/saved");

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// An absolute IRI.
    Iri,
    /// A string without language.
    String,
    /// `xsd:integer`.
    Integer,
    /// `xsd:decimal`.
    Decimal,
    /// `xsd:date`.
    Date,
    /// `true` or `false`.
    Boolean,
}

impl ParameterType {
    /// The name in headers and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iri => "iri",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Date => "date",
            Self::Boolean => "boolean",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Iri, Self::String, Self::Integer, Self::Decimal, Self::Date, Self::Boolean]
            .into_iter()
            .find(|t| t.name() == name)
    }

    /// A value as a person or program writes it, as a term.
    fn term(self, name: &str, text: &str) -> Result<Term, Error> {
        let wrong = |what: &str| Error::Parameter(format!("{name}={text} is not {what}"));
        let typed = |datatype, ok: bool, what: &str| {
            if ok {
                Ok(Literal::new_typed_literal(text, datatype).into())
            } else {
                Err(wrong(what))
            }
        };
        match self {
            Self::Iri => {
                let iri = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
                NamedNode::new(iri).map(Into::into).map_err(|_| {
                    wrong("an absolute IRI, such as https://w3id.org/insites/id/theme/culture")
                })
            }
            Self::String => Ok(Literal::new_simple_literal(text).into()),
            Self::Integer => typed(xsd::INTEGER, text.parse::<i64>().is_ok(), "a whole number"),
            Self::Decimal => {
                let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
                typed(xsd::DECIMAL, plain && text.parse::<f64>().is_ok(), "a decimal number")
            }
            Self::Date => typed(xsd::DATE, is_date(text), "a date such as 2024-03-22"),
            Self::Boolean => typed(xsd::BOOLEAN, matches!(text, "true" | "false"), "true or false"),
        }
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, length: usize, least: u32, most: u32| {
        part.len() == length && part.parse().is_ok_and(|n: u32| (least..=most).contains(&n))
    };
    matches!(parts.as_slice(), [y, m, d]
        if number(y, 4, 1, 9999) && number(m, 2, 1, 12) && number(d, 2, 1, 31))
}

/// One parameter of a saved query.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Name of the parameter and of the variable.
    pub name: String,
    /// What it may be.
    pub type_: ParameterType,
    /// Whether it must be given.
    pub required: bool,
    /// The value if it is not given.
    pub default: Option<Term>,
    /// A value to try.
    pub example: Option<Term>,
    /// What it means.
    pub says: String,
}

/// A query with its header.
#[derive(Debug, Clone)]
pub struct SavedQuery {
    /// The file's name without `.rq`, and its route.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The question it answers.
    pub says: String,
    /// Its parameters.
    pub takes: Vec<Parameter>,
    /// Its columns: name and meaning.
    pub gives: Vec<(String, String)>,
    /// The query's text without the header.
    pub text: String,
    query: ReadQuery,
}

/// All saved queries, by name.
#[derive(Debug, Clone, Default)]
pub struct SavedQueries(Vec<SavedQuery>);

impl SavedQueries {
    /// The queries built into this program.
    pub fn built_in() -> Result<Self, String> {
        let mut queries = Vec::new();
        for file in FILES.files() {
            let path = file.path();
            let (Some(name), Some(text)) =
                (path.file_stem().and_then(|n| n.to_str()), file.contents_utf8())
            else {
                continue;
            };
            if path.extension().is_some_and(|e| e == "rq") {
                let query = SavedQuery::parse(name, text)
                    .map_err(|error| format!("queries/saved/{name}.rq: {error}"))?;
                queries.push(query);
            }
        }
        queries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self(queries))
    }

    /// The query with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SavedQuery> {
        self.0.iter().find(|query| query.name == name)
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> &[SavedQuery] {
        &self.0
    }
}

impl SavedQuery {
    /// Reads a file: header lines `# key: value`, then the query.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut query = Self {
            name: name.to_owned(),
            title: String::new(),
            says: String::new(),
            takes: Vec::new(),
            gives: Vec::new(),
            text: String::new(),
            query: ReadQuery::parse(text, None).map_err(|e| e.to_string())?,
        };
        let mut body = text;
        for line in text.lines() {
            let Some(comment) = line.strip_prefix('#') else { break };
            body = body.get(line.len()..).unwrap_or_default().trim_start_matches(['\r', '\n']);
            let Some((key, value)) = comment.split_once(':') else { continue };
            let value = value.trim();
            match key.trim() {
                "title" => value.clone_into(&mut query.title),
                "says" => value.clone_into(&mut query.says),
                "takes" => query.takes.push(parameter(value)?),
                "gives" => query.gives = columns(value),
                other => return Err(format!("the header has no {other:?}")),
            }
        }
        body.trim_start().clone_into(&mut query.text);
        if query.title.is_empty() || query.says.is_empty() || query.gives.is_empty() {
            return Err("the header needs title, says and gives".to_owned());
        }
        Ok(query)
    }

    /// The query with these values bound. Unknown names, missing or malformed
    /// values are errors that name the parameter.
    pub fn with(&self, values: &[(String, String)]) -> Result<ReadQuery, Error> {
        for (name, _) in values {
            if !self.takes.iter().any(|p| p.name == *name) {
                let known: Vec<&str> = self.takes.iter().map(|p| p.name.as_str()).collect();
                return Err(Error::Parameter(format!(
                    "{} takes no parameter {name}; it takes {}",
                    self.name,
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                )));
            }
        }
        let mut query = self.query.clone();
        for parameter in &self.takes {
            let given =
                values.iter().find(|(name, text)| *name == parameter.name && !text.is_empty());
            let term = match given {
                Some((name, text)) => Some(parameter.type_.term(name, text)?),
                None if parameter.required && parameter.default.is_none() => {
                    return Err(Error::Parameter(format!(
                        "{} needs the parameter {} ({}): {}",
                        self.name,
                        parameter.name,
                        parameter.type_.name(),
                        parameter.says
                    )));
                }
                None => parameter.default.clone(),
            };
            if let Some(term) = term {
                query = query.bind(&parameter.name, term);
            }
        }
        Ok(query)
    }
}

/// `name (type, required|optional, default TERM, example TERM) — text`.
fn parameter(text: &str) -> Result<Parameter, String> {
    let wrong = || format!("cannot read the parameter {text:?}");
    let (name, rest) = text.split_once('(').ok_or_else(wrong)?;
    let (inside, says) =
        rest.rsplit_once(") —").or_else(|| rest.rsplit_once(')')).ok_or_else(wrong)?;
    let mut parameter = Parameter {
        name: name.trim().to_owned(),
        type_: ParameterType::String,
        required: false,
        default: None,
        example: None,
        says: says.trim().to_owned(),
    };
    for (index, part) in split_outside_quotes(inside).into_iter().enumerate() {
        let part = part.trim();
        if index == 0 {
            parameter.type_ = ParameterType::parse(part).ok_or_else(wrong)?;
        } else if part == "required" {
            parameter.required = true;
        } else if let Some(value) = part.strip_prefix("default ") {
            parameter.default = Some(term(value.trim()).ok_or_else(wrong)?);
        } else if let Some(value) = part.strip_prefix("example ") {
            parameter.example = Some(term(value.trim()).ok_or_else(wrong)?);
        } else if part != "optional" {
            return Err(wrong());
        }
    }
    Ok(parameter)
}

/// Parts between commas that are not inside quotes or an IRI.
fn split_outside_quotes(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' | '<' | '>' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn term(text: &str) -> Option<Term> {
    if matches!(text, "true" | "false") {
        return Some(Literal::new_typed_literal(text, xsd::BOOLEAN).into());
    }
    if text.parse::<i64>().is_ok() {
        return Some(Literal::new_typed_literal(text, xsd::INTEGER).into());
    }
    if text.parse::<f64>().is_ok() {
        return Some(Literal::new_typed_literal(text, xsd::DECIMAL).into());
    }
    if let Some((value, datatype)) = text.rsplit_once("^^xsd:") {
        let iri = format!("{value}^^<http://www.w3.org/2001/XMLSchema#{datatype}>");
        return Term::from_str(&iri).ok();
    }
    Term::from_str(text).ok()
}

/// `name — meaning; name — meaning`.
fn columns(text: &str) -> Vec<(String, String)> {
    text.split(';')
        .filter_map(|part| {
            let (name, meaning) = part.split_once('—').unwrap_or((part, ""));
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), meaning.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# title: A title\n# says: What it says: all\n\
        # takes: theme (iri, optional, default <http://x/a,b>) — a theme\n\
        # takes: since (date, required, example \"2015-01-01\"^^xsd:date) — a day\n\
        # gives: s — the subject; o — the object\n\nSELECT ?s ?o { ?s ?theme ?o }";

    #[test]
    fn the_header_is_read() {
        let query = SavedQuery::parse("a", TEXT).expect("readable");
        assert_eq!(query.says, "What it says: all");
        assert_eq!(query.takes[0].default, Some(NamedNode::new_unchecked("http://x/a,b").into()));
        assert_eq!(query.takes[1].says, "a day");
        assert!(query.takes[1].required);
        assert_eq!(query.gives[1], ("o".to_owned(), "the object".to_owned()));
        assert_eq!(query.text, "SELECT ?s ?o { ?s ?theme ?o }");
    }

    #[test]
    fn values_are_checked_by_type() {
        let query = SavedQuery::parse("a", TEXT).expect("readable");
        let given = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert!(query.with(&given("since", "2020-02-03")).is_ok());
        for (name, value) in [("since", "yesterday"), ("since", ""), ("colour", "red")] {
            let error = query.with(&given(name, value)).expect_err("refused");
            assert_eq!(error.kind(), crate::problem::Kind::InvalidParameter);
            assert!(error.to_string().contains(name), "{error}");
        }
        let mut both = given("since", "2020-02-03");
        both.extend(given("theme", "no iri> } INSERT"));
        assert!(query.with(&both).is_err());
    }
}

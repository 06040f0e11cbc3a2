//! The operators and functions whose meaning is short (SPARQL 1.1 §17), row by
//! row, on the bytes of the terms where that is enough. What is not here, and
//! values that some of these are not made for (durations, triple terms), are
//! left to the evaluator.

use crate::graph::budget::touch;
use crate::graph::engine::batch::{Batch, Column, UNBOUND, row_number};
use crate::graph::engine::order::{self, Numbers};
use crate::graph::engine::plan::Expr;
use crate::graph::engine::run::Engine;
use crate::graph::engine::values::{
    Computed, NotHere, arithmetic, language_matches, length, lexical_of, number, plain_date,
    substring,
};
use crate::graph::expressions::children;
use crate::rdf::TermId;
use oxigraph::model::vocab::{rdf, xsd};
use oxigraph::model::{Literal, NamedNode, Term, Variable};
use oxsdatatypes::{Boolean, Decimal, Double, Float, Integer};
use spareval::ExpressionTerm as E;
use spargebra::algebra::{Expression, Function};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

/// How a stored date begins.
const DATE: &[u8] = b"Thttp://www.w3.org/2001/XMLSchema#date\0";

/// A value on the way.
enum Value<'a> {
    /// A term that has a number.
    Id(TermId),
    /// A simple string.
    Text(Cow<'a, str>),
    /// Any other term.
    Term(Cow<'a, E>),
}

/// A term by its value, where it is kept.
enum Decoded<'a> {
    Kept(Rc<E>),
    Here(&'a E),
}

impl Deref for Decoded<'_> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Kept(term) => term,
            Self::Here(term) => term,
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        E::from(truth).into()
    }
}

impl From<E> for Value<'_> {
    fn from(term: E) -> Self {
        Self::Term(Cow::Owned(term))
    }
}

/// Leaves the function with what stands for an error, if there is no value.
macro_rules! some {
    ($value:expr) => {
        match $value {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

/// Whether an expression is made of what is here. Gathers its constants.
fn is_here<'e>(expression: &'e Expression, constants: &mut Vec<&'e Expression>) -> bool {
    let this = match expression {
        Expression::NamedNode(_) | Expression::Literal(_) => {
            constants.push(expression);
            true
        }
        Expression::SameTerm(..) | Expression::Exists(_) => false,
        Expression::FunctionCall(function, _) => matches!(
            function,
            Function::Str
                | Function::Lang
                | Function::LangMatches
                | Function::Datatype
                | Function::StrLen
                | Function::UCase
                | Function::LCase
                | Function::StrStarts
                | Function::StrEnds
                | Function::Contains
                | Function::StrBefore
                | Function::StrAfter
                | Function::SubStr
                | Function::Concat
                | Function::Year
                | Function::Month
                | Function::Day
                | Function::Abs
                | Function::Ceil
                | Function::Floor
                | Function::Round
                | Function::IsIri
                | Function::IsBlank
                | Function::IsLiteral
                | Function::IsNumeric
        ),
        _ => true,
    };
    this && children(expression).into_iter().all(|child| is_here(child, constants))
}

/// What an expression is computed from.
struct Arguments<'a> {
    columns: Vec<(&'a Variable, Option<&'a Column>)>,
    /// The constants but simple strings, by their addresses.
    constants: Vec<(usize, Constant)>,
}

enum Constant {
    Name(TermId),
    Literal(E),
}

impl<'a> Arguments<'a> {
    /// The only column, if there is one variable.
    fn only(&self) -> Option<&'a Column> {
        if let [(_, column)] = self.columns.as_slice() { *column } else { None }
    }

    fn get(&self, variable: &Variable, row: usize) -> TermId {
        let column = self.columns.iter().find(|(name, _)| *name == variable);
        column.and_then(|(_, column)| *column).map_or(UNBOUND, |column| column.get(row))
    }

    fn constant(&self, expression: &Expression) -> Result<Value<'_>, NotHere> {
        let address = std::ptr::from_ref(expression).addr();
        let found = self.constants.iter().find(|(other, _)| *other == address);
        Ok(match &found.ok_or(NotHere)?.1 {
            Constant::Name(id) => Value::Id(*id),
            Constant::Literal(term) => Value::Term(Cow::Borrowed(term)),
        })
    }
}

/// What was made of the values that came last, each at a place of its number:
/// most columns have few values, or few at a time.
struct Last<T>(Vec<(TermId, T)>);

impl<T: Copy + Default> Last<T> {
    const MOST: usize = 1 << 12;

    /// For so many rows.
    fn of(rows: usize) -> Self {
        let places = row_number(rows.next_power_of_two().clamp(2, Self::MOST));
        // No number has its place where it is now.
        Self((0..places).map(|place| (place + 1, T::default())).collect())
    }

    fn get(&mut self, id: TermId, make: impl FnOnce() -> Option<T>) -> Option<T> {
        let places = self.0.len();
        let place = &mut self.0[id as usize % places];
        if place.0 != id {
            *place = (id, make()?);
        }
        Some(place.1)
    }
}

impl Engine<'_> {
    /// The value of an expression in each row; none if it is not for here.
    pub(super) fn computed(
        &self,
        expression: &Expression,
        expr: &Expr,
        batch: &Batch,
    ) -> Option<Column> {
        let arguments = self.arguments(expression, expr, batch)?;
        let mut known = self.expressions.computed.borrow_mut();
        let address = std::ptr::from_ref(expression).addr();
        let value = |row: usize| {
            let value = self.compute(expression, &arguments, row).ok()?;
            Some(value.map_or(UNBOUND, |value| self.number_of(value)))
        };
        let is_rows = |(_, column): &(_, Option<&Column>)| matches!(column, Some(Column::Rows(_)));
        if !arguments.columns.iter().any(is_rows) {
            return Some(Column::Same(if batch.len == 0 { UNBOUND } else { value(0)? }));
        }
        // The values of one variable come again; those of several seldom do.
        let Some(column) = arguments.only() else {
            return (0..batch.len).map(value).collect::<Option<_>>().map(Column::rows);
        };
        let mut last = Last::of(batch.len);
        let each = |row| {
            self.near(row, batch.len, column);
            let of = column.get(row);
            last.get(of, || {
                if let Some(id) = known.get(&(address, of)) {
                    return Some(*id);
                }
                let id = value(row)?;
                known.insert((address, of), id);
                Some(id)
            })
        };
        (0..batch.len).map(each).collect::<Option<_>>().map(Column::rows)
    }

    /// The effective boolean value of an expression in each row (none after an
    /// error); none at all if it is not for here.
    pub(super) fn computed_truth(
        &self,
        expression: &Expression,
        expr: &Expr,
        batch: &Batch,
    ) -> Option<Vec<Option<bool>>> {
        let arguments = self.arguments(expression, expr, batch)?;
        let truth = |row| {
            let Some(value) = self.compute(expression, &arguments, row)? else { return Ok(None) };
            self.effective(&value)
        };
        let Some(column) = arguments.only() else {
            return (0..batch.len).map(truth).collect::<Result<_, NotHere>>().ok();
        };
        let mut last = Last::of(batch.len);
        let each = |row| {
            self.near(row, batch.len, column);
            last.get(column.get(row), || truth(row).ok())
        };
        (0..batch.len).map(each).collect()
    }

    /// What an expression is computed from; none if it is not for here.
    fn arguments<'a>(
        &self,
        expression: &Expression,
        expr: &'a Expr,
        batch: &'a Batch,
    ) -> Option<Arguments<'a>> {
        let mut constants = Vec::new();
        if !is_here(expression, &mut constants) {
            return None;
        }
        let constant = |expression: &Expression| {
            let constant = match expression {
                Expression::NamedNode(iri) => {
                    Constant::Name(self.dataset.number(iri.clone().into()))
                }
                Expression::Literal(literal) if literal.datatype() != xsd::STRING => {
                    Constant::Literal(Term::from(literal.clone()).into())
                }
                _ => return None,
            };
            Some((std::ptr::from_ref(expression).addr(), constant))
        };
        let columns = expr.variables.iter().map(|(slot, name)| (name, batch.column(*slot)));
        let constants = constants.into_iter().filter_map(constant);
        Some(Arguments { columns: columns.collect(), constants: constants.collect() })
    }

    fn compute<'e>(
        &'e self,
        expression: &'e Expression,
        arguments: &'e Arguments<'_>,
        row: usize,
    ) -> Computed<Value<'e>> {
        let compute = |expression: &'e Expression| self.compute(expression, arguments, row);
        let truth = |expression: &'e Expression| -> Computed<bool> {
            self.effective(&some!(compute(expression)?))
        };
        Ok(Some(match expression {
            Expression::Literal(literal) if literal.datatype() == xsd::STRING => {
                Value::Text(Cow::Borrowed(literal.value()))
            }
            Expression::Literal(_) | Expression::NamedNode(_) => arguments.constant(expression)?,
            Expression::Variable(variable) => {
                touch();
                match arguments.get(variable, row) {
                    UNBOUND => return Ok(None),
                    id => Value::Id(id),
                }
            }
            Expression::Bound(variable) => (arguments.get(variable, row) != UNBOUND).into(),
            Expression::Or(a, b) | Expression::And(a, b) => {
                let decides = matches!(expression, Expression::Or(..));
                match (truth(a)?, truth(b)?) {
                    (Some(a), Some(b)) if a != decides && b != decides => (!decides).into(),
                    (Some(a), _) if a == decides => decides.into(),
                    (_, Some(b)) if b == decides => decides.into(),
                    _ => return Ok(None),
                }
            }
            Expression::Not(a) => (!some!(truth(a)?)).into(),
            Expression::If(a, b, c) => return compute(if some!(truth(a)?) { b } else { c }),
            Expression::Coalesce(list) => {
                for item in list {
                    if let Some(value) = compute(item)? {
                        return Ok(Some(value));
                    }
                }
                return Ok(None);
            }
            Expression::In(a, list) => {
                let a = compute(a)?;
                let mut failed = false;
                for item in list {
                    match (&a, compute(item)?) {
                        (Some(a), Some(item)) => match self.equal(a, &item)? {
                            Some(true) => return Ok(Some(true.into())),
                            Some(false) => {}
                            None => failed = true,
                        },
                        _ => failed = true,
                    }
                }
                if failed {
                    return Ok(None);
                }
                false.into()
            }
            Expression::Equal(a, b) => {
                let (a, b) = (some!(compute(a)?), some!(compute(b)?));
                some!(self.equal(&a, &b)?).into()
            }
            Expression::Less(a, b)
            | Expression::LessOrEqual(a, b)
            | Expression::Greater(a, b)
            | Expression::GreaterOrEqual(a, b) => {
                let (a, b) = (some!(compute(a)?), some!(compute(b)?));
                let order = some!(self.order_of(&a, &b)?);
                match expression {
                    Expression::Less(..) => order.is_lt(),
                    Expression::LessOrEqual(..) => order.is_le(),
                    Expression::Greater(..) => order.is_gt(),
                    _ => order.is_ge(),
                }
                .into()
            }
            Expression::Add(a, b)
            | Expression::Subtract(a, b)
            | Expression::Multiply(a, b)
            | Expression::Divide(a, b) => {
                let (a, b) = (some!(compute(a)?), some!(compute(b)?));
                let numbers = Numbers::of(&*self.decode(&a)?, &*self.decode(&b)?).ok_or(NotHere)?;
                some!(arithmetic(expression, numbers)).into()
            }
            Expression::UnaryPlus(a) => {
                let a = some!(compute(a)?);
                some!(number(&*self.decode(&a)?, Some, Some, |n| n, |n| n)?).into()
            }
            Expression::UnaryMinus(a) => {
                let a = some!(compute(a)?);
                let negated = number(
                    &*self.decode(&a)?,
                    Integer::checked_neg,
                    Decimal::checked_neg,
                    |n| -n,
                    |n| -n,
                )?;
                some!(negated).into()
            }
            Expression::FunctionCall(function, list) => {
                return self.call(function, list, arguments, row);
            }
            _ => return Err(NotHere),
        }))
    }

    fn call<'e>(
        &'e self,
        function: &Function,
        list: &'e [Expression],
        arguments: &'e Arguments<'_>,
        row: usize,
    ) -> Computed<Value<'e>> {
        if let Function::Concat = function {
            let mut text = String::new();
            for item in list {
                let item = some!(self.compute(item, arguments, row)?);
                let (part, language) = some!(self.string(&item));
                if language.is_some() {
                    return Err(NotHere);
                }
                text.push_str(&part);
            }
            return Ok(Some(Value::Text(text.into())));
        }
        let (first, rest) = list.split_first().ok_or(NotHere)?;
        let first = some!(self.compute(first, arguments, row)?);
        let second = |at: usize| self.compute(rest.get(at).ok_or(NotHere)?, arguments, row);
        Ok(Some(match function {
            Function::Str => match first {
                Value::Text(text) => Value::Text(text),
                Value::Id(id) => Value::Text(some!(self.lexical(id))),
                Value::Term(term) => {
                    Value::Text(some!(lexical_of(term.into_owned().into())).into())
                }
            },
            Function::Lang => Value::Text(some!(self.language(&first)?)),
            Function::LangMatches => {
                let second = some!(second(0)?);
                let (tag, none) = some!(self.string(&first));
                let (range, neither) = some!(self.string(&second));
                if none.is_some() || neither.is_some() {
                    return Ok(None);
                }
                language_matches(&tag, &range).into()
            }
            Function::Datatype => E::NamedNode(some!(self.datatype(&first)?)).into(),
            Function::StrLen => {
                let (text, _) = some!(self.string(&first));
                E::IntegerLiteral(length(&text).into()).into()
            }
            Function::UCase | Function::LCase => {
                let (text, language) = some!(self.string(&first));
                let text = match (function, text.is_ascii()) {
                    (Function::UCase, true) => text.to_ascii_uppercase(),
                    (Function::UCase, false) => text.to_uppercase(),
                    (_, true) => text.to_ascii_lowercase(),
                    (_, false) => text.to_lowercase(),
                };
                self.tagged(text, language, &first)?
            }
            Function::StrStarts
            | Function::StrEnds
            | Function::Contains
            | Function::StrBefore
            | Function::StrAfter => {
                let second = some!(second(0)?);
                let (whole, language) = some!(self.string(&first));
                let (part, other) = some!(self.string(&second));
                if other.is_some() {
                    // The languages must be the same, and the directions.
                    return Err(NotHere);
                }
                match function {
                    Function::StrStarts => whole.starts_with(&*part).into(),
                    Function::StrEnds => whole.ends_with(&*part).into(),
                    Function::Contains => whole.contains(&*part).into(),
                    _ => {
                        let Some(at) = whole.find(&*part) else {
                            return Ok(Some(Value::Text(Cow::Borrowed(""))));
                        };
                        let kept = match function {
                            Function::StrBefore => &whole[..at],
                            _ => &whole[at + part.len()..],
                        };
                        self.tagged(kept.to_owned(), language, &first)?
                    }
                }
            }
            Function::SubStr => {
                let (whole, language) = some!(self.string(&first));
                let integer = |value: &Value<'_>| -> Computed<i64> {
                    Ok(match &*self.decode(value)? {
                        E::IntegerLiteral(number) => Some(i64::from(*number)),
                        _ => None,
                    })
                };
                let from = some!(integer(&some!(second(0)?))?);
                let length = match rest.len() {
                    1 => None,
                    _ => Some(some!(integer(&some!(second(1)?))?)),
                };
                let part = some!(substring(&whole, from, length)).to_owned();
                self.tagged(part, language, &first)?
            }
            Function::Year | Function::Month | Function::Day => {
                if let Value::Id(id) = first
                    && let Some(bytes) = self.snapshot.dictionary().bytes(id)
                    && let Some([year, month, day]) = bytes.strip_prefix(DATE).and_then(plain_date)
                {
                    let part = match function {
                        Function::Year => year,
                        Function::Month => month,
                        _ => day,
                    };
                    return Ok(Some(E::IntegerLiteral(part.into()).into()));
                }
                let part = match (&*self.decode(&first)?, function) {
                    (E::DateTimeLiteral(date), Function::Year) => date.year(),
                    (E::DateLiteral(date), Function::Year) => date.year(),
                    (E::DateTimeLiteral(date), Function::Month) => date.month().into(),
                    (E::DateLiteral(date), Function::Month) => date.month().into(),
                    (E::DateTimeLiteral(date), _) => date.day().into(),
                    (E::DateLiteral(date), _) => date.day().into(),
                    _ => return Err(NotHere),
                };
                E::IntegerLiteral(part.into()).into()
            }
            Function::Abs => {
                let term = self.decode(&first)?;
                let made = number(
                    &term,
                    Integer::checked_abs,
                    Decimal::checked_abs,
                    Float::abs,
                    Double::abs,
                )?;
                some!(made).into()
            }
            Function::Ceil | Function::Floor | Function::Round => {
                let term = self.decode(&first)?;
                let made = match function {
                    Function::Ceil => {
                        number(&term, Some, Decimal::checked_ceil, Float::ceil, Double::ceil)
                    }
                    Function::Floor => {
                        number(&term, Some, Decimal::checked_floor, Float::floor, Double::floor)
                    }
                    _ => number(&term, Some, Decimal::checked_round, Float::round, Double::round),
                };
                some!(made?).into()
            }
            Function::IsIri => (self.kind(&first) == b'I').into(),
            Function::IsBlank => (self.kind(&first) == b'B').into(),
            Function::IsLiteral => matches!(self.kind(&first), b'S' | b'L' | b'T').into(),
            Function::IsNumeric => matches!(
                &*self.decode(&first)?,
                E::IntegerLiteral(_)
                    | E::DecimalLiteral(_)
                    | E::FloatLiteral(_)
                    | E::DoubleLiteral(_)
            )
            .into(),
            _ => return Err(NotHere),
        }))
    }

    /// A term by its value.
    fn decode<'v>(&self, value: &'v Value<'_>) -> Result<Decoded<'v>, NotHere> {
        let term = match value {
            Value::Id(id) => Decoded::Kept(self.decoded(*id).ok_or(NotHere)?),
            Value::Text(text) => {
                Decoded::Kept(Rc::new(E::StringLiteral(text.clone().into_owned())))
            }
            Value::Term(term) => Decoded::Here(term),
        };
        if matches!(&*term, E::Triple(_)) { Err(NotHere) } else { Ok(term) }
    }

    fn number_of(&self, value: Value<'_>) -> TermId {
        match value {
            Value::Id(id) => id,
            Value::Text(text) => self.dataset.number(Literal::from(text.into_owned()).into()),
            Value::Term(Cow::Owned(E::IntegerLiteral(integer))) => self.integer(integer.into()),
            Value::Term(term) => self.dataset.number(term.into_owned().into()),
        }
    }

    /// The effective boolean value (SPARQL 1.1 §17.2.2).
    fn effective(&self, value: &Value<'_>) -> Computed<bool> {
        let truth = |term: &E| {
            Some(match term {
                E::BooleanLiteral(value) => (*value).into(),
                E::StringLiteral(text) => !text.is_empty(),
                E::IntegerLiteral(value) => Boolean::from(*value).into(),
                E::DecimalLiteral(value) => Boolean::from(*value).into(),
                E::FloatLiteral(value) => Boolean::from(*value).into(),
                E::DoubleLiteral(value) => Boolean::from(*value).into(),
                _ => return None,
            })
        };
        Ok(match value {
            Value::Text(text) => Some(!text.is_empty()),
            Value::Term(term) => truth(term),
            Value::Id(_) => truth(&*self.decode(value)?),
        })
    }

    /// A string and its language; none of other terms.
    fn string<'v>(&'v self, value: &'v Value<'_>) -> Option<(Cow<'v, str>, Option<Cow<'v, str>>)> {
        match value {
            Value::Text(text) => Some((Cow::Borrowed(text), None)),
            Value::Term(term) => match &**term {
                E::StringLiteral(text) => Some((Cow::Borrowed(text), None)),
                E::LangStringLiteral { value, language }
                | E::DirLangStringLiteral { value, language, .. } => {
                    Some((Cow::Borrowed(value), Some(Cow::Borrowed(language))))
                }
                _ => None,
            },
            Value::Id(id) => {
                if let Some((text, language)) = self.snapshot.string(*id) {
                    return Some((Cow::Borrowed(text), language.map(Cow::Borrowed)));
                }
                match self.dataset.term(*id).into() {
                    E::StringLiteral(text) => Some((Cow::Owned(text), None)),
                    E::LangStringLiteral { value, language }
                    | E::DirLangStringLiteral { value, language, .. } => {
                        Some((Cow::Owned(value), Some(Cow::Owned(language))))
                    }
                    _ => None,
                }
            }
        }
    }

    /// A string made from another, which has its language. Those with a
    /// direction are left to the evaluator.
    fn tagged(
        &self,
        text: String,
        language: Option<Cow<'_, str>>,
        from: &Value<'_>,
    ) -> Result<Value<'static>, NotHere> {
        let Some(language) = language else { return Ok(Value::Text(Cow::Owned(text))) };
        let directed = match from {
            Value::Text(_) => false,
            Value::Term(term) => matches!(&**term, E::DirLangStringLiteral { .. }),
            Value::Id(id) => match self.dataset.term(*id) {
                Term::Literal(literal) => literal.direction().is_some(),
                _ => false,
            },
        };
        if directed {
            return Err(NotHere);
        }
        let language = language.into_owned();
        Ok(E::LangStringLiteral { value: text, language }.into())
    }

    /// What a term is, as its bytes begin.
    fn kind(&self, value: &Value<'_>) -> u8 {
        let of = |term: &E| match term {
            E::NamedNode(_) => b'I',
            E::BlankNode(_) => b'B',
            E::Triple(_) => b'Q',
            _ => b'T',
        };
        match value {
            Value::Text(_) => b'S',
            Value::Term(term) => of(term),
            Value::Id(id) => self.dataset.tag(*id),
        }
    }

    /// A literal as it is written, or an IRI.
    fn lexical(&self, id: TermId) -> Option<Cow<'_, str>> {
        if let Some((text, _)) = self.snapshot.literal(id) {
            return Some(Cow::Borrowed(text));
        }
        lexical_of(self.dataset.term(id)).map(Cow::Owned)
    }

    fn language<'v>(&'v self, value: &Value<'v>) -> Computed<Cow<'v, str>> {
        if let Value::Id(id) = value
            && let Some((_, language)) = self.snapshot.literal(*id)
        {
            return Ok(Some(Cow::Borrowed(language.unwrap_or_default())));
        }
        Ok(match &*self.decode(value)? {
            E::NamedNode(_) | E::BlankNode(_) => None,
            E::LangStringLiteral { language, .. } | E::DirLangStringLiteral { language, .. } => {
                Some(Cow::Owned(language.clone()))
            }
            _ => Some(Cow::Borrowed("")),
        })
    }

    fn datatype(&self, value: &Value<'_>) -> Computed<NamedNode> {
        let term = match value {
            Value::Text(_) => return Ok(Some(xsd::STRING.into_owned())),
            Value::Id(id) => self.dataset.term(*id),
            Value::Term(term) => (**term).clone().into(),
        };
        Ok(match term {
            Term::NamedNode(_) | Term::BlankNode(_) => None,
            Term::Literal(literal) if literal.direction().is_some() => {
                Some(rdf::DIR_LANG_STRING.into_owned())
            }
            Term::Literal(literal) => Some(literal.datatype().into_owned()),
            Term::Triple(_) => return Err(NotHere),
        })
    }

    /// Whether two values are equal (`RDFterm-equal` and the operators on
    /// values, SPARQL 1.1 §17.3).
    fn equal(&self, a: &Value<'_>, b: &Value<'_>) -> Computed<bool> {
        if let (Value::Text(a), Value::Text(b)) = (a, b) {
            return Ok(Some(a == b));
        }
        if let (Value::Id(one), Value::Id(other)) = (a, b)
            && (self.is_name(*one) || self.is_name(*other))
        {
            return Ok(Some(one == other));
        }
        let (a, b) = (self.decode(a)?, self.decode(b)?);
        if let Some(numbers) = Numbers::of(&a, &b) {
            return Ok(Some(numbers.order() == Some(Ordering::Equal)));
        }
        Ok(match (&*a, &*b) {
            (
                E::NamedNode(_)
                | E::BlankNode(_)
                | E::LangStringLiteral { .. }
                | E::DirLangStringLiteral { .. },
                _,
            ) => Some(*a == *b),
            (E::OtherTypedLiteral { .. }, E::OtherTypedLiteral { .. }) => {
                (*a == *b).then_some(true)
            }
            (
                E::OtherTypedLiteral { .. },
                E::NamedNode(_)
                | E::BlankNode(_)
                | E::LangStringLiteral { .. }
                | E::DirLangStringLiteral { .. },
            ) => Some(false),
            (E::OtherTypedLiteral { .. }, _) | (_, E::OtherTypedLiteral { .. }) => None,
            (E::StringLiteral(_) | E::BooleanLiteral(_), _) => Some(*a == *b),
            (E::DateLiteral(a), E::DateLiteral(b)) => Some(a == b),
            (E::DateTimeLiteral(a), E::DateTimeLiteral(b)) => Some(a == b),
            _ => return Err(NotHere),
        })
    }

    /// How two values compare; none if they do not.
    fn order_of(&self, a: &Value<'_>, b: &Value<'_>) -> Computed<Ordering> {
        if let (Value::Text(a), Value::Text(b)) = (a, b) {
            return Ok(Some(a.cmp(b)));
        }
        if let (Value::Term(a), Value::Term(b)) = (a, b)
            && let (E::IntegerLiteral(a), E::IntegerLiteral(b)) = (&**a, &**b)
        {
            return Ok(Some(a.cmp(b)));
        }
        let (a, b) = (self.decode(a)?, self.decode(b)?);
        Ok(if *a == *b { Some(Ordering::Equal) } else { order::literals(&a, &b) })
    }
}

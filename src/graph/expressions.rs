//! What an expression of the algebra is made of. Not for what it means.

use spargebra::algebra::Expression;

/// The expressions that one is made of, in their order; a pattern of EXISTS is
/// none.
macro_rules! children {
    ($name:ident $(, $mutable:tt)?) => {
        pub(super) fn $name(expression: &$($mutable)? Expression) -> Vec<&$($mutable)? Expression> {
            match expression {
                Expression::NamedNode(_)
                | Expression::Literal(_)
                | Expression::Variable(_)
                | Expression::Bound(_)
                | Expression::Exists(_) => Vec::new(),
                Expression::Or(a, b)
                | Expression::And(a, b)
                | Expression::Equal(a, b)
                | Expression::SameTerm(a, b)
                | Expression::Greater(a, b)
                | Expression::GreaterOrEqual(a, b)
                | Expression::Less(a, b)
                | Expression::LessOrEqual(a, b)
                | Expression::Add(a, b)
                | Expression::Subtract(a, b)
                | Expression::Multiply(a, b)
                | Expression::Divide(a, b) => vec![a, b],
                Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => {
                    vec![a]
                }
                Expression::If(a, b, c) => vec![a, b, c],
                Expression::In(a, list) => {
                    let mut all: Vec<&$($mutable)? Expression> = vec![a];
                    all.extend(list);
                    all
                }
                Expression::Coalesce(list) | Expression::FunctionCall(_, list) => {
                    list.into_iter().collect()
                }
            }
        }
    };
}

children!(children);
children!(children_mut, mut);

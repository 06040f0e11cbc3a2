//! What a site answered to the questions of the data-collection tool, as the
//! page of its answer shows it.

use crate::http::record_page::facts::Facts;
use crate::pages::{Block, Grid, Value};
use crate::rdf::TermId;

/// Where a question stands among the others.
pub(super) fn position(facts: &Facts, question: TermId) -> u64 {
    facts.text(question, "schema:position").parse().unwrap_or(u64::MAX)
}

/// Questions and answers, in the order of the questionnaire.
pub(super) fn answers(facts: &Facts, id: TermId) -> Block {
    let mut found: Vec<(u64, Vec<Vec<Value>>)> = Vec::new();
    for answer in facts.objects(id, "dct:hasPart") {
        for question in facts.objects(answer, "insites:answerTo") {
            let asked = vec![Value::text(&facts.label(question))];
            let unit = facts.text(question, "insites:unit");
            let values = facts.values(answer, "insites:answerValue").into_iter();
            let said = values.map(|value| match value {
                // Options have no page of their own.
                Value::Link(link) if link.url.contains("/questionnaire/") => {
                    Value::text(&link.text)
                }
                Value::Text { text, .. } if !unit.is_empty() => {
                    Value::text(&format!("{text} {unit}"))
                }
                Value::Text { text, .. } => Value::text(&step(facts, question, text)),
                Value::Link(link) => Value::Link(link),
            });
            found.push((position(facts, question), vec![asked, said.collect()]));
        }
    }
    found.sort_by_key(|(position, _)| *position);
    Block::Grid(Grid {
        caption: "Questions and answers".to_owned(),
        columns: vec!["Question".to_owned(), "Answer".to_owned()],
        rows: found.into_iter().map(|(_, row)| row).collect(),
    })
}

/// A step of a scale with its ends; other texts as they are.
fn step(facts: &Facts, question: TermId, text: String) -> String {
    let (low, high) =
        (facts.text(question, "insites:lowEnd"), facts.text(question, "insites:highEnd"));
    if low.is_empty() || high.is_empty() {
        return text;
    }
    let end = |name: &str| facts.text(question, name);
    format!(
        "{text} ({} is “{low}”, {} is “{high}”)",
        end("schema:minValue"),
        end("schema:maxValue")
    )
}

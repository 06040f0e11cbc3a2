//! Search as people use it: their words, meaning, suggestions, and search
//! inside SPARQL; and the index against a scan of the graph.

mod clause;
mod people;
mod scan;

use serde_json::Value;

/// A value as it stands in a query string.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// One member of all hits.
fn of_hits(answer: &Value, member: &str) -> Vec<String> {
    let hits = answer["hits"].as_array().expect("hits");
    hits.iter().map(|hit| hit[member].as_str().expect("text").to_owned()).collect()
}

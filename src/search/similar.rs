//! Records that are like one: by the meaning of their texts.

use crate::graph::Snapshot;
use crate::index::{Error, meaning_of};
use crate::rdf::Names;
use crate::rdf::TermId;
use crate::search::records::Known;
use crate::search::snippet::Wanted;
use crate::search::{Hit, Record, record};

/// The records nearest to one in meaning, nearest first, itself left out, at
/// most so many. Only what the reader of the snapshots sees. A record whose
/// vector is not made yet is compared by its title and first text.
pub fn similar(
    graph: &Snapshot,
    text: &crate::index::Snapshot,
    names: &Names,
    subject: TermId,
    most: usize,
) -> Result<Vec<Record>, Error> {
    let known = text.remembered(|| Known::read(graph));
    let row = text.row_of(subject);
    let vector = row.and_then(|row| text.vector(row)).unwrap_or_else(|| {
        let read = known.properties.read(graph, subject);
        let first = read.texts.first().map_or("", String::as_str);
        meaning_of(&format!("{}. {first}", read.title))
    });
    let mut others = text.visible();
    if let Some(row) = row {
        others.unset(row);
    }
    let near = text.nearest(&vector, &others, most);
    let hits = near.into_iter().map(|(row, cosine)| {
        let hit = Hit { score: cosine, subject: text.subject(row), date: text.date(row) };
        record(graph, names, &known, &hit, &Wanted::default(), Some(cosine))
    });
    Ok(hits.collect())
}

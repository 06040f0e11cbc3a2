//! Records that are like one: by the meaning of their texts.

use crate::graph::Snapshot;
use crate::index::{Error, Facet, KINDS, meaning_of};
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

/// The records of a kind that are nearest to one in meaning, nearest first,
/// itself left out. Empty while its meaning is not worked out yet.
#[must_use]
pub fn nearest_of_kind(
    text: &crate::index::Snapshot,
    subject: TermId,
    kind: &str,
    most: usize,
) -> Vec<(TermId, f32)> {
    let number = KINDS.iter().position(|known| *known == kind).map(|n| n as u64);
    let (Some(row), Some(number)) = (text.row_of(subject), number) else { return Vec::new() };
    let Some(vector) = text.vector(row) else { return Vec::new() };
    let mut others = text.filters(&[(Facet::Kind, vec![number])], None, None).all;
    others.unset(row);
    let near = text.nearest(&vector, &others, most);
    near.into_iter().map(|(row, cosine)| (text.subject(row), cosine)).collect()
}

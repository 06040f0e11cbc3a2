//! Records that are like one: by the meaning of their texts.

use crate::graph::{GraphPattern, Snapshot};
use crate::index::{Error, Facet, KINDS, meaning_of};
use crate::rdf::Names;
use crate::rdf::TermId;
use crate::rdf::vocabulary::DCTERMS;
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
    text.await_vectors();
    let known = text.remembered(|| Known::read(graph));
    let row = text.row_of(subject);
    let vector = row.and_then(|row| text.vector(row)).unwrap_or_else(|| {
        let read = known.properties.read(graph, subject);
        let first = read.texts.first().unwrap_or(&"");
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
/// itself left out. Empty while its meaning is not worked out yet. In a large
/// graph only some of those that share one of its themes are compared.
#[must_use]
pub fn nearest_of_kind(
    graph: &Snapshot,
    text: &crate::index::Snapshot,
    subject: TermId,
    kind: &str,
    themes: &[TermId],
    most: usize,
) -> Vec<(TermId, f32)> {
    /// Documents of which all are compared. Of 100,000 that takes 5 ms on two
    /// cores, longer than a page may.
    const MANY: u64 = 20_000;
    /// Records compared of each theme in a larger graph.
    const OF_A_THEME: usize = 300;
    text.await_vectors();
    let number = KINDS.iter().position(|known| *known == kind).map(|n| n as u64);
    let (Some(row), Some(number)) = (text.row_of(subject), number) else { return Vec::new() };
    let Some(vector) = text.vector(row) else { return Vec::new() };
    if text.len() <= MANY {
        let mut others = text.filters(&[(Facet::Kind, vec![number])], None, None).all;
        others.unset(row);
        let near = text.nearest(&vector, &others, most);
        return near.into_iter().map(|(row, cosine)| (text.subject(row), cosine)).collect();
    }
    let Some(property) = graph.iri_id(&format!("{DCTERMS}subject")) else { return Vec::new() };
    let mut others: Vec<TermId> = themes
        .iter()
        .flat_map(|theme| {
            let quads =
                graph.quads().matching(None, Some(property), Some(*theme), GraphPattern::Any);
            quads.map(|quad| quad[0]).take(OF_A_THEME)
        })
        .filter(|other| *other != subject)
        .collect();
    others.sort_unstable();
    others.dedup();
    let mut near: Vec<(TermId, f32)> = others
        .into_iter()
        .filter_map(|other| {
            let row = text.row_of(other)?;
            text.values(row, Facet::Kind).find(|kind| *kind == number)?;
            Some((other, text.cosine(row, &vector)?))
        })
        .collect();
    near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    near.truncate(most);
    near
}

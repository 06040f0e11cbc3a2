//! Brings the views up to the ledger when a folder is opened.

use crate::commit::{Committer, Documents, Error, Reader, Snapshot};
use crate::graph::{Dictionary, Quads};
use crate::index::TextIndex;
use crate::ledger::Ledger;
use crate::rdf::Names;
use crate::rdf::Revision;
use std::path::Path;
use std::sync::{Arc, RwLock};

/// A text view that is further behind than this is made again: replaying one
/// change costs a commit of the index, making all documents about as much as
/// this many.
const REPLAYED: Revision = 50;

/// Reads the ledger into the graph view and catches up the text view.
pub(super) fn open_views(
    ledger: Ledger,
    folder: &Path,
    names: &Names,
    progress: &dyn Fn(&str),
) -> Result<Committer, Error> {
    let revision = ledger.revision();
    let state = ledger.state(|done, total| {
        progress(&format!("reading the ledger: {done} of {total} terms and quads"));
    })?;
    let mut dictionary = Dictionary::default();
    for term in &state.terms {
        dictionary.intern_encoded(term);
    }
    dictionary.settle();
    let graph = crate::graph::Snapshot::new(dictionary, Quads::from_quads(&state.quads));
    drop(state);
    let mut text = TextIndex::open(&folder.join("text"))?;
    match text.revision() {
        Some(at) if at == revision => {}
        Some(at) if at < revision && revision - at <= REPLAYED => {
            progress(&format!("text view: replaying changes {} to {revision}", at + 1));
            let documents = Documents::new(&graph, names);
            let mut touched = Vec::new();
            for number in at + 1..=revision {
                let (removed, added) = ledger.change_quads(number)?;
                touched.extend(removed.iter().chain(&added).map(|quad| quad[0]));
            }
            touched.sort_unstable();
            touched.dedup();
            let new = touched.iter().filter_map(|subject| documents.document(*subject));
            text.apply(revision, &touched, new)?;
        }
        at => {
            if revision > 0 || at.is_some() {
                progress("text view: indexing all records");
            }
            rebuild_text(&mut text, revision, &graph, names)?;
        }
    }
    let time = match revision.checked_sub(1) {
        Some(before) => ledger.changes(before, 1)?.pop().map(|c| c.time).unwrap_or_default(),
        None => String::new(),
    };
    let snapshot = Snapshot { revision, time, graph, text: text.snapshot() };
    let reader = Reader { current: Arc::new(RwLock::new(Arc::new(snapshot))) };
    Ok(Committer { ledger, text, names: names.clone(), reader })
}

/// Makes the text view from nothing.
pub(super) fn rebuild_text(
    text: &mut TextIndex,
    revision: Revision,
    graph: &crate::graph::Snapshot,
    names: &Names,
) -> Result<(), Error> {
    text.clear()?;
    let documents = Documents::new(graph, names);
    let subjects = documents.subjects();
    text.apply(revision, &[], subjects.iter().filter_map(|s| documents.document(*s)))?;
    Ok(())
}

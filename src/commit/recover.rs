//! Brings the views up to the ledger when a folder is opened.

use crate::commit::{Committer, Documents, Error, Gate, Reader, Snapshot, Steps};
use crate::graph::{Dictionary, Quads};
use crate::index::TextIndex;
use crate::ledger::Ledger;
use crate::rdf::Names;
use crate::rdf::Revision;
use std::path::Path;

/// A text view that is further behind than this is made again: replaying reads
/// every change since, and small changes are folded in every few.
const REPLAYED: Revision = 5_000;

/// Reads the ledger into the graph view and catches up the text view.
pub(super) fn open_views(
    ledger: Ledger,
    folder: &Path,
    names: &Names,
    progress: &dyn Fn(&str),
) -> Result<Committer, Error> {
    let revision = ledger.revision();
    let graph = read_graph(&ledger, progress)?;
    let mut text = TextIndex::open(&folder.join("text"), &folder.join("vectors"))?;
    match text.revision() {
        Some(at) if at == revision => {}
        Some(at) if at < revision && revision - at <= REPLAYED => {
            progress(&format!("text view: replaying changes {} to {revision}", at + 1));
            let documents = Documents::new(&graph, names);
            let mut touched = Vec::new();
            ledger.history().each_since(at, revision, |quad, _| touched.push(quad[0]))?;
            touched.sort_unstable();
            touched.dedup();
            text.apply(revision, &touched, &|id| documents.documents(id))?;
        }
        at => {
            if revision > 0 || at.is_some() {
                progress("text view: indexing all records");
            }
            rebuild_text(&mut text, revision, &graph, names)?;
        }
    }
    let time = time_of(&ledger)?;
    let last = time.clone();
    let snapshot = Snapshot { revision, time, graph, text: text.snapshot() };
    let reader = Reader::new(snapshot, names);
    Ok(Committer {
        ledger,
        text,
        names: names.clone(),
        reader,
        gate: Gate::built_in(),
        time: last,
        behind: false,
        steps: Steps::default(),
    })
}

/// All triples of a ledger.
fn read_graph(ledger: &Ledger, progress: &dyn Fn(&str)) -> Result<crate::graph::Snapshot, Error> {
    let state = ledger.state(|done, total| {
        progress(&format!("reading the ledger: {done} of {total} terms and quads"));
    })?;
    let mut dictionary = Dictionary::default();
    for term in &state.terms {
        dictionary.intern_encoded(term);
    }
    dictionary.settle();
    Ok(crate::graph::Snapshot::new(dictionary, Quads::from_quads(&state.quads)))
}

/// When the last change was recorded.
fn time_of(ledger: &Ledger) -> Result<String, Error> {
    Ok(match ledger.revision().checked_sub(1) {
        Some(before) => {
            ledger.history().changes(before, 1)?.pop().map(|c| c.time).unwrap_or_default()
        }
        None => String::new(),
    })
}

/// Makes both views again from the ledger.
pub(super) fn read_all(
    ledger: &Ledger,
    text: &mut TextIndex,
    names: &Names,
) -> Result<Snapshot, Error> {
    let revision = ledger.revision();
    let graph = read_graph(ledger, &|_| {})?;
    rebuild_text(text, revision, &graph, names)?;
    Ok(Snapshot { revision, time: time_of(ledger)?, graph, text: text.snapshot() })
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
    text.apply(revision, &documents.subjects(), &|id| documents.documents(id))?;
    Ok(())
}

//! Makes the vectors that documents lack, beside everything else: of a few as
//! soon as no more changes come, or at once if somebody who searches by meaning
//! waits for them; of many, after a large import, a first start or a change of
//! model, in the background. What is done stays done over a restart; what is
//! not is found again by looking for documents without a vector. Not for what a
//! vector is.

use crate::commit::{Current, Documents, Reader, Snapshot};
use crate::index::{AWAITED, Unembedded, Workspace, text_hash};
use crate::rdf::Names;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Documents taken on together: a second or two of work.
const BATCH: usize = 128;
/// Documents that one thread gives to the model together; it fills the model
/// with a few short ones at once.
const SHARE: usize = 8;
/// How long to wait after a failure, such as a full disk.
const PAUSE: Duration = Duration::from_secs(30);
/// How often the progress is told.
const TOLD: Duration = Duration::from_secs(10);
/// How much the threads stand back behind those that answer requests
/// (nice value).
const NICE: i32 = 19;
/// How long no change comes before the vectors of the last few are made. Until
/// then the processor is left to those who write.
const CALM: Duration = Duration::from_millis(20);
/// How long they are put off at most.
const PUT_OFF: Duration = Duration::from_secs(1);

/// Starts the threads that keep documents embedded until the reader is gone.
pub fn keep_embedding(reader: &Reader, threads: usize) -> std::io::Result<()> {
    let (current, names) = (Arc::downgrade(&reader.current), reader.names.clone());
    reader.snapshot().text.vectors_come(true);
    std::thread::Builder::new()
        .name("embedding".to_owned())
        .spawn(move || keep(&current, &names, threads.max(1)))?;
    Ok(())
}

fn keep(current: &Weak<Current>, names: &Names, threads: usize) {
    let mut workspaces: Vec<Workspace> = (0..threads).map(|_| Workspace::default()).collect();
    let mut told: Option<Instant> = None;
    let mut put_off: Option<Instant> = None;
    let mut before = 0;
    while let Some(shared) = current.upgrade() {
        let shown = *shared.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = Reader { current: Arc::clone(&shared), names: names.clone() };
        let snapshot = reader.snapshot();
        let missing = snapshot.text.unembedded(BATCH);
        drop(reader);
        if missing.is_empty() {
            if told.take().is_some() {
                let (_, documents) = snapshot.text.coverage();
                tracing::info!(documents, "all documents have their vectors");
            }
            drop(snapshot);
            let seen = shared.shown.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == shown {
                // A timeout, to notice when nobody reads any more.
                let _ = shared.bell.wait_timeout(seen, Duration::from_secs(1));
            }
            continue;
        }
        let few = missing.len() <= AWAITED;
        if few && !snapshot.text.vectors_wanted_within(CALM) {
            let changes_come =
                *shared.shown.lock().unwrap_or_else(PoisonError::into_inner) != shown;
            if changes_come && put_off.get_or_insert_with(Instant::now).elapsed() < PUT_OFF {
                continue;
            }
        }
        put_off = None;
        drop(shared);
        // While changes come, a core is left to those who make them.
        let calm = std::mem::replace(&mut before, shown) == shown;
        let threads = if few || calm { threads } else { 1 };
        if !few && told.is_none_or(|at| at.elapsed() > TOLD) {
            let (embedded, documents) = snapshot.text.coverage();
            tracing::info!(embedded, documents, "making vectors of documents");
            told = Some(Instant::now());
        }
        if let Err(error) = embed(&snapshot, names, &missing, &mut workspaces[..threads]) {
            tracing::error!(%error, "vectors cannot be made; words find all records meanwhile");
            snapshot.text.vectors_come(false);
            std::thread::sleep(PAUSE);
            snapshot.text.vectors_come(true);
        }
    }
}

fn embed(
    snapshot: &Snapshot,
    names: &Names,
    missing: &[Unembedded],
    workspaces: &mut [Workspace],
) -> Result<(), crate::index::Error> {
    let documents = Documents::new(&snapshot.graph, names);
    let mut texts: Vec<(Unembedded, String)> = Vec::with_capacity(missing.len());
    for document in missing {
        let text = documents
            .documents(document.subject)
            .iter()
            .map(crate::index::Document::meaning)
            .find(|text| text_hash(text) == document.hash);
        texts.extend(text.map(|text| (*document, text)));
    }
    if texts.is_empty() {
        // Index and graph are of one revision, so this is a fault.
        let told = "documents of the text view have no text in the graph";
        return Err(crate::index::Error::Engine(told.to_owned()));
    }
    // A few are wanted now, by as many threads as there are.
    let few = texts.len() <= AWAITED;
    let share = if few { texts.len().div_ceil(workspaces.len()) } else { SHARE };
    let shares = Mutex::new(texts.chunks(share));
    std::thread::scope(|scope| {
        let threads: Vec<_> = workspaces
            .iter_mut()
            .take(texts.len().div_ceil(share))
            .map(|workspace| {
                let shares = &shares;
                scope.spawn(move || {
                    if !few {
                        stand_back();
                    }
                    loop {
                        let next = shares.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some(share) = next else { return Ok(()) };
                        snapshot.text.embed(share, workspace)?;
                    }
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })
}

/// Lets other threads go first. Where the system does not know how, nothing is
/// lost but some patience.
fn stand_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}

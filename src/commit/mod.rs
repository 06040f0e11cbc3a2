//! The only door through which data changes. A change is prepared, recorded in
//! the ledger (the commit point), applied to the views and shown, in this
//! order. Not for reading: readers take a [`Snapshot`].

mod documents;
mod edit;
mod embedding;
mod gate;
mod past;
mod recover;
mod steps;
mod writer;

pub use documents::Documents;
pub use documents::hidden_from;
pub use edit::Edit;
pub use embedding::keep_embedding;
pub use gate::{Gate, Rules};
pub use past::Past;
pub use steps::Steps;
pub use writer::{Crowded, Declined, Prepare, Wanted, Writer};

use self::steps::timed;
use crate::graph::{GraphPattern, Target};
use crate::index::{Document, TextIndex};
use crate::ledger::{Change, Ledger, fault};

pub use crate::ledger::Error as LedgerError;
pub use crate::ledger::LockError;
pub use crate::ledger::fault::POINTS as FAULT_POINTS;
pub use crate::ledger::{BackupError, ChangeRecord, History, restore};
use crate::problem::Kind;
use crate::rdf::GraphNameRef;
use crate::rdf::NamedNode;
use crate::rdf::Names;
use crate::rdf::Provenance;
use crate::rdf::Quad;
use crate::rdf::QuadIds;
use crate::rdf::Revision;
use crate::rdf::TermId;
use crate::rdf::Visibility;
use crate::rdf::now;
use crate::rdf::vocabulary::{DCTERMS, INSITES, SKOS, TYPE};
use crate::shapes::Report;
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

/// One revision of all views. Never changes once made.
#[derive(Clone)]
pub struct Snapshot {
    /// The number of the last change in it.
    pub revision: Revision,
    /// When that change was recorded (RFC 3339), empty for revision 0.
    pub time: String,
    /// The triples.
    pub graph: crate::graph::Snapshot,
    /// The words.
    pub text: crate::index::Snapshot,
}

impl Snapshot {
    /// The same revision as those see it who see this much.
    #[must_use]
    pub fn seen_by(&self, visibility: Visibility, names: &Names) -> Self {
        let hidden = hidden_from(&self.graph, names, visibility);
        Self {
            revision: self.revision,
            time: self.time.clone(),
            graph: self.graph.without_graphs(hidden),
            text: self.text.seen_by(visibility),
        }
    }
}

/// The current revision, whole and as each sees it.
struct Views {
    whole: Arc<Snapshot>,
    seen: [Arc<Snapshot>; 3],
}

impl Views {
    fn new(whole: Snapshot, names: &Names) -> Self {
        let seen = Visibility::ALL.map(|visibility| Arc::new(whole.seen_by(visibility, names)));
        Self { whole: Arc::new(whole), seen }
    }
}

/// Gives the current snapshot. Cloning is cheap; all clones see the same.
#[derive(Clone)]
pub struct Reader {
    current: Arc<Current>,
    names: Names,
}

/// What readers share.
struct Current {
    views: RwLock<Arc<Views>>,
    /// Counts what was shown, and wakes those who wait for more.
    shown: Mutex<u64>,
    bell: Condvar,
}

impl Reader {
    fn new(whole: Snapshot, names: &Names) -> Self {
        let views = RwLock::new(Arc::new(Views::new(whole, names)));
        let current = Current { views, shown: Mutex::new(0), bell: Condvar::new() };
        Self { current: Arc::new(current), names: names.clone() }
    }

    fn names(&self) -> &Names {
        &self.names
    }

    fn views(&self) -> Arc<Views> {
        Arc::clone(&self.current.views.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, whole: Snapshot) {
        let views = Arc::new(Views::new(whole, &self.names));
        *self.current.views.write().unwrap_or_else(PoisonError::into_inner) = views;
        *self.current.shown.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.current.bell.notify_all();
    }

    /// The whole state as of now: for commands and for making changes, never
    /// for answers.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.views().whole)
    }

    /// The graphs, by number, that those do not see who see this much; sorted.
    #[must_use]
    pub fn hidden_from(&self, visibility: Visibility) -> Vec<u32> {
        hidden_from(&self.views().whole.graph, &self.names, visibility)
    }

    /// The state as of now, as those see it who see this much. Hold on to it
    /// for as long as an answer takes.
    #[must_use]
    pub fn seen_by(&self, visibility: Visibility) -> Arc<Snapshot> {
        Arc::clone(&self.views().seen[visibility as usize])
    }
}

/// The one writer.
pub struct Committer {
    ledger: Ledger,
    text: TextIndex,
    names: Names,
    reader: Reader,
    gate: Gate,
    /// When the last change was recorded: time never runs backwards.
    time: String,
    /// The ledger is ahead of the views: they failed after a commit point.
    behind: bool,
    steps: Steps,
}

/// Subjects whose documents are made before the change is recorded.
const PREPARED: usize = 64;

/// Changes that are recorded together.
struct Group {
    gate: Gate,
    lifecycle: [NamedNode; 3],
    graph: crate::graph::Snapshot,
    revision: Revision,
    time: String,
    changes: Vec<Change>,
    touched: FxHashSet<u32>,
    judged: std::time::Duration,
}

impl Group {
    /// A subject that the change speaks of though it was withdrawn or merged:
    /// addresses are never used again.
    fn retired(&self, edit: &Edit, after: &crate::graph::Snapshot) -> Option<String> {
        let lifecycle: Vec<TermId> =
            self.lifecycle.iter().filter_map(|name| after.iri_id(name.as_str())).collect();
        let type_ = after.iri_id(TYPE)?;
        let mut last = 0;
        for quad in edit.add.iter().filter(|quad| !lifecycle.contains(&quad[3])) {
            if quad[0] != last {
                last = quad[0];
                let retired = lifecycle.iter().any(|lifecycle| {
                    let kept = GraphPattern::Only(*lifecycle);
                    after.quads().matching(Some(last), Some(type_), None, kept).next().is_some()
                });
                if retired {
                    return after.text(last);
                }
            }
        }
        None
    }

    /// When a theme gets another place among the themes, the documents of all
    /// that is under it change.
    fn touch_themes(&mut self, edit: &Edit, after: &crate::graph::Snapshot) {
        let Some(broader) = after.iri_id(&format!("{SKOS}broader")) else { return };
        let mut themes: Vec<TermId> =
            edit.remove.iter().chain(&edit.add).filter(|q| q[1] == broader).map(|q| q[0]).collect();
        if themes.is_empty() {
            return;
        }
        let mut at = 0;
        while let Some(theme) = themes.get(at).copied() {
            at += 1;
            let under = after.quads().matching(None, Some(broader), Some(theme), GraphPattern::Any);
            for quad in under {
                if !themes.contains(&quad[0]) {
                    themes.push(quad[0]);
                }
            }
        }
        let subject = format!("{DCTERMS}subject");
        for theme in themes {
            self.touched.extend(after.subjects(&subject, theme));
        }
    }

    /// When a record is called something else, so is it in the documents of
    /// those that are about it.
    fn touch_named(&mut self, edit: &Edit, after: &crate::graph::Snapshot) {
        let titles: Vec<TermId> = crate::rdf::vocabulary::TITLES
            .iter()
            .filter_map(|(namespace, name)| after.iri_id(&format!("{namespace}{name}")))
            .collect();
        let about: Vec<TermId> = Documents::NAMED_BY
            .iter()
            .filter_map(|name| after.iri_id(&format!("{INSITES}{name}")))
            .collect();
        let named = edit.remove.iter().chain(&edit.add).filter(|q| titles.contains(&q[1]));
        let named: FxHashSet<TermId> = named.map(|quad| quad[0]).collect();
        for (named, about) in named.iter().flat_map(|n| about.iter().map(move |a| (*n, *a))) {
            let about = after.quads().matching(None, Some(about), Some(named), GraphPattern::Any);
            self.touched.extend(about.map(|quad| quad[0]));
        }
    }

    /// When who may see a graph changes, so do the documents of its subjects.
    fn touch_graphs(&mut self, edit: &Edit, after: &crate::graph::Snapshot) {
        let Some(visible_to) = after.iri_id(&format!("{INSITES}visibleTo")) else { return };
        for quad in edit.remove.iter().chain(&edit.add).filter(|quad| quad[1] == visible_to) {
            let graph = GraphPattern::Only(quad[0]);
            self.touched.extend(after.quads().matching(None, None, None, graph).map(|q| q[0]));
        }
    }

    fn new(committer: &Committer) -> Self {
        Self {
            gate: committer.gate.clone(),
            lifecycle: committer.names.lifecycle(),
            graph: committer.reader.snapshot().graph.clone(),
            revision: committer.ledger.revision(),
            time: committer.time.clone(),
            changes: Vec::new(),
            touched: FxHashSet::default(),
            judged: std::time::Duration::ZERO,
        }
    }

    /// The group after this one, on the state that this one leaves.
    fn next(&self) -> Self {
        Self {
            gate: self.gate.clone(),
            lifecycle: self.lifecycle.clone(),
            graph: self.graph.clone(),
            time: self.time.clone(),
            changes: Vec::new(),
            touched: FxHashSet::default(),
            revision: self.revision,
            judged: std::time::Duration::ZERO,
        }
    }

    /// Prepares a change on the state that those before it leave, judges it
    /// and puts it in line. One that fails fails by itself.
    fn take(&mut self, wanted: Wanted) -> Result<Committed, Error> {
        let Wanted { prepare, provenance, rules } = wanted;
        let mut edit = Edit::new(self.graph.clone(), self.revision);
        match prepare(&mut edit) {
            Ok(()) => self.stage(edit, &provenance, rules),
            Err(Declined) => Err(Error::Declined),
        }
    }

    /// Judges a change and puts it in line.
    fn stage(
        &mut self,
        mut edit: Edit,
        provenance: &Provenance,
        rules: Rules,
    ) -> Result<Committed, Error> {
        let mut judged = self.judged;
        let graph = timed(&mut judged, || edit.settle());
        if let Some(iri) = self.retired(&edit, &graph) {
            return Err(Error::Retired(iri));
        }
        let (removed, added) = (edit.remove.len(), edit.add.len());
        let report = Report::default();
        if removed == 0 && added == 0 {
            return Ok(Committed { revision: self.revision, removed, added, report });
        }
        let report = match rules {
            Rules::Off => report,
            _ => timed(&mut judged, || {
                self.gate.judge(&edit.before, &graph, &edit.remove, &edit.add)
            }),
        };
        self.judged = judged;
        if rules == Rules::Refuse && report.violations().next().is_some() {
            return Err(Error::Shapes(report));
        }
        self.revision += 1;
        // A clock set back must not put changes out of order.
        self.time = now().max(std::mem::take(&mut self.time));
        let first = edit.before.dictionary().len() + 1;
        let terms = (first..=edit.dictionary.len())
            .filter_map(|id| edit.dictionary.bytes(u32::try_from(id).ok()?))
            .map(<[u8]>::to_vec)
            .collect();
        self.touched.extend(edit.remove.iter().chain(&edit.add).map(|quad| quad[0]));
        self.touch_graphs(&edit, &graph);
        self.touch_themes(&edit, &graph);
        self.touch_named(&edit, &graph);
        self.changes.push(Change {
            record: ChangeRecord {
                revision: self.revision,
                time: self.time.clone(),
                author: provenance.author.clone(),
                reason: provenance.reason.clone(),
                source: provenance.source.clone(),
                removed: removed as u64,
                added: added as u64,
            },
            first_term: u32::try_from(first).unwrap_or(u32::MAX),
            terms,
            removed: edit.remove,
            added: edit.add,
        });
        self.graph = graph;
        Ok(Committed { revision: self.revision, removed, added, report })
    }
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The revision after it; the one before if nothing changed.
    pub revision: Revision,
    /// Quads that no longer hold.
    pub removed: usize,
    /// Quads that hold now and did not before.
    pub added: usize,
    /// What the shapes have to say, violations only if they were not refused.
    pub report: Report,
}

/// Why a change did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be opened, read or written. Nothing was changed.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::Error),
    /// A view could not follow the ledger. The data is safe.
    #[error(transparent)]
    Text(#[from] crate::index::Error),
    /// Whoever asked for the change declined when its turn came.
    #[error("the change was not wanted after all")]
    Declined,
    /// Too many changes wait.
    #[error("too many changes are waiting")]
    Crowded,
    /// The ledger could not record the change, with others or alone.
    #[error("the change could not be recorded: {detail}")]
    Recording {
        /// What failed.
        detail: String,
        /// What the caller can make of it.
        kind: Kind,
    },
    /// The change speaks of a record that was withdrawn or merged.
    #[error("{0} was withdrawn or merged; its address is never used for anything else")]
    Retired(String),
    /// The change is on disk, but the views could not follow. The next write,
    /// or a restart, makes them again.
    #[error(
        "the change is recorded as part of revision {revision}, but not to be seen yet: {detail}"
    )]
    Behind {
        /// The last revision recorded.
        revision: Revision,
        /// What failed.
        detail: String,
    },
    /// The change would break the shapes. Nothing was changed.
    #[error("the change breaks {} of the rules that records keep", .0.violations().count())]
    Shapes(Report),
    /// The change was prepared on another state than the current one.
    #[error("the data changed from revision {before} to {now} meanwhile; try again")]
    Overtaken {
        /// The state it was prepared on.
        before: Revision,
        /// The state now.
        now: Revision,
    },
}

impl Error {
    /// What a failure to record a group means to each change of it.
    fn of_each(&self) -> Self {
        match self {
            Self::Behind { revision, detail } => {
                Self::Behind { revision: *revision, detail: detail.clone() }
            }
            _ => Self::Recording { detail: self.to_string(), kind: self.kind() },
        }
    }

    /// What a caller can make of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ledger(error) => error.kind(),
            Self::Text(error) => error.kind(),
            Self::Shapes(_) | Self::Retired(_) => Kind::ShapesViolated,
            Self::Recording { kind, .. } => *kind,
            Self::Declined | Self::Behind { .. } => Kind::Internal,
            Self::Crowded | Self::Overtaken { .. } => Kind::Busy,
        }
    }
}

impl Target for Edit {
    fn state(&mut self) -> crate::graph::Snapshot {
        Edit::state(self)
    }

    fn remove(&mut self, quad: &Quad) {
        Edit::remove(self, quad);
    }

    fn add(&mut self, quad: &Quad) {
        Edit::add(self, quad);
    }

    fn clear(&mut self, graph: GraphNameRef<'_>) {
        if let Some(graph) = self.state().graph_id(graph) {
            Edit::clear(self, graph);
        }
    }

    fn may_write(&self, graph: GraphNameRef<'_>) -> bool {
        self.may_write.as_ref().is_none_or(|may| may(graph))
    }
}

impl Committer {
    /// Opens the ledger of a folder and brings the views up to it. `progress`
    /// is told what happens, in sentences for a person who waits.
    pub fn open(
        folder: &Path,
        names: &Names,
        purpose: &str,
        progress: &dyn Fn(&str),
    ) -> Result<Self, Error> {
        let ledger = Ledger::open(folder, purpose)?;
        recover::open_views(ledger, folder, names, progress)
    }

    /// Gives the current snapshots.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The ledger, for its history.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Reads the history beside this writer.
    #[must_use]
    pub fn history(&self) -> History {
        self.ledger.history()
    }

    /// Tells other processes what this one does with the folder.
    pub fn describe(&mut self, purpose: &str) {
        self.ledger.describe(purpose);
    }

    /// What the steps of all commits so far took.
    #[must_use]
    pub fn steps(&self) -> Steps {
        self.steps
    }

    /// Begins a change on the current state.
    #[must_use]
    pub fn begin(&self) -> Edit {
        let before = self.reader.snapshot();
        Edit::new(before.graph.clone(), before.revision)
    }

    /// Makes a change happen. When it returns, the change is on disk and every
    /// later read sees it. A change that would alter nothing gets no revision.
    /// `rules` says what becomes of a change that breaks the shapes.
    pub fn commit(
        &mut self,
        edit: Edit,
        provenance: &Provenance,
        rules: Rules,
    ) -> Result<Committed, Error> {
        let mut group = self.group()?;
        let now = self.ledger.revision();
        if edit.revision != now {
            return Err(Error::Overtaken { before: edit.revision, now });
        }
        let result = group.stage(edit, provenance, rules);
        self.finish(group)?;
        result
    }

    /// An empty group on the current state.
    fn group(&mut self) -> Result<Group, Error> {
        self.catch_up()?;
        Ok(Group::new(self))
    }

    /// Records what was staged, applies it to the views and shows it: all or,
    /// if it cannot be recorded, nothing.
    fn finish(&mut self, group: Group) -> Result<(), Error> {
        self.catch_up()?;
        let Group { changes, graph, touched, judged, .. } = group;
        let mut steps = self.steps;
        steps.judged += judged;
        let Some(last) = changes.last() else { return Ok(()) };
        let time = last.record.time.clone();
        let mut touched: Vec<TermId> = touched.into_iter().collect();
        touched.sort_unstable();
        let prepared = timed(&mut steps.gathered, || self.prepare(&touched, &graph));
        fault::point("prepared")?;
        let revision = timed(&mut steps.recorded, || self.ledger.record(changes))?;
        self.steps = steps;
        self.time.clone_from(&time);
        let shown = fault::point("recorded")
            .map_err(Error::from)
            .and_then(|()| self.show(revision, time, &touched, &prepared, graph));
        shown.map_err(|error| {
            self.behind = true;
            Error::Behind { revision, detail: error.to_string() }
        })
    }

    /// The documents of a small change.
    fn prepare(
        &self,
        touched: &[TermId],
        graph: &crate::graph::Snapshot,
    ) -> FxHashMap<TermId, Vec<Document>> {
        if touched.len() > PREPARED {
            return FxHashMap::default();
        }
        let documents = Documents::new(graph, &self.names);
        touched.iter().map(|subject| (*subject, documents.documents(*subject))).collect()
    }

    /// Brings the views up to the ledger again after they could not follow.
    fn catch_up(&mut self) -> Result<(), Error> {
        if self.behind {
            let snapshot = recover::read_all(&self.ledger, &mut self.text, &self.names)?;
            self.reader.show(snapshot);
            self.behind = false;
        }
        Ok(())
    }

    /// Brings the views to a recorded revision and shows it.
    fn show(
        &mut self,
        revision: Revision,
        time: String,
        touched: &[TermId],
        prepared: &FxHashMap<TermId, Vec<Document>>,
        graph: crate::graph::Snapshot,
    ) -> Result<(), Error> {
        let documents = std::cell::OnceCell::new();
        let document = |id: TermId| {
            prepared.get(&id).cloned().unwrap_or_else(|| {
                documents.get_or_init(|| Documents::new(&graph, &self.names)).documents(id)
            })
        };
        let applied = fault::point("applying")
            .map_err(|e| crate::index::Error::Engine(e.to_string()))
            .and_then(|()| {
                let text = &mut self.text;
                timed(&mut self.steps.indexed, || text.apply(revision, touched, &document))
            });
        if let Err(error) = applied {
            // The change is on disk already; the view alone is behind.
            tracing::error!(%error, revision, "the text view failed and is made again");
            recover::rebuild_text(&mut self.text, revision, &graph, &self.names)?;
        }
        fault::abort("applied");
        let snapshot = Snapshot { revision, time, graph, text: self.text.snapshot() };
        timed(&mut self.steps.shown, || self.reader.show(snapshot));
        fault::abort("shown");
        Ok(())
    }

    /// Makes the text view again from the ledger's quads.
    pub fn rebuild(&mut self) -> Result<u64, Error> {
        let snapshot = self.reader.snapshot();
        recover::rebuild_text(&mut self.text, snapshot.revision, &snapshot.graph, &self.names)?;
        let snapshot = Snapshot { text: self.text.snapshot(), ..(*snapshot).clone() };
        let documents = snapshot.text.len();
        self.reader.show(snapshot);
        Ok(documents)
    }

    /// What differs between the ledger and the views, one sentence each, at
    /// most `limit`. The ledger is read anew.
    pub fn differences(&self, limit: usize) -> Result<Vec<String>, Error> {
        let snapshot = self.reader.snapshot();
        let state = self.ledger.state(|_, _| {})?;
        let mut found = Vec::new();
        let mut tell = |text: String| {
            if found.len() < limit {
                found.push(text);
            }
        };
        let dictionary = snapshot.graph.dictionary();
        if dictionary.len() != state.terms.len() {
            tell(format!(
                "graph view has {} terms, the ledger {}",
                dictionary.len(),
                state.terms.len()
            ));
        }
        for (id, term) in (1..).zip(&state.terms) {
            if dictionary.bytes(id) != Some(term) {
                tell(format!("graph view: term {id} differs from the ledger's"));
            }
        }
        let stored: FxHashSet<QuadIds> = state.quads.iter().copied().collect();
        let spell = |quad: QuadIds| {
            snapshot.graph.quad(quad).map_or_else(|| format!("{quad:?}"), |quad| quad.to_string())
        };
        for quad in &state.quads {
            if !snapshot.graph.quads().contains(*quad) {
                tell(format!("graph view lacks {}", spell(*quad)));
            }
        }
        for quad in snapshot.graph.quads().matching(None, None, None, GraphPattern::Any) {
            if !stored.contains(&quad) {
                tell(format!("graph view has, and the ledger has not, {}", spell(quad)));
            }
        }
        let documents = Documents::new(&snapshot.graph, &self.names);
        let mut indexed: FxHashMap<u32, Vec<u64>> = FxHashMap::default();
        for (subject, fingerprint) in snapshot.text.fingerprints() {
            indexed.entry(subject).or_default().push(fingerprint);
        }
        for subject in documents.subjects() {
            let mut wanted: Vec<u64> =
                documents.documents(subject).iter().map(Document::fingerprint).collect();
            let mut found = indexed.remove(&subject).unwrap_or_default();
            wanted.sort_unstable();
            found.sort_unstable();
            if wanted.len() > found.len() {
                tell(format!("text view lacks {}", name(&snapshot, subject)));
            } else if wanted.len() < found.len() {
                tell(format!("text view has too many documents of {}", name(&snapshot, subject)));
            } else if wanted != found {
                tell(format!(
                    "text view has another document of {} than its quads give",
                    name(&snapshot, subject)
                ));
            }
        }
        for subject in indexed.into_keys() {
            tell(format!(
                "text view has a document of {}, which is no record",
                name(&snapshot, subject)
            ));
        }
        Ok(found)
    }
}

fn name(snapshot: &Snapshot, subject: u32) -> String {
    snapshot.graph.text(subject).unwrap_or_else(|| format!("term {subject}"))
}

#[cfg(test)]
mod tests;

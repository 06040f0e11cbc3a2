//! Opens the engines and hands each module what it needs.

use crate::commit::{Committer, History, Past, Reader, Rules, Writer, keep_embedding};
use crate::config::Config;
use crate::import::{Source, read};
use crate::ontology::{BuiltIn, ontology_files, seed_files};
use crate::query::{Runner, SavedQueries};
use crate::rdf::GraphFormat;
use crate::rdf::GraphName;
use crate::rdf::Provenance;
use anyhow::Context;
use std::sync::Arc;

/// The opened service: what HTTP and commands work with.
#[derive(Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// Gives the current state.
    pub reader: Reader,
    /// Takes changes to the one writer.
    pub writer: Writer,
    /// The changes that were made.
    pub history: History,
    /// States as of earlier revisions.
    pub past: Past,
    /// The saved queries.
    pub queries: Arc<SavedQueries>,
    /// The threads that queries run on.
    pub runner: Runner,
}

impl App {
    /// Opens the data folder; an empty ledger is seeded unless `empty`.
    pub fn open(
        config: &Arc<Config>,
        purpose: &str,
        empty: bool,
        progress: &dyn Fn(&str),
    ) -> anyhow::Result<Self> {
        let committer = open_committer(config, purpose, empty, progress)?;
        if config.embedding_threads > 0 {
            keep_embedding(&committer.reader(), config.embedding_threads)
                .context("cannot start the threads that make vectors")?;
        }
        let queries = SavedQueries::built_in().map_err(anyhow::Error::msg)?;
        let runner = Runner::new(config.queries_running, config.queries_waiting)
            .context("cannot start the query threads")?;
        Ok(Self {
            config: Arc::clone(config),
            reader: committer.reader(),
            past: Past::new(committer.reader(), committer.history()),
            history: committer.history(),
            writer: Writer::start(committer).context("cannot start the writer's thread")?,
            queries: Arc::new(queries),
            runner,
        })
    }
}

/// Opens the ledger and its views; an empty ledger is seeded unless `empty`.
pub fn open_committer(
    config: &Config,
    purpose: &str,
    empty: bool,
    progress: &dyn Fn(&str),
) -> anyhow::Result<Committer> {
    let mut committer = Committer::open(&config.data, &config.names, purpose, progress)?;
    if !empty && committer.reader().snapshot().revision == 0 {
        seed(&mut committer, progress)?;
    }
    Ok(committer)
}

/// Loads the ontology and the seed into an empty ledger, as one change.
pub fn seed(committer: &mut Committer, progress: &dyn Fn(&str)) -> anyhow::Result<()> {
    progress("loading the ontology and the seed data");
    let names = crate::rdf::Names::default();
    let mut edit = committer.begin();
    let mut load = |files: Vec<BuiltIn>, format: GraphFormat, graph: &GraphName| {
        for file in files {
            let source = Source { name: file.path, format, base: Some(names.base()) };
            read(&source, file.text.as_bytes(), graph, &mut edit, &mut |_| {})?;
        }
        anyhow::Ok(())
    };
    load(ontology_files(), GraphFormat::Turtle, &names.graph("ontology").into())?;
    load(seed_files(), GraphFormat::TriG, &names.graph("seed").into())?;
    let committed = committer.commit(
        edit,
        &Provenance {
            author: "system".to_owned(),
            reason: "First start: ontology and seed data".to_owned(),
            source: "ontology/ and seed-data/".to_owned(),
        },
        // Tests see to it that they conform.
        Rules::Off,
    )?;
    progress(&format!("{} quads loaded", committed.added));
    Ok(())
}

/// Writes all quads of a snapshot, or those of one graph, in a format.
pub fn write_quads(
    graph: &crate::graph::Snapshot,
    only: Option<crate::rdf::TermId>,
    format: GraphFormat,
    output: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let mut serializer = oxigraph::io::RdfSerializer::from_format(format.rdf_format());
    for (prefix, iri) in crate::rdf::prefixes() {
        serializer = serializer.with_prefix(*prefix, *iri).map_err(std::io::Error::other)?;
    }
    let mut writer = serializer.for_writer(output);
    let pattern = only.map_or(crate::graph::GraphPattern::Any, crate::graph::GraphPattern::Only);
    for ids in graph.quads().matching(None, None, None, pattern) {
        let Some(mut quad) = graph.quad(ids) else { continue };
        if !format.has_named_graphs() {
            quad.graph_name = GraphName::DefaultGraph;
        }
        writer.serialize_quad(&quad)?;
    }
    writer.finish()?;
    Ok(())
}

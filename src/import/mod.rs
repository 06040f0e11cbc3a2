//! Reads RDF files into a change: all or nothing. Not for single records.

mod nesting;

use crate::commit::Edit;
use crate::graph::{DEEPEST, GraphPattern, depth};
use crate::import::nesting::Watched;
use crate::rdf::GraphFormat;
use crate::rdf::GraphName;
use crate::rdf::NamedNode;
use crate::rdf::Names;
use crate::rdf::Quad;
use crate::rdf::Visibility;
use crate::rdf::vocabulary::{INSITES, TYPE};
use flate2::read::MultiGzDecoder;
use oxigraph::io::{RdfParseError, RdfParser};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Quads between two progress reports.
const REPORTED: usize = 100_000;
const BUFFER: usize = 1 << 18;

/// Why a file cannot be imported. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its name does not tell its format.
    #[error(
        "cannot tell the format of {} from its name\n\
         hint: end it in .ttl, .nt, .nq, .trig, .rdf or .jsonld, and .gz if compressed",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// It breaks the rules of its format.
    #[error("{name}:{line}:{column}: {message}")]
    Syntax {
        /// The file's name.
        name: String,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong.
        message: String,
    },
    /// It breaks the rules of its format, nobody knows where.
    #[error("{name}: {message}")]
    Malformed {
        /// The file's name.
        name: String,
        /// What is wrong.
        message: String,
    },
}

/// The format that a file name tells, and whether it is compressed.
#[must_use]
pub fn format_of(path: &Path) -> Option<(GraphFormat, bool)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (name, compressed) = match name.strip_suffix(".gz") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    Some((GraphFormat::parse(name.rsplit_once('.')?.1)?, compressed))
}

/// Adds the quads of a file to an edit. Triples that name no graph go to
/// `graph`. `progress` is told the number of quads read, now and then.
pub fn read_file(
    path: &Path,
    graph: &GraphName,
    edit: &mut Edit,
    progress: &mut dyn FnMut(usize),
) -> Result<usize, Error> {
    let mut count = 0;
    read_with(path, &mut |mut quad: Quad| {
        if quad.graph_name == GraphName::DefaultGraph {
            quad.graph_name.clone_from(graph);
        }
        edit.add(&quad);
        count += 1;
        if count % REPORTED == 0 {
            progress(count);
        }
    })?;
    Ok(count)
}

fn read_with(path: &Path, each: &mut dyn FnMut(Quad)) -> Result<(), Error> {
    let Some((format, compressed)) = format_of(path) else {
        return Err(Error::UnknownFormat { path: path.to_owned() });
    };
    let in_file = |source| Error::File { path: path.to_owned(), source };
    let file = BufReader::with_capacity(BUFFER, File::open(path).map_err(in_file)?);
    let name = path.display().to_string();
    let base = std::path::absolute(path)
        .ok()
        .and_then(|path| NamedNode::new(format!("file://{}", path.display())).ok());
    let source = Source { name: &name, format, base: base.as_ref().map(NamedNode::as_str) };
    if compressed {
        let reader = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file));
        parse(&source, reader, each)
    } else {
        parse(&source, file, each)
    }
}

/// Writes the quads of a file as N-Quads, as [`read_file`] would add them.
pub fn write_quads(path: &Path, graph: &GraphName, out: &mut Vec<u8>) -> Result<usize, Error> {
    let mut count = 0;
    read_with(path, &mut |mut quad: Quad| {
        if quad.graph_name == GraphName::DefaultGraph {
            quad.graph_name.clone_from(graph);
        }
        out.extend_from_slice(quad.to_string().as_bytes());
        out.extend_from_slice(b" .\n");
        count += 1;
    })?;
    Ok(count)
}

/// Says in the catalogue who may see a graph that is new; what is public need
/// not be said.
pub fn declare(edit: &mut Edit, names: &Names, graph: &NamedNode, visibility: Visibility) {
    let state = edit.before();
    let known = state.iri_id(graph.as_str()).is_some_and(|id| {
        let only = GraphPattern::Only(id);
        state.quads().matching(None, None, None, only).next().is_some()
    });
    if known || visibility == Visibility::Public {
        return;
    }
    let catalogue = names.graph("catalogue");
    let term = |text: String| NamedNode::new_unchecked(text);
    let level = term(format!("{INSITES}{}", visibility.name()));
    let class = term(format!("{INSITES}Graph"));
    let visible_to = term(format!("{INSITES}visibleTo"));
    edit.add(&Quad::new(graph.clone(), term(TYPE.to_owned()), class, catalogue.clone()));
    edit.add(&Quad::new(graph.clone(), visible_to, level, catalogue));
}

/// Where RDF comes from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name in errors.
    pub name: &'a str,
    /// Its format.
    pub format: GraphFormat,
    /// What relative IRIs are relative to.
    pub base: Option<&'a str>,
}

/// Adds the quads of a reader to an edit, as [`read_file`] does. Blank nodes
/// get fresh names, so that two files never share one.
pub fn read(
    source: &Source<'_>,
    reader: impl Read,
    graph: &GraphName,
    edit: &mut Edit,
    progress: &mut dyn FnMut(usize),
) -> Result<usize, Error> {
    let mut count = 0;
    parse(source, reader, |mut quad| {
        if quad.graph_name == GraphName::DefaultGraph {
            quad.graph_name.clone_from(graph);
        }
        edit.add(&quad);
        count += 1;
        if count % REPORTED == 0 {
            progress(count);
        }
    })?;
    Ok(count)
}

/// Reads RDF quad by quad.
pub fn parse(
    source: &Source<'_>,
    reader: impl Read,
    mut each: impl FnMut(Quad),
) -> Result<(), Error> {
    let mut parser = RdfParser::from_format(source.format.rdf_format()).rename_blank_nodes();
    if let Some(base) = source.base {
        parser = parser.with_base_iri(base).map_err(|e| Error::Malformed {
            name: source.name.to_owned(),
            message: format!("the base IRI {base} is invalid: {e}"),
        })?;
    }
    let reader = Watched::new(reader, source.format);
    let position = reader.position();
    for quad in parser.for_reader(reader) {
        let quad = quad.map_err(|error| match in_source(source.name, &error) {
            Error::Malformed { name, message } if source.format == GraphFormat::RdfXml => {
                let (line, column) = position.get();
                Error::Syntax { name, line, column, message }
            }
            other => other,
        })?;
        if depth(&quad.object) > DEEPEST {
            return Err(Error::Malformed {
                name: source.name.to_owned(),
                message: format!("triple terms nested more than {DEEPEST} deep are not read"),
            });
        }
        each(quad);
    }
    Ok(())
}

fn in_source(name: &str, error: &RdfParseError) -> Error {
    let message = error.to_string();
    if let RdfParseError::Syntax(syntax) = error
        && let Some(place) = syntax.location()
    {
        return Error::Syntax {
            name: name.to_owned(),
            line: place.start.line + 1,
            column: place.start.column + 1,
            message,
        };
    }
    Error::Malformed { name: name.to_owned(), message }
}

//! A knowledge-graph service for a learning network: one ledger, several
//! views, SPARQL, search and stable addresses over them.
//!
//! - [`http`]: requests in, responses out. [`pages`]: HTML.
//! - [`query`]: SPARQL and the saved queries. [`search`]: words and meaning, one ranked list.
//! - [`compare`]: what is common and what varies. [`shapes`]: may a change happen? SHACL Core.
//! - [`capture`]: what people write down, made ready to be kept.
//! - [`import`]: many records, from RDF files.
//! - [`commit`]: the only door through which data changes.
//! - [`ledger`]: the numbered changes and the current quads, the one truth.
//! - [`graph`]: triples and their evaluation. [`index`]: words and vectors.
//! - [`access`]: who asks. [`ontology`], [`rdf`], [`problem`]: shared by all.
//! - [`config`], [`app`], [`check`], [`evaluation`], [`remote`]: put it together.

pub mod access;
pub mod app;
pub mod capture;
pub mod check;
pub mod commit;
pub mod compare;
pub mod config;
pub mod evaluation;
pub mod graph;
pub mod http;
pub mod import;
pub mod index;
pub mod ledger;
pub mod ontology;
pub mod pages;
pub mod problem;
pub mod query;
pub mod rdf;
pub mod remote;
pub mod search;
pub mod shapes;

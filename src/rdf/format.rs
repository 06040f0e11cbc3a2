//! The formats of graphs and of query results: media types, names, extensions.

use oxigraph::io::{JsonLdProfileSet, RdfFormat};
use oxigraph::sparql::results::QueryResultsFormat;

/// A serialisation of RDF graphs or datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// RDF 1.1 Turtle.
    Turtle,
    /// RDF 1.1 N-Triples.
    NTriples,
    /// RDF 1.1 N-Quads.
    NQuads,
    /// RDF 1.1 `TriG`.
    TriG,
    /// RDF 1.1 XML.
    RdfXml,
    /// JSON-LD 1.1.
    JsonLd,
}

impl GraphFormat {
    /// All formats; the first is the default of graph answers.
    pub const ALL: [Self; 6] =
        [Self::Turtle, Self::NTriples, Self::NQuads, Self::TriG, Self::RdfXml, Self::JsonLd];

    /// The media type that answers carry.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Turtle => "text/turtle",
            Self::NTriples => "application/n-triples",
            Self::NQuads => "application/n-quads",
            Self::TriG => "application/trig",
            Self::RdfXml => "application/rdf+xml",
            Self::JsonLd => "application/ld+json",
        }
    }

    /// The usual file extension, which is also the value of `format=`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Turtle => "ttl",
            Self::NTriples => "nt",
            Self::NQuads => "nq",
            Self::TriG => "trig",
            Self::RdfXml => "rdf",
            Self::JsonLd => "jsonld",
        }
    }

    /// Finds a format by extension, spoken name or media type.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|f| f.extension() == name || f.media_type() == name).or(
            match name.as_str() {
                "turtle" | "application/x-turtle" | "n3" | "text/n3" | "text/rdf+n3" => {
                    Some(Self::Turtle)
                }
                "ntriples" | "n-triples" | "text/plain" => Some(Self::NTriples),
                "nquads" | "n-quads" | "text/x-nquads" => Some(Self::NQuads),
                "rdfxml" | "rdf/xml" | "rdf-xml" | "xml" | "owl" => Some(Self::RdfXml),
                "json-ld" | "json" | "application/json" => Some(Self::JsonLd),
                _ => None,
            },
        )
    }

    /// The parser's and serialiser's name of it.
    #[must_use]
    pub fn rdf_format(self) -> RdfFormat {
        match self {
            Self::Turtle => RdfFormat::Turtle,
            Self::NTriples => RdfFormat::NTriples,
            Self::NQuads => RdfFormat::NQuads,
            Self::TriG => RdfFormat::TriG,
            Self::RdfXml => RdfFormat::RdfXml,
            Self::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        }
    }

    /// Whether the format can name graphs.
    #[must_use]
    pub fn has_named_graphs(self) -> bool {
        matches!(self, Self::NQuads | Self::TriG | Self::JsonLd)
    }
}

/// A serialisation of solutions and booleans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolutionsFormat {
    /// SPARQL 1.1 Query Results JSON Format.
    Json,
    /// SPARQL Query Results XML Format.
    Xml,
    /// SPARQL 1.1 Query Results CSV.
    Csv,
    /// SPARQL 1.1 Query Results TSV.
    Tsv,
}

impl SolutionsFormat {
    /// All formats; the first is the default.
    pub const ALL: [Self; 4] = [Self::Json, Self::Xml, Self::Csv, Self::Tsv];

    /// The media type that answers carry.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/sparql-results+json",
            Self::Xml => "application/sparql-results+xml",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
        }
    }

    /// The value of `format=`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }

    /// Finds a format by extension or media type.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|f| f.extension() == name || f.media_type().split(';').next() == Some(&name))
            .or(match name.as_str() {
                "application/json" | "srj" => Some(Self::Json),
                "application/xml" | "text/xml" | "srx" => Some(Self::Xml),
                _ => None,
            })
    }

    /// The serialiser's name of it.
    #[must_use]
    pub fn results_format(self) -> QueryResultsFormat {
        match self {
            Self::Json => QueryResultsFormat::Json,
            Self::Xml => QueryResultsFormat::Xml,
            Self::Csv => QueryResultsFormat::Csv,
            Self::Tsv => QueryResultsFormat::Tsv,
        }
    }
}

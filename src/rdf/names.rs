//! The names of this project's IRIs: base, kinds, vocabulary terms, prefixes.

use oxigraph::model::NamedNode;

/// IRIs of the vocabularies that the code itself looks at.
pub mod vocabulary {
    /// The ontology namespace of the project.
    pub const INSITES: &str = "https://w3id.org/insites/ontology#";
    /// Dublin Core terms.
    pub const DCTERMS: &str = "http://purl.org/dc/terms/";
    /// SKOS.
    pub const SKOS: &str = "http://www.w3.org/2004/02/skos/core#";
    /// The W3C organisation ontology.
    pub const ORG: &str = "http://www.w3.org/ns/org#";
    /// RDF Schema.
    pub const RDFS: &str = "http://www.w3.org/2000/01/rdf-schema#";
    /// Properties that say what something is called, the best first: their
    /// namespaces and names.
    pub const TITLES: [(&str, &str); 3] =
        [(DCTERMS, "title"), (SKOS, "prefLabel"), (RDFS, "label")];
    /// `rdf:type`.
    pub const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
}

/// Prefixes known to the service: offered in queries, used in what it writes.
#[must_use]
pub fn prefixes() -> &'static [(&'static str, &'static str)] {
    &[
        ("insites", vocabulary::INSITES),
        ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
        ("rdfs", vocabulary::RDFS),
        ("owl", "http://www.w3.org/2002/07/owl#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
        ("dct", vocabulary::DCTERMS),
        ("skos", vocabulary::SKOS),
        ("org", vocabulary::ORG),
        ("prov", "http://www.w3.org/ns/prov#"),
        ("foaf", "http://xmlns.com/foaf/0.1/"),
        ("cito", "http://purl.org/spar/cito/"),
        ("fabio", "http://purl.org/spar/fabio/"),
        ("frapo", "http://purl.org/cerif/frapo/"),
        ("bibo", "http://purl.org/ontology/bibo/"),
        ("vivo", "http://vivoweb.org/ontology/core#"),
        ("schema", "https://schema.org/"),
        ("wgs84", "http://www.w3.org/2003/01/geo/wgs84_pos#"),
        ("sh", "http://www.w3.org/ns/shacl#"),
        ("void", "http://rdfs.org/ns/void#"),
        ("dcat", "http://www.w3.org/ns/dcat#"),
        ("sd", "http://www.w3.org/ns/sparql-service-description#"),
    ]
}

/// The base IRI and everything that is minted under it.
#[derive(Debug, Clone)]
pub struct Names {
    base: String,
}

impl Default for Names {
    fn default() -> Self {
        Self::new(Self::DEFAULT_BASE)
    }
}

impl Names {
    /// The base under which the project's own records are minted.
    pub const DEFAULT_BASE: &'static str = "https://w3id.org/insites/";

    /// Names under `base`, which must end in `/` (one is added if missing).
    #[must_use]
    pub fn new(base: &str) -> Self {
        let mut base = base.to_owned();
        if !base.ends_with('/') {
            base.push('/');
        }
        Self { base }
    }

    /// The base IRI, with its final slash.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `{base}id/{kind}/{slug}`.
    #[must_use]
    pub fn record(&self, kind: &str, slug: &str) -> String {
        format!("{}id/{kind}/{slug}", self.base)
    }

    /// Kind and slug of a record's IRI, if it is one.
    #[must_use]
    pub fn kind_and_slug<'a>(&self, iri: &'a str) -> Option<(&'a str, &'a str)> {
        let (kind, slug) = iri.strip_prefix(&self.base)?.strip_prefix("id/")?.split_once('/')?;
        (is_slug(kind) && is_slug(slug)).then_some((kind, slug))
    }

    /// The named graph `{base}graph/{name}`.
    #[must_use]
    pub fn graph(&self, name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("{}graph/{name}", self.base))
    }

    /// The graphs that tell what became of records that are no more: of those
    /// that all see, members see, and curators see.
    #[must_use]
    pub fn lifecycle(&self) -> [NamedNode; 3] {
        ["lifecycle", "lifecycle-members", "lifecycle-curators"].map(|name| self.graph(name))
    }

    /// The problem type `{base}problem/{name}`.
    #[must_use]
    pub fn problem(&self, name: &str) -> String {
        format!("{}problem/{name}", self.base)
    }
}

/// Slugs are `[a-z0-9-]+`, so that they never need escaping.
fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

//! The ontology, the vocabularies and the seed built into this program. Not for
//! the data in the ledger, which may have moved on.

use include_dir::{Dir, include_dir};

static ONTOLOGY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/ontology");
static SEED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/seed-data");

/// A file built into the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its path in `ontology` or `seed-data`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The Turtle files of the ontology and its vocabularies.
#[must_use]
pub fn ontology_files() -> Vec<BuiltIn> {
    let mut files = within(&ONTOLOGY, ".ttl");
    if let Some(vocabularies) = ONTOLOGY.get_dir("vocabularies") {
        files.extend(within(vocabularies, ".ttl"));
    }
    files
}

/// The SHACL shapes.
#[must_use]
pub fn shape_files() -> Vec<BuiltIn> {
    ONTOLOGY.get_dir("shapes").map(|dir| within(dir, ".ttl")).unwrap_or_default()
}

/// The `TriG` files of the seed.
#[must_use]
pub fn seed_files() -> Vec<BuiltIn> {
    within(&SEED, ".trig")
}

/// The judged questions about the seed, as CSV.
#[must_use]
pub fn judgements() -> &'static str {
    SEED.get_file("search-judgements.csv").and_then(|file| file.contents_utf8()).unwrap_or_default()
}

fn within(dir: &'static Dir<'static>, ending: &str) -> Vec<BuiltIn> {
    let mut files: Vec<BuiltIn> = dir
        .files()
        .filter_map(|file| {
            let path = file.path().to_str()?;
            path.ends_with(ending).then_some(BuiltIn { path, text: file.contents_utf8()? })
        })
        .collect();
    files.sort_by_key(|file| file.path);
    files
}

//! Who may use whom: the table of the layout, enforced. Change both together
//! and say why in the commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module, and the modules of ours that it may name. `rdf` and `problem` may
/// be used by everyone.
///
/// Differences from the first plan, with their reasons: `commit` hands
/// `Snapshot` and `Documents` to `app`, `http` and `check`; `search` and
/// `query` read the graph (labels, snippets; evaluation), since a snapshot of
/// it is passed to them; `http` names the types of what it passes on.
const TABLE: &[(&str, &[&str])] = &[
    (
        "http",
        &[
            "app", "pages", "query", "search", "import", "ontology", "commit", "graph", "index",
            "config", "access", "shapes", "check", "capture", "compare",
        ],
    ),
    (
        "app",
        &["config", "query", "search", "import", "commit", "ledger", "graph", "index", "ontology"],
    ),
    ("check", &["import", "query", "shapes", "ontology", "graph", "commit"]),
    ("evaluation", &["app", "commit", "config", "ontology", "search"]),
    ("pages", &[]),
    // Titles of records are told by `search`; the graph says what can be chosen.
    ("capture", &["access", "commit", "graph", "ontology", "search", "shapes"]),
    // The build script, which makes styles and scripts.
    ("build", &[]),
    ("capture", &[]),
    ("import", &["commit", "graph"]),
    ("commit", &["ledger", "shapes", "graph", "index", "ontology"]),
    ("compare", &["graph", "search"]),
    ("query", &["graph", "search", "ontology"]),
    ("search", &["index", "graph", "ontology"]),
    ("config", &["graph", "query"]),
    ("ledger", &[]),
    ("shapes", &[]),
    ("graph", &[]),
    ("index", &[]),
    ("ontology", &[]),
    ("access", &[]),
    ("remote", &[]),
    ("rdf", &[]),
    ("problem", &[]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            // A crate of its own has modules of its own.
            if !path.join("Cargo.toml").exists() {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn files() -> BTreeMap<PathBuf, String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&top, &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            (path.strip_prefix(&top).expect("inside src").to_owned(), text)
        })
        .collect()
}

fn module(path: &Path) -> String {
    let first =
        path.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules of ours that a line of code names, by `crate::module`.
fn named(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let from = module(&path);
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == from) else {
            wrong.push(format!("{}: the table has no module {from}", path.display()));
            continue;
        };
        for to in named(&text) {
            let common = matches!(to.as_str(), "rdf" | "problem") || to == from;
            if !common && !allowed.contains(&to.as_str()) {
                wrong.push(format!("{}: {from} may not use {to}", path.display()));
            }
        }
        if text.contains("use crate::{") {
            wrong.push(format!("{}: `use crate::{{` hides what is used", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_where_they_belong() {
    let rules: [(&str, &[&str]); 6] = [
        ("axum::", &["http/"]),
        ("spareval::", &["graph/"]),
        ("oxigraph::store", &[]),
        ("tantivy::", &["index/local/"]),
        ("redb::", &["ledger/"]),
        ("insites_embedding::", &["index/"]),
    ];
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let place = path.display().to_string();
        for (library, places) in rules {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            if code.into_iter().any(|line| line.contains(library))
                && !places.iter().any(|allowed| place.starts_with(allowed))
            {
                wrong.push(format!("{place} names {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in files() {
        let tests = path.file_name().is_some_and(|n| n == "tests.rs");
        assert!(tests || text.starts_with("//!"), "{} has no module comment", path.display());
    }
}

use super::*;
use crate::index::{Group, Matching, Term, words_of};
use crate::rdf::NamedNode;
use crate::rdf::Quad;
use oxigraph::model::{GraphName, Literal};

fn lesson(slug: &str, title: &str) -> [Quad; 2] {
    let names = Names::default();
    let subject = NamedNode::new_unchecked(names.record("lesson", slug));
    let iri = |text: &str| NamedNode::new_unchecked(text);
    [
        Quad::new(
            subject.clone(),
            iri("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
            iri("https://w3id.org/insites/ontology#Lesson"),
            GraphName::DefaultGraph,
        ),
        Quad::new(
            subject,
            iri("http://purl.org/dc/terms/title"),
            Literal::new_simple_literal(title),
            names.graph("seed"),
        ),
    ]
}

fn found(committer: &Committer, word: &str) -> usize {
    let stems = words_of(word).into_iter().map(|(stem, _)| stem).collect();
    let group = Group { alternatives: vec![Term::Words(stems)], required: true };
    let matching = Matching { groups: vec![group], ..Matching::default() };
    let snapshot = committer.reader().snapshot();
    let rows = snapshot.text.matching(&matching).expect("searchable");
    usize::try_from(rows.count()).expect("few")
}

fn add(committer: &mut Committer, quads: &[Quad]) -> Committed {
    let mut edit = committer.begin();
    for quad in quads {
        edit.add(quad);
    }
    committer.commit(edit, &Provenance::default(), Rules::Off).expect("committed")
}

fn committed(revision: Revision, added: usize) -> Committed {
    Committed { revision, removed: 0, added, report: Report::default() }
}

fn open(folder: &Path) -> Committer {
    Committer::open(folder, &Names::default(), "test", &|_| {}).expect("opened")
}

#[test]
fn a_change_is_seen_by_graph_and_text_and_survives() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut committer = open(folder.path());
    let one = lesson("one", "Missed appointments cost money");
    assert_eq!(add(&mut committer, &one), committed(1, 2));
    assert_eq!(add(&mut committer, &one), committed(1, 0));
    assert_eq!((found(&committer, "appointment"), found(&committer, "cake")), (1, 0));
    let old = committer.reader().snapshot();
    let mut edit = committer.begin();
    edit.remove(&one[1]);
    edit.add(&lesson("one", "Cake helps")[1]);
    assert_eq!(
        committer.commit(edit, &Provenance::default(), Rules::Off).expect("committed").revision,
        2
    );
    assert_eq!((found(&committer, "appointment"), found(&committer, "cake")), (0, 1));
    assert!(old.graph.iter().any(|quad| quad == one[1]), "an old snapshot stays as it was");
    assert_eq!(committer.differences(9).expect("comparable"), Vec::<String>::new());
    drop(committer);
    let committer = open(folder.path());
    assert_eq!(committer.reader().snapshot().revision, 2);
    assert_eq!((found(&committer, "appointment"), found(&committer, "cake")), (0, 1));
    assert_eq!(committer.differences(9).expect("comparable"), Vec::<String>::new());
}

#[test]
fn a_text_view_that_is_missing_damaged_or_behind_is_made_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut committer = open(folder.path());
    add(&mut committer, &lesson("one", "Missed appointments"));
    drop(committer);
    let behind = tempfile::tempdir().expect("a temporary folder");
    copy(&folder.path().join("text"), behind.path());
    let mut committer = open(folder.path());
    add(&mut committer, &lesson("two", "Appointments kept"));
    drop(committer);
    let text = folder.path().join("text");
    for damage in ["missing", "behind", "damaged"] {
        match damage {
            "missing" => std::fs::remove_dir_all(&text).expect("removed"),
            "behind" => {
                std::fs::remove_dir_all(&text).expect("removed");
                std::fs::create_dir(&text).expect("made");
                copy(behind.path(), &text);
            }
            _ => std::fs::write(text.join("meta.json"), "{").expect("written"),
        }
        let committer = open(folder.path());
        assert_eq!(found(&committer, "appointment"), 2, "{damage}");
        assert_eq!(committer.differences(9).expect("comparable"), Vec::<String>::new());
    }
}

#[test]
fn an_edit_on_an_old_state_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut committer = open(folder.path());
    let edit = committer.begin();
    add(&mut committer, &lesson("one", "First"));
    let error = committer.commit(edit, &Provenance::default(), Rules::Off).expect_err("overtaken");
    assert!(matches!(error, Error::Overtaken { before: 0, now: 1 }));
}

#[test]
fn a_view_that_differs_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut committer = open(folder.path());
    add(&mut committer, &lesson("one", "First"));
    committer.text.clear().expect("cleared");
    committer.text.apply(1, &[], &|_| Vec::new()).expect("applied");
    let snapshot =
        Snapshot { text: committer.text.snapshot(), ..(*committer.reader.snapshot()).clone() };
    committer.reader.show(snapshot);
    let differences = committer.differences(9).expect("comparable");
    assert_eq!(differences, ["text view lacks https://w3id.org/insites/id/lesson/one"]);
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

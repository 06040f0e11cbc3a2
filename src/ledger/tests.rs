use super::*;

fn change(
    revision: Revision,
    first_term: TermId,
    terms: &[&[u8]],
    removed: &[QuadIds],
    added: &[QuadIds],
) -> Change {
    let record = ChangeRecord {
        revision,
        time: "2026-11-24T12:00:00Z".to_owned(),
        author: "test".to_owned(),
        reason: "to test".to_owned(),
        source: "tests".to_owned(),
        removed: removed.len() as u64,
        added: added.len() as u64,
    };
    Change {
        record,
        first_term,
        terms: terms.iter().map(|term| term.to_vec()).collect(),
        removed: removed.to_vec(),
        added: added.to_vec(),
    }
}

#[test]
fn what_was_recorded_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ledger = Ledger::open(folder.path(), "test").expect("a new ledger");
    assert_eq!(ledger.revision(), 0);
    let many: Vec<QuadIds> = (1..=70_000).map(|n| [n, 2, 3, 0]).collect();
    let first = change(1, 1, &[b"Ia", b"Ib", b"Ic"], &[], &many);
    let second = change(2, 4, &[b"Id"], &many[..2], &[[4, 2, 3, 1]]);
    let gap = change(3, 5, &[], &[], &[]);
    assert!(ledger.record(&[first.clone(), gap]).is_err(), "revisions have no gaps");
    assert_eq!(ledger.record(&[first, second]).expect("recorded"), 2);
    drop(ledger);
    let ledger = Ledger::open(folder.path(), "test").expect("the same ledger");
    assert_eq!(ledger.revision(), 2);
    let state = ledger.state(|_, _| {}).expect("readable");
    assert_eq!(state.terms, [b"Ia".to_vec(), b"Ib".to_vec(), b"Ic".to_vec(), b"Id".to_vec()]);
    assert_eq!(state.quads.len(), 69_999);
    assert!(state.quads.contains(&[4, 2, 3, 1]) && !state.quads.contains(&many[0]));
    let changes = ledger.history().changes(0, 10).expect("readable");
    assert_eq!(
        changes.iter().map(|c| (c.revision, c.removed, c.added)).collect::<Vec<_>>(),
        [(1, 0, 70_000), (2, 2, 1)]
    );
    assert_eq!(ledger.history().change_quads(1).expect("readable"), (vec![], many.clone()));
    assert_eq!(
        ledger.history().change_quads(2).expect("readable"),
        (many[..2].to_vec(), vec![[4, 2, 3, 1]])
    );
}

#[test]
fn a_second_opener_is_told_who_holds_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let _first = Ledger::open(folder.path(), "serving http://127.0.0.1:7878").expect("a ledger");
    let error = Ledger::open(folder.path(), "test").expect_err("it is held");
    let text = error.to_string();
    assert!(text.contains("serving http://127.0.0.1:7878"), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
}

#[test]
fn an_unknown_format_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ledger = Ledger::open(folder.path(), "test").expect("a ledger");
    let written = ledger.store.with(|database| {
        let write = database.begin_write()?;
        write.open_table(META)?.insert("format", b"insites-ledger 99".as_slice())?;
        Ok(write.commit()?)
    });
    written.expect("written");
    drop(ledger);
    let text = Ledger::open(folder.path(), "test").expect_err("unknown").to_string();
    assert!(text.contains("insites-ledger 99") && text.contains("insites export"), "{text}");
}

#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ledger.redb");
    std::fs::write(&path, b"this is not a ledger, but somebody's file").expect("written");
    let text = Ledger::open(folder.path(), "test").expect_err("damaged").to_string();
    assert!(text.contains("ledger.redb") && text.contains("backup"), "{text}");
    let left = std::fs::read(&path).expect("still there");
    assert_eq!(left, b"this is not a ledger, but somebody's file");
}

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
    assert!(ledger.record(vec![first.clone(), gap]).is_err(), "revisions have no gaps");
    assert_eq!(ledger.record(vec![first, second]).expect("recorded"), 2);
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
fn small_changes_are_in_the_journal_until_somebody_looks_or_it_is_full() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ledger = Ledger::open(folder.path(), "test").expect("a new ledger");
    let one =
        |revision: Revision, id: TermId| change(revision, id, &[b"Ia"], &[], &[[id, 2, 3, 0]]);
    let mut revision = 0;
    let mut record = |ledger: &mut Ledger| {
        revision += 1;
        let id = TermId::try_from(revision).expect("few");
        assert_eq!(ledger.record(vec![one(revision, id)]).expect("recorded"), revision);
    };
    record(&mut ledger);
    record(&mut ledger);
    assert_eq!(ledger.store.last_revision().expect("readable"), 0, "not in the tables");
    // As after a kill: nobody entered them.
    drop(ledger);
    let mut ledger = Ledger::open(folder.path(), "test").expect("the same ledger");
    assert_eq!((ledger.revision(), ledger.store.last_revision().expect("readable")), (2, 2));
    record(&mut ledger);
    let last = ledger.history().last().expect("readable").expect("a change");
    assert_eq!(last.revision, 3, "whoever looks sees it");
    record(&mut ledger);
    drop(ledger);
    let mut ledger = Ledger::open(folder.path(), "test").expect("the same ledger");
    assert_eq!(ledger.revision(), 4);
    fill_up(&mut ledger);
    let history = ledger.history();
    drop(ledger);
    let revisions: Vec<_> =
        history.changes(0, 9_999).expect("readable").iter().map(|c| c.revision).collect();
    assert!(revisions.iter().copied().eq(1..=1_000), "{revisions:?}");
    drop(history);
    let ledger = Ledger::open(folder.path(), "test").expect("the same ledger");
    assert_eq!(ledger.state(|_, _| {}).expect("readable").quads.len(), 1_000);
}

#[test]
fn a_change_that_was_cut_off_never_was_and_damage_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let open = || Ledger::open(folder.path(), "test");
    let mut ledger = open().expect("a new ledger");
    for revision in 1..=3 {
        let id = TermId::try_from(revision).expect("few");
        let term = [b'I'; 900];
        ledger
            .record(vec![change(revision, id, &[&term], &[], &[[id, 2, 3, 0]])])
            .expect("recorded");
    }
    drop(ledger);
    let (tables, path) = (folder.path().join("ledger.redb"), folder.path().join(JOURNAL));
    let before = std::fs::read(&tables).expect("a ledger");
    let whole = std::fs::read(&path).expect("a journal");
    let last = whole.iter().rposition(|byte| *byte != 0).expect("an entry");
    let opened = |journal: &[u8]| {
        std::fs::write(&tables, &before).expect("written");
        std::fs::write(&path, journal).expect("written");
        open().map(|ledger| ledger.revision())
    };
    // The end of the last one never reached the disk.
    for cut in [last / 512, last / 512 - 1] {
        let mut journal = whole.clone();
        journal[cut * 512..].fill(0);
        assert_eq!(opened(&journal).expect("as if it had not been"), 2);
    }
    // A bit anywhere, a block that is gone, an end that is gone.
    for byte in (0..last).step_by(7) {
        let mut journal = whole.clone();
        journal[byte] ^= 4;
        let error = opened(&journal).expect_err("damage").to_string();
        assert!(error.contains("hint: ") && error.contains("journal"), "{byte}: {error}");
        assert_eq!(std::fs::read(&path).expect("left alone"), journal);
    }
    for sector in 0..last / 512 - 2 {
        let mut journal = whole.clone();
        journal[sector * 512..][..512].fill(0);
        let error = opened(&journal).expect_err("damage").to_string();
        assert!(error.contains("change "), "{sector}: {error}");
    }
    assert!(matches!(opened(&whole[..last]), Err(Error::Journal { .. })));
    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(open(), Err(Error::Journal { .. })), "missing");
    assert_eq!(opened(&whole).expect("whole"), 3);
    assert_eq!(opened(&vec![0; whole.len()]).expect("as the hint says"), 0);
}

/// Many more changes than the journal has room for, in groups, up to 1,000.
fn fill_up(ledger: &mut Ledger) {
    while ledger.revision() < 1_000 {
        let first = ledger.revision() + 1;
        let changes: Vec<Change> = (first..=(first + 2).min(1_000))
            .map(|revision| {
                let id = TermId::try_from(revision).expect("few");
                change(revision, id, &[&[b'I'; 400]], &[], &[[id, 2, 3, 0]])
            })
            .collect();
        ledger.record(changes).expect("recorded");
    }
    ledger.await_tables();
    assert!(ledger.store.last_revision().expect("readable") > 600, "both halves were full");
}

fn put_format(ledger: &Ledger, format: &[u8]) {
    let written = ledger.store.with(|database| {
        let write = database.begin_write()?;
        write.open_table(META)?.insert("format", format)?;
        Ok(write.commit()?)
    });
    written.expect("written");
}

#[test]
fn ledgers_of_earlier_formats_open_and_their_programs_refuse_them_then() {
    for format in [WITHOUT_JOURNAL, ONE_HALF] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut ledger = Ledger::open(folder.path(), "test").expect("a ledger");
        ledger.record(vec![change(1, 1, &[b"Ia"], &[], &[[1, 1, 1, 0]])]).expect("recorded");
        let journal = folder.path().join(JOURNAL);
        if format == ONE_HALF {
            put_format(&ledger, format);
            drop(ledger);
            let bytes = std::fs::read(&journal).expect("a journal");
            std::fs::write(&journal, &bytes[..journal::HALF]).expect("written");
        } else {
            ledger.history().last().expect("entered");
            put_format(&ledger, format);
            drop(ledger);
            std::fs::remove_file(&journal).expect("removed");
        }
        let ledger = Ledger::open(folder.path(), "test").expect("an older ledger");
        assert_eq!(ledger.revision(), 1);
        let written = ledger.store.with(super::format).expect("readable");
        assert_eq!(written.as_deref(), Some(FORMAT));
        let length = std::fs::metadata(&journal).expect("a journal").len();
        assert_eq!(length, journal::LENGTH as u64);
        drop(ledger);
        std::fs::remove_file(folder.path().join("ledger.redb")).expect("removed");
        let error = Ledger::open(folder.path(), "test").expect_err("a journal alone is no ledger");
        assert!(matches!(error, Error::Missing { .. }), "{error}");
    }
}

#[test]
fn a_journal_beside_an_older_ledger_is_not_thrown_away() {
    for length in [journal::HALF, journal::LENGTH] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut ledger = Ledger::open(folder.path(), "test").expect("a ledger");
        ledger.record(vec![change(1, 1, &[b"Ia"], &[], &[[1, 1, 1, 0]])]).expect("recorded");
        put_format(&ledger, WITHOUT_JOURNAL);
        drop(ledger);
        let path = folder.path().join(JOURNAL);
        let bytes = std::fs::read(&path).expect("a journal");
        std::fs::write(&path, &bytes[..length]).expect("written");
        let ledger = Ledger::open(folder.path(), "test").expect("an older ledger");
        assert_eq!(ledger.revision(), 1, "{length}");
        assert_eq!(ledger.store.with(super::format).expect("readable").as_deref(), Some(FORMAT));
    }
}

/// Killed at any moment between the turn to the other half and the end of
/// clearing the first: the changes are in one half and the other, in the tables
/// and in a half, or in the tables and a half that is cleared in part.
#[test]
fn the_halves_are_read_together_whichever_the_tables_have() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (tables, path) = (folder.path().join("ledger.redb"), folder.path().join(JOURNAL));
    let open = || Ledger::open(folder.path(), "test");
    let mut ledger = open().expect("a new ledger");
    let one = |revision: Revision| {
        let id = TermId::try_from(revision).expect("few");
        vec![change(revision, id, &[&[b'I'; 40_000]], &[], &[[id, 2, 3, 0]])]
    };
    for revision in 1..=6 {
        ledger.record(one(revision)).expect("recorded");
    }
    let without = std::fs::read(&tables).expect("a ledger");
    let first = std::fs::read(&path).expect("a journal");
    ledger.record(one(7)).expect("recorded");
    ledger.await_tables();
    assert_eq!(ledger.store.last_revision().expect("readable"), 6);
    ledger.record(one(8)).expect("recorded");
    drop(ledger);
    let with = std::fs::read(&tables).expect("a ledger");
    let second = std::fs::read(&path).expect("a journal");
    assert!(second[..journal::HALF].iter().all(|byte| *byte == 0), "the first half was cleared");
    let both = [&first[..journal::HALF], &second[journal::HALF..]].concat();
    let opened = |tables_then: &[u8], journal: &[u8]| {
        std::fs::write(&tables, tables_then).expect("written");
        std::fs::write(&path, journal).expect("written");
        open().map(|ledger| (ledger.revision(), ledger.state(|_, _| {}).expect("read").quads.len()))
    };
    for tables in [&without, &with] {
        assert_eq!(opened(tables, &both).expect("whole"), (8, 8));
    }
    for sector in [0, 1, 100, 400] {
        let mut cleared = both.clone();
        cleared[..sector * 512].fill(0);
        assert_eq!(opened(&with, &cleared).expect("in the tables"), (8, 8), "{sector}");
        let mut cleared = both.clone();
        cleared[sector * 512..journal::HALF].fill(0);
        assert_eq!(opened(&with, &cleared).expect("in the tables"), (8, 8), "{sector}");
        let error = opened(&without, &cleared).expect_err("lost").to_string();
        assert!(error.contains("change "), "{sector}: {error}");
    }
    assert_eq!(opened(&without, &first).expect("as before the turn"), (6, 6));
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
    put_format(&ledger, b"insites-ledger 99");
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

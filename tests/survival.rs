//! What a store must live through: faults at every step of a commit, kills at
//! random moments, damaged files, copies made while it works.

use crate::commands::{Server, err, folder, out, run};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn token(data: &Path) -> String {
    let made = run(data, &["token", "add", "writer", "--role", "curator"]);
    assert!(made.status.success(), "{}", err(&made));
    out(&made).trim().to_owned()
}

/// Inserts a lesson whose title and number a reader can compare.
fn insert(server: &Server, token: &str, number: usize) -> bool {
    let update = format!(
        "PREFIX insites: <https://w3id.org/insites/ontology#> PREFIX dct: <http://purl.org/dc/terms/>
         INSERT DATA {{ GRAPH <https://w3id.org/insites/graph/soak> {{
           <https://w3id.org/insites/id/lesson/soak-{number}> a insites:Lesson ;
             dct:title \"soakword {number}\"@en ; dct:description \"soak\"@en ;
             insites:status insites:Illustrative . }} }}"
    );
    server.post("/update", token, "application/sparql-update", &update).starts_with("HTTP/1.1 200")
}

fn count(data: &Path) -> usize {
    let query = "SELECT (COUNT(DISTINCT ?s) AS ?n) { GRAPH <https://w3id.org/insites/graph/soak> { ?s a ?c } }";
    let answer = run(data, &["query", query, "--format", "csv"]);
    out(&answer)
        .lines()
        .nth(1)
        .and_then(|n| n.trim().parse().ok())
        .unwrap_or_else(|| panic!("{}", err(&answer)))
}

fn views_agree(data: &Path, when: &str) {
    let check = run(data, &["check", "--json"]);
    let findings: Vec<serde_json::Value> = serde_json::from_str(&out(&check))
        .unwrap_or_else(|error| panic!("{when}: {error}: {}", err(&check)));
    let views: Vec<_> = findings.iter().filter(|f| f["check"] == "views").collect();
    assert!(views.is_empty(), "{when}: {views:?}");
}

/// A fault at each point, by error and by abort: old state or new, never a mix.
#[test]
fn a_fault_at_any_step_leaves_the_old_state_or_the_new() {
    for point in insites::commit::FAULT_POINTS {
        for kind in ["abort", "fail"] {
            if kind == "fail" && !["prepared", "recorded", "applying"].contains(&point) {
                // There the step cannot fail, the process can only end.
                continue;
            }
            let (_folder, data) = folder();
            assert!(run(&data, &["check"]).status.success(), "seeded");
            let token = token(&data);
            let fault = format!("{kind}:{point}");
            let server = Server::start_with(&data, &[("INSITES_FAULT", fault.as_str())]);
            let acknowledged = insert(&server, &token, 1);
            if kind == "fail" {
                // The service lives on, and the next write works.
                assert!(insert(&server, &token, 2), "{fault}");
                let seen = server.get("/api/search?q=soakword&mode=words");
                let total = if point == "prepared" { 1 } else { 2 };
                assert!(seen.contains(&format!("\"total\":{total}")), "{fault}: {seen}");
            }
            drop(server);
            views_agree(&data, &fault);
            let found = count(&data);
            let at_least = usize::from(acknowledged) + usize::from(kind == "fail");
            assert!(found >= at_least, "{fault}: {found} of {at_least} acknowledged");
            let before_commit_point = point == "prepared" || point == "recording";
            if kind == "abort" {
                assert_eq!(found, usize::from(!before_commit_point), "{fault}");
            }
        }
    }
}

/// A group that cannot be recorded fails, and with it what was prepared on top
/// of it meanwhile; what comes later is made.
#[test]
fn a_fault_among_eight_writers_fails_those_it_tells() {
    for fault in ["fail:prepared", "fail:recorded", "fail:applying"] {
        let (_folder, data) = folder();
        assert!(run(&data, &["check"]).status.success(), "seeded");
        let token = token(&data);
        let server = Server::start_with(&data, &[("INSITES_FAULT", fault)]);
        let acknowledged = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let (server, token, acknowledged) = (&server, &token, &acknowledged);
                scope.spawn(move || {
                    for number in 0..5 {
                        if insert(server, token, 1 + 10 * writer + number) {
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let acknowledged = acknowledged.into_inner();
        assert!((20..=40).contains(&acknowledged), "{fault}: {acknowledged}");
        assert!(insert(&server, &token, 999), "{fault}: what comes later is made");
        drop(server);
        views_agree(&data, fault);
        let found = count(&data);
        if fault == "fail:prepared" {
            assert_eq!(found, acknowledged + 1, "{fault}");
            assert!(acknowledged < 40, "it failed");
        } else {
            // Recorded, though it could not be told.
            assert!(found > acknowledged && found <= 41, "{fault}: {found} of {acknowledged}");
        }
    }
}

/// Writers and readers against the real server, killed at random moments. The
/// number of kills is `INSITES_SOAK_KILLS`, 20 if it is not set.
#[test]
fn killed_at_random_nothing_acknowledged_is_missing() {
    let kills: usize =
        std::env::var("INSITES_SOAK_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    let (_folder, data) = folder();
    assert!(run(&data, &["check"]).status.success(), "seeded");
    let token = token(&data);
    let next = AtomicUsize::new(1);
    let acknowledged = Mutex::new(Vec::new());
    let mut seed = 0x2545_f491_4f6c_dd1d_u64 ^ u64::from(std::process::id());
    for round in 1..=kills {
        let server = Arc::new(Server::start(&data));
        let over = AtomicBool::new(false);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let time = Duration::from_millis(30 + (seed >> 33) % 400);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if insert(&server, &token, number) {
                            acknowledged.lock().expect("a lock").push(number);
                        }
                    }
                });
            }
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // A hit of the search is in the graph of the same revision.
                    let hits = server.get("/api/search?q=soakword&mode=words&limit=1&sort=newest");
                    let Some(body) = hits.split("\r\n\r\n").nth(1) else { continue };
                    let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else {
                        continue;
                    };
                    let (Some(revision), Some(slug)) =
                        (body["revision"].as_u64(), body["hits"][0]["slug"].as_str())
                    else {
                        continue;
                    };
                    let page = server.get(&format!("/lesson/{slug}.nt?revision={revision}"));
                    assert!(
                        page.is_empty() || page.starts_with("HTTP/1.1 200") || page.len() < 20,
                        "{slug} at {revision}: {page}"
                    );
                }
            });
            std::thread::sleep(time);
            server.kill();
            over.store(true, Ordering::Relaxed);
        });
        drop(server);
        views_agree(&data, &format!("after kill {round}"));
    }
    let acknowledged = acknowledged.into_inner().expect("a lock");
    assert!(acknowledged.len() > kills, "only {} writes in {kills} rounds", acknowledged.len());
    let export = out(&run(&data, &["export", "--graph", "https://w3id.org/insites/graph/soak"]));
    for number in &acknowledged {
        let subject = format!("<https://w3id.org/insites/id/lesson/soak-{number}> ");
        let quads = export.lines().filter(|line| line.starts_with(&subject)).count();
        assert_eq!(quads, 4, "the write {number} was acknowledged");
    }
    // No half: every record has all of its quads.
    assert_eq!(export.lines().count() % 4, 0);
}

#[test]
fn a_backup_made_under_load_is_one_revision_and_restores() {
    let (folder, data) = folder();
    assert!(run(&data, &["check"]).status.success(), "seeded");
    let token = token(&data);
    let server = Arc::new(Server::start(&data));
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (server, over, token) = (Arc::clone(&server), Arc::clone(&over), token.clone());
        std::thread::spawn(move || {
            let mut number = 0;
            while !over.load(Ordering::Relaxed) {
                number += 1;
                assert!(insert(&server, &token, number));
            }
            number
        })
    };
    std::thread::sleep(Duration::from_millis(200));
    let file = folder.path().join("copy.insites");
    let name = file.to_str().expect("a path");
    let made = run(&data, &["backup", name]);
    assert!(made.status.success(), "{}", err(&made));
    over.store(true, Ordering::Relaxed);
    assert!(writer.join().expect("the writer") > 1);
    let restored = folder.path().join("restored");
    let done = run(&restored, &["restore", name]);
    assert!(done.status.success(), "{}", err(&done));
    let revision: u64 =
        out(&done).split(&[' ', ':'][..]).nth(1).and_then(|n| n.parse().ok()).expect("a revision");
    views_agree(&restored, "restored");
    // The same quads as the original had at that revision.
    let all = "CONSTRUCT { ?s ?p ?o } { GRAPH <https://w3id.org/insites/graph/soak> { ?s ?p ?o } }";
    let path = format!("/sparql?revision={revision}&format=nt");
    let then = server.post(&path, "", "application/sparql-query", all);
    let sorted = |text: &str| {
        let mut lines: Vec<String> =
            text.lines().filter(|l| l.starts_with("<https://w3id")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let here = out(&run(&restored, &["query", all, "--format", "nt"]));
    assert_eq!(sorted(&then), sorted(&here));
    drop(server);
    let again = run(&restored, &["restore", name]);
    assert!(!again.status.success() && err(&again).contains("not empty"), "{}", err(&again));
    let mut bytes = std::fs::read(&file).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&file, &bytes).expect("written");
    let broken = run(&folder.path().join("third"), &["restore", name]);
    assert!(!broken.status.success(), "a damaged backup");
    assert!(!folder.path().join("third/ledger.redb").exists());
}

#[test]
fn damaged_files_are_told_and_nothing_is_made_worse() {
    let (_folder, data) = folder();
    assert!(run(&data, &["check"]).status.success(), "seeded");
    let path = Path::new(&data).join("ledger.redb");
    let whole = std::fs::read(&path).expect("a ledger");
    // The index is made again by itself.
    for entry in std::fs::read_dir(Path::new(&data).join("text")).expect("an index") {
        let path = entry.expect("an entry").path();
        let mut bytes = std::fs::read(&path).expect("a file");
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes).expect("written");
    }
    views_agree(&data, "after the index was cut");
    // A cut ledger is refused, with what to do, and stays as it is.
    std::fs::write(&path, &whole[..whole.len() / 3]).expect("written");
    let refused = run(&data, &["check"]);
    assert_eq!(refused.status.code(), Some(1), "{}", out(&refused));
    let text = err(&refused);
    assert!(text.contains("ledger.redb") && text.contains("hint:"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    std::fs::write(&path, b"this is no ledger").expect("written");
    let refused = run(&data, &["check"]);
    assert!(
        err(&refused).contains("hint:") && !err(&refused).contains("panicked"),
        "{}",
        err(&refused)
    );
    std::fs::write(&path, &whole).expect("written");
    // So is a damaged journal.
    let journal = Path::new(&data).join("journal");
    let zeros = std::fs::read(&journal).expect("a journal");
    for damaged in [&zeros[..100], b"x"] {
        std::fs::write(&journal, damaged).expect("written");
        let text = err(&run(&data, &["check"]));
        assert!(text.contains("journal") && text.contains("hint:"), "{text}");
    }
    std::fs::write(&journal, &zeros).expect("written");
    views_agree(&data, "after both were put back");
}

#[test]
fn a_full_disk_refuses_the_write_and_loses_nothing() {
    let (_folder, data) = folder();
    assert!(run(&data, &["check"]).status.success(), "seeded");
    let token = token(&data);
    let server = Server::start(&data);
    assert!(insert(&server, &token, 1));
    drop(server);
    // The shell's limit on the size of a file stands for a full disk: writes
    // beyond it fail as they do there.
    let size = std::fs::metadata(Path::new(&data).join("ledger.redb")).expect("a ledger").len();
    let large = Path::new(&data).parent().expect("a folder").join("large.nt");
    let mut lines = String::new();
    for n in 0..60_000 {
        lines.push_str(&format!("<http://x/s{n}> <http://x/p> \"value {n} of many\" .\n"));
    }
    std::fs::write(&large, lines).expect("written");
    let script = format!(
        "trap '' XFSZ; ulimit -f {}; exec {} import --data {} {}",
        size / 1024 + 512,
        env!("CARGO_BIN_EXE_insites"),
        data.display(),
        large.display()
    );
    let failed = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
    assert!(!failed.status.success(), "{}", err(&failed));
    assert!(!err(&failed).contains("panicked"), "{}", err(&failed));
    views_agree(&data, "after the disk was full");
    assert_eq!(count(&data), 1);
    // A server says so, goes on answering, and takes what there is room for.
    let size = std::fs::metadata(Path::new(&data).join("ledger.redb")).expect("a ledger").len();
    let server = Server::start_limited(&data, size / 1024 + 512);
    let text = std::fs::read_to_string(&large).expect("read");
    let body = format!("INSERT DATA {{ {text} }}");
    let full = server.post("/update", &token, "application/sparql-update", &body);
    assert!(full.starts_with("HTTP/1.1 507") && full.contains("problem/storage-full"), "{full}");
    assert!(server.get("/api/search?q=theatre").starts_with("HTTP/1.1 200"));
    assert!(insert(&server, &token, 2), "no restart is needed");
    drop(server);
    views_agree(&data, "after the disk of a server was full");
    assert_eq!(count(&data), 2);
}

#[test]
fn commands_ask_the_server_that_has_the_folder_open() {
    let (folder, data) = folder();
    let server = Server::start(&data);
    let answer = run(&data, &["query", "SELECT (1 AS ?one) {}", "--format", "csv"]);
    assert_eq!(out(&answer), "one\r\n1\r\n", "{}", err(&answer));
    let wrong = run(&data, &["query", "SELECT"]);
    assert!(!wrong.status.success() && err(&wrong).contains("line 1"), "{}", err(&wrong));
    let search = run(&data, &["search", "missed", "appointments"]);
    assert!(out(&search).contains("results"), "{}", err(&search));
    assert!(out(&run(&data, &["export"])).contains("graph/seed"));
    let check = run(&data, &["check"]);
    assert!(
        check.status.success() && out(&check).contains("revision 1"),
        "{}{}",
        out(&check),
        err(&check)
    );
    let file = folder.path().join("more.ttl");
    std::fs::write(&file, "<http://x/a> <http://x/b> 1 .").expect("written");
    let file = file.to_str().expect("a path");
    let import = run(&data, &["import", "--graph", "http://x/g", "--visibility", "members", file]);
    assert!(out(&import).contains("revision 2"), "{}{}", out(&import), err(&import));
    assert!(
        !server.get("/sparql?query=ASK%7B%3Chttp%3A%2F%2Fx%2Fa%3E%3Fp%3Fo%7D").contains("true")
    );
    let revert = run(&data, &["revert", "2"]);
    assert!(
        revert.status.success() && out(&revert).contains("\"revision\":3"),
        "{}{}",
        out(&revert),
        err(&revert)
    );
    for command in [&["rebuild"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let refused = run(&data, command);
        assert!(!refused.status.success());
        assert!(err(&refused).contains(&server.0.id().to_string()), "{}", err(&refused));
    }
    let list = run(&data, &["token", "list"]);
    assert!(list.status.success());
    let secret = token(&data);
    assert!(secret.starts_with("insites_"));
    assert!(out(&run(&data, &["token", "list"])).contains("writer\tcurator"));
    assert!(insert(&server, &secret, 1));
    assert!(run(&data, &["token", "revoke", "writer"]).status.success());
    assert!(!insert(&server, &secret, 2), "revoked at once");
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let (folder, _) = folder();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "not a folder").expect("written");
    let refused = run(&blocked, &["check"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("cannot use the data folder"), "{}", err(&refused));
}

//! The binary as a process: commands, exit codes, and what is left after it
//! was killed.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

pub fn insites(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_insites"));
    command.args(arguments).arg("--data").arg(data).current_dir(data.parent().expect("a folder"));
    command.stdin(Stdio::null());
    command
}

pub fn run(data: &Path, arguments: &[&str]) -> Output {
    insites(data, arguments).output().expect("the binary runs")
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    (folder, data)
}

#[test]
fn import_export_and_check_agree() {
    let (folder, data) = folder();
    let file = folder.path().join("a.ttl");
    std::fs::write(&file, "@prefix : <http://x/> . :a :b 1, \"x\"@en ; :c [ :d :e ] .")
        .expect("written");
    let imported = run(&data, &["import", "--json", file.to_str().expect("a path")]);
    assert!(imported.status.success(), "{}", err(&imported));
    let json: serde_json::Value = serde_json::from_str(&out(&imported)).expect("JSON");
    assert_eq!((json["revision"].as_u64(), json["added"].as_u64()), (Some(1), Some(4)));
    let again = folder.path().join("b.nq.gz");
    let lines = out(&run(&data, &["export"]));
    assert_eq!(lines.lines().count(), 4);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, lines.replace(" .\n", " <http://g> .\n").as_bytes())
        .expect("compressed");
    std::fs::write(&again, encoder.finish().expect("compressed")).expect("written");
    let imported = run(&data, &["import", again.to_str().expect("a path")]);
    assert!(
        out(&imported).contains("revision 2: 4 quads added"),
        "{}{}",
        out(&imported),
        err(&imported)
    );
    let graph = run(&data, &["export", "--graph", "http://g", "--format", "ttl"]);
    assert!(out(&graph).contains("http://x/e"), "{}", err(&graph));
    let lossy = run(&data, &["export", "--format", "ttl"]);
    assert!(!lossy.status.success() && err(&lossy).contains("nq, trig or jsonld"));
    let query = run(
        &data,
        &["query", "SELECT ?o { <http://x/a> <http://x/b> ?o } ORDER BY ?o", "--format", "csv"],
    );
    assert!(out(&query).starts_with("o\r\n"), "{}{}", out(&query), err(&query));
}

#[test]
fn a_broken_file_tells_its_place_and_changes_nothing() {
    let (folder, data) = folder();
    let good = folder.path().join("good.nt");
    let bad = folder.path().join("bad.ttl");
    std::fs::write(&good, "<http://a> <http://b> <http://c> .\n").expect("written");
    std::fs::write(&bad, "<http://a> <http://b> 1 .\n<http://a> <http://b> \"open .\n")
        .expect("written");
    let failed =
        run(&data, &["import", good.to_str().expect("a path"), bad.to_str().expect("a path")]);
    assert_eq!(failed.status.code(), Some(1));
    let text = err(&failed);
    assert!(text.contains("bad.ttl:2:") && text.contains("nothing was changed"), "{text}");
    assert_eq!(out(&run(&data, &["export"])), "");
    let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n";
    for (name, text, place) in [
        ("bad.rdf", format!("{rdf}<rdf:Description rdf:about='http://a'>\n  <b>x</c>\n"), "3:6: "),
        ("bad.jsonld", "{\n  \"@id\": \"http://a\",\n  \"http://b\": tru }".to_owned(), "3:"),
        ("bad.trig", "<http://g> {\n <http://a> <http://b> . }".to_owned(), "2:"),
    ] {
        let bad = folder.path().join(name);
        std::fs::write(&bad, text).expect("written");
        let text = err(&run(&data, &["import", bad.to_str().expect("a path")]));
        assert!(text.contains(&format!("{name}:{place}")), "{text}");
    }
    for name in ["none.ttl", "what.docx"] {
        let failed = run(&data, &["import", name]);
        assert!(!failed.status.success() && err(&failed).contains(name), "{}", err(&failed));
    }
}

#[test]
fn usage_is_taught() {
    let (_folder, data) = folder();
    let help = run(&data, &["--help"]);
    for word in [
        "serve",
        "import",
        "export",
        "check",
        "rebuild",
        "query",
        "search",
        "Examples:",
        "Exit codes",
    ] {
        assert!(out(&help).contains(word), "no {word} in --help");
    }
    let wrong = run(&data, &["frobnicate"]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = run(&data, &["check", "--query-timeout", "never"]);
    assert!(
        err(&wrong).contains("query-timeout") && err(&wrong).contains("command line"),
        "{}",
        err(&wrong)
    );
}

#[test]
fn a_fresh_folder_is_seeded_checked_and_searched() {
    let (_folder, data) = folder();
    let check = run(&data, &["check"]);
    assert!(check.status.success(), "{}{}", out(&check), err(&check));
    assert!(out(&check).contains("0 violations"), "{}", out(&check));
    let search = run(&data, &["search", "missed", "appointments", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out(&search)).expect("JSON");
    assert!(json["total"].as_u64() > Some(3));
    let rebuilt = run(&data, &["rebuild"]);
    assert!(out(&rebuilt).contains("documents in"), "{}", err(&rebuilt));
    assert!(run(&data, &["check"]).status.success());
}

pub struct Server(pub std::process::Child, pub String);

/// An address that nobody listens at.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let address = free_address();
        Self::spawn(insites(data, &["serve", "--listen", &address]), address, variables)
    }

    /// A server whose files cannot grow beyond a size (kB): writes past it fail
    /// as on a full disk.
    pub fn start_limited(data: &Path, limit: u64) -> Self {
        let address = free_address();
        let inner = insites(data, &["serve", "--listen", &address]);
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
        let mut outer = Command::new("bash");
        outer.arg("-c").arg(script).arg(inner.get_program()).args(inner.get_args());
        outer.current_dir(data.parent().expect("a folder")).stdin(Stdio::null());
        Self::spawn(outer, address, &[])
    }

    fn spawn(mut command: Command, address: String, variables: &[(&str, &str)]) -> Self {
        let child = command
            .envs(variables.iter().copied())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let server = Self(child, address);
        let begun = Instant::now();
        while !server.get("/readyz").starts_with("HTTP/1.1 200") {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not get ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Ends the process as a power cut would.
    pub fn kill(&self) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-9", &id]).status();
        assert!(sent.expect("kill runs").success());
    }

    pub fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    pub fn post(&self, path: &str, token: &str, media_type: &str, body: &str) -> String {
        let authorization = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
             {authorization}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn send(&self, request: &str) -> String {
        use std::io::{Read, Write};
        let Ok(mut stream) = std::net::TcpStream::connect(&self.1) else { return String::new() };
        if stream.write_all(request.as_bytes()).is_err() {
            return String::new();
        }
        let mut answer = String::new();
        // A connection that is cut gives what came before.
        let _ = stream.read_to_string(&mut answer);
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_folder_and_sigterm_drains() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data);
    let refused = run(&data, &["rebuild"]);
    assert_eq!(refused.status.code(), Some(1));
    let text = err(&refused);
    assert!(text.contains(&server.0.id().to_string()) && text.contains(&server.1), "{text}");
    let sent = Command::new("kill").arg(server.0.id().to_string()).status().expect("kill runs");
    assert!(sent.success());
    let status = server.0.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(run(&data, &["check"]).status.success());
}

/// Killed at random points of a large import, the ledger holds the old state
/// or the new, and everything acknowledged.
#[test]
fn a_killed_import_leaves_the_old_state_or_the_new() {
    let (folder, data) = folder();
    let mut acknowledged = 0;
    let mut killed = 0;
    let mut seed = 0x9e37_79b9_u64 ^ u64::from(std::process::id());
    // How long an import takes here, so that the kills fall inside it.
    let size = 20_000;
    let file = |round: usize| {
        let path = folder.path().join(format!("{round}.nt"));
        let mut text = String::new();
        for n in 0..size {
            text.push_str(&format!(
                "<http://x/r{round}s{n}> <http://purl.org/dc/terms/title> \"title {n} of {round}\" .\n"
            ));
        }
        std::fs::write(&path, text).expect("written");
        path
    };
    let first = file(0);
    let begun = Instant::now();
    assert!(run(&data, &["import", first.to_str().expect("a path")]).status.success());
    let whole = begun.elapsed();
    acknowledged += 1;
    for round in 1..=20 {
        let path = file(round);
        let mut child = insites(&data, &["import", path.to_str().expect("a path")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from(seed >> 40).unwrap_or(0) % 1000;
        std::thread::sleep(whole * share / 1000);
        let _ = child.kill();
        let status = child.wait().expect("it ends");
        if status.success() {
            acknowledged += 1;
        } else {
            killed += 1;
        }
        let check = run(&data, &["check", "--json"]);
        let findings: Vec<serde_json::Value> = serde_json::from_str(&out(&check)).expect("JSON");
        let views: Vec<_> = findings.iter().filter(|f| f["check"] == "views").collect();
        assert!(views.is_empty(), "round {round}, seed {seed}: {views:?} {}", err(&check));
        let count =
            run(&data, &["query", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "--format", "csv"]);
        let count: usize =
            out(&count).lines().nth(1).and_then(|n| n.trim().parse().ok()).expect("a count");
        assert_eq!(count % size, 0, "round {round}: a change is whole or not there");
        assert!(
            count / size >= acknowledged,
            "round {round}: {count} quads, {acknowledged} acknowledged"
        );
        // A kill after the commit point leaves a change that was not told.
        acknowledged = count / size;
    }
    assert!(killed > 0, "no import was killed");
}

#[test]
fn a_folder_that_is_not_there_is_told_and_not_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("misspelt");
    for command in [
        &["check"][..],
        &["export"],
        &["search", "culture"],
        &["query", "ASK {}"],
        &["backup", "copy.insites"],
    ] {
        let done = run(&data, command);
        assert!(!done.status.success(), "{command:?}");
        assert!(err(&done).contains("there is no folder"), "{command:?}: {}", err(&done));
        assert!(!data.exists(), "{command:?}");
    }
}

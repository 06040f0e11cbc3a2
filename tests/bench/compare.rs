//! How long comparisons take: of one that comes again at the same revision,
//! and of the first after each change, for which all records are gathered
//! anew. `cargo bench --bench compare` opens the seed; `cargo bench --bench
//! compare -- FOLDER` a data folder, which must be a copy that nothing else has
//! open.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use insites::app::App;
use insites::commit::{Edit, Rules, Wanted};
use insites::config::Config;
use insites::http::{State, router};
use insites::rdf::{NamedNode, Provenance, Quad};
use std::sync::Arc;
use std::time::Instant;
use tower::ServiceExt;

/// What is compared.
const ASKED: [&str; 13] = [
    "",
    "rows=dimension&columns=region",
    "rows=theme&columns=region",
    "rows=theme&columns=organisation",
    "rows=theme&columns=organisation&count=organisations",
    "rows=theme&columns=outcome&count=records",
    "rows=kind&columns=site",
    "rows=theme&columns=kind&count=records&limit=500",
    "rows=role&columns=site&count=records&limit=500",
    "rows=outcome&columns=region",
    "rows=theme&columns=role&count=records",
    "rows=organisation&columns=kind&limit=500",
    "rows=theme&columns=site&cell=~",
];
/// How often each comes again.
const AGAIN: usize = 40;
/// Changes, each followed by one comparison.
const CHANGES: usize = 40;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let data = given.unwrap_or_else(|| folder.path().to_str().expect("a path").to_owned());
    let flags = vec![("data".to_owned(), data)];
    let config = Arc::new(Config::new(flags, [], None).expect("settings"));
    let state = State::new(Arc::clone(&config));
    let app = App::open(&config, "bench", false, &|_| {}).expect("seeded");
    state.ready(app.clone());
    let router = router(state);
    let triples = app.reader.snapshot().graph.len();
    println!("{triples} triples\n{:64}  bytes  p50 ms  p95 ms", "comparison");
    let ask = |path: String| {
        let router = router.clone();
        async move {
            let request = Request::get(&path).body(Body::empty()).expect("a request");
            let asked = Instant::now();
            let response = router.oneshot(request).await.expect("an answer");
            let status = response.status();
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            assert!(status.is_success(), "{path}: {status}");
            (asked.elapsed().as_secs_f64() * 1000.0, body.len())
        }
    };
    let mut all = Vec::new();
    let mut number = 0;
    for asked in ASKED {
        for page in [false, true] {
            let mut times = Vec::new();
            let mut size = 0;
            for _ in 0..AGAIN {
                number += 1;
                // Pages are kept under their address: none comes twice.
                let path = if page { "/compare" } else { "/api/compare" };
                let format = if page { "html" } else { "json" };
                let (time, bytes) = ask(format!("{path}?{asked}&format={format}&n={number}")).await;
                times.push(time);
                size = bytes;
            }
            let name = format!("{} {asked}", if page { "page" } else { "JSON" });
            print(&name, size, &mut times);
            all.extend(times);
        }
    }
    print("all of these", 0, &mut all);
    let mut times = Vec::new();
    for change in 0..CHANGES {
        let prepare = Box::new(move |edit: &mut Edit| {
            let node = |name: &str| NamedNode::new_unchecked(format!("http://example.org/{name}"));
            let graph = insites::rdf::GraphName::DefaultGraph;
            edit.add(&Quad::new(node(&format!("s{change}")), node("p"), node("o"), graph));
            Ok(())
        });
        let provenance = Provenance::default();
        app.writer.make(Wanted { prepare, provenance, rules: Rules::Off }).expect("committed");
        let asked = ASKED[change % ASKED.len()];
        times.push(ask(format!("/api/compare?{asked}")).await.0);
    }
    print("the first after a change", 0, &mut times);
}

fn print(name: &str, size: usize, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    println!("{name:64} {size:6}  {:6.1}  {:6.1}", at(50), at(95));
}

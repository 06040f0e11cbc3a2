//! A page of search (10 hits with snippets, total, facets) over HTTP beside
//! bare tantivy behind axum (a page with the largest themes as its facets, and
//! ten titles alone), and, if its address is given, beside `OpenSearch`, which
//! is loaded with the same texts:
//! `cargo bench --bench search_http -- DATA SEARCHES [OPENSEARCH]`, where DATA
//! is a data folder that nothing else has open, and SEARCHES a file of searches,
//! one a line (what is before a tab is a name for a group of them).
//!
//! A time is from the request to the last byte, one request at a time on one
//! kept connection each, after a round that warms up; in a round each is asked all
//! searches, then the next. `OpenSearch` is asked for the same: ten titles with a
//! passage, the total and the counts of all facets and years; and it keeps no
//! answers.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod bare;

use axum::extract::{Query, State as Shared};
use axum::{Json, Router, routing::get};
use bare::{Bare, Page, percentile};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use insites::app::App;
use insites::commit::{Documents, Snapshot};
use insites::config::Config;
use insites::http::{State, serve};
use insites::index::Facet;
use insites::rdf::Names;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const ROUNDS: usize = 4;
/// Documents that `OpenSearch` is given at once.
const BULK: usize = 2_000;
const WHAT: [&str; 7] =
    [BARE, "bare titles", "words page", "small answer", "hybrid page", "OpenSearch", FUZZY];
/// What others are compared with.
const BARE: &str = "bare page";
const FUZZY: &str = "OpenSearch fuzzy";
const SEARCH: &str = "/api/search?limit=10";
const YEAR: &str = "year";
const INDEX: &str = "/insites-bench";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let ([data, searches] | [data, searches, _]) = arguments.as_slice() else {
        println!("usage: cargo bench --bench search_http -- DATA SEARCHES [OPENSEARCH]");
        return;
    };
    let searches = std::fs::read_to_string(searches).expect("the searches");
    // Lines of the log are made, as they are when the service runs.
    tracing_subscriber::fmt().with_writer(std::io::sink).init();
    let flags = vec![("data".to_owned(), data.clone())];
    let config = Arc::new(Config::new(flags, [], None).expect("settings"));
    let state = State::new(Arc::clone(&config));
    let app = App::open(&config, "bench", false, &|_| {}).expect("an opened folder");
    let snapshot = app.reader.snapshot();
    let (embedded, documents) = snapshot.text.coverage();
    println!("{documents} documents, {embedded} with vectors");
    let bare = Arc::new(Bare::new(&snapshot, &config.names));
    state.ready(app);

    // Who asks has a thread of its own, as from elsewhere.
    let servers = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let servers = servers.expect("a runtime");
    let (ours, theirs) = servers.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let ours = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { serve(listener, state, std::future::pending()).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let theirs = listener.local_addr().expect("an address").to_string();
        let router =
            Router::new().route("/", get(page)).route("/titles", get(top)).with_state(bare);
        tokio::spawn(async move { axum::serve(listener, router).await });
        (ours, theirs)
    });
    let client = Builder::new_current_thread().enable_all().build().expect("a runtime");
    client.block_on(ask(&ours, &theirs, arguments.get(2), &searches, snapshot, &config.names));
}

/// Asks all, and prints what it took.
async fn ask(
    ours: &str,
    theirs: &str,
    address: Option<&String>,
    searches: &str,
    snapshot: Arc<Snapshot>,
    names: &Names,
) {
    let mut opensearch = None;
    if let Some(address) = address {
        let address = address.trim_start_matches("http://").trim_end_matches('/');
        let mut client = Client::new(address).await;
        load(&mut client, &snapshot, names).await;
        opensearch = Some(client);
    }
    drop(snapshot);
    // Last, since connections that say nothing are closed.
    let mut ours = Client::new(ours).await;
    let mut bare = Client::new(theirs).await;

    let mut times: BTreeMap<(&str, &str), Vec<Duration>> = BTreeMap::new();
    let searches = searches.lines().filter(|line| !line.is_empty());
    let searches: Vec<_> =
        searches.map(|line| line.split_once('\t').unwrap_or(("", line))).collect();
    for round in 0..=ROUNDS {
        for what in WHAT {
            for (group, words) in &searches {
                let escaped = |words: &str| {
                    let all = percent_encoding::NON_ALPHANUMERIC;
                    percent_encoding::utf8_percent_encode(words, all).to_string()
                };
                let time = match what {
                    BARE => bare.get(&format!("/?q={}", escaped(words))).await,
                    "bare titles" => bare.get(&format!("/titles?q={}", escaped(words))).await,
                    "words page" => {
                        ours.get(&format!("{SEARCH}&mode=words&q={}", escaped(words))).await
                    }
                    // A query's vector is kept; each round asks it anew.
                    "hybrid page" => {
                        ours.get(&format!("{SEARCH}&q={}", escaped(&format!("{words} {round}"))))
                            .await
                    }
                    "small answer" => ours.get("/healthz").await,
                    what => {
                        let Some(client) = &mut opensearch else { continue };
                        client.search(words, what == FUZZY).await
                    }
                };
                if round > 0 {
                    for group in [group, "all"] {
                        times.entry((what, group)).or_default().push(time);
                    }
                }
            }
        }
    }
    println!("{:16} {:8} {:>8} {:>8} {:>8}", "what", "searches", "p50 ms", "p95 ms", "ratio");
    for ((what, group), measured) in &times {
        let (p50, p95) = (percentile(measured, 50), percentile(measured, 95));
        let ratio = p50 / percentile(&times[&(BARE, *group)], 50);
        println!("{what:16} {group:8} {p50:8.2} {p95:8.2} {ratio:8.1}");
    }
}

/// A page of the bare server.
async fn page(
    Shared(bare): Shared<Arc<Bare>>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Json<Page> {
    Json(bare.page(parameters.get("q").map_or("", String::as_str)))
}

/// Titles alone.
async fn top(
    Shared(bare): Shared<Arc<Bare>>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Json<Value> {
    let hits = bare.hits(parameters.get("q").map_or("", String::as_str), false);
    Json(json!({ "hits": hits }))
}

/// Loads `OpenSearch` with the texts of all records.
async fn load(client: &mut Client, snapshot: &Snapshot, names: &Names) {
    let text = json!({ "type": "text", "analyzer": "english" });
    let mut fields = json!({ "title": text, "text": text, YEAR: { "type": "keyword" } });
    for facet in Facet::ALL {
        fields[facet.name()] = json!({ "type": "keyword" });
    }
    let schema = json!({
        "settings": { "number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1" },
        "mappings": { "properties": fields },
    });
    client.send("DELETE", INDEX, String::new()).await;
    client.send("PUT", INDEX, schema.to_string()).await;
    let reader = Documents::new(&snapshot.graph, names);
    let mut lines = Vec::new();
    for document in reader.subjects().into_iter().flat_map(|subject| reader.documents(subject)) {
        let mut record = json!({ "title": document.title, "text": document.body });
        for facet in Facet::ALL {
            let of_facet = document.facets.iter().filter(|(other, _)| *other == facet);
            record[facet.name()] = of_facet.map(|(_, value)| *value).collect();
        }
        if document.date > 0 {
            record[YEAR] = json!(document.date / 10_000);
        }
        lines.push(format!("{{\"index\":{{}}}}\n{record}\n"));
        if lines.len() >= BULK {
            client
                .send("POST", &format!("{INDEX}/_bulk"), std::mem::take(&mut lines).concat())
                .await;
        }
    }
    client.send("POST", &format!("{INDEX}/_bulk"), lines.concat()).await;
    client.send("POST", &format!("{INDEX}/_forcemerge?max_num_segments=1"), String::new()).await;
    client.send("POST", &format!("{INDEX}/_refresh"), String::new()).await;
}

/// A connection that is used again.
struct Client {
    address: String,
    connection: SendRequest<Full<Bytes>>,
}

impl Client {
    async fn new(address: &str) -> Self {
        let socket = TcpStream::connect(address).await.expect("connected");
        socket.set_nodelay(true).expect("a socket");
        let (sender, connection) = handshake(TokioIo::new(socket)).await.expect("HTTP");
        tokio::spawn(connection);
        Self { address: address.to_owned(), connection: sender }
    }

    async fn get(&mut self, path: &str) -> Duration {
        self.send("GET", path, String::new()).await
    }

    async fn send(&mut self, method: &str, path: &str, body: String) -> Duration {
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.address)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        self.connection.ready().await.expect("a connection");
        let begun = Instant::now();
        let answer = self.connection.send_request(request).await.expect("an answer");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        let time = begun.elapsed();
        let is_gone = method == "DELETE" && status.as_u16() == 404;
        assert!(status.is_success() || is_gone, "{path}: {}", String::from_utf8_lossy(&body));
        time
    }

    async fn search(&mut self, words: &str, fuzzy: bool) -> Duration {
        let mut wanted = json!({ "query": words, "fields": ["title^0.25", "text"] });
        if fuzzy {
            wanted["fuzziness"] = json!("AUTO");
        }
        let mut facets = json!({});
        for name in Facet::ALL.map(Facet::name).into_iter().chain([YEAR]) {
            facets[name] = json!({ "terms": { "field": name, "size": 50 } });
        }
        let body = json!({
            "query": { "multi_match": wanted },
            "size": 10,
            "track_total_hits": true,
            "_source": ["title"],
            "highlight": { "fields": { "text": { "number_of_fragments": 1, "fragment_size": 220 } } },
            "aggs": facets,
        });
        self.send("POST", &format!("{INDEX}/_search?request_cache=false"), body.to_string()).await
    }
}

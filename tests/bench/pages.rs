//! Requests a second for pages beside a bare handler that returns as many
//! bytes, over HTTP on the loopback: for a page that was asked for before, and
//! for pages asked for the first time, of records each in turn.
//! `cargo bench --bench pages` opens the seed; `cargo bench --bench pages --
//! FOLDER` a data folder, which must be a copy that nothing else has open.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use axum::http::header;
use axum::{Router, routing::get};
use insites::app::App;
use insites::config::Config;
use insites::http::{State, serve};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CLIENTS: usize = 8;
const TIME: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const PAGES: [&str; 5] = ["/", "/lesson", "/case-study", "/organisation", "/search?q=theatre"];
/// Kinds whose records are asked for, each in turn.
const KINDS: [&str; 3] = ["/lesson/", "/case-study/", "/organisation/"];
/// Records of a kind whose mean length the bare handler returns.
const SAMPLE: usize = 200;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let data = given.unwrap_or_else(|| folder.path().to_str().expect("a path").to_owned());
    // Lines of the log are made, as they are when the service runs.
    tracing_subscriber::fmt().with_writer(std::io::sink).init();
    let flags = vec![("data".to_owned(), data)];
    let config = Arc::new(Config::new(flags, [], None).expect("settings"));
    let state = State::new(Arc::clone(&config));
    state.ready(App::open(&config, "bench", false, &|_| {}).expect("seeded"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let service = listener.local_addr().expect("an address");
    tokio::spawn(async move { serve(listener, state, std::future::pending()).await });
    loop {
        let ready: serde_json::Value =
            serde_json::from_slice(&body(service, "/readyz").await).expect("JSON");
        if ready["embedded"] == ready["documents"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let sitemap = String::from_utf8(body(service, "/sitemap.xml").await).expect("text");
    let records = |kind: &str| -> Vec<String> {
        let paths = sitemap.split("<loc>").skip(1).filter_map(|rest| rest.split('<').next());
        let paths = paths.filter_map(|address| address.split_once("//")?.1.split_once('/'));
        paths.map(|(_, path)| format!("/{path}")).filter(|path| path.starts_with(kind)).collect()
    };
    println!(
        "page, and how many              bytes  bare/s   kept/s  share  first/s  share  p50 ms"
    );
    for page in PAGES {
        compare(service, page, &[page.to_owned()]).await;
    }
    for kind in KINDS {
        compare(service, kind, &records(kind)).await;
    }
}

/// Prints a line about pages of one sort.
async fn compare(service: SocketAddr, name: &str, pages: &[String]) {
    let sample = &pages[..pages.len().min(SAMPLE)];
    if sample.is_empty() {
        return;
    }
    let mut sizes = Vec::new();
    for page in sample {
        sizes.push(body(service, page).await.len());
    }
    let size = sizes.iter().sum::<usize>() / sizes.len();
    let bytes = bytes::Bytes::from(vec![b'x'; size]);
    let router = Router::new().fallback(get(move || {
        let bytes = bytes.clone();
        async move { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], bytes) }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let bare = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    // Two rows of addresses: one that comes again, and others that are all new,
    // by a parameter that changes nothing but what the page is kept under.
    let again: Addresses = vec![pages[0].clone()].into();
    let first: Addresses = pages.to_vec().into();
    let mut best = [0.0_f64; 3];
    let mut middle = f64::MAX;
    for _ in 0..ROUNDS {
        best[0] = best[0].max(throughput(bare, &again, false).await.0);
        best[1] = best[1].max(throughput(service, &again, false).await.0);
        let (rate, p50) = throughput(service, &first, true).await;
        best[2] = best[2].max(rate);
        middle = middle.min(p50);
    }
    server.abort();
    let share = |rate: f64| rate / best[0] * 100.0;
    println!(
        "{name:22} {:6}  {size:6}  {:6.0}  {:7.0}  {:3.0} %  {:7.0}  {:3.0} %  {middle:6.2}",
        pages.len(),
        best[0],
        best[1],
        share(best[1]),
        best[2],
        share(best[2])
    );
}

type Addresses = Arc<[String]>;

/// Of requests over all benchmarks, so that none comes twice.
static ASKED: AtomicUsize = AtomicUsize::new(0);

fn request(page: &str) -> String {
    format!("GET {page} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
}

async fn body(address: SocketAddr, page: &str) -> Vec<u8> {
    let mut client = Client(TcpStream::connect(address).await.expect("connected"), Vec::new());
    client.ask(&request(page)).await
}

/// The next of these pages; if it is to be fresh, under an address that was not
/// asked for yet.
fn next(pages: &Addresses, fresh: bool) -> String {
    let number = ASKED.fetch_add(1, Ordering::Relaxed);
    let page = &pages[number % pages.len()];
    let sign = if page.contains('?') { '&' } else { '?' };
    if fresh { format!("{page}{sign}n={number}") } else { page.clone() }
}

/// Requests a second, and the median of what one client waits (milliseconds).
async fn throughput(address: SocketAddr, pages: &Addresses, fresh: bool) -> (f64, f64) {
    let begun = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let pages = Arc::clone(pages);
        clients.push(tokio::spawn(async move {
            let socket = TcpStream::connect(address).await.expect("connected");
            let mut client = Client(socket, Vec::new());
            let mut answered = 0_u32;
            while begun.elapsed() < TIME {
                client.ask(&request(&next(&pages, fresh))).await;
                answered += 1;
            }
            answered
        }));
    }
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("a client");
    }
    let rate = f64::from(answered) / begun.elapsed().as_secs_f64();
    // One client by itself, for how long an answer takes.
    let mut client = Client(TcpStream::connect(address).await.expect("connected"), Vec::new());
    let mut times = Vec::new();
    for _ in 0..if fresh { 100 } else { 0 } {
        let page = next(pages, true);
        let asked = Instant::now();
        client.ask(&request(&page)).await;
        times.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    (rate, times.get(times.len() / 2).copied().unwrap_or_default())
}

/// A connection that is used again.
struct Client(TcpStream, Vec<u8>);

impl Client {
    async fn ask(&mut self, request: &str) -> Vec<u8> {
        let Self(socket, buffer) = self;
        socket.write_all(request.as_bytes()).await.expect("sent");
        buffer.clear();
        loop {
            let end = buffer.windows(4).position(|part| part == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
                assert!(head.starts_with("http/1.1 200"), "{head}");
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.and_then(|n| n.trim().parse().ok()).expect("a length");
                if buffer.len() >= end + 4 + length {
                    return buffer[end + 4..].to_vec();
                }
            }
            let mut part = vec![0; 64 << 10];
            let count = socket.read(&mut part).await.expect("an answer");
            assert!(count > 0, "the connection ended");
            buffer.extend_from_slice(&part[..count]);
        }
    }
}

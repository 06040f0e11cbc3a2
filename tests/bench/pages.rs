//! Requests a second for pages of the seed, beside a bare handler that returns
//! the same bytes, over HTTP on the loopback. `cargo bench --bench pages`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use axum::http::header;
use axum::{Router, routing::get};
use insites::app::App;
use insites::config::Config;
use insites::http::{State, serve};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CLIENTS: usize = 8;
const TIME: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const PAGES: [&str; 6] = [
    "/",
    "/lesson/lesson-insites-local-partners",
    "/case-study/deep-medical-mse",
    "/organisation/mid-and-south-essex-nhs-ft",
    "/lesson",
    "/search?q=theatre",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let data = folder.path().to_str().expect("a path").to_owned();
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
    println!("page                                          bytes  bare/s  service/s  share");
    for page in PAGES {
        let bytes = body(service, page).await;
        let copy = bytes.clone();
        let router = Router::new().fallback(get(move || {
            let bytes = copy.clone();
            async move { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], bytes) }
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let bare = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let mut best = [0.0_f64; 2];
        for _ in 0..ROUNDS {
            for (address, best) in [bare, service].into_iter().zip(&mut best) {
                *best = best.max(throughput(address, page).await);
            }
        }
        server.abort();
        println!(
            "{page:44} {:6}  {:6.0}  {:9.0}  {:4.0} %",
            bytes.len(),
            best[0],
            best[1],
            best[1] / best[0] * 100.0
        );
    }
}

fn request(page: &str) -> String {
    format!("GET {page} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
}

async fn body(address: std::net::SocketAddr, page: &str) -> bytes::Bytes {
    let mut client = Client(TcpStream::connect(address).await.expect("connected"), Vec::new());
    client.ask(&request(page)).await.into()
}

async fn throughput(address: std::net::SocketAddr, page: &str) -> f64 {
    let begun = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let request = request(page);
        clients.push(tokio::spawn(async move {
            let socket = TcpStream::connect(address).await.expect("connected");
            let mut client = Client(socket, Vec::new());
            let mut answered = 0_u32;
            while begun.elapsed() < TIME {
                client.ask(&request).await;
                answered += 1;
            }
            answered
        }));
    }
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("a client");
    }
    f64::from(answered) / begun.elapsed().as_secs_f64()
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

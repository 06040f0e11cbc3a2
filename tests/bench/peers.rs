//! The same SPARQL queries asked of several endpoints over HTTP, interleaved in
//! one run: `cargo bench --bench peers -- QUERIES NAME=URL … [--rounds N]
//! [--clients N --seconds S] [--svg FILE]`, where QUERIES is a folder of `.rq`
//! files and the first endpoint is the one that others are compared with.
//!
//! A time is from the request to the last byte of a TSV answer (N-Triples of a
//! CONSTRUCT, JSON of an ASK) on a kept connection; the order of endpoints turns
//! every round. Prints medians, rows, and where they differ; then how many
//! queries a second so many clients get answered at once, each going through
//! the queries that all endpoints answer, in an order of its own.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than this no query is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

const TRIPLES: &str = "application/n-triples";
const SOLUTIONS: &str = "text/tab-separated-values";
const TRUTH: &str = "application/sparql-results+json";

struct Endpoint {
    name: String,
    url: Uri,
}

struct Query {
    name: String,
    body: Bytes,
    accept: &'static str,
}

struct Answered {
    time: Duration,
    /// Rows of the answer, or the one number or truth in it.
    rows: String,
}

struct Client<'a> {
    endpoint: &'a Endpoint,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl<'a> Client<'a> {
    fn new(endpoint: &'a Endpoint) -> Self {
        Self { endpoint, connection: None }
    }

    async fn ask(&mut self, query: &Query) -> Result<Answered, String> {
        // A connection that was closed meanwhile is opened anew, untimed.
        let kept = self.connection.is_some();
        match tokio::time::timeout(PATIENCE, self.exchange(query)).await {
            Ok(Ok(answered)) => Ok(answered),
            Ok(Err(_)) if kept => {
                self.connection = None;
                self.exchange(query).await
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.connection = None;
                Err("not answered in time".to_owned())
            }
        }
    }

    async fn exchange(&mut self, query: &Query) -> Result<Answered, String> {
        let text = |error: hyper::Error| error.to_string();
        let url = &self.endpoint.url;
        let authority = url.authority().ok_or("the URL has no host")?.as_str();
        if self.connection.as_ref().is_none_or(SendRequest::is_closed) {
            let socket = tokio::net::TcpStream::connect(authority).await;
            let socket = socket.map_err(|error| error.to_string())?;
            socket.set_nodelay(true).map_err(|error| error.to_string())?;
            let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(text)?;
            tokio::spawn(connection);
            self.connection = Some(sender);
        }
        let Some(sender) = &mut self.connection else { return Err("no connection".to_owned()) };
        let request = Request::post(url.path())
            .header("host", authority)
            .header("accept", query.accept)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(query.body.clone()))
            .map_err(|error| error.to_string())?;
        let begun = Instant::now();
        let answer = sender.send_request(request).await.map_err(text)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(text)?.to_bytes();
        let time = begun.elapsed();
        if !status.is_success() {
            return Err(format!("status {status}"));
        }
        Ok(Answered { time, rows: rows(&body, query.accept) })
    }
}

/// How many rows an answer has; of a single number or truth, what it says.
fn rows(body: &[u8], accept: &str) -> String {
    let text = String::from_utf8_lossy(body);
    if accept == TRUTH {
        return text.contains("true").to_string();
    }
    let mut lines = text.lines();
    if accept == SOLUTIONS {
        let _ = lines.next();
    }
    let lines: Vec<&str> = lines.collect();
    match lines.as_slice() {
        [only] if only.trim_matches('"').starts_with(|c: char| c.is_ascii_digit()) => {
            let value = only.trim_matches('"').split('"').next().unwrap_or_default();
            format!("={value}")
        }
        lines => lines.len().to_string(),
    }
}

fn queries(folder: &Path) -> Vec<Query> {
    let mut queries: Vec<Query> = std::fs::read_dir(folder)
        .expect("a folder of queries")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rq"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a query");
            let escaped =
                percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
            let body = Bytes::from(format!("query={escaped}"));
            let words = |word: &str| text.split_whitespace().any(|w| w.eq_ignore_ascii_case(word));
            let accept = if words("CONSTRUCT") || words("DESCRIBE") {
                TRIPLES
            } else if words("SELECT") {
                SOLUTIONS
            } else {
                TRUTH
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Query { name, body, accept }
        })
        .collect();
    queries.sort_by(|a, b| a.name.cmp(&b.name));
    queries
}

/// One query's median in milliseconds at each endpoint; none where it failed.
struct Line<'q> {
    query: &'q Query,
    medians: Vec<Option<f64>>,
}

async fn one_by_one<'q>(
    queries: &'q [Query],
    endpoints: &[Endpoint],
    rounds: usize,
) -> Vec<Line<'q>> {
    let mut clients: Vec<Client<'_>> = endpoints.iter().map(Client::new).collect();
    let mut lines = Vec::new();
    for query in queries {
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); endpoints.len()];
        let mut found: Vec<Result<String, String>> = Vec::new();
        for client in &mut clients {
            found.push(client.ask(query).await.map(|answered| answered.rows));
        }
        for round in 0..rounds {
            for turn in 0..endpoints.len() {
                let at = (round + turn) % endpoints.len();
                if found[at].is_ok()
                    && let Ok(answered) = clients[at].ask(query).await
                {
                    times[at].push(answered.time.as_secs_f64() * 1_000.0);
                }
            }
        }
        let medians: Vec<Option<f64>> = times.into_iter().map(median).collect();
        let mut line = format!("{:34}", query.name);
        for ((endpoint, median), found_here) in endpoints.iter().zip(&medians).zip(&found) {
            let mark = match (found_here, &found[0]) {
                (Ok(here), Ok(first)) if here != first => format!("≠{here}"),
                (Err(error), _) => format!("({error})"),
                _ => String::new(),
            };
            let median = median.map_or("—".to_owned(), |median| format!("{median:.2}"));
            let _ = write!(line, " {} {median:>9} {mark:8}", endpoint.name);
        }
        println!("{line} rows {}", found[0].as_deref().unwrap_or("—"));
        lines.push(Line { query, medians });
    }
    lines
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    let count = u32::try_from(logs.len().max(1)).unwrap_or(1);
    (logs.iter().sum::<f64>() / f64::from(count)).exp()
}

fn summary(lines: &[Line<'_>], endpoints: &[Endpoint]) {
    println!();
    for (at, endpoint) in endpoints.iter().enumerate() {
        let medians: Vec<f64> = lines.iter().filter_map(|line| line.medians[at]).collect();
        let worst = medians.iter().copied().fold(0.0, f64::max);
        println!(
            "{}: {} of {} answered, geometric mean {:.2} ms, worst {worst:.1} ms",
            endpoint.name,
            medians.len(),
            lines.len(),
            geometric_mean(medians.iter().copied()),
        );
    }
    for (at, endpoint) in endpoints.iter().enumerate().skip(1) {
        let pairs: Vec<(&str, f64, f64)> = lines
            .iter()
            .filter_map(|line| Some((&*line.query.name, line.medians[0]?, line.medians[at]?)))
            .collect();
        let slower: Vec<String> = pairs
            .iter()
            .filter(|(_, ours, theirs)| ours > theirs)
            .map(|(name, ours, theirs)| format!("{name} by {:.2} ms", ours - theirs))
            .collect();
        println!(
            "{} / {}: {:.2} x; {} is slower on {}",
            endpoint.name,
            endpoints[0].name,
            geometric_mean(pairs.iter().map(|(_, ours, theirs)| theirs / ours)),
            endpoints[0].name,
            if slower.is_empty() { "none".to_owned() } else { slower.join(", ") },
        );
    }
}

/// Queries a second that so many clients get answered at once.
async fn at_once(queries: &[&Query], endpoint: &Endpoint, clients: usize, time: Duration) -> f64 {
    let end = Instant::now() + time;
    let client = |number: usize| async move {
        let mut client = Client::new(endpoint);
        let mut answered = 0_u32;
        // Steps of a length that no other client has; all queries come equally often.
        let step = (1..).filter(|step| common(*step, queries.len()) == 1).nth(number).unwrap_or(1);
        let mut at = number;
        while Instant::now() < end {
            at += step;
            if client.ask(queries[at % queries.len()]).await.is_ok() {
                answered += 1;
            }
        }
        answered
    };
    let answered = futures_util::future::join_all((0..clients).map(client)).await;
    f64::from(answered.into_iter().sum::<u32>()) / time.as_secs_f64()
}

/// The greatest common divisor.
fn common(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common(b, a % b) }
}

/// The medians as points on a scale of powers of ten, a row a query.
fn picture(lines: &[Line<'_>], endpoints: &[Endpoint]) -> String {
    const COLOURS: [&str; 4] = ["#005eb8", "#d5281b", "#7c2855", "#007f3b"];
    let x = |ms: f64| 260.0 + (ms.max(0.05).log10() + 1.31) * 130.0;
    let row = |at: usize| 50.0 + 18.0 * f64::from(u32::try_from(at).unwrap_or(0));
    let height = row(lines.len()) + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>Median time of each query in ms, by endpoint</title>\n"
    );
    for (at, endpoint) in endpoints.iter().enumerate() {
        let left = 260 + 130 * at;
        let colour = COLOURS[at % COLOURS.len()];
        let _ = writeln!(
            svg,
            "<circle cx=\"{left}\" cy=\"14\" r=\"5\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"18\">{}</text>",
            left + 10,
            endpoint.name,
        );
    }
    for power in -1..4 {
        let ms = 10_f64.powi(power);
        let _ = writeln!(
            svg,
            "<path d=\"M{0:.0} 40V{height:.0}\" stroke=\"#d8dde0\"/>\
             <text x=\"{0:.0}\" y=\"36\" text-anchor=\"middle\">{ms} ms</text>",
            x(ms),
        );
    }
    for (at, line) in lines.iter().enumerate() {
        let _ = writeln!(svg, "<text x=\"8\" y=\"{}\">{}</text>", row(at) + 4.0, line.query.name);
        for (at_endpoint, median) in line.medians.iter().enumerate() {
            if let Some(median) = median {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{}\" r=\"5\" fill=\"{}\"/>",
                    x(*median),
                    row(at),
                    COLOURS[at_endpoint % COLOURS.len()],
                );
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).cloned()
    };
    let number = |flag: &str, otherwise: usize| {
        after(flag).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let endpoints: Vec<Endpoint> = arguments
        .iter()
        .filter_map(|argument| argument.split_once("=http"))
        .map(|(name, rest)| {
            let url = format!("http{rest}").parse().expect("a URL");
            Endpoint { name: name.to_owned(), url }
        })
        .collect();
    let folder = arguments.first().filter(|first| !first.contains('='));
    let (Some(folder), false) = (folder, endpoints.is_empty()) else {
        println!("needs a folder of queries and endpoints as NAME=URL: see the file's first lines");
        return;
    };
    let queries = queries(Path::new(folder));
    let lines = one_by_one(&queries, &endpoints, number("--rounds", 7)).await;
    summary(&lines, &endpoints);
    let clients = number("--clients", 0);
    if clients > 0 {
        let all: Vec<&Query> = lines
            .iter()
            .filter(|line| line.medians.iter().all(Option::is_some))
            .map(|line| line.query)
            .collect();
        let time = Duration::from_secs(number("--seconds", 10) as u64);
        println!("\n{clients} clients at once, {} queries", all.len());
        for endpoint in &endpoints {
            let rate = at_once(&all, endpoint, clients, time).await;
            println!("{}: {rate:.0} queries a second", endpoint.name);
        }
    }
    if let Some(file) = after("--svg") {
        std::fs::write(file, picture(&lines, &endpoints)).expect("written");
    }
}

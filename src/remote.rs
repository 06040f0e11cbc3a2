//! Asks the server that has the data folder open, for commands that would have
//! to wait otherwise. It says where it is in `control.json`, with a secret that
//! only the folder's owner can read. Not for any other host.

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use tokio::net::TcpStream;

/// A server on this machine.
#[derive(Debug, Clone)]
pub struct Remote {
    address: String,
    secret: String,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: &'a str,
    /// The formats wanted.
    pub accept: &'a str,
    /// The body's media type.
    pub content_type: &'a str,
    /// The body.
    pub body: Bytes,
}

impl Remote {
    /// The server that serves a data folder, if it says so.
    #[must_use]
    pub fn of(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join("control.json")).ok()?;
        let value: serde_json::Value = serde_json::from_str(&text).ok()?;
        let member = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        Some(Self { address: member("address")?, secret: member("secret")? })
    }

    /// Sends a request and passes the body of the answer on as it comes. An
    /// answer that is no success is an error with what the server said.
    pub fn ask(&self, asked: &Asked<'_>, output: &mut dyn Write) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.exchange(asked, output))
    }

    async fn exchange(&self, asked: &Asked<'_>, output: &mut dyn Write) -> anyhow::Result<()> {
        let socket = TcpStream::connect(&self.address)
            .await
            .with_context(|| format!("cannot reach the server at {}", self.address))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(&asked.method)
            .uri(asked.target)
            .header(HOST, &self.address)
            .header(AUTHORIZATION, format!("Bearer {}", self.secret));
        if !asked.accept.is_empty() {
            request = request.header(ACCEPT, asked.accept);
        }
        if !asked.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, asked.content_type);
        }
        let response = sender.send_request(request.body(Full::new(asked.body.clone()))?).await?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let text = body.collect().await?.to_bytes();
            bail!("{}", explain(status, &text));
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.context("the server cut its answer off")?;
            if let Some(data) = frame.data_ref() {
                output.write_all(data)?;
            }
        }
        Ok(())
    }
}

/// What problem details say, in lines for a person.
fn explain(status: StatusCode, body: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<serde_json::Value>(body) else {
        return format!("the server answered {status}");
    };
    let member = |name: &str| problem.get(name).and_then(|value| value.as_str());
    let mut text = member("detail").unwrap_or("the server refused").to_owned();
    let place = |name: &str| problem.get(name).and_then(serde_json::Value::as_u64);
    if let (Some(line), Some(column)) = (place("line"), place("column")) {
        text = format!("line {line}, column {column}: {text}");
    }
    for violation in problem.get("violations").and_then(|v| v.as_array()).into_iter().flatten() {
        let member = |name: &str| violation.get(name).and_then(|v| v.as_str()).unwrap_or("");
        let (node, path, message) = (member("focusNode"), member("path"), member("message"));
        let _ = write!(text, "\n  {node} {path}: {message}");
    }
    if let Some(hint) = member("hint") {
        text.push_str("\nhint: ");
        text.push_str(hint);
    }
    text
}

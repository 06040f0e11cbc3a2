//! Runs a query on its own thread and streams the answer. The status is
//! decided when the first bytes are there: until then a failure gets its
//! problem response; afterwards the body is cut, never ended as if complete.
//! A short query is tried where its request is read, unless it took long before:
//! to wake another thread takes longer than many an answer.

use crate::app::App;
use crate::commit::Snapshot;
use crate::graph::{Budget, EvaluationError, Format, QueryForm, ReadQuery, Scope};
use crate::query::{Error, Known, check_size, check_text, has_large_stack, with_hits};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Bytes gathered before the status is decided and between two sends.
const CHUNK: usize = 64 << 10;
/// Chunks on their way to a client that reads slowly.
const CHUNKS: usize = 4;

/// The longest text (bytes) that is tried where it is read, how long, and the
/// longest answer (bytes): as much as may be on its way of a longer one.
const SHORT: usize = 1 << 10;
const AT_ONCE: Duration = Duration::from_millis(1);
const PIECE: usize = CHUNK * CHUNKS;

/// How much longer than its deadline a query may take to say how it ended.
const GRACE: Duration = Duration::from_millis(100);

/// A query as a client sends it.
pub(super) struct Asked {
    /// The text, or a query that is already read.
    pub text: Text,
    /// The graphs it names by protocol.
    pub scope: Scope,
    /// The time it may take.
    pub time: Duration,
    /// Chooses the format for a form; `Err` lists those that exist.
    pub choose: Box<dyn Fn(QueryForm) -> Result<Format, Error> + Send>,
}

/// A query's text, or the query.
pub(super) enum Text {
    /// Still to be read, relative to the service.
    Raw(String),
    /// A saved query with its values.
    Ready(Box<ReadQuery>),
}

enum Message {
    /// Some of the answer, or the last of it.
    Data {
        format: Format,
        bytes: Bytes,
        last: bool,
    },
    Fail(Error),
}

/// Tells the query's thread when nobody waits any more.
struct Interest(Arc<AtomicBool>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers a query on a snapshot.
pub(super) async fn answer(
    app: &App,
    snapshot: &Arc<Snapshot>,
    mut asked: Asked,
) -> Result<Response, Error> {
    let known = short_text(&asked).map(Known::of);
    if let Some(known) = known
        && !app.runner.took_long(known)
        && has_large_stack()
    {
        let limits = &app.config.limits;
        let (query, format) = read(app, asked.text, &asked.choose)?;
        let budget = Budget::new(AT_ONCE, limits.memory);
        let mut piece = Piece { bytes: Vec::new(), limit: PIECE.min(limits.result) };
        let is_here = query.searches().is_empty() && !matches!(format, Format::Explanation { .. });
        if is_here {
            let graph = &snapshot.graph;
            match graph.write_answer(&query, &asked.scope, format, &budget, &mut piece) {
                Ok(_) => return Ok(response(format, Body::from(piece.bytes))),
                // It is longer than it looked.
                Err(EvaluationError::Output(_) | EvaluationError::Stopped(_)) => {
                    app.runner.remember(known, true);
                }
                Err(error) => return Err(error.into()),
            }
        }
        asked.text = Text::Ready(Box::new(query));
    }
    let (sender, mut receiver) = channel(CHUNKS);
    let mut budget = Budget::new(asked.time, app.config.limits.memory);
    let interest = Interest(Arc::clone(&budget.abandoned));
    let job = Job {
        app: app.clone(),
        snapshot: Arc::clone(snapshot),
        asked,
        known,
        sender,
        runtime: Handle::current(),
    };
    // A query that waited in the queue until its deadline is not begun.
    let deadline = budget.deadline;
    let begun = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&begun);
    app.runner.submit(move || {
        begins.store(true, Ordering::Relaxed);
        budget.deadline = deadline;
        job.run(&budget);
    })?;
    // Whoever asked hears at the deadline, also while a query that held much
    // memory is still giving it back.
    let latest = tokio::time::Instant::from_std(deadline + GRACE);
    let Ok(first) = tokio::time::timeout_at(latest, receiver.recv()).await else {
        return Err(if begun.load(Ordering::Relaxed) {
            EvaluationError::Stopped(crate::graph::Stopped::Timeout).into()
        } else {
            app.runner.overloaded().into()
        });
    };
    let (format, bytes, last) = match first {
        Some(Message::Data { format, bytes, last }) => (format, bytes, last),
        Some(Message::Fail(error)) => return Err(error),
        // The thread died, which it logged.
        None => return Err(EvaluationError::Stopped(crate::graph::Stopped::Fault).into()),
    };
    let body = if last {
        Body::from(bytes)
    } else {
        Body::from_stream(Answer { first: Some(bytes), receiver, interest, ended: false })
    };
    Ok(response(format, body))
}

fn response(format: Format, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

/// The text of a query that may be answered where it is read.
fn short_text(asked: &Asked) -> Option<&str> {
    match &asked.text {
        Text::Raw(text) if text.len() <= SHORT && asked.time > AT_ONCE => Some(text),
        _ => None,
    }
}

/// Reads a query, and chooses the format of its answer.
fn read(
    app: &App,
    text: Text,
    choose: &impl Fn(QueryForm) -> Result<Format, Error>,
) -> Result<(ReadQuery, Format), Error> {
    let limits = &app.config.limits;
    let query = match text {
        Text::Ready(query) => *query,
        Text::Raw(text) => {
            check_text(&text, limits)?;
            let query = ReadQuery::parse(&text, Some(app.config.names.base()))?;
            check_size(&query, limits)?;
            query
        }
    };
    let format = choose(query.form())?;
    Ok((query, format))
}

/// An answer of one piece.
struct Piece {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Piece {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + data.len() > self.limit {
            return Err(io::Error::other("the answer has more than one piece"));
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Job {
    app: App,
    snapshot: Arc<Snapshot>,
    asked: Asked,
    known: Option<Known>,
    sender: Sender<Message>,
    runtime: Handle,
}

impl Job {
    fn run(self, budget: &Budget) {
        let sender = self.sender.clone();
        let runtime = self.runtime.clone();
        let (runner, known) = (self.app.runner.clone(), self.known);
        let begun = Instant::now();
        let size = self.try_run(budget).unwrap_or_else(|error| {
            // Nobody may be listening any more, and that is fine.
            let _ = runtime.block_on(send(&sender, Message::Fail(error), Duration::from_secs(1)));
            0
        });
        if let Some(known) = known {
            runner.remember(known, begun.elapsed() > AT_ONCE || size > PIECE);
        }
    }

    /// Gives the size of the answer (bytes).
    fn try_run(self, budget: &Budget) -> Result<usize, Error> {
        if Instant::now() >= budget.deadline {
            return Err(EvaluationError::Stopped(crate::graph::Stopped::Timeout).into());
        }
        let limits = &self.app.config.limits;
        let (query, format) = read(&self.app, self.asked.text, &self.asked.choose)?;
        let snapshot = &self.snapshot;
        let query = with_hits(query, &snapshot.graph, &snapshot.text, &self.asked.scope, budget)?;
        let mut writer = ChunkWriter {
            sender: self.sender,
            runtime: self.runtime,
            buffer: Vec::with_capacity(CHUNK + 4096),
            format,
            deadline: budget.deadline,
            sent: 0,
            limit: limits.result,
            too_large: false,
        };
        let result = self.snapshot.graph.write_answer(
            &query,
            &self.asked.scope,
            format,
            budget,
            &mut writer,
        );
        match result {
            Ok(_) => {
                writer.pass(true).map_err(EvaluationError::Output)?;
                Ok(writer.sent)
            }
            Err(_) if writer.too_large => Err(Error::ResultTooLarge(limits.result)),
            Err(EvaluationError::Output(_)) => {
                Err(EvaluationError::Stopped(crate::graph::Stopped::Timeout).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn send(sender: &Sender<Message>, message: Message, time: Duration) -> io::Result<()> {
    match tokio::time::timeout(time, sender.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client went away")),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads too slowly")),
    }
}

/// Gathers bytes into chunks for the client.
struct ChunkWriter {
    sender: Sender<Message>,
    runtime: Handle,
    buffer: Vec<u8>,
    format: Format,
    deadline: Instant,
    sent: usize,
    limit: usize,
    too_large: bool,
}

impl ChunkWriter {
    fn pass(&mut self, last: bool) -> io::Result<()> {
        let time = self.deadline.saturating_duration_since(Instant::now());
        if time.is_zero() && !last {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the deadline passed"));
        }
        let time = time.max(Duration::from_millis(1));
        let bytes = Bytes::from(std::mem::replace(
            &mut self.buffer,
            Vec::with_capacity(if last { 0 } else { CHUNK + 4096 }),
        ));
        self.sent += bytes.len();
        let message = Message::Data { format: self.format, bytes, last };
        let Err(TrySendError::Full(message) | TrySendError::Closed(message)) =
            self.sender.try_send(message)
        else {
            return Ok(());
        };
        self.runtime.block_on(send(&self.sender, message, time))
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.sent + self.buffer.len() + data.len() > self.limit {
            self.too_large = true;
            return Err(io::Error::other("the result is too large"));
        }
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= CHUNK {
            self.pass(false)?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of an answer.
struct Answer {
    first: Option<Bytes>,
    receiver: Receiver<Message>,
    #[expect(dead_code, reason = "dropped with the body, which stops the query")]
    interest: Interest,
    ended: bool,
}

impl Stream for Answer {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let message = std::task::ready!(self.receiver.poll_recv(context));
        Poll::Ready(match message {
            Some(Message::Data { bytes, last, .. }) => {
                self.ended = last;
                Some(Ok(bytes))
            }
            Some(Message::Fail(error)) => {
                self.ended = true;
                tracing::info!(%error, "an answer was cut off");
                Some(Err(io::Error::other(error.to_string())))
            }
            None => {
                self.ended = true;
                Some(Err(io::Error::other("the query's thread ended early")))
            }
        })
    }
}

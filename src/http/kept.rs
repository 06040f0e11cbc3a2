//! Answers to the public, kept for as long as the revision they were made at is
//! the present one. Not for searches and queries, which are too many and too
//! different to come again, nor for anyone who is signed in.

use crate::http::State;
use crate::http::assets::accepts_gzip;
use crate::http::error::Problem;
use crate::rdf::{Revision, Visibility};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use lru::LruCache;
use std::sync::{Mutex, PoisonError};

/// All answers together, with their keys and header fields about (bytes).
const MOST: usize = 32 << 20;
/// The largest answer that is kept (bytes).
const LARGEST: usize = 1 << 20;
/// The longest address whose answer is kept (bytes).
const LONGEST: usize = 500;
/// What a header field is taken to need (bytes).
const FIELD: usize = 64;

/// Paths that are not kept: answers that differ each time, that are streams,
/// or that do not depend on the data.
const NEVER: [&str; 15] = [
    "/api/",
    "/assets/",
    "/capture",
    "/changes",
    "/export",
    "/graph",
    "/healthz",
    "/metrics",
    "/openapi",
    // A question may run out of time, and the page says so.
    "/queries/",
    "/readyz",
    "/search",
    "/sign-",
    "/sparql",
    "/update",
];

#[derive(Clone)]
struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn size(&self, key: &str) -> usize {
        key.len() + self.headers.len() * FIELD + self.body.len()
    }
}

struct Answers {
    at: Revision,
    kept: LruCache<String, Answer>,
    size: usize,
}

/// The answers of one revision, the least recently asked for forgotten first.
pub(super) struct Kept(Mutex<Answers>);

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(Answers { at: 0, kept: LruCache::unbounded(), size: 0 }))
    }
}

impl Kept {
    fn get(&self, at: Revision, key: &str) -> Option<Response> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.at != at {
            return None;
        }
        let answer = answers.kept.get(key)?.clone();
        drop(answers);
        let mut response = Response::new(Body::from(answer.body));
        *response.headers_mut() = answer.headers;
        Some(response)
    }

    fn put(&self, at: Revision, key: String, answer: Answer) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.at != at {
            if answers.at > at {
                return;
            }
            answers.kept.clear();
            answers.size = 0;
            answers.at = at;
        }
        answers.size += answer.size(&key);
        if let Some((key, old)) = answers.kept.push(key, answer) {
            answers.size = answers.size.saturating_sub(old.size(&key));
        }
        while answers.size > MOST {
            let Some((key, old)) = answers.kept.pop_lru() else { break };
            answers.size = answers.size.saturating_sub(old.size(&key));
        }
    }
}

/// What an answer depends on beside the data; none if it is not to be kept.
fn key(request: &Request) -> Option<String> {
    let headers = request.headers();
    let target = request.uri().path_and_query()?.as_str();
    let path = request.uri().path();
    let differs = [header::AUTHORIZATION, header::COOKIE, header::RANGE];
    if request.method() != Method::GET
        || target.len() > LONGEST
        || NEVER.iter().any(|never| path.starts_with(never))
        || differs.iter().any(|field| headers.contains_key(field))
        || headers.contains_key("accept-datetime")
    {
        return None;
    }
    let text = |name: &str| headers.get(name).map_or(Some(""), |value| value.to_str().ok());
    let gzip = accepts_gzip(text("accept-encoding")?);
    let mut key = String::with_capacity(target.len() + 200);
    for part in [target, text("accept")?, text("host")?, text("x-forwarded-proto")?] {
        key.push_str(part);
        key.push('\n');
    }
    key.push(if gzip { 'z' } else { '-' });
    Some(key)
}

/// Answers with what is kept, or keeps the answer.
pub(super) async fn keep(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let Some((key, app)) = key(&request).zip(state.app.get()) else {
        return next.run(request).await;
    };
    let snapshot = app.reader.seen_by(Visibility::Public);
    let at = snapshot.revision;
    if let Some(response) = state.kept.get(at, &key) {
        return response;
    }
    // Related records change while vectors are made.
    if state.config.embedding_threads > 0 && !snapshot.text.all_embedded() {
        return next.run(request).await;
    }
    drop(snapshot);
    let response = next.run(request).await;
    // An answer of a later revision, which was shown meanwhile, has its number.
    let revision = response.headers().get("insites-revision");
    let is_of = revision.and_then(|value| value.to_str().ok()?.parse().ok()) == Some(at);
    if response.status() != StatusCode::OK || !is_of {
        return response;
    }
    let (parts, body) = response.into_parts();
    // No stream is kept, so the body is in memory already.
    match body.collect().await {
        Ok(collected) => {
            let body = collected.to_bytes();
            if body.len() <= LARGEST {
                let answer = Answer { headers: parts.headers.clone(), body: body.clone() };
                state.kept.put(at, key, answer);
            }
            Response::from_parts(parts, Body::from(body))
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(size: usize) -> Answer {
        Answer { headers: HeaderMap::new(), body: Bytes::from(vec![0; size]) }
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first_and_a_later_revision_clears_all() {
        let kept = Kept::default();
        let now = 7;
        for n in 0..=(MOST / LARGEST) {
            kept.put(now, n.to_string(), answer(LARGEST - 10));
            assert!(kept.get(now, "0").is_some() || n == 0, "asked for each time");
        }
        assert!(kept.get(now, "1").is_none(), "no room for all");
        let size = kept.0.lock().expect("no panic").size;
        assert!(size <= MOST && size > MOST - 2 * LARGEST, "{size}");
        kept.put(now, "0".to_owned(), answer(1));
        assert!(kept.0.lock().expect("no panic").size < size, "replaced, not added");
        kept.put(6, "old".to_owned(), answer(1));
        assert!(kept.get(now, "old").is_none() && kept.get(6, "0").is_none());
        kept.put(8, "new".to_owned(), answer(1));
        assert!(kept.get(now, "0").is_none() && kept.get(8, "new").is_some());
    }

    #[test]
    fn only_what_the_public_reads_is_kept() {
        let key = |method: Method, target: &str, fields: &[(&'static str, &str)]| {
            let mut request = Request::builder().method(method).uri(target);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            key(&request.body(Body::empty()).expect("a request"))
        };
        let page = key(Method::GET, "/lesson/x?page=2", &[]);
        assert!(page.is_some());
        for (target, field) in [
            ("/lesson/x?page=2", ("accept", "text/turtle")),
            ("/lesson/x?page=2", ("accept-encoding", "gzip")),
            ("/lesson/x?page=2", ("host", "elsewhere")),
            ("/lesson/x?page=3", ("accept", "")),
        ] {
            let other = key(Method::GET, target, &[field]);
            assert!(other.is_some() && other != page, "{target} {field:?}");
        }
        for (method, target, field) in [
            (Method::POST, "/lesson/x", ("a", "b")),
            (Method::GET, "/lesson/x", ("cookie", "a=b")),
            (Method::GET, "/lesson/x", ("authorization", "Bearer x")),
            (Method::GET, "/lesson/x", ("accept-datetime", "Thu, 01 Jan 2026 00:00:00 GMT")),
            (Method::GET, "/search?q=x", ("a", "b")),
            (Method::GET, "/queries/x", ("a", "b")),
            (Method::GET, "/changes", ("a", "b")),
        ] {
            assert_eq!(key(method, target, &[field]), None, "{target}");
        }
    }
}

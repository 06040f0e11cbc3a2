//! Who asks: bearer tokens, sessions of the sign-in page, and how often they
//! may ask. Not for what a role may do: each handler says what it needs.

use crate::access::{Caller, Role, Tokens, hash, same, secret, write_private};
use crate::config::Config;
use crate::http::error::Problem;
use crate::http::sparql::{pairs, take};
use crate::http::{Shared, State};
use crate::pages;
use crate::problem::Kind;
use axum::body::Bytes;
use axum::extract::{Request, State as Whole};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

const COOKIE: &str = "insites-session";
/// How long a session lasts.
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// Sessions and clients remembered; the oldest give way.
const REMEMBERED: usize = 10_000;
/// Wrong secrets from one client in a minute.
const WRONG: f64 = 10.0;
/// Paths whose answers cost more than a page.
const EXPENSIVE: [&str; 6] = ["/sparql", "/update", "/graphs", "/graph/", "/export", "/api/"];

/// The address of the client's end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

struct Session {
    /// The hash of the token it stands for: when that goes, so does this.
    token: String,
    until: Instant,
}

struct Bucket {
    left: f64,
    at: Instant,
}

/// What is known of those who ask.
pub(super) struct Access {
    tokens: Tokens,
    /// The hash of the secret with which commands on this machine ask.
    control: OnceLock<String>,
    sessions: Mutex<HashMap<String, Session>>,
    buckets: Mutex<HashMap<(IpAddr, bool), Bucket>>,
    a_minute: f64,
}

impl Access {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            tokens: Tokens::open(&config.data),
            control: OnceLock::new(),
            sessions: Mutex::default(),
            buckets: Mutex::default(),
            a_minute: config.requests_per_minute,
        }
    }

    /// Lets commands on this machine ask the server at an address: they find a
    /// secret in the data folder, which only its owner can read.
    pub(super) fn admit_commands(&self, config: &Config, address: &str) -> std::io::Result<()> {
        let secret = secret()?;
        let text = serde_json::json!({ "address": address, "secret": secret }).to_string();
        write_private(&config.data.join("control.json"), text.as_bytes())?;
        let _ = self.control.set(hash(&secret));
        Ok(())
    }

    fn caller(&self, secret: &str) -> Result<Option<Caller>, Problem> {
        if let Some(control) = self.control.get()
            && same(hash(secret).as_bytes(), control.as_bytes())
        {
            let name = "command line".to_owned();
            return Ok(Some(Caller { name, role: Role::Administrator, ..Caller::default() }));
        }
        self.tokens.caller(secret).map_err(|error| Problem::internal(&error))
    }

    fn of_session(&self, id: &str) -> Result<Option<Caller>, Problem> {
        let token = {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            match sessions.get(&hash(id)) {
                Some(session) if session.until > Instant::now() => session.token.clone(),
                _ => return Ok(None),
            }
        };
        let today = crate::rdf::now();
        let today = today.get(..10).unwrap_or_default();
        let tokens = self.tokens.list().map_err(|error| Problem::internal(&error))?;
        let found = tokens.iter().find(|known| {
            known.hash == token && known.expires.as_deref().is_none_or(|last| today <= last)
        });
        Ok(found.map(|token| Caller {
            name: token.name.clone(),
            role: token.role,
            site: token.site.clone(),
            form_secret: Some(form_secret(id)),
        }))
    }

    /// Takes one request from a client's allowance; the seconds to wait if
    /// there is none left.
    fn allow(&self, client: IpAddr, signing_in: bool, a_minute: f64) -> Result<(), u32> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if buckets.len() >= REMEMBERED {
            buckets.retain(|_, bucket| now - bucket.at < Duration::from_secs(60));
            if buckets.len() >= REMEMBERED {
                buckets.clear();
            }
        }
        let bucket =
            buckets.entry((client, signing_in)).or_insert(Bucket { left: a_minute, at: now });
        let earned = (now - bucket.at).as_secs_f64() * a_minute / 60.0;
        bucket.left = (bucket.left + earned).min(a_minute);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = Duration::try_from_secs_f64((1.0 - bucket.left) * 60.0 / a_minute);
        Err(wait.map_or(60, |wait| u32::try_from(wait.as_secs() + 1).unwrap_or(60)))
    }
}

fn form_secret(session: &str) -> String {
    hash(&format!("form of {session}"))
}

/// Puts the caller on the request, or refuses it.
pub(super) async fn identify(
    Whole(state): Whole<State>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&state, &request) {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            let mut response = next.run(request).await;
            let headers = response.headers_mut();
            // What one caller sees must not be served to another.
            let stored_nowhere = headers
                .get(header::CACHE_CONTROL)
                .is_some_and(|value| value.as_bytes().starts_with(b"no-store"));
            if !stored_nowhere {
                headers
                    .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            }
            headers.append(header::VARY, HeaderValue::from_static("Authorization, Cookie"));
            response
        }
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn caller(state: &State, request: &Request) -> Result<Option<Caller>, Problem> {
    let headers = request.headers();
    let client = client(headers, request.extensions().get::<Peer>());
    let path = request.uri().path();
    let a_minute = state.access.a_minute;
    if a_minute > 0.0
        && !client.is_loopback()
        && EXPENSIVE.iter().any(|expensive| path.starts_with(expensive))
    {
        state.access.allow(client, false, a_minute).map_err(too_many)?;
    }
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let secret = given
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim());
        let known = match secret {
            Some(secret) => state.access.caller(secret)?,
            None => None,
        };
        if known.is_none() {
            state.access.allow(client, true, WRONG).map_err(too_many)?;
            return Err(Problem::new(Kind::Unauthorised, "the token is not valid")
                .with_hint("it may have ended or been revoked; ask for a new one"));
        }
        return Ok(known);
    }
    let Some(id) = session_id(headers) else { return Ok(None) };
    let known = state.access.of_session(id)?;
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if known.is_some() && !safe && !same_site(headers) {
        return Err(Problem::new(
            Kind::Forbidden,
            "the request came from another site, or does not say from which",
        ));
    }
    Ok(known)
}

fn too_many(wait: u32) -> Problem {
    Problem {
        retry_after: Some(wait),
        ..Problem::new(
            Kind::TooManyRequests,
            format!("too many requests from this client; try again in {wait} s"),
        )
    }
}

/// Who asks, as an address. A proxy on this machine says for whom it asks.
fn client(headers: &HeaderMap, peer: Option<&Peer>) -> IpAddr {
    let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |peer| peer.0.ip());
    if !peer.is_loopback() {
        return peer;
    }
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
}

fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// Whether a browser says that one of our own pages sent the request.
fn same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // A browser that hides where a form comes from still says whether it is ours.
    if let Some(origin) = text("origin").filter(|origin| *origin != "null") {
        let host = origin.split_once("://").map(|(_, host)| host);
        return host.is_some() && host == text("host");
    }
    text("sec-fetch-site") == Some("same-origin")
}

/// Checks the secret that a form of ours sends back with a session.
pub(super) fn check_form(state: &State, form: &mut Vec<(String, String)>) -> Result<(), Problem> {
    let given = take(form, "form-secret").pop().unwrap_or_default();
    match &state.caller.form_secret {
        Some(wanted) if !same(wanted.as_bytes(), given.as_bytes()) => {
            Err(Problem::new(Kind::Forbidden, "the form is too old, or not ours")
                .with_hint("load the page again and send the form anew"))
        }
        _ => Ok(()),
    }
}

/// GET `/sign-in`.
pub(super) async fn sign_in_page(Shared(state): Shared<State>) -> Response {
    page(&state, "", StatusCode::OK)
}

fn page(state: &State, wrong: &str, status: StatusCode) -> Response {
    let layout = super::site::layout(state, "Sign in");
    let fields =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, fields, pages::sign_in(&layout, wrong)).into_response()
}

/// POST `/sign-in`: a token for a session.
pub(super) async fn sign_in(
    Whole(state): Whole<State>,
    headers: HeaderMap,
    peer: Option<axum::Extension<Peer>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let form =
        std::str::from_utf8(&body).map_err(|_| Problem::parameter("the form is not UTF-8"))?;
    let mut form = pairs(form)?;
    let secret = take(&mut form, "token").pop().unwrap_or_default();
    let secret = secret.trim();
    let client = client(&headers, peer.as_ref().map(|peer| &peer.0));
    state.access.allow(client, true, WRONG).map_err(too_many)?;
    if !headers.contains_key(header::ORIGIN) || same_site(&headers) {
        if let Some(token) = state
            .access
            .tokens
            .list()
            .map_err(|error| Problem::internal(&error))?
            .iter()
            .find(|token| same(token.hash.as_bytes(), hash(secret).as_bytes()))
            && state.access.caller(secret)?.is_some()
        {
            let id = crate::access::secret().map_err(|error| Problem::internal(&error))?;
            let mut sessions = state.access.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            sessions.retain(|_, session| session.until > now);
            if sessions.len() >= REMEMBERED {
                sessions.clear();
            }
            let session = Session { token: token.hash.clone(), until: now + SESSION };
            sessions.insert(hash(&id), session);
            let cookie = format!(
                "{COOKIE}={id}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}",
                SESSION.as_secs()
            );
            let fields = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
            return Ok((StatusCode::SEE_OTHER, fields).into_response());
        }
        return Ok(page(
            &state,
            "This token is not valid. It may have ended or been revoked.",
            StatusCode::UNAUTHORIZED,
        ));
    }
    Err(Problem::new(Kind::Forbidden, "the form came from another site"))
}

/// POST `/sign-out`.
pub(super) async fn sign_out(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form =
        std::str::from_utf8(&body).map_err(|_| Problem::parameter("the form is not UTF-8"))?;
    check_form(&state, &mut pairs(form)?)?;
    if let Some(id) = session_id(&headers) {
        let mut sessions = state.access.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&hash(id));
    }
    let cookie = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    let fields = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
    Ok((StatusCode::SEE_OTHER, fields).into_response())
}

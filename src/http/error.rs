//! The one place where failures become responses: problem details (RFC 9457)
//! for programs, a page for people.

use crate::problem::Kind;
use crate::rdf::Term;
use crate::shapes::{Report, ValidationResult};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// A failure on its way to the client.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    /// What sort of failure.
    pub kind: Kind,
    /// What exactly went wrong; nothing for our own faults.
    pub detail: String,
    /// Place in the query text, from 1.
    pub position: Option<(u64, u64)>,
    /// What to do.
    pub hint: Option<String>,
    /// The variants that exist, for 406.
    pub variants: Box<[(String, String)]>,
    /// What shapes have to say.
    pub report: Option<Arc<Report>>,
    /// Further members of the body (RFC 9457 §3.2).
    pub members: Option<Arc<serde_json::Map<String, serde_json::Value>>>,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A failure with its detail.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            position: None,
            hint: None,
            variants: Box::default(),
            report: None,
            members: None,
            retry_after: None,
        }
    }

    /// With what to do about it.
    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With one more member in its body.
    #[must_use]
    pub(super) fn with_member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        let members = self.members.get_or_insert_default();
        Arc::make_mut(members).insert(name.to_owned(), value.into());
        self
    }

    /// A fault of ours: logged here, told to nobody.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Kind::Internal, "")
    }

    /// A wrong parameter.
    pub(super) fn parameter(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidParameter, detail)
    }

    /// Nothing at this address.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }
}

/// The status of a kind.
pub(super) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::QuerySyntax | Kind::InvalidParameter => StatusCode::BAD_REQUEST,
        Kind::QueryTooComplex
        | Kind::ResultTooLarge
        | Kind::ShapesViolated
        | Kind::PersonalData => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::QueryTimeout | Kind::QueryMemory | Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Unauthorised => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Gone => StatusCode::GONE,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Kind::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A short name of a kind for people, and what it means.
pub(super) fn explanation(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::QuerySyntax => (
            "The query cannot be read",
            "The text is not a SPARQL 1.1 query, or it calls a function that is not known here. \
             Line and column say where reading stopped.",
        ),
        Kind::InvalidParameter => (
            "A parameter is wrong",
            "A parameter of the request is missing, malformed or out of range.",
        ),
        Kind::QueryTooComplex => (
            "The query is too complex",
            "The query is longer, deeper or has more parts than this service runs for anyone.",
        ),
        Kind::QueryTimeout => (
            "The query took too long",
            "The query did not end before its deadline and was stopped.",
        ),
        Kind::QueryMemory => (
            "The query needs too much memory",
            "The query held more rows at once than one query may, and was stopped.",
        ),
        Kind::ResultTooLarge => {
            ("The result is too large", "The answer is larger than this service sends.")
        }
        Kind::Busy => (
            "The service is busy",
            "Too much is running, or the service is still starting. Try again after the time in \
             Retry-After.",
        ),
        Kind::Unauthorised => ("Sign-in needed", "The request needs a valid token."),
        Kind::Forbidden => ("Not allowed", "This service does not do this for you."),
        Kind::NotFound => ("Nothing found here", "There is nothing at this address."),
        Kind::Gone => ("Withdrawn", "What was at this address was withdrawn."),
        Kind::NotAcceptable => (
            "No fitting format",
            "None of the formats that the client accepts exists for this resource.",
        ),
        Kind::UnsupportedMediaType => {
            ("Body not understood", "The media type of the request's body is not understood here.")
        }
        Kind::MethodNotAllowed => (
            "Method not allowed",
            "The address exists, but not for this method; Allow lists those it has.",
        ),
        Kind::BodyTooLarge => ("Body too large", "The request's body is larger than the limit."),
        Kind::HeadTooLarge => (
            "Request head too large",
            "The request's address or header fields are longer than the limit. Long queries go \
             into the body of a POST.",
        ),
        Kind::RequestTimeout => ("Body too slow", "The request's body did not arrive in time."),
        Kind::PreconditionFailed => {
            ("Changed meanwhile", "The data is no longer what the request's precondition says.")
        }
        Kind::ShapesViolated => (
            "The data breaks the shapes",
            "The change would leave records that break the published shapes.",
        ),
        Kind::PersonalData => (
            "Personal data to decide on",
            "The text holds what looks like personal data. Nothing was kept: each find must be \
             replaced by a neutral word, or kept with a reason why it is none.",
        ),
        Kind::TooManyRequests => (
            "Too many requests",
            "This client asks too often. Try again after the time in Retry-After.",
        ),
        Kind::StorageFull => (
            "The disk is full",
            "There is no space for the change. Nothing was changed; try again when there is.",
        ),
        Kind::Internal => (
            "Something went wrong here",
            "The fault is ours. Tell us the request id and we can find out what happened.",
        ),
    }
}

/// The body of a problem response. The middleware fills in what only it knows.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Details {
    /// The problem type.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its name for people.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What exactly went wrong.
    pub detail: String,
    /// The request.
    pub instance: String,
    /// Line in the query, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column in the query, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What exists instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// What breaks the shapes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Members of this problem alone.
    #[serde(flatten)]
    pub members: serde_json::Map<String, serde_json::Value>,
}

/// A result of validation (SHACL §3.6.2).
#[derive(Debug, Clone, Serialize)]
pub(super) struct Violation {
    /// The record.
    #[serde(rename = "focusNode")]
    pub focus_node: String,
    /// The property or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What to do.
    pub message: String,
    /// `Violation`, `Warning` or `Info`.
    pub severity: String,
    /// The shape.
    pub shape: String,
}

impl Problem {
    /// JSON-LD 1.1 has no way to write a triple term.
    pub(super) fn no_triple_terms() -> Self {
        let error = crate::graph::EvaluationError::NoTripleTerms;
        crate::query::Error::from(error).into()
    }
}

/// A result of validation for programs.
pub(super) fn violation(result: &ValidationResult) -> Violation {
    let bare = |term: &Term| match term {
        Term::NamedNode(iri) => iri.as_str().to_owned(),
        Term::Literal(literal) => literal.value().to_owned(),
        Term::BlankNode(_) | Term::Triple(_) => term.to_string(),
    };
    let path = result.path.as_ref().map(|path| match path.predicate() {
        Some(predicate) => predicate.as_str().to_owned(),
        None => path.to_string(),
    });
    let severity = result.severity.iri().as_str();
    Violation {
        focus_node: bare(&result.focus_node),
        path,
        value: result.value.as_ref().map(bare),
        message: result.messages.first().map_or_else(String::new, |m| m.value().to_owned()),
        severity: severity.rsplit('#').next().unwrap_or_default().to_owned(),
        shape: bare(&result.source_shape),
    }
}

/// One representation of a resource.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Variant {
    /// Its address.
    pub url: String,
    /// Its media type.
    #[serde(rename = "mediaType")]
    pub media_type: String,
}

/// Rides on a response until the middleware turns it into a body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(self.kind);
        if matches!(self.kind, Kind::Busy | Kind::TooManyRequests) {
            let wait = HeaderValue::from(self.retry_after.unwrap_or(2));
            response.headers_mut().entry(header::RETRY_AFTER).or_insert(wait);
        }
        if self.kind == Kind::Unauthorised {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<crate::query::Error> for Problem {
    fn from(error: crate::query::Error) -> Self {
        if error.kind() == Kind::Internal {
            return Self::internal(&error);
        }
        Self {
            position: error.position(),
            hint: error.hint().map(str::to_owned),
            ..Self::new(error.kind(), error.to_string())
        }
    }
}

impl From<crate::index::Error> for Problem {
    fn from(error: crate::index::Error) -> Self {
        Self::internal(&error)
    }
}

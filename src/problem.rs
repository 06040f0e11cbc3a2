//! The few kinds of failure a caller can tell apart. Not for messages: those
//! belong to the module that failed; `http/error.rs` maps a kind to a status.

/// What went wrong, as far as a caller can act on it. The names are the
/// problem types of the HTTP API (RFC 9457), see [`Kind::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The SPARQL query cannot be parsed.
    QuerySyntax,
    /// A parameter is missing, malformed or out of range.
    InvalidParameter,
    /// The query is larger or deeper than the limits allow.
    QueryTooComplex,
    /// The query did not end before its deadline.
    QueryTimeout,
    /// The query needed more memory than one query may use.
    QueryMemory,
    /// The result is larger than the limit.
    ResultTooLarge,
    /// Too many requests are running or waiting.
    Busy,
    /// The request needs a valid token.
    Unauthorised,
    /// The caller's role does not allow this.
    Forbidden,
    /// There is nothing at this address.
    NotFound,
    /// There was something at this address; it was withdrawn.
    Gone,
    /// No representation fits the `Accept` header.
    NotAcceptable,
    /// The body's media type is not understood here.
    UnsupportedMediaType,
    /// The method is not allowed at this address.
    MethodNotAllowed,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The request's head (target or header fields) is larger than the limit.
    HeadTooLarge,
    /// The body did not arrive in time.
    RequestTimeout,
    /// A precondition (`If-Match`) does not hold.
    PreconditionFailed,
    /// The change would break the shapes.
    ShapesViolated,
    /// The text holds what looks like personal data; nothing was kept.
    PersonalData,
    /// The client asks too often.
    TooManyRequests,
    /// The disk of the ledger is full; nothing was changed.
    StorageFull,
    /// A fault of this service. The caller learns nothing but the request id.
    Internal,
}

impl Kind {
    /// All kinds, in the order in which they are documented.
    pub const ALL: [Self; 23] = [
        Self::QuerySyntax,
        Self::InvalidParameter,
        Self::QueryTooComplex,
        Self::QueryTimeout,
        Self::QueryMemory,
        Self::ResultTooLarge,
        Self::Busy,
        Self::Unauthorised,
        Self::Forbidden,
        Self::NotFound,
        Self::Gone,
        Self::NotAcceptable,
        Self::UnsupportedMediaType,
        Self::MethodNotAllowed,
        Self::BodyTooLarge,
        Self::HeadTooLarge,
        Self::RequestTimeout,
        Self::PreconditionFailed,
        Self::ShapesViolated,
        Self::PersonalData,
        Self::TooManyRequests,
        Self::StorageFull,
        Self::Internal,
    ];

    /// The last segment of the problem type's IRI, `{base}problem/{name}`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::QuerySyntax => "query-syntax",
            Self::InvalidParameter => "invalid-parameter",
            Self::QueryTooComplex => "query-too-complex",
            Self::QueryTimeout => "query-timeout",
            Self::QueryMemory => "query-memory",
            Self::ResultTooLarge => "result-too-large",
            Self::Busy => "busy",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Gone => "gone",
            Self::NotAcceptable => "not-acceptable",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::BodyTooLarge => "body-too-large",
            Self::HeadTooLarge => "head-too-large",
            Self::RequestTimeout => "request-timeout",
            Self::PreconditionFailed => "precondition-failed",
            Self::ShapesViolated => "shapes-violated",
            Self::PersonalData => "personal-data",
            Self::TooManyRequests => "too-many-requests",
            Self::StorageFull => "storage-full",
            Self::Internal => "internal",
        }
    }
}

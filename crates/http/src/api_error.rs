//! From the domain's errors to responses: one status per kind, one shape per contract.

use std::fmt;
use std::marker::PhantomData;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use trailkeeper_domain::{Error, ErrorDetail};

use crate::contract::Contract;

/// How a contract writes its errors.
pub trait ErrorFormat: 'static {
    /// The contract.
    const CONTRACT: Contract;

    /// Whether a parameter that an operation does not have is an error.
    const REFUSES_UNKNOWN_PARAMETERS: bool;

    /// The value of `Content-Type`.
    const CONTENT_TYPE: &'static str;

    /// The body that tells of `fault` under `status`.
    fn body(status: StatusCode, fault: &ErrorDetail) -> String;
}

/// An error on its way to a client of the contract `S`.
pub struct ApiError<S> {
    error: Error,
    shape: PhantomData<S>,
}

/// What a handler of the contract `S` returns.
pub type ApiResult<S> = Result<HttpResponse, ApiError<S>>;

impl<S> From<Error> for ApiError<S> {
    fn from(error: Error) -> Self {
        Self { error, shape: PhantomData }
    }
}

impl<S> fmt::Debug for ApiError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<S> fmt::Display for ApiError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// The status of every kind of error. No wildcard arm: a new kind must choose.
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
        Error::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What a client is told of an error, also where the error itself is not for clients.
pub fn public_detail(error: &Error) -> ErrorDetail {
    match (error.detail(), error) {
        (Some(fault), _) => fault.clone(),
        (None, Error::Unavailable { .. }) => ErrorDetail::new(
            "unavailable",
            "the server cannot reach its database or disk right now and stored nothing of this request; send it again after Retry-After seconds",
        ),
        (None, _) => ErrorDetail::new(
            "internal_error",
            "the server failed on this request; its log tells why under the value of X-Request-Id",
        ),
    }
}

/// Seconds after which a database that was away is worth another try.
const RETRY_AFTER_S: u32 = 2;

impl<S: ErrorFormat> ResponseError for ApiError<S> {
    fn status_code(&self) -> StatusCode {
        status_of(&self.error)
    }

    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status_code());
        add_headers(&mut builder, &self.error);
        let mut response = respond::<S>(builder, &public_detail(&self.error));
        if let Error::Unavailable { cause } | Error::Internal { cause } = &self.error {
            response.extensions_mut().insert(cause.clone());
        }
        response
    }
}

/// The headers that go with an error in every contract: `Retry-After`, `WWW-Authenticate`.
pub fn add_headers(builder: &mut HttpResponseBuilder, error: &Error) {
    match error {
        Error::Throttled { retry_after_s, .. } => {
            builder.insert_header((header::RETRY_AFTER, retry_after_s.to_string()));
        }
        Error::Unavailable { .. } => {
            builder.insert_header((header::RETRY_AFTER, RETRY_AFTER_S.to_string()));
        }
        Error::Unauthenticated(_) => {
            builder.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"trailkeeper\""));
        }
        Error::Invalid(_)
        | Error::TooLarge(_)
        | Error::NotFound(_)
        | Error::Conflict(_)
        | Error::Forbidden(_)
        | Error::TimedOut(_)
        | Error::Internal { .. } => {}
    }
}

/// The answer to a method that a known path does not have.
pub fn method_not_allowed<S: ErrorFormat>(method: &str, allow: &str) -> HttpResponse {
    let mut builder = HttpResponse::MethodNotAllowed();
    builder.insert_header((header::ALLOW, allow));
    respond::<S>(
        builder,
        &ErrorDetail::new("method_not_allowed", format!("this path has no method {method}; send one of: {allow}")),
    )
}

/// The error for a path that the contract does not have.
pub fn unknown_path(path: &str, document: &str) -> Error {
    Error::not_found(
        "unknown_path",
        format!("there is no '{}' here; the paths are in {document}", trailkeeper_domain::text::shown(path)),
    )
}

fn respond<S: ErrorFormat>(mut builder: HttpResponseBuilder, fault: &ErrorDetail) -> HttpResponse {
    let mut response = builder.content_type(S::CONTENT_TYPE).finish();
    let body = S::body(response.status(), fault);
    response = response.set_body(actix_web::body::BoxBody::new(body));
    response
}

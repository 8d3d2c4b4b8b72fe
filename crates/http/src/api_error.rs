//! The domain's errors as HTTP responses: one status per kind of error, one format per contract.

use std::fmt;
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError, Route};
use trailkeeper_domain::{Error, ErrorDetail};

use crate::contract::Contract;

/// The format of a contract's errors.
pub trait ErrorFormat: 'static {
    /// The contract.
    const CONTRACT: Contract;

    /// Whether a parameter that an operation does not have is an error.
    const REFUSES_UNKNOWN_PARAMETERS: bool;

    /// The value of `Content-Type`.
    const CONTENT_TYPE: &'static str;

    /// The body of a response with `status`.
    fn body(status: StatusCode, detail: &ErrorDetail) -> String;

    /// Wraps the route of an operation whose errors depend on the request, beyond [`ErrorFormat::body`].
    fn wrap(route: Route) -> Route {
        route
    }
}

/// An error that is rendered in the format `F`.
pub struct ApiError<F> {
    error: Error,
    format: PhantomData<F>,
}

/// The result of a handler whose errors have the format `F`.
pub type ApiResult<F> = Result<HttpResponse, ApiError<F>>;

impl<F> From<Error> for ApiError<F> {
    fn from(error: Error) -> Self {
        Self { error, format: PhantomData }
    }
}

impl<F> fmt::Debug for ApiError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<F> fmt::Display for ApiError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// The status of each kind of error. Without a wildcard arm, so that a new kind does not compile without a status.
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Gone(_) => StatusCode::GONE,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
        Error::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Overloaded { .. } | Error::Stopping(_) | Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The text of an error for clients. It is general if the error's own text is only for operators.
pub fn public_detail(error: &Error) -> ErrorDetail {
    match (error.detail(), error) {
        (Some(public), Error::Overloaded { .. } | Error::Stopping(_)) => ErrorDetail {
            detail: format!("{}; send it again after Retry-After seconds", public.detail),
            ..public.clone()
        },
        (Some(detail), _) => detail.clone(),
        (None, Error::Unavailable { maybe_stored: true, .. }) => ErrorDetail::new(
            "unavailable",
            "the database did not confirm the commit, so this request, or a part of it, may or may not be stored; send it again after Retry-After seconds: an event with an id is stored once",
        ),
        (None, Error::Unavailable { .. }) => ErrorDetail::new(
            "unavailable",
            "the server cannot reach its database or disk right now and stored nothing of this request; send it again after Retry-After seconds",
        ),
        (None, _) => ErrorDetail::new(
            "internal_error",
            "the server failed on this request; its log has the cause, under the value of X-Request-Id",
        ),
    }
}

/// Seconds until another attempt makes sense after the database was unavailable or the server overloaded or stopping.
const RETRY_AFTER_S: u32 = 2;

impl<F: ErrorFormat> ResponseError for ApiError<F> {
    fn status_code(&self) -> StatusCode {
        status_of(&self.error)
    }

    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status_code());
        add_headers(&mut builder, &self.error);
        let mut response = respond::<F>(builder, &public_detail(&self.error));
        if let Error::Overloaded { cause, .. } | Error::Unavailable { cause, .. } | Error::Internal { cause } =
            &self.error
        {
            response.extensions_mut().insert(cause.clone());
        }
        response
    }
}

/// Adds the headers that an error has in every contract: `Retry-After`, `WWW-Authenticate`.
pub fn add_headers(builder: &mut HttpResponseBuilder, error: &Error) {
    match error {
        Error::Throttled { retry_after_s, .. } => {
            builder.insert_header((header::RETRY_AFTER, retry_after_s.to_string()));
        }
        Error::Overloaded { .. } | Error::Stopping(_) | Error::Unavailable { .. } => {
            builder.insert_header((header::RETRY_AFTER, RETRY_AFTER_S.to_string()));
        }
        Error::Unauthenticated(_) => {
            builder.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"trailkeeper\""));
        }
        Error::Invalid(_)
        | Error::TooLarge(_)
        | Error::NotFound(_)
        | Error::Conflict(_)
        | Error::Gone(_)
        | Error::Forbidden(_)
        | Error::TimedOut(_)
        | Error::Internal { .. } => {}
    }
}

/// The response to a method that a known path does not have; `allow` lists the methods that it has.
pub fn method_not_allowed<F: ErrorFormat>(method: &str, allow: &str) -> HttpResponse {
    let mut builder = HttpResponse::MethodNotAllowed();
    builder.insert_header((header::ALLOW, allow));
    respond::<F>(
        builder,
        &ErrorDetail::new("method_not_allowed", format!("this path has no method {method}; send one of: {allow}")),
    )
}

/// The error for an unknown path; `document` is the path of the OpenAPI document with the known ones.
pub fn unknown_path(path: &str, document: &str) -> Error {
    Error::not_found(
        "unknown_path",
        format!("there is no '{}' here; the paths are in {document}", trailkeeper_domain::text::shown(path)),
    )
}

fn respond<F: ErrorFormat>(mut builder: HttpResponseBuilder, detail: &ErrorDetail) -> HttpResponse {
    let response = builder.content_type(F::CONTENT_TYPE).finish();
    let body = F::body(response.status(), detail);
    response.set_body(BoxBody::new(body))
}

//! The problems that operations of the native API answer, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::header::Header;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::api_error::ErrorFormat;
use crate::error_formats::{Native, Problem};

type Responses = BTreeMap<String, RefOr<Response>>;

/// What every operation with a credential may answer.
pub struct CommonProblems;
/// What every operation that checks what is in its body instead may answer.
pub struct LoginProblems;
/// An unknown id, or one that the caller may not know of.
pub struct NotFound;
/// A contradiction to what is stored.
pub struct Conflict;
/// More than a limit allows.
pub struct TooLarge;

impl IntoResponses for CommonProblems {
    fn responses() -> Responses {
        BTreeMap::from([
            problem("400", "The request is wrong; `field` names the parameter or field at fault.", None),
            problem("401", "There is no credential, or it does not hold.", Some("WWW-Authenticate")),
            problem("403", "The credential does not allow this.", None),
            problem("429", "Too many requests.", Some("Retry-After")),
            problem("500", "The server failed; its log tells why.", None),
            problem(
                "503",
                "The database cannot serve now, or the server is overloaded; nothing was stored.",
                Some("Retry-After"),
            ),
        ])
    }
}

impl IntoResponses for LoginProblems {
    fn responses() -> Responses {
        let mut problems = CommonProblems::responses();
        problems.remove("403");
        problems.extend([problem("401", "What was sent does not hold.", Some("WWW-Authenticate"))]);
        problems
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Responses {
        BTreeMap::from([problem("404", "There is no such thing, or the credential may not know of it.", None)])
    }
}

impl IntoResponses for Conflict {
    fn responses() -> Responses {
        BTreeMap::from([problem("409", "It contradicts what is stored; `code` and `field` say how.", None)])
    }
}

impl IntoResponses for TooLarge {
    fn responses() -> Responses {
        BTreeMap::from([problem("413", "The request is larger than a limit, which `detail` names.", None)])
    }
}

fn problem(status: &str, description: &str, header: Option<&str>) -> (String, RefOr<Response>) {
    let schema = Ref::from_schema_name(Problem::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let mut response = ResponseBuilder::new().description(description).content(Native::CONTENT_TYPE, content);
    if let Some(name) = header {
        response = response.header(name, Header::default());
    }
    if status == "429" {
        for name in ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"] {
            response = response.header(name, Header::default());
        }
    }
    (status.to_owned(), RefOr::T(response.build()))
}

//! The problems that operations of the native API answer, as the OpenAPI document describes them.

use std::collections::BTreeMap;

use utoipa::openapi::header::Header;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::api_error::ErrorFormat;
use crate::error_formats::{Native, Problem};

type Responses = BTreeMap<String, RefOr<Response>>;

/// The problems of every operation that needs a credential.
pub struct CommonProblems;
/// The problems of operations that check a password or token in the body instead of a credential.
pub struct LoginProblems;
/// 404: the id is unknown, or the caller has no access to it.
pub struct NotFound;
/// 409: the request contradicts the stored data.
pub struct Conflict;
/// 413: the request exceeds a limit.
pub struct TooLarge;

impl IntoResponses for CommonProblems {
    fn responses() -> Responses {
        BTreeMap::from([
            problem("400", "The request is wrong; `field` names the parameter or field at fault.", None),
            problem("401", "There is no valid credential.", Some("WWW-Authenticate")),
            problem("403", "The credential does not allow this.", None),
            problem("429", "Too many requests.", Some("Retry-After")),
            problem("500", "The server failed; the reason is in its log.", None),
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
        problems.extend([problem(
            "401",
            "The password or token that was sent is not valid.",
            Some("WWW-Authenticate"),
        )]);
        problems
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Responses {
        BTreeMap::from([problem("404", "It does not exist, or the credential may not see it.", None)])
    }
}

impl IntoResponses for Conflict {
    fn responses() -> Responses {
        BTreeMap::from([problem("409", "The request contradicts the stored data; `code` and `field` say how.", None)])
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

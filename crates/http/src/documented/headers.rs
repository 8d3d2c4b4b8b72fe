//! The headers of error responses, as components that the responses refer to.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{Schema, Type};
use utoipa::openapi::{Components, ObjectBuilder, Ref, RefOr, Response};

const RETRY_AFTER: &str = "Retry-After";
const AUTHENTICATE: &str = "WWW-Authenticate";
const RATE_LIMIT: [&str; 4] = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"];

/// Adds the headers to the components of a document.
pub fn add(components: &mut Components) {
    let headers = [
        (RETRY_AFTER, seconds("Seconds until another attempt makes sense.", 1)),
        (RATE_LIMIT[0], seconds("The number of requests that a minute allows.", 0)),
        (RATE_LIMIT[1], seconds("The number of requests left in this minute.", 0)),
        (RATE_LIMIT[2], seconds("Seconds until the next minute begins.", 1)),
        (RATE_LIMIT[3], text("The limit and the seconds of its window: `600;w=60`.")),
        (AUTHENTICATE, text("The scheme of credentials: `Bearer realm=\"trailkeeper\"`.")),
    ];
    components.headers.extend(headers.map(|(name, header)| (name.to_owned(), RefOr::T(header))));
}

/// Refers to the headers that a response with `status` has.
pub fn refer(status: &str, response: &mut Response) {
    let names: &[&str] = match status {
        "401" => &[AUTHENTICATE],
        "429" => &[RETRY_AFTER, RATE_LIMIT[0], RATE_LIMIT[1], RATE_LIMIT[2], RATE_LIMIT[3]],
        "503" => &[RETRY_AFTER],
        _ => &[],
    };
    for name in names {
        let target = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert((*name).to_owned(), RefOr::Ref(target));
    }
}

fn seconds(description: &str, minimum: u32) -> Header {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(minimum));
    described(description, number)
}

fn text(description: &str) -> Header {
    described(description, ObjectBuilder::new().schema_type(Type::String))
}

fn described(description: &str, schema: ObjectBuilder) -> Header {
    HeaderBuilder::new().schema(Some(Schema::from(schema))).description(Some(description)).build()
}

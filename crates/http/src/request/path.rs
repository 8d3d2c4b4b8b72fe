//! Path parameters.

use actix_web::HttpRequest;
use trailkeeper_domain::{Error, Result};

/// The path parameter `name`, decoded. Rejects escapes that are not UTF-8.
pub fn text(request: &HttpRequest, name: &str) -> Result<String> {
    let not_utf8 = |_| Error::invalid(name, "has percent escapes that are not UTF-8; encode the text as UTF-8 first");
    // The whole path is checked, because the router has already replaced invalid UTF-8 in the parameters.
    percent_encoding::percent_decode_str(request.uri().path()).decode_utf8().map_err(not_utf8)?;
    // The router leaves `%2F`, `%25` and `%2B` escaped, so that an id may contain a slash.
    let raw = request.match_info().get(name).unwrap_or_default();
    percent_encoding::percent_decode_str(raw).decode_utf8().map(std::borrow::Cow::into_owned).map_err(not_utf8)
}

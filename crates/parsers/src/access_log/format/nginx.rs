//! The variables of nginx's `log_format`.

use super::field::{Content, Field, Part};

/// Whether the text has a variable of nginx.
pub fn is_nginx(format: &str) -> bool {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '{';
    format.split('$').skip(1).any(|after| after.starts_with(is_name))
}

/// The parts of a format. `$uri$is_args$args` is one field.
pub fn parts(format: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('$') {
        if !before.is_empty() {
            parts.push(Part::Literal(before.to_owned()));
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or("the '}' of '${' is missing")?,
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        if name.is_empty() {
            return Err("a name is missing after '$'".to_owned());
        }
        rest = after;
        if let Some(Part::Field(field)) = parts.last_mut()
            && field.content == Content::Path
            && matches!(name, "is_args" | "args" | "query_string")
        {
            if name == "is_args" {
                continue;
            }
            *field = Field::new(format!("{}$is_args${name}", field.name), Content::PathAndQuery);
            continue;
        }
        parts.push(Part::Field(Field::new(format!("${name}"), content(name))));
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn content(name: &str) -> Content {
    match name {
        "remote_addr" => Content::Host,
        "http_x_forwarded_for" | "proxy_add_x_forwarded_for" => Content::ForwardedFor,
        "host" | "http_host" | "server_name" => Content::VirtualHost,
        "remote_user" => Content::User,
        "time_local" => Content::CommonTime,
        "time_iso8601" => Content::IsoTime,
        "msec" => Content::UnixTime { per_second: 1 },
        "request" => Content::Request,
        "request_method" => Content::Method,
        "request_uri" => Content::Uri,
        "uri" | "document_uri" => Content::Path,
        "args" | "query_string" => Content::Query,
        "status" => Content::Status,
        "http_referer" => Content::Referer,
        "http_user_agent" => Content::UserAgent,
        _ => {
            let is_free =
                ["http_", "cookie_", "arg_", "sent_http_", "upstream_http_", "upstream_cookie_", "ssl_", "geoip"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
                    || matches!(name, "request_body" | "request_filename" | "document_root" | "realpath_root");
            // Of TLS, only names and certificates have blanks.
            Content::Skipped {
                is_free: is_free && !matches!(name, "ssl_protocol" | "ssl_cipher" | "ssl_session_reused"),
            }
        }
    }
}

//! Lines of JSON, as Caddy and Traefik write them, and nginx with a `log_format` that people usually choose.

use serde_json::{Map, Value};
use trailkeeper_domain::text::shown;
use trailkeeper_domain::time::Timestamp;

use crate::access_log::LogLine;
use crate::access_log::client::{Client, check_host};
use crate::access_log::format::unix_time;
use crate::access_log::line::{present, status_of};
use crate::access_log::request::{Request, of_parts};
use crate::access_log::stamp::time_of;

/// The names that fields have in the logs of a server, in the order in which they are looked for. A name with a `/` is
/// that of a member of an object.
#[derive(Debug)]
struct Names {
    time: &'static [&'static str],
    host: &'static [&'static str],
    user: &'static [&'static str],
    request: &'static [&'static str],
    method: &'static [&'static str],
    uri: &'static [&'static str],
    query: &'static [&'static str],
    status: &'static [&'static str],
    referer: &'static [&'static str],
    user_agent: &'static [&'static str],
    virtual_host: &'static [&'static str],
}

const CADDY: Names = Names {
    time: &["ts"],
    // The first is the client behind proxies that Caddy trusts.
    host: &["request/client_ip", "request/remote_ip", "request/remote_addr"],
    user: &["user_id"],
    request: &[],
    method: &["request/method"],
    uri: &["request/uri"],
    query: &[],
    status: &["status"],
    referer: &["request/headers/Referer"],
    user_agent: &["request/headers/User-Agent"],
    virtual_host: &["request/host"],
};

const TRAEFIK: Names = Names {
    time: &["StartUTC", "StartLocal", "time"],
    host: &["ClientHost", "ClientAddr"],
    user: &["ClientUsername"],
    request: &[],
    method: &["RequestMethod"],
    uri: &["RequestPath"],
    query: &[],
    status: &["DownstreamStatus", "OriginStatus"],
    referer: &["request_Referer"],
    user_agent: &["request_User-Agent"],
    virtual_host: &["RequestHost", "RequestAddr"],
};

const NGINX: Names = Names {
    time: &["time_iso8601", "time_local", "msec", "@timestamp", "timestamp", "time"],
    host: &["remote_addr", "client_ip", "clientip", "remote_ip", "client"],
    user: &["remote_user", "user"],
    request: &["request"],
    method: &["request_method", "method"],
    uri: &["request_uri", "uri", "path", "url"],
    query: &["args", "query_string"],
    status: &["status"],
    referer: &["http_referer", "http_referrer", "referer", "referrer"],
    user_agent: &["http_user_agent", "user_agent", "agent"],
    virtual_host: &["host", "http_host", "server_name", "vhost", "domain"],
};

/// The texts of a line.
#[derive(Debug)]
pub struct JsonLine {
    names: &'static Names,
    object: Map<String, Value>,
    status: Option<String>,
    time: Option<String>,
}

impl JsonLine {
    /// Reads the object of a line. The error is a sentence.
    pub fn parse(line: &str) -> Result<Self, String> {
        let object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| format!("is no JSON object: {}", shown(&error.to_string())))?;
        let names = if object.get("request").is_some_and(Value::is_object) {
            &CADDY
        } else if object.contains_key("RequestMethod") || object.contains_key("ClientHost") {
            &TRAEFIK
        } else {
            &NGINX
        };
        let number = |names: &[&str]| {
            names.iter().find_map(|name| object.get(*name)).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let (status, time) = (number(names.status), number(names.time));
        Ok(Self { names, object, status, time })
    }

    /// The fields of the line. The error is a sentence that names the missing or broken one.
    pub fn line(&self) -> Result<LogLine<'_>, String> {
        let names = self.names;
        let at = self.at()?;
        let request = match (self.text(names.request)?, self.text(names.method)?, self.text(names.uri)?) {
            (Some(request), ..) => Request::of_text(request),
            (None, Some(method), Some(uri)) => match self.text(names.query)? {
                // `request_uri` has the query already.
                Some(query) if !uri.contains('?') => of_parts(method, &format!("{uri}?{query}")),
                _ => of_parts(method, uri),
            },
            _ => {
                return Err(format!(
                    "has no request; expected the fields {}",
                    [names.request, names.method, names.uri].concat().join(", ")
                ));
            }
        };
        let status = match &self.status {
            Some(status) if !matches!(status.as_str(), "0" | "" | "null") => status_of(status)?,
            _ => None,
        };
        let host = self.text(names.host)?;
        check_host(host)?;
        let client = Client { virtual_host: self.text(names.virtual_host)?, host, ..Client::default() };
        let client = client.with_name(self.text(names.user)?.unwrap_or_default());
        let (referer, user_agent) =
            (self.text(names.referer)?.map(Into::into), self.text(names.user_agent)?.map(Into::into));
        Ok(LogLine { client, at, request, status, referer, user_agent })
    }

    fn at(&self) -> Result<Timestamp, String> {
        let names = self.names.time.join(", ");
        let text = self.time.as_deref().ok_or_else(|| format!("has no time; expected one of the fields {names}"))?;
        time_of(text)
            .or_else(|| unix_time(text, 1).map(Ok))
            .unwrap_or_else(|| Err(format!("time: '{}' is no time", shown(text))))
    }

    /// The first of these fields that has a text. The error says that one is no text.
    fn text(&self, names: &[&str]) -> Result<Option<&str>, String> {
        for name in names {
            let mut parts = name.split('/');
            let mut value = parts.next().and_then(|part| self.object.get(part));
            for part in parts {
                value = value.and_then(|value| value.get(part));
            }
            // Headers of Caddy are lists.
            match value {
                Some(Value::Array(values)) => value = values.first(),
                Some(Value::Null) | None => continue,
                Some(_) => {}
            }
            match value {
                Some(Value::String(text)) => {
                    if let Some(text) = present(text) {
                        return Ok(Some(text));
                    }
                }
                Some(other) => return Err(format!("{name}: '{}' is no text", shown(&other.to_string()))),
                None => {}
            }
        }
        Ok(None)
    }
}

//! The event that a line of an access log stands for.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use trailkeeper_domain::address::parse_address;
use trailkeeper_domain::event::{EventDraft, MAX_USER_AGENT, Outcome, PAGE_LOAD, REQUEST, Target};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::page::MAX_PAGE;
use uuid::Uuid;

use crate::access_log::{LogLine, Request};

/// The longest id of a target, in characters, as `EventDraft::into_event` allows it.
const MAX_TARGET: usize = 256;

/// The line as an event with the given id: a `page_load` for a GET with a status below 400, else a `request`.
///
/// Texts longer than their fields are cut, so that the event is always acceptable if its user's name is.
pub fn to_draft(line: LogLine<'_>, id: Uuid) -> EventDraft {
    let source = parse_address("source", line.host).ok();
    let succeeded = line.status < 400;
    let mut metadata = Map::new();
    metadata.insert("status".to_owned(), json!(line.status));
    if let Some(referer) = line.referer {
        metadata.insert("referer".to_owned(), json!(cut(referer.into_owned(), MAX_PAGE)));
    }
    let (is_page_load, path) = match line.request {
        Request::Http { method, path } => {
            let is_page_load = method == "GET" && succeeded;
            metadata.insert("method".to_owned(), json!(method));
            (is_page_load, Some(path))
        }
        Request::Other(request) => {
            metadata.insert("request".to_owned(), json!(cut(request.into_owned(), MAX_PAGE)));
            (false, None)
        }
        Request::Nothing => (false, None),
    };
    EventDraft {
        id: Some(id),
        occurred_at: Some(line.at),
        user_id: Some(user_of(line.user, source, line.host)),
        user_name: line.user.map(str::to_owned),
        kind: if is_page_load { PAGE_LOAD } else { REQUEST }.to_owned(),
        outcome: Some(if succeeded { Outcome::Success } else { Outcome::Failure }),
        source: source.map(|address| address.to_string()),
        user_agent: line.user_agent.map(|agent| cut(agent.into_owned(), MAX_USER_AGENT)),
        page: path.as_ref().filter(|_| is_page_load).map(|path| shortened(path, MAX_PAGE, &mut metadata)),
        target: path.as_ref().filter(|_| !is_page_load).map(|path| Target {
            kind: Some("path".to_owned()),
            id: Some(shortened(path, MAX_TARGET, &mut metadata)),
            name: None,
        }),
        metadata: Some(metadata),
        ..EventDraft::default()
    }
}

/// The name that the client logged in with; without one, `ip:` and its address or host name.
fn user_of(user: Option<&str>, source: Option<IpAddr>, host: &str) -> String {
    match (user, source) {
        (Some(user), _) => user.to_owned(),
        (None, Some(address)) => format!("ip:{address}"),
        (None, None) => cut(format!("ip:{host}"), UserId::MAX),
    }
}

/// Cuts a path to `max` characters. The metadata then keeps up to [`MAX_PAGE`] characters of it and its length, so that
/// a request with a very long path still counts.
fn shortened(path: &str, max: usize, metadata: &mut Map<String, Value>) -> String {
    let short = cut(path.to_owned(), max);
    if short.len() < path.len() {
        metadata.insert("path".to_owned(), json!(cut(path.to_owned(), MAX_PAGE)));
        metadata.insert("path_characters".to_owned(), json!(path.chars().count()));
    }
    short
}

fn cut(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::event::{Event, IngestContext};
    use trailkeeper_domain::id::EventId;
    use trailkeeper_domain::page::PageQueries;
    use trailkeeper_domain::time;

    use super::*;

    fn event(line: &str) -> Event {
        let context = IngestContext {
            now: time::parse_rfc3339("now", "2026-03-01T00:00:00Z").unwrap(),
            source: None,
            tenant_scope: None,
            queries: PageQueries::Dropped,
        };
        to_draft(LogLine::parse(line).unwrap(), Uuid::nil()).into_event(&context, EventId(Uuid::nil())).unwrap().event
    }

    fn line(host: &str, user: &str, request: &str, status: u16) -> String {
        format!(r#"{host} - {user} [01/Jan/2026:00:00:00 +0000] "{request}" {status} 1 "https://r.example/" "curl""#)
    }

    #[test]
    fn only_a_get_below_400_is_a_page_load() {
        let seen = event(&line("192.0.2.7", "-", "GET /a?b=c HTTP/1.1", 304));
        assert_eq!((seen.kind.as_str(), seen.outcome), ("page_load", Outcome::Success));
        assert_eq!(seen.page.map(|page| (page.sent, page.key)), Some(("/a?b=c".to_owned(), "/a".to_owned())));
        assert_eq!(seen.target, None);
        assert_eq!(seen.user_id.unwrap().as_str(), "ip:192.0.2.7");
        assert_eq!(seen.source, Some("192.0.2.7".parse().unwrap()));
        let metadata = json!({"status": 304, "method": "GET", "referer": "https://r.example/"});
        assert_eq!(seen.metadata.map(Value::Object), Some(metadata));

        for (request, status, outcome) in [
            ("GET /a?b HTTP/1.1", 404, Outcome::Failure),
            ("HEAD /a?b HTTP/1.1", 200, Outcome::Success),
            ("POST /a?b HTTP/1.1", 500, Outcome::Failure),
        ] {
            let seen = event(&line("192.0.2.7", "-", request, status));
            assert_eq!((seen.kind.as_str(), seen.outcome, seen.page), ("request", outcome, None), "{request}");
            let target = seen.target.unwrap();
            assert_eq!((target.kind.as_deref(), target.id.as_deref()), (Some("path"), Some("/a?b")));
        }
    }

    #[test]
    fn the_user_is_the_login_name_or_the_address_or_the_host() {
        for (host, user, id, source) in [
            ("::ffff:192.0.2.7", "-", "ip:192.0.2.7", Some("192.0.2.7")),
            ("2001:DB8::1", "-", "ip:2001:db8::1", Some("2001:db8::1")),
            ("203.0.113.7:51234", "-", "ip:203.0.113.7", Some("203.0.113.7")),
            ("[2001:db8::1]:443", "-", "ip:2001:db8::1", Some("2001:db8::1")),
            ("fe80::1%eth0", "-", "ip:fe80::1", Some("fe80::1")),
            ("crawler.example", "-", "ip:crawler.example", None),
            ("192.0.2.7", "jane", "jane", Some("192.0.2.7")),
        ] {
            let seen = event(&line(host, user, "GET / HTTP/1.1", 200));
            assert_eq!(seen.user_id.unwrap().as_str(), id);
            assert_eq!(seen.source, source.map(|address| address.parse().unwrap()));
            assert_eq!(seen.user_name.as_deref(), Some(user).filter(|user| *user != "-"));
        }
    }

    #[test]
    fn long_texts_are_cut_and_invalid_requests_are_kept() {
        let path = format!("/{}", "é".repeat(3_000));
        let seen = event(&line(&"h".repeat(300), "-", &format!("GET {path} HTTP/1.1"), 200));
        assert_eq!(seen.page.unwrap().sent.chars().count(), 2_048);
        assert_eq!(seen.user_id.unwrap().as_str().len(), 128);
        assert_eq!(seen.metadata.unwrap().get("path_characters"), Some(&json!(3_001)));

        let seen = event(&line("192.0.2.7", "-", r"\x16\x03\x01", 400));
        assert_eq!((seen.kind.as_str(), seen.target, seen.page), ("request", None, None));
        assert_eq!(seen.metadata.unwrap().get("request"), Some(&json!(r"\x16\x03\x01")));
        assert_eq!(event(&line("192.0.2.7", "-", "-", 408)).kind.as_str(), "request");
    }
}

//! The event that a line of an access log stands for.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use trailkeeper_domain::event::{EventDraft, Outcome, PAGE_LOAD, REQUEST, Target};
use trailkeeper_domain::page::MAX_PAGE;
use trailkeeper_domain::text::shown;

use crate::access_log::{Automatic, LogLine, Request};

/// The largest text in the metadata, in bytes of JSON. The metadata of an event has at most two texts of this size, and
/// the limit of all metadata (`MAX_METADATA_BYTES`) has room for both: long texts must not cost the event its metadata.
const MAX_TEXT: usize = 6 * 1024;
/// The same for lists of addresses, names of virtual hosts and identities.
const MAX_SHORT_TEXT: usize = 768;

/// The line as an event without an id: a `page_load` for a GET with a status below 400 that is not automatic, else a
/// `request`.
///
/// The fields of the draft have the texts of the line, however long: `EventDraft::into_event` decides what of them is
/// stored. Texts in the metadata are cut.
pub fn to_draft(line: LogLine<'_>, automatic: Option<Automatic>) -> EventDraft {
    let LogLine { client, at, request, status, referer, user_agent } = line;
    let succeeded = status.map(|status| status < 400);
    let mut metadata = Map::new();
    if let Some(status) = status {
        metadata.insert("status".to_owned(), json!(status));
    }
    let user_id = match client.user.as_ref().or(client.unclear_user.as_ref()) {
        Some(user) => Some(user.clone().into_owned()),
        // The address or the host name of a client without a name.
        None => client.address_or_name().map(|name| format!("ip:{name}")),
    };
    let user_id_problem = client.unclear_user.as_deref().map(|user| {
        format!("'{}' is hardly a name: it is blank, an address, or has a '-' among its words", shown(user))
    });
    let forwarded_for = client.host.filter(|host| host.contains(','));
    for (name, text) in
        [("virtual_host", client.virtual_host), ("forwarded_for", forwarded_for), ("ident", client.ident.as_deref())]
    {
        put(&mut metadata, name, text, MAX_SHORT_TEXT);
    }
    put(&mut metadata, "referer", referer.as_deref(), MAX_TEXT);
    let (method, path) = match request {
        Request::Http { method, path } => (Some(method), Some(path)),
        Request::Other(text) => {
            put(&mut metadata, "request", Some(&text), MAX_TEXT);
            (None, None)
        }
        Request::Nothing => (None, None),
    };
    put(&mut metadata, "method", method.as_deref(), MAX_SHORT_TEXT);
    if let Some(automatic) = automatic {
        metadata.insert("automatic".to_owned(), json!(automatic.as_str()));
    }
    let is_page_load = method.as_deref() == Some("GET") && succeeded == Some(true) && automatic.is_none();
    let (page, target) = if is_page_load { (path, None) } else { (None, path.map(target_of)) };
    EventDraft {
        occurred_at: Some(at),
        user_id,
        user_id_problem,
        user_name: client.user.map(Cow::into_owned),
        kind: if is_page_load { PAGE_LOAD } else { REQUEST }.to_owned(),
        outcome: Some(match succeeded {
            Some(true) => Outcome::Success,
            Some(false) => Outcome::Failure,
            None => Outcome::Unknown,
        }),
        source: client.host.map(str::to_owned),
        user_agent: user_agent.map(Cow::into_owned),
        page,
        target,
        metadata: Some(metadata.into()),
        ..EventDraft::default()
    }
}

fn target_of(path: String) -> Target {
    Target { kind: Some("path".to_owned()), id: Some(path), name: None }
}

/// Adds a text to the metadata: up to [`MAX_PAGE`] characters and `max` bytes of it, and its length if that is less
/// than all of it.
fn put(metadata: &mut Map<String, Value>, name: &str, text: Option<&str>, max: usize) {
    let Some(text) = text else { return };
    let mut size = 0;
    let fits = text.chars().take(MAX_PAGE).take_while(|c| {
        size += json_size(*c);
        size <= max
    });
    let short: String = fits.collect();
    if short.len() < text.len() {
        metadata.insert(format!("{name}_characters"), json!(text.chars().count()));
    }
    metadata.insert(name.to_owned(), json!(short));
}

/// The bytes of a character in a JSON text.
fn json_size(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::event::{CheckedEvent, Event, IngestContext, MAX_METADATA_BYTES, Metadata};
    use trailkeeper_domain::id::{EventId, UserId};
    use trailkeeper_domain::page::Page;
    use trailkeeper_domain::time;
    use uuid::Uuid;

    use super::*;

    fn checked(line: &str) -> CheckedEvent {
        let context = IngestContext {
            now: time::parse_rfc3339("now", "2026-03-01T00:00:00Z").unwrap(),
            source: None,
            tenant_scope: None,
        };
        let draft = to_draft(LogLine::parse(line).unwrap(), None);
        draft.into_event(&context, EventId(Uuid::nil())).unwrap()
    }

    fn event(line: &str) -> Event {
        checked(line).event
    }

    fn value(metadata: Option<Metadata>) -> Value {
        metadata.unwrap().as_str().parse().unwrap()
    }

    fn line(host: &str, user: &str, request: &str, status: &str) -> String {
        format!(r#"{host} - {user} [01/Jan/2026:00:00:00 +0000] "{request}" {status} 1 "https://r.example/" "curl""#)
    }

    #[test]
    fn only_a_get_below_400_is_a_page_load() {
        let seen = event(&line("192.0.2.7", "-", "GET /a?b=c HTTP/1.1", "304"));
        assert_eq!((seen.kind.as_str(), seen.outcome), ("page_load", Outcome::Success));
        assert_eq!(seen.page.as_ref().map(Page::as_str), Some("/a?b=c"));
        assert_eq!(seen.target, None);
        assert_eq!(seen.user_id.unwrap().as_str(), "ip:192.0.2.7");
        assert_eq!(seen.source, Some("192.0.2.7".parse().unwrap()));
        let metadata = json!({"status": 304, "method": "GET", "referer": "https://r.example/"});
        assert_eq!(value(seen.metadata), metadata);

        for (request, status, outcome) in [
            ("GET /a?b HTTP/1.1", "404", Outcome::Failure),
            ("HEAD /a?b HTTP/1.1", "200", Outcome::Success),
            ("POST /a?b HTTP/1.1", "500", Outcome::Failure),
            ("GET /a?b HTTP/1.1", "-", Outcome::Unknown),
            ("GET /a?b HTTP/1.1", "000", Outcome::Unknown),
            ("GET /a?b", "009", Outcome::Unknown),
        ] {
            let seen = event(&line("192.0.2.7", "-", request, status));
            assert_eq!((seen.kind.as_str(), seen.outcome, seen.page), ("request", outcome, None), "{request}");
            let target = seen.target.unwrap();
            assert_eq!((target.kind.as_deref(), target.id.as_deref()), (Some("path"), Some("/a?b")));
            let kept = value(seen.metadata).get("status").cloned();
            assert_eq!(
                kept,
                Some(status)
                    .filter(|_| outcome != Outcome::Unknown)
                    .map(|status| json!(status.parse::<u16>().unwrap()))
            );
        }
    }

    #[test]
    fn the_user_is_the_login_name_or_the_address_or_the_host() {
        for (host, user, id, source) in [
            ("::ffff:192.0.2.7", "-", Some("ip:192.0.2.7"), Some("192.0.2.7")),
            ("2001:DB8::1", "-", Some("ip:2001:db8::1"), Some("2001:db8::1")),
            ("203.0.113.7:51234", "-", Some("ip:203.0.113.7"), Some("203.0.113.7")),
            ("[2001:db8::1]:443", "-", Some("ip:2001:db8::1"), Some("2001:db8::1")),
            ("fe80::1%eth0", "-", Some("ip:fe80::1"), Some("fe80::1")),
            ("203.0.113.7, 10.0.0.1", "-", Some("ip:203.0.113.7"), Some("203.0.113.7")),
            ("crawler.example", "-", Some("ip:crawler.example"), None),
            ("192.0.2.7", "jane", Some("jane"), Some("192.0.2.7")),
            ("shop.example:443 192.0.2.7", "jane", Some("jane"), Some("192.0.2.7")),
            ("-", "jane", Some("jane"), None),
            // Nobody is known.
            ("-", "-", None, None),
            ("unix:", "-", None, None),
            ("unknown", "-", None, None),
            ("forged, 10.0.0.1", "-", None, None),
        ] {
            let seen = event(&line(host, user, "GET / HTTP/1.1", "200"));
            assert_eq!(seen.user_id.as_ref().map(UserId::as_str), id, "{host}");
            assert_eq!(seen.source, source.map(|address| address.parse().unwrap()), "{host}");
            assert_eq!(seen.user_name.as_deref(), Some(user).filter(|user| *user != "-"));
        }
    }

    #[test]
    fn names_are_the_ones_of_the_log() {
        for (user, id) in [
            (r"CORP\\jane", r"CORP\jane"),
            (r"CORP\x5Cjane", r"CORP\jane"),
            (r#"\"bob\""#, "\"bob\""),
            (r"J\xC3\xBCrgen", "Jürgen"),
            (r"J\xc3\xbcrgen", "Jürgen"),
            (r"J\xfcrgen", r"J\xfcrgen"),
            ("jane doe", "jane doe"),
            ("jane ", "jane "),
            (" jane", " jane"),
        ] {
            let seen = event(&line("192.0.2.7", user, "GET / HTTP/1.1", "200"));
            assert_eq!((seen.user_id.unwrap().as_str(), seen.user_name.as_deref()), (id, Some(id)), "{user}");
        }
    }

    #[test]
    fn other_fields_of_the_client_are_metadata() {
        for (fields, metadata) in [
            ("shop.example:443 192.0.2.7 - jane", json!({"virtual_host": "shop.example:443"})),
            ("192.0.2.7, 10.0.0.1 - jane", json!({"forwarded_for": "192.0.2.7, 10.0.0.1"})),
            (r"192.0.2.7 CORP\\jd jane", json!({"ident": r"CORP\jd"})),
        ] {
            let seen = event(&format!(r#"{fields} [01/Jan/2026:00:00:00 +0000] "-" - -"#));
            assert_eq!(seen.source, Some("192.0.2.7".parse().unwrap()));
            assert_eq!(seen.user_id.as_ref().map(UserId::as_str), Some("jane"));
            assert_eq!(value(seen.metadata), metadata, "{fields}");
        }
    }

    #[test]
    fn invalid_requests_are_kept() {
        let seen = event(&line("192.0.2.7", "-", r"\x16\x03\x01", "400"));
        assert_eq!((seen.kind.as_str(), seen.target, seen.page), ("request", None, None));
        assert_eq!(value(seen.metadata)["request"], json!(r"\x16\x03\x01"));
        assert_eq!(event(&line("192.0.2.7", "-", "-", "408")).kind.as_str(), "request");
    }

    #[test]
    fn no_text_of_a_client_loses_its_line() {
        let name = "n".repeat(129);
        let path = format!("/{}", "é".repeat(2_048));
        for (line, field, original) in [
            (line("192.0.2.7", &name, "GET / HTTP/1.1", "401"), "user_id", name.clone()),
            (line("192.0.2.7", r"jane\n\x00", "GET / HTTP/1.1", "401"), "user_id", "jane\n\\x00".to_owned()),
            (line("192.0.2.7", " ", "GET / HTTP/1.1", "200"), "user_id", " ".to_owned()),
            (line("192.0.2.7", "   ", "GET / HTTP/1.1", "401"), "user_id", "   ".to_owned()),
            (line("192.0.2.7", r"\xe3\x80\x80", "GET / HTTP/1.1", "401"), "user_id", "\u{3000}".to_owned()),
            (line("192.0.2.7", "x - y", "GET / HTTP/1.1", "401"), "user_id", "x - y".to_owned()),
            (line("192.0.2.7", r"- ja\xC3\xA9ne ", "GET / HTTP/1.1", "401"), "user_id", "- jaéne ".to_owned()),
            (line("192.0.2.7", "10.0.0.1", "GET / HTTP/1.1", "401"), "user_id", "10.0.0.1".to_owned()),
            (
                line("192.0.2.7", "-", &format!("GET {path} HTTP/1.1"), "200"),
                "page",
                path.chars().take(1_024).collect(),
            ),
            (line("192.0.2.7", "-", r"GET /a\tb HTTP/1.1", "200"), "page", "/a\tb".to_owned()),
            (
                line("192.0.2.7", "-", &format!("PUT {path} HTTP/1.1"), "200"),
                "target.id",
                path.chars().take(1_024).collect(),
            ),
            (line("crawler.example", "-", "GET / HTTP/1.1", "200"), "source", "crawler.example".to_owned()),
            (line("unix:", "jane", "GET / HTTP/1.1", "200"), "source", "unix:".to_owned()),
            (line("forged, 10.0.0.1", "jane", "GET / HTTP/1.1", "200"), "source", "forged, 10.0.0.1".to_owned()),
        ] {
            let CheckedEvent { event, warnings } = checked(&line);
            let originals: Vec<(&str, &str)> =
                event.original.iter().map(|(field, original)| (field.as_str(), original.text.as_str())).collect();
            assert_eq!(originals, [(field, original.as_str())], "{line}");
            assert!(warnings.iter().any(|warning| warning.field == field), "{line}: {warnings:?}");
        }
        let seen = event(&line("192.0.2.7", &name, "GET / HTTP/1.1", "401"));
        assert_eq!((seen.user_id, seen.user_name), (None, Some(name)));
        // A text that is hardly a name is no name at all, and the hash is that of the whole text.
        let seen = event(&line("192.0.2.7", &format!("x - {}", "y".repeat(2_000)), "GET / HTTP/1.1", "401"));
        assert_eq!((seen.user_id, seen.user_name), (None, None));
        let original = seen.original.get("user_id").unwrap();
        assert_eq!(original.text, format!("x - {}", "y".repeat(1_020)));
        // By `python3 -c 'import hashlib; print(hashlib.sha256(b"x - " + b"y" * 2000).hexdigest())'`.
        let hash = "42301129cc0817d9b815aec90b31320222a01a63f224a724e8b54c27f73d0871";
        assert_eq!(original.sha256.as_deref(), Some(hash));
        // A text for display is cut.
        let agent =
            r#"192.0.2.7 - - [01/Jan/2026:00:00:00 +0000] "-" 200 1 "-" "a\tb"#.to_owned() + &"c".repeat(1_100) + "\"";
        assert_eq!(event(&agent).user_agent.unwrap(), format!("a b{}", "c".repeat(1_021)));
    }

    #[test]
    fn no_text_is_too_long_for_the_metadata() {
        for text in ["😀", "é", r"\\", r#"\""#, r"\x01", "x"] {
            let long = text.repeat(20_000);
            let line = format!(
                r#"{0}:443 192.0.2.7, {1} - - {2} [01/Jan/2026:00:00:00 +0000] "{2}" 400 1 "{2}" "{2}""#,
                "h".repeat(63),
                "10.0.0.1, ".repeat(1_000) + "10.0.0.1",
                long,
            );
            let seen = event(&line);
            let size = seen.metadata.as_ref().unwrap().as_str().len();
            assert!((4_000..MAX_METADATA_BYTES).contains(&size), "{text}: {size}");
            let metadata = value(seen.metadata);
            let kept = metadata["referer"].as_str().unwrap().chars().count();
            assert!((1_000..=2_048).contains(&kept), "{text}: {kept}");
            assert!(metadata["referer_characters"].as_u64().unwrap() >= 20_000, "{text}");
        }
    }
}

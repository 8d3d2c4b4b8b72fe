//! One line of the common or the combined log format:
//! `host ident user [time] "request" status bytes "referer" "user agent"`, also with a virtual host in front.

use std::borrow::Cow;

use trailkeeper_domain::text::shown;
use trailkeeper_domain::time::Timestamp;

use crate::access_log::Request;
use crate::access_log::client::Client;
use crate::access_log::escape::{legible, unescaped};
use crate::access_log::stamp::split_at_time;

const BLANKS: [char; 2] = [' ', '\t'];

/// The fields of one line, as far as possible borrowed from its text.
#[derive(Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Virtual host, client and its names.
    pub client: Client<'a>,
    /// Time of the request.
    pub at: Timestamp,
    /// The request line, as far as it could be read.
    pub request: Request<'a>,
    /// Status of the response, 100 to 999; absent if the server sent none.
    pub status: Option<u16>,
    /// Page that linked to the requested one.
    pub referer: Option<Cow<'a, str>>,
    /// Program of the client.
    pub user_agent: Option<Cow<'a, str>>,
}

impl<'a> LogLine<'a> {
    /// Reads a line. The error is a sentence that names the broken field.
    pub fn parse(line: &'a str) -> Result<Self, String> {
        let (fields, at, rest) = split_at_time(line)?;
        let client = Client::read(fields)?;
        let (request, rest) = quoted(rest, "request")?;
        let (status, rest) = word(rest);
        let status = status_of(status)?;
        let (bytes, rest) = word(rest);
        if bytes != "-" && (bytes.is_empty() || !bytes.bytes().all(|b| b.is_ascii_digit())) {
            return Err(format!("bytes: '{}' is not a number of bytes", shown(bytes)));
        }
        let rest = without_measures(rest)?;
        let (referer, user_agent) = if rest.is_empty() {
            (None, None)
        } else {
            let (referer, rest) = quoted(rest, "referer")?;
            // Many servers log more fields after those of the combined format: they are ignored.
            let (user_agent, _) = quoted(rest, "user agent")?;
            (present(referer).map(legible), present(user_agent).map(unescaped))
        };
        let request = Request::read(request);
        Ok(Self { client, at, request, status, referer, user_agent })
    }
}

/// The status; `None` if there is none. nginx writes `000` if the client went away, and `009` for a request of
/// HTTP/0.9.
pub(super) fn status_of(status: &str) -> Result<Option<u16>, String> {
    if status == "-" {
        return Ok(None);
    }
    let is_status = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
    let number = status.parse::<u16>().ok().filter(|_| is_status);
    number
        .map(|number| Some(number).filter(|number| *number >= 100))
        .ok_or_else(|| format!("status: '{}' is not an HTTP status", shown(status)))
}

/// Drops numbers after the bytes, such as the duration of the request or the bytes on the wire.
fn without_measures(text: &str) -> Result<&str, String> {
    let mut rest = text.trim_matches(BLANKS);
    while !rest.is_empty() && !rest.starts_with('"') {
        let (measure, after) = word(rest);
        let is_number = measure.starts_with(|c: char| c.is_ascii_digit())
            && measure.chars().all(|c| c.is_ascii_digit() || ".,:nuµmsh".contains(c));
        if !is_number && !matches!(measure, "-" | "." | "," | ":") {
            return Err(format!(
                "'{}' stands after the bytes; expected a number, or the referer in quotes",
                shown(measure)
            ));
        }
        rest = after.trim_start_matches(BLANKS);
    }
    Ok(rest)
}

/// Takes a quoted field as the log has it, and gives it with the rest of the line. A quote after a backslash does not
/// end the field.
fn quoted<'a>(text: &'a str, field: &str) -> Result<(&'a str, &'a str), String> {
    let inside = text
        .trim_start_matches(BLANKS)
        .strip_prefix('"')
        .ok_or_else(|| format!("{field}: is missing; expected a text in quotes"))?;
    let at = closing_quote(inside)
        .ok_or_else(|| format!("{field}: the closing quote is missing; the line seems to be cut off"))?;
    let (content, rest) = inside.split_at(at);
    Ok((content, rest.strip_prefix('"').unwrap_or(rest)))
}

/// The place of the quote that ends a text: none after a backslash does.
pub(super) fn closing_quote(inside: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return Some(at),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(BLANKS);
    text.split_at(text.find(BLANKS).unwrap_or(text.len()))
}

pub(super) fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !matches!(*text, "-" | ""))
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time;

    use super::*;

    const COMBINED: &str = r#"83.149.9.216 - - [17/May/2015:10:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 203023 "http://x.example/" "Mozilla/5.0 (X11)""#;

    #[test]
    fn the_combined_format_is_read() {
        assert_eq!(
            LogLine::parse(COMBINED).unwrap(),
            LogLine {
                client: Client { host: Some("83.149.9.216"), ..Client::default() },
                at: time::parse_rfc3339("t", "2015-05-17T08:05:03Z").unwrap(),
                request: Request::Http { method: "GET".to_owned(), path: "/a?b=c".to_owned() },
                status: Some(200),
                referer: Some("http://x.example/".into()),
                user_agent: Some("Mozilla/5.0 (X11)".into()),
            }
        );
    }

    #[test]
    fn the_common_format_and_its_variants_are_read() {
        let line = LogLine::parse(r#"h.example - jane [doe] [29/Feb/2024:23:59:59 -0130] "-" 408 -"#).unwrap();
        assert_eq!((line.client.host, line.client.user.as_deref()), (Some("h.example"), Some("jane [doe]")));
        assert_eq!(time::rfc3339(line.at), "2024-03-01T01:29:59Z");
        assert_eq!(
            (line.request, line.status, line.referer, line.user_agent),
            (Request::Nothing, Some(408), None, None)
        );

        let line = LogLine::parse(
            r#"::1 - - [01/Jan/2026:00:00:00 +0000] "\x16\x03\x01" 400 0 "-" "a \"b\" \\ c" "10.0.0.1" 0.02"#,
        )
        .unwrap();
        assert_eq!(line.request, Request::Other(r"\x16\x03\x01".into()));
        assert_eq!(line.user_agent.as_deref(), Some(r#"a "b" \ c"#));
    }

    /// Status, referer and user agent.
    type End = (Option<u16>, Option<String>, Option<String>);

    /// The fields of a line that ends like this after its request.
    fn end(rest: &str) -> Result<End, String> {
        let line = format!("203.0.113.7 - - [10/Oct/2026:13:55:36 +0000] \"GET /a HTTP/1.1\" {rest}");
        let line = LogLine::parse(&line)?;
        Ok((line.status, line.referer.map(Cow::into_owned), line.user_agent.map(Cow::into_owned)))
    }

    #[test]
    fn the_end_of_a_line_is_read_as_servers_write_it() {
        for (rest, status, referer, user_agent) in [
            ("200 5", Some(200), None, None),
            ("200 -", Some(200), None, None),
            ("499 0 ", Some(499), None, None),
            ("-  5", None, None, None),
            ("- -", None, None, None),
            ("000 0", None, None, None),
            ("009 5", None, None, None),
            ("100 5", Some(100), None, None),
            ("  200\t5   \"r\"  \"UA\"  ", Some(200), Some("r"), Some("UA")),
            ("200 5 \"-\" \"\"", Some(200), None, None),
            (r#"200 5 "/caf\xC3\xA9\\" "\xe2\x82\xac \"x\"""#, Some(200), Some(r"/café\"), Some("€ \"x\"")),
            (r#"200 5 "\x01" "a\tb""#, Some(200), Some(r"\x01"), Some("a\tb")),
            // A duration after the bytes: Apache's %D, nginx's $request_time and $upstream_response_time.
            ("200 778 1736", Some(200), None, None),
            ("200 778 0.003 0.001, 0.002 - .", Some(200), None, None),
            ("200 778 12ms \"r\" \"UA\"", Some(200), Some("r"), Some("UA")),
            // More fields after those of the combined format: Apache's combinedio, nginx's main, Traefik.
            ("200 5 \"r\" \"UA\" 431 1042", Some(200), Some("r"), Some("UA")),
            ("200 5 \"r\" \"UA\" \"198.51.100.9\" rt=0.003", Some(200), Some("r"), Some("UA")),
            ("200 5 \"-\" \"-\" 17 \"web@docker\" \"http://10.0.0.2:80\" 3ms", Some(200), None, None),
        ] {
            let expected = (status, referer.map(str::to_owned), user_agent.map(str::to_owned));
            assert_eq!(end(rest), Ok(expected), "{rest}");
        }
        for (rest, reason) in [
            ("2000 1", "status: '2000' is not an HTTP status"),
            ("20 1", "status: '20' is not"),
            ("+20 1", "status: '+20' is not"),
            ("OK 1", "status: 'OK' is not"),
            ("", "status: '' is not"),
            ("200 x", "bytes: 'x' is not a number"),
            ("200", "bytes: '' is not a number"),
            ("200 1 miss", "'miss' stands after the bytes"),
            ("200 1 TCP_MISS:HIER_DIRECT", "'TCP_MISS:HIER_DIRECT' stands after the bytes"),
            ("200 1 \"-\"", "user agent: is missing"),
            ("200 1 \"-\" \"cut", "user agent: the closing quote"),
            ("200 1 \"-\" \"cut\\\"", "user agent: the closing quote"),
        ] {
            let message = end(rest).unwrap_err();
            assert!(message.contains(reason), "{rest}: {message}");
        }
    }

    #[test]
    fn a_line_cut_off_anywhere_is_refused_or_a_common_line() {
        for end in (0..COMBINED.len()).filter_map(|end| COMBINED.get(..end)) {
            let common = end.matches('"').count() == 2 && end.contains("\" 200 2");
            assert_eq!(LogLine::parse(end).is_ok(), common, "{end}");
        }
    }

    #[test]
    fn errors_name_the_broken_field() {
        for (line, reason) in [
            ("", "has no time such as"),
            ("not a log line at all", "has no time such as"),
            (r#"h - - [31/Feb/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "has no time such as"),
            (r#"h [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "has no user before the time"),
            (r#"h - - [01/Jan/0001:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "time: "),
            ("h - - [01/Jan/2026:00:00:00 +0000] GET / 200 1", "request: is missing"),
            (r#"h - - [01/Jan/2026:00:00:00 +0000] "GET /"#, "request: the closing quote"),
        ] {
            let message = LogLine::parse(line).unwrap_err();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn lines_of_other_formats_are_refused() {
        for line in [
            // AWS: an application load balancer, a classic one, S3, CloudFront.
            r#"https 2026-10-10T13:55:36.123456Z app/web/50dc6c 203.0.113.7:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://shop.example:443/ HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2"#,
            r#"2026-10-10T13:55:36.123456Z web 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://shop.example:80/ HTTP/1.1" "curl/7.38.0" - -"#,
            r#"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [10/Oct/2026:13:55:36 +0000] 203.0.113.7 79a59d 3E57427F REST.GET.OBJECT a "GET /a HTTP/1.1" 200 - 113 - 7 - "-" "S3" -"#,
            "2026-10-10\t13:55:36\tFRA2\t2390282\t203.0.113.7\tGET\tshop.example\t/a\t200\t-\tMozilla",
            // Microsoft IIS (W3C), with its header.
            "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status",
            "2026-10-10 13:55:36 10.0.0.1 GET /a - 443 CORP\\jane 203.0.113.7 Mozilla/5.0 200 0 0 15",
            // Squid's own format.
            "1791640536.123    180 203.0.113.7 TCP_MISS/200 411 GET http://shop.example/a jane HIER_DIRECT/10.0.0.1 text/html",
            // HAProxy and Envoy.
            r#"web1 haproxy[1]: 203.0.113.7:33317 [10/Oct/2026:13:55:36.123] http-in web/s1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1""#,
            r#"[2026-10-10T13:55:36.123Z] "GET /a HTTP/2" 200 - 154 0 226 100 "203.0.113.7" "curl" "cc21d9b0" "web" "10.0.2.1:80""#,
            // Log lines of programs, as JSON and for people.
            r#"{"remote_addr":"203.0.113.7","time":"10/Oct/2026:13:55:36 +0000","request":"GET /a HTTP/1.1","status":200}"#,
            r#"INFO:     203.0.113.7:51234 - "GET /a HTTP/1.1" 200 OK"#,
            r#"203.0.113.7 - - [10/Oct/2026 13:55:36] "GET /a HTTP/1.1" 200 -"#,
            "[Sat Oct 10 13:55:36.123456 2026] [core:error] [pid 35708] [client 203.0.113.7:51234] File does not exist",
        ] {
            let message = LogLine::parse(line).unwrap_err();
            assert!(message.contains("log format") || message.contains("is missing after the time"), "{message}");
        }
    }
}

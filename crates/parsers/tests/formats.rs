//! Formats of servers' configurations, and JSON lines as servers write them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use trailkeeper_domain::event::EventDraft;
use trailkeeper_domain::time;
use trailkeeper_parsers::access_log::{Format, JsonLine, LineReader, LogLine, Request, Traffic};

/// The fields of a line: virtual host, host, identity, user, time, request, status, referer, user agent, with `.` for
/// one that is absent.
fn shown(line: &LogLine<'_>) -> String {
    let text = |text: Option<&str>| text.unwrap_or(".").to_owned();
    let request = match &line.request {
        Request::Http { method, path } => format!("{method} {path}"),
        Request::Other(text) => format!("? {text}"),
        Request::Nothing => ".".to_owned(),
    };
    [
        text(line.client.virtual_host),
        text(line.client.host),
        text(line.client.ident.as_deref()),
        text(line.client.user.as_deref().or(line.client.unclear_user.as_deref())),
        time::rfc3339(line.at),
        request,
        line.status.map_or(".".to_owned(), |status| status.to_string()),
        text(line.referer.as_deref()),
        text(line.user_agent.as_deref()),
    ]
    .join(" | ")
}

fn by_format(format: &str, line: &str) -> Result<String, String> {
    Format::parse(format).unwrap().read(line).map(|line| shown(&line))
}

const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

#[test]
fn lines_are_read_by_their_format() {
    let at = "17/May/2026:10:05:03 +0200";
    let utc = "2026-05-17T08:05:03Z";
    for (format, line, expected) in [
        // nginx: its own combined and main formats.
        (
            COMBINED,
            format!(r#"192.0.2.7 - - [{at}] "GET /a?b HTTP/1.1" 200 5 "-" "curl""#),
            format!(". | 192.0.2.7 | . | . | {utc} | GET /a?b | 200 | . | curl"),
        ),
        (
            COMBINED,
            format!(r#"192.0.2.7 - jane doe [{at}] "GET /\xC3\xA9 HTTP/1.1" 200 5 "https://r.example/" "q \x22x\x22""#),
            format!(". | 192.0.2.7 | . | jane doe | {utc} | GET /é | 200 | https://r.example/ | q \"x\""),
        ),
        (
            COMBINED,
            format!(r#"unix: - x [01/Jan/2020:00:00:00 +0000] [{at}] "-" 400 0 "-" "-""#),
            format!(". | unix: | . | x [01/Jan/2020:00:00:00 +0000] | {utc} | . | 400 | . | ."),
        ),
        // Ingress controllers of Kubernetes.
        (
            r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"#,
            format!(
                r#"192.0.2.7 - - [{at}] "POST /a HTTP/2.0" 502 5 "-" "curl" 77 0.003 [web-80] [] 10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 0, 5 0.001, 0.002 502, 200 ab12"#
            ),
            format!(". | 192.0.2.7 | . | . | {utc} | POST /a | 502 | . | curl"),
        ),
        (
            r#"$host $server_port [$time_iso8601] $request_method "$uri$is_args$args" ${status}ms"#,
            r#"shop.example 443 [2026-05-17T10:05:03+02:00] GET "/a b?c" 304ms"#.to_owned(),
            format!("shop.example | . | . | . | {utc} | GET /a b?c | 304 | . | ."),
        ),
        (
            r"$msec $scheme://$host$request_uri $request_method $remote_addr",
            "1778997903.250 https://shop.example/a?b=//c GET 2001:db8::1".to_owned(),
            "shop.example | 2001:db8::1 | . | . | 2026-05-17T06:05:03.250Z | GET /a?b=//c | . | . | .".to_owned(),
        ),
        (
            r#""$http_x_forwarded_for" $time_local "$request_method $request_uri $server_protocol""#,
            format!(r#""192.0.2.7, 10.0.0.1" {at} "GET /a HTTP/1.1""#),
            format!(". | 192.0.2.7, 10.0.0.1 | . | . | {utc} | GET /a | . | . | ."),
        ),
        // Apache, with quotes as in its configuration.
        (
            r#"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""#,
            format!(r#"192.0.2.7 ident jane [{at}] "GET /a HTTP/1.1" 200 - "-" "a \"b\"""#),
            format!(r#". | 192.0.2.7 | ident | jane | {utc} | GET /a | 200 | . | a "b""#),
        ),
        (
            r#"%v:%p %h %l %u %t "%r" %>s %O"#,
            format!(r#"shop.example:443 192.0.2.7 - - [{at}] "GET /a HTTP/1.1" 200 5"#),
            format!("shop.example | 192.0.2.7 | . | . | {utc} | GET /a | 200 | . | ."),
        ),
        (
            r#"%{%Y-%m-%d %H:%M:%S %z}t|%a|%m|"%U%q"|%s|%D%%"#,
            r#"2026-05-17 10:05:03 +0200|192.0.2.7|GET|"/a?b"|200|17%"#.to_owned(),
            format!(". | 192.0.2.7 | . | . | {utc} | GET /a?b | 200 | . | ."),
        ),
        (
            r#"%{usec}t %{c}a %a "%m %U %H" "%!200,304{x-id}^ti" %{HOST}i"#,
            r#"1778997903250000 10.0.0.9 192.0.2.7 "GET /a b HTTP/1.1" "a b" shop.example"#.to_owned(),
            "shop.example | 192.0.2.7 | . | . | 2026-05-17T06:05:03.250Z | GET /a b | . | . | .".to_owned(),
        ),
    ] {
        assert_eq!(by_format(format, &line), Ok(expected), "{format}: {line}");
    }
}

#[test]
fn a_line_that_does_not_fit_is_refused_and_never_half_read() {
    let whole = r#"192.0.2.7 - - [17/May/2026:10:05:03 +0200] "GET /a HTTP/1.1" 200 5 "-" "curl""#;
    assert!(by_format(COMBINED, whole).is_ok());
    for end in 0..whole.len() {
        assert!(by_format(COMBINED, &whole[..end]).is_err(), "{}", &whole[..end]);
    }
    for (line, reason) in [
        (format!("{whole} more"), "' more' stands after the last field"),
        (format!(" {whole}"), "expected ' - '"),
        (whole.replace("192.0.2.7", "192.0.2.700"), "neither an address nor a host name"),
        (whole.replace(" 200 ", " OK "), "status: 'OK' is not an HTTP status"),
        (whole.replace("May", "Mai"), "$time_local: '17/Mai/2026:10:05:03 +0200' is no time"),
        (whole.replace(" \"-\" ", " \"- "), "expected ' '"),
    ] {
        let message = by_format(COMBINED, &line).unwrap_err();
        assert!(message.contains(reason), "{line}: {message}");
    }
    // Blanks and commas that a client chose can look like other fields.
    let format = r#"$remote_user $upstream_status $msec "$request""#;
    assert!(by_format(format, r#"jane doe 200 1 "GET / HTTP/1.1""#).is_ok());
    let message = by_format(format, r#"jane 502, 200 1 "GET / HTTP/1.1""#).unwrap_err();
    assert!(message.contains("can be read in two ways"), "{message}");
}

#[test]
fn a_format_whose_fields_have_no_clear_end_is_refused() {
    for (format, reason) in [
        ("", "has neither variables of nginx"),
        ("combined", "has neither variables of nginx"),
        ("$remote_addr$status [$time_local] \"$request\"", "'$remote_addr' and '$status' stand side by side"),
        ("%h%>s %t \"%r\"", "'%h' and '%>s' stand side by side"),
        ("$remote_addr [$time_local] $request", "'$request' may contain blanks"),
        ("$remote_addr $http_x_name [$time_local] \"$request\"", "'$http_x_name' may contain blanks"),
        ("%h %{Cookie}i %t \"%r\"", "'%{Cookie}i' may contain blanks"),
        ("%h %t \"%r %{Referer}i\"", "'%r' and '%{Referer}i' may both contain blanks"),
        ("$remote_addr \"$request\"", "has no time"),
        ("$remote_addr [$time_local]", "has no request"),
        ("$remote_addr [$time_local] $request_method", "has no request"),
        ("$remote_addr [$time_local] \"$request", "the closing quote is missing"),
        ("%h %t \"%r\" %{Referer", "the '}' of '%{' is missing"),
        ("%h %t \"%r\" %>", "'%>' is no directive"),
        ("%h %{%H:%M}t \"%r\"", "the time '%{%H:%M}t' has no offset"),
        ("$remote_addr [$time_local] \"$request\" ${status", "the '}' of '${' is missing"),
        ("{\"time\":\"$time_iso8601\",\"request\":\"$request\"}", "leave --format out"),
    ] {
        let message = Format::parse(format).unwrap_err();
        assert!(message.contains(reason), "{format}: {message}");
    }
    assert!(Format::parse(&"$status ".repeat(1_000)).unwrap_err().contains("longer than"));
}

#[test]
fn a_hostile_line_takes_no_longer_than_its_length_needs() {
    let format = Format::parse(r#"$remote_addr - $remote_user [$time_local] "$request" $status"#).unwrap();
    let begun = std::time::Instant::now();
    let line = format!("192.0.2.7 - {} \"GET\"", " [17/May/2026:10:05:03 +0000".repeat(37_000));
    assert!(line.len() > 1_000_000 && format.read(&line).is_err());
    let lists = Format::parse(r#"$msec "$request" $upstream_status $status"#).unwrap();
    assert!(lists.read(&format!("1 \"GET / HTTP/1.1\" {}", "1, ".repeat(300_000))).is_err());
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

fn read(line: &str) -> Result<EventDraft, String> {
    LineReader { format: None, traffic: Traffic::new(true, true) }.read(line)
}

fn by_names(line: &str) -> Result<String, String> {
    JsonLine::parse(line)?.line().map(|line| shown(&line))
}

#[test]
fn json_lines_of_servers_are_read_by_their_names() {
    for (line, expected) in [
        // Caddy 2.
        (
            r#"{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/a?b=é","headers":{"User-Agent":["curl/7.82.0"],"Referer":["https://r.example/"]},"tls":{"resumed":false}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"]}}"#,
            "shop.example | 192.0.2.7 | . | . | 2022-03-09T21:30:01.524102Z | GET /a?b=é | 200 | https://r.example/ | curl/7.82.0",
        ),
        (
            r#"{"ts":"2026-05-17T10:05:03.5+02:00","request":{"remote_ip":"192.0.2.7","method":"POST","uri":"/","headers":{}},"user_id":"jane","status":0}"#,
            ". | 192.0.2.7 | . | jane | 2026-05-17T08:05:03.500Z | POST / | . | . | .",
        ),
        // Traefik 3.
        (
            r#"{"ClientAddr":"192.0.2.7:51234","ClientHost":"192.0.2.7","ClientPort":"51234","ClientUsername":"-","DownstreamStatus":304,"OriginStatus":200,"RequestAddr":"shop.example:443","RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/a?b","RequestProtocol":"HTTP/2.0","StartUTC":"2026-05-17T08:05:03.123456789Z","entryPointName":"web","level":"info","msg":"","request_User-Agent":"curl","time":"2026-05-17T08:05:04Z"}"#,
            "shop.example | 192.0.2.7 | . | . | 2026-05-17T08:05:03.123456Z | GET /a?b | 304 | . | curl",
        ),
        // nginx with escape=json.
        (
            r#"{"time_iso8601":"2026-05-17T10:05:03+02:00","remote_addr":"192.0.2.7","remote_user":"jane doe","request":"GET /\u00e9 HTTP/1.1","status":"200","http_referer":"","http_user_agent":"q \"x\"","host":"shop.example"}"#,
            "shop.example | 192.0.2.7 | . | jane doe | 2026-05-17T08:05:03Z | GET /é | 200 | . | q \"x\"",
        ),
        (
            r#"{"time":"17/May/2026:10:05:03 +0200","client_ip":"192.0.2.7","method":"GET","uri":"/a","args":"b=c","status":404}"#,
            ". | 192.0.2.7 | . | . | 2026-05-17T08:05:03Z | GET /a?b=c | 404 | . | .",
        ),
        (
            r#"{"msec":1778997903.25,"request":"\u0016\u0003","status":400}"#,
            ". | . | . | . | 2026-05-17T06:05:03.250Z | ? \u{16}\u{3} | 400 | . | .",
        ),
    ] {
        assert_eq!(by_names(line).as_deref(), Ok(expected), "{line}");
        let event = read(line).unwrap();
        assert!(event.id.is_none() && event.occurred_at.is_some());
    }
}

#[test]
fn json_lines_without_what_an_event_needs_are_refused() {
    for (line, reason) in [
        ("{", "is no JSON object"),
        (r#"{"level":"info","ts":1646861401.5,"msg":"serving initial configuration"}"#, "has no time"),
        (
            r#"{"time":"2026-05-17T10:05:03Z","status":200}"#,
            "has no request; expected the fields request, request_method",
        ),
        (r#"{"request":"GET / HTTP/1.1"}"#, "has no time; expected one of the fields time_iso8601"),
        (r#"{"request":"GET / HTTP/1.1","time":"yesterday"}"#, "time: 'yesterday' is no time"),
        (r#"{"request":"GET / HTTP/1.1","msec":1,"status":"OK"}"#, "status: 'OK'"),
        (r#"{"request":"GET / HTTP/1.1","msec":1,"remote_addr":"192.0.2.700"}"#, "neither an address nor a host name"),
        (r#"{"request":"GET / HTTP/1.1","msec":1,"remote_user":7}"#, "remote_user: '7' is no text"),
        (r#"{"ts":1,"request":{"method":"GET"}}"#, "has no request"),
    ] {
        let message = read(line).unwrap_err();
        assert!(message.contains(reason), "{line}: {message}");
    }
}

#[test]
fn requests_of_bots_and_for_static_files_are_no_page_loads() {
    let line = |path: &str, agent: &str| {
        format!(r#"192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET {path} HTTP/1.1" 200 5 "-" "{agent}""#)
    };
    let person = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let kind = |traffic: (bool, bool), line: &str| {
        let draft = LineReader { format: None, traffic: Traffic::new(traffic.0, traffic.1) }.read(line).unwrap();
        let metadata: serde_json::Value = draft.metadata.unwrap().as_str().parse().unwrap();
        assert_eq!(draft.page.is_some(), draft.kind == "page_load");
        assert_eq!(draft.target.is_some(), draft.kind == "request");
        (draft.kind, metadata["automatic"].as_str().map(str::to_owned))
    };
    let page = ("page_load".to_owned(), None);
    let request = |what: &str| ("request".to_owned(), Some(what.to_owned()));
    for path in ["/", "/a.html", "/css", "/report.pdf", "/a.css/b", "/a?x=/b.png", "/v1.2", "/robots.txt/x"] {
        assert_eq!(kind((true, true), &line(path, person)), page, "{path}");
    }
    for path in ["/a.css", "/A/B.PNG", "/app.3f2.js?v=1.2", "/x.woff2#y", "/robots.txt", "/.ico"] {
        assert_eq!(kind((true, true), &line(path, person)), request("asset"), "{path}");
        assert_eq!(kind((true, false), &line(path, person)), page, "{path}");
    }
    for agent in [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        "curl/8.5.0",
        "python-requests/2.32.3",
        "Go-http-client/2.0",
    ] {
        assert_eq!(kind((true, true), &line("/a", agent)), request("bot"), "{agent}");
        assert_eq!(kind((true, true), &line("/a.css", agent)), request("bot"), "{agent}");
        assert_eq!(kind((false, true), &line("/a", agent)), page, "{agent}");
    }
}

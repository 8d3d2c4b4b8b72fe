//! Headers for browsers: security headers, and the origins that may read answers.

use trailkeeper_http::HttpSettings;

use crate::support::{TestApp, TestResponse};

const ORIGIN: &str = "https://app.example";

#[test]
fn every_answer_has_the_security_headers() {
    let app = TestApp::new();
    let admin = app.admin();
    let answers = [
        admin.get("/v1/events"),
        app.anon().get("/v1/events"),
        app.anon().get("/no/such/path"),
        app.anon().get("/healthz"),
        admin.post("/healthz", &serde_json::json!({})),
        admin.call("POST", "/v1/events").body(vec![b'['; 9 << 20]).send(),
        app.anon().get("/api/UserAccount/UserEvents"),
        app.anon().get("/v1/analysis/active-users"),
        app.anon().get("/v1/auditlog/users"),
    ];
    for answer in answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("'self'") && !policy.contains("unsafe"), "{policy}");
        // HSTS is sent only over TLS.
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}

#[test]
fn swagger_ui_may_run_its_own_files_and_nothing_else() {
    let app = TestApp::new();
    let page = app.anon().get("/docs/index.html");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self'"), "{policy}");
    // The page must not contain anything that the policy blocks.
    let html = page.text();
    for script in html.split("<script").skip(1) {
        assert!(script.starts_with(" src="), "{script}");
    }
    assert!(!html.contains(" onload=") && !html.contains("http://") && !html.contains("//cdn"), "{html}");
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
}

fn from(app: &TestApp, method: &str, path: &str, origin: &str, asking: Option<&str>) -> TestResponse {
    let admin = app.admin();
    let mut call = admin.call(method, path).header("Origin", origin);
    if let Some(asked) = asking {
        call = call.header("Access-Control-Request-Method", asked);
        call = call.header("Access-Control-Request-Headers", "authorization,content-type");
    }
    call.send()
}

fn assert_closed(answer: &TestResponse) {
    for (name, _) in &answer.headers {
        assert!(!name.as_str().starts_with("access-control-"), "{answer:?}");
    }
}

#[test]
fn without_origins_in_the_settings_no_other_origin_may_read() {
    let app = TestApp::new();
    assert_closed(&from(&app, "GET", "/v1/events", ORIGIN, None));
    let preflight = from(&app, "OPTIONS", "/v1/events", ORIGIN, Some("POST"));
    assert_eq!(preflight.status, 405);
    assert_closed(&preflight);
}

#[test]
fn a_listed_origin_may_read_and_no_other() {
    let cors_origins = vec![ORIGIN.to_owned(), "http://localhost:3000".to_owned()];
    let app = TestApp::with(HttpSettings { cors_origins, ..HttpSettings::default() });
    let answer = from(&app, "GET", "/v1/events", ORIGIN, None);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(ORIGIN)));
    assert_eq!(answer.header("vary"), Some("Origin"));
    // The server accepts no credentials that a browser stores, and does not ask for them.
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-Id"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    // A script must be able to read the reason of an error.
    let refused = app.anon().call("GET", "/v1/events").header("Origin", ORIGIN).send();
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some(ORIGIN)));
    for other in [
        "https://app.example.evil",
        "https://evil-app.example",
        "http://app.example",
        "https://app.example:8443",
        "HTTPS://APP.EXAMPLE",
        "https://app.example/",
        "https://app.example, https://evil.example",
        "null",
        "*",
        "",
    ] {
        let answer = from(&app, "GET", "/v1/events", other, None);
        assert_eq!(answer.status, 200);
        assert_closed(&answer);
        assert_eq!(answer.header("vary"), Some("Origin"), "a cache must not give it to {ORIGIN}");
        assert_closed(&from(&app, "OPTIONS", "/v1/events", other, Some("GET")));
    }
}

#[test]
fn a_preflight_gets_the_methods_of_the_path() {
    let app = TestApp::with(HttpSettings { cors_origins: vec![ORIGIN.to_owned()], ..HttpSettings::default() });
    for (path, methods) in [
        ("/v1/events", "GET, HEAD, POST"),
        ("/v1/analysis/user-behavior-day", "PUT"),
        ("/v1/auditlog/users/attributes", "PATCH"),
        ("/api/UserAccount/Login", "POST"),
    ] {
        // Browsers send a preflight without a credential.
        let call = app.anon().call("OPTIONS", path).header("Origin", ORIGIN);
        let answer = call.header("Access-Control-Request-Method", "POST").send();
        answer.no_content();
        let listed: std::collections::BTreeSet<_> =
            answer.header("access-control-allow-methods").unwrap().split(", ").collect();
        assert_eq!(listed, methods.split(", ").collect(), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
        let allowed = answer.header("access-control-allow-headers").unwrap();
        for name in ["Authorization", "Content-Type", "Content-Encoding", "Last-Event-ID"] {
            assert!(allowed.contains(name), "{allowed}");
        }
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        let vary: Vec<_> = answer.headers.get_all("vary").map(|value| value.to_str().unwrap()).collect();
        assert_eq!(vary, ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"]);
        assert_eq!(answer.header("content-type"), None);
    }
    let unknown = from(&app, "OPTIONS", "/v1/nothing", ORIGIN, Some("GET"));
    assert_eq!((unknown.status, unknown.header("access-control-allow-methods")), (404, None));
    // Not a preflight: an ordinary OPTIONS request.
    assert_eq!(from(&app, "OPTIONS", "/v1/events", ORIGIN, None).status, 405);
}

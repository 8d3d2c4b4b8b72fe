//! Rate limits per credential and per source.

use actix_web::web::Data;
use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_domain::account::Role;
use trailkeeper_http::{AppState, HttpSettings, LimitSettings};
use trailkeeper_testkit::DatabaseKind;

use crate::support::{ACME, Caller, TestApp, TestResponse};

const LIMITS: LimitSettings = LimitSettings {
    login: 2,
    ingest: 3,
    read: 4,
    analytics: 5,
    change: 6,
    administer: 7,
    public: 8,
    probe: 9,
    refused: 10,
};

const TRAFFIC: &str = "/v1/analytics/traffic?from=2026-07-01&to=2026-07-02";

fn limited(limits: LimitSettings) -> TestApp {
    TestApp::with(HttpSettings { limits, ..HttpSettings::default() })
}

fn only(read: u32) -> LimitSettings {
    LimitSettings { read, ..LimitSettings::NONE }
}

/// One request of each group, with its limit.
fn one_of_each(app: &TestApp, admin: &Caller) -> Vec<(u32, TestResponse)> {
    let wrong = app.bearer("tk_0000000000000000000000000000000000000000000000000");
    vec![
        (LIMITS.login, app.anon().post("/v1/sessions", &json!({"email": "a@b.example", "password": "wrong password"}))),
        (LIMITS.ingest, admin.post("/v1/events", &json!([]))),
        (LIMITS.read, admin.get("/v1/events")),
        (LIMITS.analytics, admin.get(TRAFFIC)),
        (LIMITS.change, admin.put(&format!("/v1/tenants/{ACME}"), &json!({}))),
        (LIMITS.administer, admin.get("/v1/accounts")),
        (LIMITS.public, app.anon().get("/openapi/native.json")),
        (LIMITS.probe, app.anon().get("/readyz")),
        (LIMITS.refused, wrong.get("/v1/events")),
    ]
}

fn number_in(answer: &TestResponse, what: &str) -> u32 {
    number(answer, &format!("ratelimit-{what}"))
}

fn number(answer: &TestResponse, header: &str) -> u32 {
    answer.header(header).unwrap_or_else(|| panic!("no {header}")).parse().unwrap()
}

#[test]
fn each_group_has_its_limit_and_reports_its_state() {
    let app = limited(LIMITS);
    let admin = app.admin();
    app.clock.advance(TimeDelta::milliseconds(20_500));
    for round in 1..=11 {
        for (limit, answer) in one_of_each(&app, &admin) {
            assert_eq!(number(&answer, "ratelimit-limit"), limit);
            assert_eq!(number(&answer, "ratelimit-remaining"), limit.saturating_sub(round));
            assert_eq!(number(&answer, "ratelimit-reset"), 40);
            assert_eq!(answer.header("ratelimit-policy"), Some(format!("{limit};w=60").as_str()));
            if round > limit {
                let detail = answer.problem(429, "too_many_requests", None);
                assert!(detail.starts_with(&format!("more than {limit} ")), "{detail}");
                assert_eq!(answer.header("retry-after"), Some("40"));
            } else {
                assert_ne!(answer.status, 429, "{limit}: {}", answer.text());
                assert_eq!(answer.header("retry-after"), None);
            }
        }
    }
    app.clock.advance(TimeDelta::seconds(40));
    for (limit, answer) in one_of_each(&app, &admin) {
        assert_ne!(answer.status, 429, "{limit}: {}", answer.text());
        assert_eq!(number(&answer, "ratelimit-reset"), 60);
    }
}

#[test]
fn credentials_are_counted_separately_and_from_all_addresses() {
    let app = limited(only(2));
    let (one, other) = (app.admin(), app.token(Role::Auditor, None));
    for peer in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(one.call("GET", "/v1/events").peer(peer).send().status, 200);
    }
    assert_eq!(one.get("/v1/events").status, 429);
    assert_eq!(one.get("/v1/tenants").status, 429, "the same group");
    assert_eq!(one.put(&format!("/v1/tenants/{ACME}"), &json!({})).header("ratelimit-limit"), None, "another group");
    assert_eq!(other.get("/v1/events").status, 200);
    // Forbidden requests are counted too.
    assert_eq!(other.get("/v1/events").status, 200);
    assert_eq!(other.get("/v1/events").status, 429);
}

#[test]
fn sources_are_addresses_or_networks_of_64_bits() {
    let app = limited(LimitSettings { public: 2, ..LimitSettings::NONE });
    let from = |peer: &str| app.anon().call("GET", "/openapi/native.json").peer(peer).send().status;
    assert_eq!([from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.2")], [200, 200, 429, 200]);
    assert_eq!([from("2001:db8:0:1::1"), from("2001:db8:0:1:ffff::2"), from("2001:db8:0:1::3")], [200, 200, 429]);
    assert_eq!([from("2001:db8:0:2::1"), from("::ffff:192.0.2.1")], [200, 429]);
}

#[test]
fn without_limits_there_are_no_headers_and_healthz_never_has_any() {
    let app = TestApp::new();
    assert_eq!(app.admin().get("/v1/events").header("ratelimit-limit"), None);
    assert_eq!(app.anon().get("/readyz").header("ratelimit-limit"), None);
    let app = limited(LimitSettings { public: 1, probe: 1, ..LIMITS });
    for _ in 0..3 {
        let answer = app.anon().get("/healthz");
        assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, None));
    }
}

#[test]
fn a_flood_of_readiness_checks_is_rejected_and_affects_nothing_else() {
    let app = limited(LIMITS);
    let admin = app.admin();
    for number in 1..=50 {
        let answer = app.anon().get("/readyz");
        if number <= LIMITS.probe {
            assert_eq!((answer.status, answer.header("retry-after")), (200, None));
            continue;
        }
        let detail = answer.problem(429, "too_many_requests", None);
        assert!(detail.contains("questions from your address whether the server can serve"), "{detail}");
        assert!(detail.contains("--limit-probe"), "{detail}");
        assert_eq!(answer.header("retry-after"), Some("60"));
        assert_eq!((number_in(&answer, "limit"), number_in(&answer, "remaining")), (9, 0));
        assert_eq!((number_in(&answer, "reset"), answer.header("ratelimit-policy")), (60, Some("9;w=60")));
    }
    assert_eq!(app.anon().call("GET", "/readyz").peer("192.0.2.77").send().status, 200, "another source");
    assert_eq!(app.anon().get("/healthz").status, 200);
    for (limit, answer) in one_of_each(&app, &admin).into_iter().filter(|(limit, _)| *limit != LIMITS.probe) {
        assert_eq!((number_in(&answer, "limit"), number_in(&answer, "remaining")), (limit, limit - 1));
    }
}

#[test]
fn guessing_at_credentials_is_stopped_and_neighbours_can_continue() {
    let app = limited(LimitSettings { refused: 3, ..LimitSettings::NONE });
    let (known, fresh) = (app.admin(), app.admin());
    assert_eq!(known.get("/v1/events").status, 200);
    let guess = |number: u32| app.bearer(&format!("tk_{number}")).get("/v1/events");
    for number in 0..3 {
        assert_eq!(guess(number).status, 401);
    }
    guess(3).problem(429, "too_many_requests", None);
    app.bearer("eyJ.eyJ.x").get("/v1/events").problem(429, "too_many_requests", None);
    // After that time the server has only cached that the token was valid.
    app.clock.advance(TimeDelta::seconds(30));
    assert_eq!(known.get("/v1/events").status, 200, "it was valid before");
    assert_eq!(fresh.get("/v1/events").status, 429, "it might be a guess");
    assert_eq!(fresh.call("GET", "/v1/events").peer("192.0.2.77").send().status, 200, "another source");
    assert_eq!(app.anon().get("/v1/events").status, 401, "a missing credential is not a guess");
    app.clock.advance(TimeDelta::seconds(30));
    assert_eq!((fresh.get("/v1/events").status, guess(4).status), (200, 401));
}

#[test]
fn a_login_at_the_address_of_a_guesser_is_admitted() {
    let app = limited(LimitSettings { refused: 3, ..LimitSettings::NONE });
    let guess = |token: &str| app.bearer(token).get("/v1/events").status;
    assert_eq!(["tk_0", "tk_1", "tk_2", "tk_3"].map(guess), [401, 401, 401, 429]);
    let (jane, joe) = (app.person("a@b.example", Role::Admin, None), app.person("c@d.example", Role::Admin, None));
    let tokens = [jane, joe].map(|person| person.caller.token.unwrap());
    let [(claims, _), (_, signature)] = [&tokens[0], &tokens[1]].map(|token| token.rsplit_once('.').unwrap());
    assert_eq!(guess(&format!("{claims}.{signature}")), 429, "another token's signature");
    assert_eq!(guess(&tokens[0]), 200);
    assert_eq!(guess("tk_4"), 429);
}

#[test]
fn each_contract_has_its_own_error_format() {
    let app = limited(LimitSettings { read: 1, analytics: 1, login: 1, ..LimitSettings::NONE });
    let admin = app.admin();
    let users = "/v1/auditlog/users?email=a@b.example";
    let active = "/v1/analysis/active-users?type=daily&date_from=2026-07-01";
    let login = || app.anon().post("/api/UserAccount/Login", &json!({"Username": "a", "Password": "b"}));
    assert_eq!([admin.get(users).status, admin.get(active).status, login().status], [200, 200, 401]);
    for (answer, code) in [(admin.get(users), "/type"), (admin.get(active), "/type"), (login(), "/error")] {
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert_eq!((answer.header("retry-after"), answer.header("ratelimit-limit")), (Some("60"), Some("1")));
        let body = answer.json();
        let text = body.pointer(code).and_then(|text| text.as_str()).unwrap();
        assert!(text == "too_many_requests" || text.starts_with("more than 1 "), "{body}");
    }
}

#[test]
fn servers_of_one_database_share_their_counts() {
    for kind in DatabaseKind::ALL {
        let mut app = TestApp::on(kind);
        let token = app.admin().token.unwrap();
        let server = || {
            let settings = HttpSettings { limits: only(20), ..HttpSettings::default() };
            Data::new(AppState::new(app.state.services.clone(), settings))
        };
        let (one, other) = (server(), server());
        let mut ask = |state: &Data<AppState>| {
            app.state = state.clone();
            app.bearer(&token).get("/v1/tenants")
        };
        for _ in 0..12 {
            assert_eq!(ask(&one).status, 200);
        }
        assert_eq!(number(&ask(&other), "ratelimit-remaining"), 19);
        // The other server has not counted a tenth yet, so it does not read the shared counts.
        assert_eq!(number(&ask(&other), "ratelimit-remaining"), 18);
        one.share_limits().unwrap();
        other.share_limits().unwrap();
        assert_eq!(number(&ask(&other), "ratelimit-remaining"), 5);
        one.share_limits().unwrap();
        assert_eq!(number(&ask(&one), "ratelimit-remaining"), 5);
        for _ in 0..5 {
            assert_eq!(ask(&one).status, 200);
        }
        assert_eq!(ask(&one).status, 429);
        one.share_limits().unwrap();
        other.share_limits().unwrap();
        assert_eq!(ask(&other).status, 429);
        app.clock.advance(TimeDelta::minutes(1));
        app.state = other;
        other_is_free(&app, &token);
    }
}

fn other_is_free(app: &TestApp, token: &str) {
    app.state.share_limits().unwrap();
    assert_eq!(number(&app.bearer(token).get("/v1/tenants"), "ratelimit-remaining"), 19);
}

//! A tenant-scoped credential gets the same answers whatever else the server stores.
//!
//! Two servers have the same data of one tenant. The second one also has another tenant, events without a tenant and
//! many audit events, with the same user ids, event ids, pages, addresses and e-mails wherever that is possible. For
//! every question of a tenant-scoped credential, with the other tenant's ids in every parameter, both must give the same
//! answer, byte by byte. Then counts, errors and the ends of lists show nothing of the other data. Sealed cursors must
//! only have the same length: their texts depend on the numbers that they hide.

use serde_json::{Value, json};
use trailkeeper_analytics::engine::merger;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::cursor;
use trailkeeper_testkit::{DatabaseKind, TestEntropy};

use crate::support::contracts::unix;
use crate::support::{ACME, Caller, OTHER, TestApp, TestResponse, analytic_questions, escaped, numbered, person};

const NONE: &str = "00000000-0000-0000-0000-000000000000";
const SYSTEM: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const DAYS: &str = "start_date=2026-07-01&end_date=2026-07-31";
const POOL: &str = "eu-west-1_aBcD12345";

/// The element of `of` at `number`, counted cyclically.
fn cyclic<'a>(number: u128, of: &[&'a str]) -> &'a str {
    of[usize::try_from(number).unwrap() % of.len()]
}

fn event(number: u128, tenant: &str, user: &str, kind: &str, minute: u128) -> Value {
    json!({
        "id": numbered(number), "tenant_id": tenant, "user_id": user, "type": kind, "page": format!("/p{}", number % 5),
        "source": format!("192.0.2.{}", number % 7), "user_agent": format!("agent {}", number % 3),
        "session_id": format!("s{}", number % 2), "occurred_at": format!("2026-07-22T10:{minute:02}:00Z"),
    })
}

/// The tenant of both servers and its users.
fn of_acme(app: &TestApp) {
    let admin = app.admin();
    admin.put(&format!("/v1/tenants/{ACME}"), &json!({"name": "Acme"})).ok();
    for user in ["ann", "shared"] {
        let record = json!({
            "email": format!("{user}@example.com"), "user_pool_id": POOL, "registered_at": "2026-07-10T00:00:00Z",
        });
        admin.put(&format!("/v1/users/{user}"), &record).ok();
        admin.put(&format!("/v1/tenants/{ACME}/users/{user}"), &json!({})).ok();
    }
    let kinds = ["page_load", "login_success", "login_fail", "userinfo", "a.b"];
    let events: Vec<Value> =
        (0..40).map(|n| event(n, ACME, cyclic(n, &["ann", "shared"]), cyclic(n, &kinds), n)).collect();
    admin.record(&json!(events));
}

/// The other data, only on the second server.
fn of_others(app: &TestApp) {
    let admin = app.admin();
    admin.put(&format!("/v1/tenants/{OTHER}"), &json!({"name": "Other"})).ok();
    for user in ["bob", "ann2"] {
        let email = if user == "ann2" { "ann@example.com" } else { "bob@example.com" };
        let record = json!({"email": email, "user_pool_id": "us-east-1_x", "registered_at": "2026-07-11T00:00:00Z"});
        admin.put(&format!("/v1/users/{user}"), &record).ok();
        admin.put(&format!("/v1/tenants/{OTHER}/users/{user}"), &json!({})).ok();
    }
    admin.put(&format!("/v1/tenants/{OTHER}/users/shared"), &json!({})).ok();
    let kinds = ["page_load", "login_success", "login_fail", "userinfo", "c.d"];
    let mut events = Vec::new();
    for (at, tenant) in [(0, OTHER), (1, NONE)] {
        // The first forty ids are also ids of the tenant's own events.
        events.extend((0..90u128).map(|n| {
            let user = cyclic(n, &["shared", "bob", "ann"]);
            event(n + 1_000 * (n / 40) + at * 5_000 * (n / 40), tenant, user, cyclic(n, &kinds), n % 60)
        }));
    }
    admin.record(&json!(events));
    let report = json!({"type": "daily", "date": "2026-07-22", "tenant_id": OTHER, "env_id": 1, "active_users": 77});
    assert_eq!(admin.put("/v1/analysis/active-users", &report).status, 200);
    for _ in 0..3 {
        person(app, Role::Auditor, None).1.get("/v1/events").ok();
    }
}

/// One server with only the tenant, and one with all data. `others_first` changes the numbers that the store assigns.
fn worlds(kind: DatabaseKind, others_first: bool) -> [TestApp; 2] {
    let (single, full) = (TestApp::on(kind), TestApp::on(kind));
    of_acme(&single);
    if others_first {
        of_others(&full);
    }
    of_acme(&full);
    if !others_first {
        of_others(&full);
    }
    [single, full]
}

/// The questions of a curious credential: without ids, with its own ids, and with those of others.
fn questions() -> Vec<String> {
    let mut all = Vec::new();
    let analytic = analytic_questions();
    let span = "from=2026-07-01&to=2026-07-31";
    for tenant in [ACME, OTHER, NONE, SYSTEM, "99999999-2222-4333-8444-555555555555"] {
        for question in &analytic {
            all.push(format!("{question}?{span}&tenant_id={tenant}"));
        }
        for user in ["ann", "shared", "bob"] {
            all.push(format!("/v1/analytics/users/{user}/timeline?{span}&tenant_id={tenant}"));
            all.push(format!("/v1/analytics/users/{user}/profile?{span}&tenant_id={tenant}"));
            all.push(format!("/v1/tenants/{tenant}/users/{user}"));
        }
        for list in ["", "/count", "/distinct-users", "/histogram"] {
            all.push(format!("/v1/events{list}?tenant_id={tenant}"));
        }
        all.push(format!("/v1/events/{}?tenant_id={tenant}", numbered(3)));
        all.push(format!("/v1/users?tenant_id={tenant}"));
        all.push(format!("/v1/tenants/{tenant}"));
        all.push(format!("/v1/tenants/{tenant}/users"));
        all.push(format!("/v1/analysis/active-users?type=daily&date_from=2026-07-01&tenant_id={tenant}"));
        all.push(format!("/v1/analysis/active-users?type=monthly&date_from=2026-07&tenant_id={tenant}&env_id=1"));
        all.push(format!("/v1/analysis/userinfo/aggregated?{DAYS}&tenant_ids={tenant}"));
        all.push(format!("/v1/analysis/userinfo/aggregated?{DAYS}&tenant_ids={ACME},{tenant}"));
        for metric in ["create_tenant", "create_tenant_user", "create_saas_user"] {
            all.push(format!("/v1/analysis/metrics/aggregated?metrics_type={metric}&{DAYS}&tenant_ids={tenant}"));
        }
    }
    for question in &analytic {
        all.push(format!("{question}?{span}"));
        all.push(format!("{question}?{span}&timezone=Asia/Kolkata"));
    }
    for user in ["ann", "shared", "bob", "ann2", "nobody"] {
        all.push(format!("/v1/events?user_id={user}"));
        all.push(format!("/v1/users/{user}"));
        all.push(format!("/v1/users/{user}/attribute-changes"));
        all.push(format!("/v1/analytics/users/{user}/timeline"));
        all.push(format!("/v1/analytics/users/{user}/profile"));
        all.push(format!("/v1/analysis/users/{user}/behavior-histories"));
        let email = escaped(&format!("{user}@example.com"));
        all.push(format!("/v1/users?email={email}"));
        all.push(format!("/v1/auditlog/users?email={email}"));
        all.push(format!("/v1/auditlog/users?email={email}&user_pool_id=us-east-1_x"));
        all.push(format!("/v1/auditlog/users/events?email={email}&{DAYS}"));
        // Forged cursors: rejected, whether the row exists or not.
        all.push(format!("/v1/users?cursor={}", cursor::encode('u', user)));
        all.push(format!("/v1/tenants/{ACME}/users?cursor={}", cursor::encode('u', user)));
    }
    for tenant in [ACME, OTHER, NONE, SYSTEM] {
        all.push(format!("/v1/tenants?cursor={}", cursor::encode('t', tenant)));
    }
    for number in [0, 3, 41, 1_045, 6_050, 9_999] {
        all.push(format!("/v1/events/{}", numbered(number)));
    }
    for filter in
        ["type=c.d", "type=a.b", "type=events_read", "page=/p1", "source=192.0.2.0/24", "session_id=s1", "env_id=1"]
    {
        for list in ["", "/count", "/distinct-users", "/histogram"] {
            all.push(format!("/v1/events{list}?{filter}"));
            all.push(format!("/v1/events{list}?{}", filter.replacen('=', "!=", 1)));
        }
    }
    for region in [("eu-west-1", POOL), ("us-east-1", "us-east-1_x")] {
        all.push(format!("/v1/auditlog/users/count?{DAYS}&region={}&user_pool_id={}", region.0, region.1));
    }
    let (start, end) = (unix("2026-07-01T00:00:00Z"), unix("2026-07-31T00:00:00Z"));
    all.push(format!("/v1/analysis/metrics/page-statistics?start_timestamp={start}&end_timestamp={end}"));
    all.push("/v1/analysis/active-users?type=monthly&date_from=2026-01".to_owned());
    all.push(format!("/v1/analysis/userinfo/aggregated?{DAYS}"));
    for metric in ["create_tenant", "create_tenant_user", "create_saas_user"] {
        all.push(format!("/v1/analysis/metrics/aggregated?metrics_type={metric}&{DAYS}"));
    }
    all.extend(["/v1/users", "/v1/tenants", "/v1/events"].map(str::to_owned));
    for manage in ["/v1/accounts", "/v1/tokens", "/v1/signing-keys", "/v1/retention/rules", "/v1/legal-holds"] {
        all.push(manage.to_owned());
    }
    all
}

fn status_and_text(answer: &TestResponse) -> (u16, String) {
    (answer.status, answer.text())
}

/// A program of each role, and a person.
fn tenant_scoped(app: &TestApp) -> Vec<Caller<'_>> {
    let programs = Role::ALL.into_iter().map(|role| app.token(role, Some(ACME)));
    programs.chain([person(app, Role::Admin, Some(ACME)).1]).collect()
}

#[test]
fn answers_do_not_depend_on_the_data_of_others() {
    for (kind, others_first) in
        [(DatabaseKind::Sqlite, false), (DatabaseKind::Sqlite, true), (DatabaseKind::Postgres, true)]
    {
        let [single, full] = worlds(kind, others_first);
        for merged in [false, true] {
            if merged {
                for app in [&single, &full] {
                    let clock = app.state.services.clock.as_ref();
                    merger::run_once(app.state.store(), clock, &TestEntropy::new(3)).unwrap();
                }
            }
            let mut differences = Vec::new();
            for (in_one, in_other) in tenant_scoped(&single).iter().zip(&tenant_scoped(&full)) {
                for path in questions() {
                    let [one, other] = [in_one, in_other].map(|caller| status_and_text(&caller.get(&path)));
                    let strange = ["bob@", "c.d"].iter().any(|mark| other.1.contains(mark));
                    assert!(!strange || other.0 >= 400, "{path}: {}", other.1);
                    if one != other {
                        differences.push((path, one, other));
                    }
                }
            }
            assert!(differences.is_empty(), "others first: {others_first}: {differences:#?}");
        }
    }
}

/// All pages of a list without their cursors, and the cursors.
fn pages(caller: &Caller<'_>, path: &str) -> (Vec<Value>, Vec<String>) {
    let (mut pages, mut cursors) = (Vec::new(), Vec::new());
    let mut next = String::new();
    loop {
        let mut page = caller.get(&format!("{path}{next}")).ok();
        let (name, field) =
            if path.contains("auditlog") { ("next_token", "next_token") } else { ("cursor", "next_cursor") };
        let cursor = page.as_object_mut().unwrap().remove(field);
        pages.push(page);
        match cursor.as_ref().and_then(Value::as_str) {
            Some(cursor) => {
                next = format!("&{name}={cursor}");
                cursors.push(cursor.to_owned());
            }
            None => return (pages, cursors),
        }
    }
}

#[test]
fn cursors_do_not_depend_on_the_data_of_others() {
    let members = format!("/v1/tenants/{ACME}/users?limit=1");
    let signs = format!("/v1/auditlog/users/events?email=shared@example.com&{DAYS}&limit=2");
    let lists = [
        "/v1/events?limit=7",
        "/v1/events?limit=1&type=a.b",
        "/v1/analytics/users/shared/timeline?limit=3",
        "/v1/users?limit=1",
        "/v1/users/shared/attribute-changes?limit=1",
        &members,
        &signs,
    ];
    for (kind, others_first) in
        [(DatabaseKind::Sqlite, false), (DatabaseKind::Sqlite, true), (DatabaseKind::Postgres, true)]
    {
        let worlds = worlds(kind, others_first);
        for app in &worlds {
            let admin = app.admin();
            for number in 0..4 {
                let change = |user: &str| {
                    let record = json!({
                        "email": format!("{user}@example.com"), "attributes": {"a": number.to_string()},
                        "user_pool_id": POOL, "registered_at": "2026-07-10T00:00:00Z",
                    });
                    admin.put(&format!("/v1/users/{user}"), &record).ok();
                };
                change("shared");
                if std::ptr::eq(app, &raw const worlds[1]) {
                    change("carl");
                }
            }
        }
        let [single, full] = worlds.each_ref();
        for path in lists {
            let [one, other] = [single, full].map(|app| pages(&app.token(Role::Admin, Some(ACME)), path));
            assert_eq!(one.0, other.0, "{path}");
            assert!(one.1.len() > usize::from(!path.contains("users?")), "{path} has one page");
            let lengths = |cursors: &[String]| cursors.iter().map(String::len).collect::<Vec<_>>();
            assert_eq!(lengths(&one.1), vec![217; one.1.len()], "{path}");
            assert_eq!(lengths(&one.1), lengths(&other.1), "{path}");
            assert!([one.1, other.1].concat().iter().all(|cursor| cursor.starts_with('x')), "{path}");
        }
        // Plain cursors would show it: their numbers differ between the two servers if other rows came before or between.
        for path in [&format!("/v1/events?limit=7&tenant_id={ACME}"), lists[4]] {
            let [one, other] = [single, full].map(|app| pages(&app.admin(), path));
            let differ = others_first || !path.contains("events");
            assert_eq!((one.0.len(), one.1 != other.1), (other.0.len(), differ), "{path}");
        }
    }
}

/// All pages of the feed without their cursors. All cursors are sealed and have one length.
fn pages_of_feed(caller: &Caller<'_>, query: &str) -> Vec<Value> {
    let (mut pages, mut position) = (Vec::new(), String::new());
    loop {
        let mut page = caller.get(&format!("/v1/events/feed?{query}{position}")).ok();
        let next = page["next_cursor"].take();
        let events = page["events"].as_array_mut().unwrap().iter_mut();
        let cursors: Vec<Value> = events.map(|event| event["position"].take()).chain([next]).collect();
        for cursor in &cursors {
            assert!(cursor.as_str().is_some_and(|text| text.len() == 137 && text.starts_with('x')), "{cursor}");
        }
        position = format!("&cursor={}", cursors.last().unwrap().as_str().unwrap());
        let is_last = page["has_more"] == false;
        pages.push(page);
        if is_last {
            return pages;
        }
    }
}

#[test]
fn the_feed_does_not_depend_on_the_data_of_others() {
    for (kind, others_first) in
        [(DatabaseKind::Sqlite, false), (DatabaseKind::Sqlite, true), (DatabaseKind::Postgres, true)]
    {
        let [single, full] = worlds(kind, others_first);
        single.settle();
        full.settle();
        for query in ["limit=7", "limit=1000", "start=now", "limit=1&type=a.b", "limit=3&user_id=shared", "type=c.d"] {
            let [one, other] = [&single, &full].map(|app| pages_of_feed(&app.token(Role::Auditor, Some(ACME)), query));
            assert_eq!(one, other, "{query}");
        }
        // A stream begins with the same events.
        let [one, other] = [&single, &full].map(|app| {
            let mut stream =
                app.token(Role::Analyst, Some(ACME)).call("GET", "/v1/events/stream?start=beginning").stream();
            (0..40).map(|_| stream.event().data["id"].take()).collect::<Vec<_>>()
        });
        assert_eq!(one, other);
    }
}

#[test]
fn octopais_list_contains_only_its_tenant() {
    for kind in DatabaseKind::ALL {
        let apps = worlds(kind, true);
        let [one, other] = apps.each_ref().map(|app| {
            let admin = app.token(Role::Admin, Some(ACME));
            [json!({}), json!({"PageNumber": 2, "RowsInPage": 7}), json!({"PageNumber": 7, "RowsInPage": 7})]
                .map(|body| admin.post("/api/UserAccount/UserEvents", &body).ok())
        });
        assert_eq!(one, other);
        assert_eq!(one[0].as_array().unwrap().len(), 40);
    }
}

#[test]
fn writes_stay_in_its_tenant() {
    let [_, app] = worlds(DatabaseKind::Sqlite, true);
    let admin = app.token(Role::Admin, Some(ACME));
    let everyone = app.admin();
    let before = everyone.get(&format!("/v1/events?tenant_id={OTHER}&limit=1000")).ok();
    let report = |tenant: &str| json!({"type": "daily", "date": "2026-07-22", "tenant_id": tenant, "env_id": 1, "active_users": 1});
    for tenant in [OTHER, NONE, SYSTEM] {
        assert_eq!(admin.put("/v1/analysis/active-users", &report(tenant)).status, 404, "{tenant}");
        let event = json!([{"type": "x", "tenant_id": tenant}]);
        assert_eq!(admin.post("/v1/events", &event).json()["results"][0]["status"], "refused", "{tenant}");
        for (method, path) in [
            ("PUT", format!("/v1/tenants/{tenant}")),
            ("DELETE", format!("/v1/tenants/{tenant}")),
            ("PUT", format!("/v1/tenants/{tenant}/users/ann")),
            ("DELETE", format!("/v1/tenants/{tenant}/users/shared")),
        ] {
            assert_eq!(admin.call(method, &path).json(&json!({})).send().status, 404, "{method} {path}");
        }
    }
    let at = unix("2026-07-22T10:00:00Z");
    let day = json!({"timestamp": at, "user_id": "bob", "histories": [{"timestamp": at, "referer": "/mine"}]});
    assert_eq!(admin.put("/v1/analysis/user-behavior-day", &day).status, 200);
    for email in ["ann@example.com", "bob@example.com"] {
        let change = json!({"email": email, "attributes": [{"name": "a", "value": "b"}]});
        assert_eq!(admin.call("PATCH", "/v1/auditlog/users/attributes").json(&change).send().status, 403);
    }
    assert_eq!(everyone.get(&format!("/v1/events?tenant_id={OTHER}&limit=1000")).ok(), before);
    let mine = everyone.get("/v1/events?page=/mine").ok();
    assert_eq!(mine["events"][0]["tenant_id"], ACME);
    assert_eq!(mine["events"].as_array().unwrap().len(), 1);
    assert_eq!(everyone.get(&format!("/v1/tenants/{OTHER}/users/shared")).status, 200);
}

//! Filters of `GET /v1/events`, each compared with a recount.

use std::net::IpAddr;

use serde_json::{Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_testkit::DatabaseKind;

use crate::support::{ACME, Caller, OTHER, TestApp, escaped, numbered};

const SYSTEM: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// Draws from short lists, so that many events share each value.
struct Dice(u64);

impl Dice {
    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (self.0 >> 33) % values.len() as u64;
        values[usize::try_from(at).unwrap()]
    }
}

const SOURCES: [&str; 7] =
    ["192.0.2.1", "192.0.2.200", "192.0.3.1", "10.0.0.1", "2001:db8::1", "2001:db8:1::1", "2001:db9::1"];
const PAGES: [Option<&str>; 6] =
    [None, Some("/a"), Some("/a?x=1"), Some("/a#top"), Some("/b?x=1"), Some("https://app.example/a?x")];
/// Type and id of a target.
const TARGETS: [[Option<&str>; 2]; 6] = [
    [None, None],
    [Some("invoice"), Some("1")],
    [Some("invoice"), Some("Ü 2/&")],
    [Some("user"), Some("1")],
    [Some("invoice"), None],
    [None, Some("1")],
];
const TIMES: [&str; 6] = [
    "2026-07-01T00:00:00Z",
    "2026-07-01T23:59:59.999999Z",
    "2026-07-02T00:00:00Z",
    "2026-07-02T12:00:00Z",
    "2026-07-02T23:59:59.999999Z",
    "2026-07-03T00:00:00Z",
];

pub(super) fn events() -> Vec<Value> {
    let mut dice = Dice(7);
    (0..400)
        .map(|n| {
            let [target_type, target_id] = dice.of(&TARGETS);
            json!({
                "id": numbered(n),
                "tenant_id": dice.of(&[ACME, OTHER]),
                "env_id": dice.of(&[0, 1, 4_294_967_295_u32]),
                "user_id": dice.of(&[None, Some("u1"), Some("u/2 +&"), Some("Ü3")]),
                "type": dice.of(&["login_success", "login_fail", "page_load", "a.b_c9"]),
                "outcome": dice.of(&["success", "failure", "unknown"]),
                "source": dice.of(&SOURCES),
                "page": dice.of(&PAGES),
                "session_id": dice.of(&[None, Some("s1"), Some("s 2")]),
                "target": {"type": target_type, "id": target_id, "name": "1"},
                "occurred_at": dice.of(&TIMES),
            })
        })
        .collect()
}

/// Ids of the events that `keep` accepts, newest first; of equal times the latest stored first.
pub(super) fn recount(events: &[Value], keep: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut kept: Vec<(usize, &Value)> = events.iter().enumerate().filter(|(_, event)| keep(event)).collect();
    let time = |event: &Value| TIMES.iter().position(|time| event["occurred_at"] == *time).unwrap();
    kept.sort_by_key(|(index, event)| std::cmp::Reverse((time(event), *index)));
    kept.into_iter().map(|(_, event)| event["id"].as_str().unwrap().to_owned()).collect()
}

/// Ids on all pages of a list, without audit events.
pub(super) fn listed(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("/v1/events?{query}&limit=37{cursor}")).ok();
        let events = page["events"].as_array().unwrap().iter().filter(|event| event["tenant_id"] != SYSTEM);
        all.extend(events.map(|event| event["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// Whether two addresses agree in their first bits.
pub(super) fn inside(address: &Value, network: &str, bits: u32) -> bool {
    let parsed = |text: &str| text.parse::<IpAddr>().unwrap();
    match (parsed(address.as_str().unwrap()), parsed(network)) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros() >= bits,
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros() >= bits,
        _ => false,
    }
}

pub(super) type Keep = Box<dyn Fn(&Value) -> bool>;

#[test]
fn every_filter_agrees_with_a_recount() {
    DatabaseKind::ALL.into_iter().for_each(filters_agree_with_a_recount);
}

/// The page of an event without query and fragment.
pub(super) fn page_key(event: &Value) -> Option<String> {
    event["page"].as_str().map(|page| page.split(['?', '#']).next().unwrap().to_owned())
}

/// Whether the event occurred at one of [`TIMES`] from the index `first` on.
fn from(event: &Value, first: usize) -> bool {
    TIMES[first..].iter().any(|time| event["occurred_at"] == *time)
}

/// Filters by what the event is about.
fn cases_by_target() -> Vec<(String, Keep)> {
    vec![
        ("target_type=invoice".into(), Box::new(|e| e["target"]["type"] == "invoice")),
        ("target_type=Invoice".into(), Box::new(|_| false)),
        ("target_id=1".into(), Box::new(|e| e["target"]["id"] == "1")),
        (format!("target_id={}", escaped("Ü 2/&")), Box::new(|e| e["target"]["id"] == "Ü 2/&")),
        (
            "target_type=invoice&target_id=1".into(),
            Box::new(|e| e["target"]["type"] == "invoice" && e["target"]["id"] == "1"),
        ),
        (
            format!("tenant_id={OTHER}&target_type=invoice&target_id=1"),
            Box::new(|e| e["tenant_id"] == OTHER && e["target"]["type"] == "invoice" && e["target"]["id"] == "1"),
        ),
        (
            "target_id=1&type=page_load,a.b_c9&page=/a&to=2026-07-02".into(),
            Box::new(move |e| {
                e["target"]["id"] == "1"
                    && (e["type"] == "page_load" || e["type"] == "a.b_c9")
                    && page_key(e).as_deref() == Some("/a")
                    && !from(e, 5)
            }),
        ),
    ]
}

fn filters_agree_with_a_recount(kind: DatabaseKind) {
    let app = TestApp::on(kind);
    let admin = app.admin();
    let events = events();
    admin.record(&json!(events));
    let mut cases: Vec<(String, Keep)> = vec![
        (format!("tenant_id={ACME}"), Box::new(|e| e["tenant_id"] == ACME)),
        (format!("tenant_id={}", OTHER.to_uppercase()), Box::new(|e| e["tenant_id"] == OTHER)),
        ("env_id=0".into(), Box::new(|e| e["env_id"] == 0)),
        ("env_id=4294967295".into(), Box::new(|e| e["env_id"] == 4_294_967_295_u32)),
        ("user_id=u1".into(), Box::new(|e| e["user_id"] == "u1")),
        (format!("user_id={}", escaped("u/2 +&")), Box::new(|e| e["user_id"] == "u/2 +&")),
        ("user_id=u/2+%2B%26".into(), Box::new(|e| e["user_id"] == "u/2 +&")),
        (format!("user_id={}", escaped("Ü3")), Box::new(|e| e["user_id"] == "Ü3")),
        ("user_id=nobody".into(), Box::new(|_| false)),
        ("type=page_load".into(), Box::new(|e| e["type"] == "page_load")),
        ("type=page_load,a.b_c9".into(), Box::new(|e| e["type"] == "page_load" || e["type"] == "a.b_c9")),
        ("type=page_load&type=a.b_c9".into(), Box::new(|e| e["type"] == "page_load" || e["type"] == "a.b_c9")),
        ("type=login_success,page_load&type=a.b_c9".into(), Box::new(|e| e["type"] != "login_fail")),
        ("type=page_load,page_load".into(), Box::new(|e| e["type"] == "page_load")),
        ("type=unheard_of".into(), Box::new(|_| false)),
        ("outcome=failure".into(), Box::new(|e| e["outcome"] == "failure")),
        ("outcome=unknown".into(), Box::new(|e| e["outcome"] == "unknown")),
        ("source=192.0.2.1".into(), Box::new(|e| e["source"] == "192.0.2.1")),
        ("source=::ffff:192.0.2.1".into(), Box::new(|e| e["source"] == "192.0.2.1")),
        ("source=192.0.2.0/24".into(), Box::new(|e| inside(&e["source"], "192.0.2.0", 24))),
        ("source=192.0.2.77%2F23".into(), Box::new(|e| inside(&e["source"], "192.0.2.0", 23))),
        ("source=0.0.0.0/0".into(), Box::new(|e| inside(&e["source"], "0.0.0.0", 0))),
        ("source=2001:db8::1".into(), Box::new(|e| e["source"] == "2001:db8::1")),
        ("source=2001:db8::/32".into(), Box::new(|e| inside(&e["source"], "2001:db8::", 32))),
        ("source=2001:db8::/31".into(), Box::new(|e| inside(&e["source"], "2001:db8::", 31))),
        ("source=::/0".into(), Box::new(|e| inside(&e["source"], "::", 0))),
        ("page=/a".into(), Box::new(move |e| page_key(e).as_deref() == Some("/a"))),
        ("page=/a%3Fx=2%23y".into(), Box::new(move |e| page_key(e).as_deref() == Some("/a"))),
        (
            "page=https://app.example/a".into(),
            Box::new(move |e| page_key(e).as_deref() == Some("https://app.example/a")),
        ),
        ("session_id=s1".into(), Box::new(|e| e["session_id"] == "s1")),
        ("session_id=s+2".into(), Box::new(|e| e["session_id"] == "s 2")),
        ("from=2026-07-02".into(), Box::new(move |e| from(e, 2))),
        ("from=2026-07-02T12:00:00Z".into(), Box::new(move |e| from(e, 3))),
        ("to=2026-07-01".into(), Box::new(move |e| !from(e, 2))),
        ("to=2026-07-02T12:00:00Z".into(), Box::new(move |e| !from(e, 3))),
        ("from=2026-07-02&to=2026-07-02".into(), Box::new(move |e| from(e, 2) && !from(e, 5))),
        (
            "from=2026-07-02T02:00:00%2B02:00&to=2026-07-03T00:00:00Z".into(),
            Box::new(move |e| from(e, 2) && !from(e, 5)),
        ),
        (
            format!(
                "tenant_id={ACME}&env_id=1&outcome=success&type=page_load,login_success&source=192.0.0.0/16&from=2026-07-01&to=2026-07-02"
            ),
            Box::new(move |e| {
                e["tenant_id"] == ACME
                    && e["env_id"] == 1
                    && e["outcome"] == "success"
                    && (e["type"] == "page_load" || e["type"] == "login_success")
                    && inside(&e["source"], "192.0.0.0", 16)
                    && !from(e, 5)
            }),
        ),
        (
            format!("tenant_id={OTHER}&user_id=u1&page=/a&session_id=s1"),
            Box::new(move |e| {
                e["tenant_id"] == OTHER
                    && e["user_id"] == "u1"
                    && page_key(e).as_deref() == Some("/a")
                    && e["session_id"] == "s1"
            }),
        ),
    ];
    cases.extend(cases_by_target());
    let mut shown = 0;
    for (query, keep) in cases {
        let expected = recount(&events, keep);
        shown += expected.len();
        let found = listed(&admin, &query);
        let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(found == expected, "{kind:?} {query}: {} of {}, first at {differs:?}", found.len(), expected.len());
    }
    assert!(shown > 2_000, "the cases must not be empty lists: {shown}");
}

#[test]
fn a_tenant_scoped_reader_lists_its_tenant_without_naming_it() {
    let app = TestApp::new();
    let events = events();
    app.admin().record(&json!(events));
    let reader = app.token(Role::Auditor, Some(ACME));
    let expected = recount(&events, |event| event["tenant_id"] == ACME);
    assert_eq!(listed(&reader, ""), expected);
    assert_eq!(listed(&reader, &format!("tenant_id={ACME}")), expected);
    let invoices = recount(&events, |event| event["tenant_id"] == ACME && event["target"]["type"] == "invoice");
    assert_eq!(listed(&reader, "target_type=invoice"), invoices);
    let other = format!("/v1/events?tenant_id={OTHER}&target_type=invoice");
    reader.get(&other).problem(404, "tenant_not_found", None);
}

/// The time of the server is 2026-07-23T10:00:00Z, 31 days after 2026-06-22T10:00:00Z.
#[test]
fn a_list_by_target_looks_31_days_back_unless_something_narrows_it() {
    for app in TestApp::on_both() {
        let times = [
            "2026-01-01T00:00:00Z",
            "2026-06-22T09:59:59.999999Z",
            "2026-06-22T10:00:00Z",
            "2026-07-22T10:00:00Z",
            "2026-07-23T10:00:00Z",
        ];
        let document = |(n, time)| {
            json!({
                "id": numbered(n),
                "tenant_id": ACME,
                "user_id": "u1",
                "source": "192.0.2.1",
                "type": "document.change",
                "target": {"type": "document", "id": "7"},
                "occurred_at": time,
            })
        };
        app.admin().record(&times.into_iter().zip(0..).map(|(time, n)| document((n, time))).collect());
        let newest_first = |numbers: &[u128]| numbers.iter().rev().map(|n| numbered(*n)).collect::<Vec<_>>();
        let (everyone, analyst) = (app.admin(), app.token(Role::Analyst, None));
        for (query, expected) in [
            ("", &[2, 3, 4][..]),
            ("&from=2026-06-22T10:00:00Z", &[2, 3, 4]),
            ("&from=2026-07-22", &[3, 4]),
            ("&to=2026-07-22", &[1, 2, 3]),
            // The list ends now, not with the last day.
            ("&from=2026-06-23&to=2026-07-23", &[3, 4]),
            ("&to=2026-07-22T10:00:00Z", &[1, 2]),
            ("&to=2026-07-22T10:00:00Z&from=2026-06-21T10:00:00Z", &[1, 2]),
            ("&to=2026-07-22T10:00:00Z&from=2026-06-22", &[1, 2]),
            // An end in the future does not move the start.
            ("&to=2027-01-01", &[2, 3, 4]),
            ("&outcome=unknown&session_id=s1", &[]),
            ("&user_id=u1", &[0, 1, 2, 3, 4]),
            ("&source=192.0.2.1", &[0, 1, 2, 3, 4]),
            // A network may hold all sources.
            ("&source=192.0.2.0/24", &[2, 3, 4]),
            (&format!("&tenant_id={ACME}"), &[0, 1, 2, 3, 4]),
            (&format!("&tenant_id={ACME}&from=2020-01-01&to=2026-06-22"), &[0, 1, 2]),
        ] {
            for target in ["target_type=document", "target_id=7", "target_type=document&target_id=7"] {
                for caller in [&everyone, &analyst] {
                    assert_eq!(listed(caller, &format!("{target}{query}")), newest_first(expected), "{target}{query}");
                }
            }
        }
        let scoped = app.token(Role::Auditor, Some(ACME));
        assert_eq!(listed(&scoped, "target_id=7"), newest_first(&[0, 1, 2, 3, 4]));
        assert_eq!(listed(&scoped, "target_id=7&from=2020-01-01"), newest_first(&[0, 1, 2, 3, 4]));
        assert_eq!(listed(&app.token(Role::Auditor, Some(OTHER)), "target_id=7"), newest_first(&[]));
        for (query, start, end) in [
            ("from=2026-06-22", "2026-06-22T00:00:00Z", "2026-07-23T10:00:00Z"),
            ("from=2026-06-22T09:59:59.999999Z", "2026-06-22T09:59:59.999999Z", "2026-07-23T10:00:00Z"),
            ("from=2026-06-22&to=2030-01-01", "2026-06-22T00:00:00Z", "2026-07-23T10:00:00Z"),
            ("from=2026-01-01&to=2026-02-01", "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"),
            ("from=2026-01-01&source=0.0.0.0/0", "2026-01-01T00:00:00Z", "2026-07-23T10:00:00Z"),
            ("from=2026-01-01&session_id=s1", "2026-01-01T00:00:00Z", "2026-07-23T10:00:00Z"),
        ] {
            let path = format!("/v1/events?target_id=7&{query}");
            assert_eq!(
                everyone.get(&path).problem(400, "invalid_parameter", Some("from")),
                format!(
                    "'{start}' lies more than 31 days before the end of the list, '{end}', which is too far for a \
                     target in all tenants; send tenant_id, user_id or a single source, or a range of at most 31 days"
                ),
                "{query}"
            );
        }
        let empty = "/v1/events?target_id=7&from=2026-07-02&to=2026-07-01";
        assert!(everyone.get(empty).problem(400, "invalid_parameter", Some("from")).contains("does not lie before"));
    }
}

#[test]
fn invalid_filters_name_their_field() {
    let app = TestApp::new();
    let admin = app.admin();
    let many = vec!["x"; 51].join(",");
    for (query, field) in [
        ("tenant_id=acme", "tenant_id"),
        ("tenant_id=", "tenant_id"),
        ("tenant_id=69e732d68ecc45c4a2eb8438f7ffe775", "tenant_id"),
        ("env_id=-1", "env_id"),
        ("env_id=4294967296", "env_id"),
        ("env_id=%2B1", "env_id"),
        ("env_id=", "env_id"),
        ("user_id=", "user_id"),
        ("user_id=a%0Ab", "user_id"),
        ("user_id=%00", "user_id"),
        ("user_id=%FF", "user_id"),
        ("type=", "type"),
        ("type=a,,b", "type"),
        ("type=Page", "type"),
        (&format!("type={many}"), "type"),
        (&format!("type!={many}"), "type_not"),
        (&format!("env_id={}", many.replace('x', "1")), "env_id"),
        (&vec!["user_id=x"; 51].join("&"), "user_id"),
        ("type!=Page", "type_not"),
        ("user_id_not=", "user_id_not"),
        ("env_id!=x", "env_id_not"),
        ("tenant_id!=69e732d6-8ecc-45c4-a2eb-8438f7ffe775", "tenant_id!"),
        ("colour!=red", "colour!"),
        ("outcome=maybe", "outcome"),
        ("source=localhost", "source"),
        ("source=192.0.2.0/33", "source"),
        ("source=192.0.2.0/", "source"),
        ("page=", "page"),
        ("session_id=", "session_id"),
        ("target_type=", "target_type"),
        (&format!("target_type={}", "x".repeat(65)), "target_type"),
        ("target_id=a%0Ab", "target_id"),
        (&format!("target_id={}", "x".repeat(257)), "target_id"),
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("from=1700000000", "from"),
        ("from=1969-12-31", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("from=2026-07-02T00:00:00Z&to=2026-07-02T00:00:00Z", "from"),
        ("tenant=x", "tenant"),
        ("colour", "colour"),
    ] {
        admin.get(&format!("/v1/events?{query}")).problem(400, "invalid_parameter", Some(field));
    }
    let fifty = vec!["user_id=x"; 50].join("&");
    assert_eq!(admin.get(&format!("/v1/events?{fifty}")).ok()["events"], json!([]));
    for (query, way_out) in [
        (&*format!("{fifty}&user_id=x"), "has 51 values; at most 50 are allowed"),
        ("from=2026-07-02&to=2026-07-01", "send an earlier 'from' or a later 'to'"),
        ("to=2026-07-02T00:00:00+02:00", "write '+' as %2B"),
    ] {
        let answer = admin.get(&format!("/v1/events?{query}"));
        assert!(answer.text().contains(way_out), "{}", answer.text());
    }
}

#[test]
fn one_event_by_its_id() {
    let app = TestApp::new();
    let admin = app.admin();
    admin.record(&json!({"id": numbered(1), "type": "x"}));
    assert_eq!(admin.get(&format!("/v1/events/{}", numbered(1).to_uppercase())).ok()["id"], numbered(1));
    admin.get(&format!("/v1/events/{}", numbered(2))).problem(404, "event_not_found", None);
    for id in ["x", "01975f3c00007000800000000000000", "%7B01975f3c-0000-7000-8000-000000000001%7D"] {
        admin.get(&format!("/v1/events/{id}")).problem(400, "invalid_parameter", Some("event_id"));
    }
    admin.get(&format!("/v1/events/{}?env_id=1", numbered(1))).problem(400, "invalid_parameter", Some("env_id"));
}

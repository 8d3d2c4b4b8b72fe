//! The source of an event whose sender does not give one.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use trailkeeper_http::HttpSettings;

use crate::support::TestApp;

/// The source of an event from `peer` with these forwarding headers.
fn source(app: &TestApp, peer: &str, forwarded: &[&str]) -> Value {
    let admin = app.admin();
    let mut call = admin.call("POST", "/v1/events").json(&json!({"type": "x"})).peer(peer);
    for value in forwarded {
        call = call.header("X-Forwarded-For", value);
    }
    let answer = call.header("Forwarded", "for=9.9.9.9").header("X-Real-IP", "9.9.9.9").send().ok();
    let id = answer["results"][0]["id"].as_str().unwrap();
    admin.get(&format!("/v1/events/{id}")).ok()["source"].clone()
}

#[test]
fn without_a_trusted_proxy_the_peer_is_the_source() {
    let app = TestApp::new();
    assert_eq!(source(&app, "203.0.113.7", &["9.9.9.9"]), "203.0.113.7");
    assert_eq!(source(&app, "127.0.0.1", &["9.9.9.9"]), "127.0.0.1");
    assert_eq!(source(&app, "::ffff:203.0.113.7", &[]), "203.0.113.7");
}

#[test]
fn only_a_trusted_proxy_can_name_the_client() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()];
    let app = TestApp::with(HttpSettings { trusted_proxies, ..HttpSettings::default() });
    for (peer, forwarded, expected) in [
        ("10.0.0.1", &["203.0.113.7"][..], "203.0.113.7"),
        ("10.0.0.1", &[], "10.0.0.1"),
        // Headers from other peers than trusted proxies are ignored.
        ("203.0.113.7", &["9.9.9.9"], "203.0.113.7"),
        // The client wrote the first address itself; the proxies appended the others.
        ("10.0.0.1", &["9.9.9.9, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", &["9.9.9.9", "203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", &["203.0.113.7:5678"], "203.0.113.7"),
        ("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ("2001:db8:ffff::1", &["::ffff:203.0.113.7"], "203.0.113.7"),
        // An invalid address ends the chain: anything before it may be forged.
        ("10.0.0.1", &["203.0.113.7, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["unknown"], "10.0.0.1"),
    ] {
        assert_eq!(source(&app, peer, forwarded), expected, "{peer} {forwarded:?}");
    }
}

#[test]
fn an_event_keeps_the_source_of_its_sender_and_is_found_by_it() {
    let app = TestApp::new();
    let admin = app.admin();
    for (sent, stored) in [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.2:51234", "192.0.2.2"),
        (" 192.0.2.3 ", "192.0.2.3"),
        ("192.0.2.4, 10.0.0.1", "192.0.2.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:DB8::2]", "2001:db8::2"),
        ("fe80::3%eth0", "fe80::3"),
    ] {
        let answer = admin.record(&json!({"type": "x", "source": sent}));
        let id = answer["results"][0]["id"].as_str().unwrap();
        assert_eq!(admin.get(&format!("/v1/events/{id}")).ok()["source"], stored, "{sent}");
        for filter in [sent, stored] {
            let encoded = utf8_percent_encode(filter, NON_ALPHANUMERIC);
            let listed = admin.get(&format!("/v1/events?source={encoded}")).ok();
            let ids: Vec<&Value> = listed["events"].as_array().unwrap().iter().map(|event| &event["id"]).collect();
            assert_eq!(ids, [id], "{filter}");
        }
    }
}

//! Days of `GET /v1/events` in a time zone.

use serde_json::{Value, json};

use crate::support::{TestApp, numbered};

fn ids(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().unwrap();
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

/// New York's clocks are set forward on 8 March 2026, Samoa had no 30 December 2011.
#[test]
fn days_are_local_days_of_the_time_zone() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        let times = [
            "2011-12-30T09:59:59.999999Z",
            "2011-12-30T10:00:00Z",
            "2026-03-08T04:59:59.999999Z",
            "2026-03-08T05:00:00Z",
            "2026-03-09T03:59:59.999999Z",
            "2026-03-09T04:00:00Z",
            "2026-03-09T14:59:59.999999Z",
        ];
        let event =
            |(at, time): (usize, &&str)| json!({"id": numbered(at as u128), "type": "a.b", "occurred_at": time});
        admin.record(&json!(times.iter().enumerate().map(event).collect::<Vec<_>>()));
        for (query, expected) in [
            ("from=2026-03-08&to=2026-03-08&timezone=America/New_York", vec![4, 3]),
            ("from=2026-03-08&to=2026-03-08&timezone=UTC", vec![3, 2]),
            ("from=2026-03-08&to=2026-03-08", vec![3, 2]),
            ("from=2026-03-09&to=2026-03-09&timezone=Asia/Tokyo", vec![6, 5, 4]),
            ("to=2011-12-29&timezone=Pacific/Apia", vec![0]),
            ("from=2011-12-31&to=2011-12-31&timezone=Pacific/Apia", vec![1]),
            // Instants are the same in every zone; the end is excluded.
            ("from=2026-03-08T05:00:00Z&to=2026-03-09T04:00:00Z&timezone=Asia/Tokyo", vec![4, 3]),
        ] {
            let answer = admin.get(&format!("/v1/events?{query}")).ok();
            let expected: Vec<String> = expected.into_iter().map(numbered).collect();
            assert_eq!(ids(&answer), expected, "{query}");
        }
        admin.get("/v1/events?timezone=tokyo").problem(400, "invalid_parameter", Some("timezone"));
        let skipped = "/v1/events?from=2011-12-30&to=2011-12-30&timezone=Pacific/Apia";
        admin.get(skipped).problem(400, "invalid_parameter", Some("from"));
    }
}

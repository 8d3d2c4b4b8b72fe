//! Exports that go on where another one was interrupted, and the feed behind them.

use trailkeeper_domain::account::Role;

use super::{EXPORT, ids, lines, record};
use crate::support::{ACME, OTHER, TestApp, numbered};

#[test]
fn an_export_goes_on_behind_any_event_up_to_the_end_of_the_first_one() {
    for app in TestApp::on_both() {
        let admin = app.admin();
        record(&admin, ACME, 1..6);
        for reader in [app.token(Role::Analyst, None), app.token(Role::Auditor, Some(ACME))] {
            let first = reader.get(&format!("{EXPORT}?positions=true&type=page_load"));
            let (end, events) = (first.header("export-end").unwrap().to_owned(), lines(&first));
            let position = events[1]["position"].as_str().unwrap();
            let rest = format!("{EXPORT}?type=page_load&cursor={position}");
            let rest_of_first = lines(&reader.get(&format!("{rest}&end={end}")));
            assert_eq!(ids(&rest_of_first), ids(&events[2..]));
            assert!(rest_of_first[0].get("position").is_none());
            let csv = reader.get(&format!("{rest}&end={end}&format=csv&positions=true")).text();
            assert_eq!(csv.lines().count(), events.len() - 2, "without the line of names: {csv}");
            // Events that were stored meanwhile are behind the end: another export has them, and the feed.
            let new = numbered(100 + events.len() as u128);
            record(&admin, OTHER, [1000 + events.len() as u128]);
            record(&admin, ACME, [100 + events.len() as u128]);
            assert_eq!(lines(&reader.get(&format!("{rest}&end={end}"))).len(), events.len() - 2);
            let whole = lines(&reader.get(&rest));
            assert_eq!(whole.last().unwrap()["id"], new);
            app.settle();
            let feed = reader.get(&format!("/v1/events/feed?type=page_load&tenant_id={ACME}&cursor={end}")).ok();
            assert_eq!(ids(feed["events"].as_array().unwrap()), [&new]);
            let turned = reader.get(&format!("{EXPORT}?cursor={end}&end={position}"));
            turned.problem(400, "invalid_parameter", Some("end"));
        }
    }
}

#[test]
fn cursors_of_another_form_are_refused() {
    let app = TestApp::new();
    record(&app.admin(), ACME, 1..3);
    let plain = app.token(Role::Analyst, None).get(EXPORT).header("export-end").unwrap().to_owned();
    let scoped = app.token(Role::Auditor, Some(ACME));
    let sealed = scoped.get(EXPORT).header("export-end").unwrap().to_owned();
    assert_eq!((plain.len(), sealed.len()), (81, 137));
    scoped.get(&format!("{EXPORT}?cursor={plain}")).problem(400, "invalid_parameter", Some("cursor"));
    let analyst = app.token(Role::Analyst, None);
    analyst.get(&format!("{EXPORT}?end={sealed}")).problem(400, "invalid_parameter", Some("end"));
    let other = app.token(Role::Auditor, Some(OTHER));
    other.get(&format!("{EXPORT}?cursor={sealed}")).problem(400, "invalid_parameter", Some("cursor"));
}

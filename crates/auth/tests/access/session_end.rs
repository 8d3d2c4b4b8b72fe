//! The longest duration of a session, however often it is refreshed.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};
use serde_json::Value;
use trailkeeper_auth::{Access, AccessSettings, LoggedIn};
use trailkeeper_domain::account::{Role, SessionFilter};
use trailkeeper_domain::time::Timestamp;

use crate::world::{World, operator, origin, unauthenticated};

const REFUSAL: &str = "the refresh token is not valid; log in again";

/// A server with this longest duration of sessions, in days.
fn server(world: &World, days: u64) -> Access {
    let session_ttl = Duration::from_hours(24 * days);
    world.server_with_settings(AccessSettings { bcrypt_cost: 4, session_ttl, ..AccessSettings::default() })
}

/// The end of an access token as its claim `exp` says.
fn claimed_end(logged_in: &LoggedIn) -> Timestamp {
    let claims = logged_in.access_token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    DateTime::from_timestamp(claims.get("exp").and_then(Value::as_i64).unwrap(), 0).unwrap()
}

fn is_listed_as_live(world: &World, login: &LoggedIn) -> bool {
    let live = SessionFilter { account_id: None, live_at: Some(world.now()) };
    let listed = world.access.sessions(live, None, 10).unwrap().items;
    listed.iter().any(|session| session.id == login.session_id)
}

#[test]
fn a_session_ends_ninety_days_after_its_login_however_often_it_is_refreshed() {
    for world in World::on_both() {
        world.jane(Role::Analyst);
        let first = world.jane_logs_in();
        let end = world.now() + TimeDelta::days(90);
        assert_eq!(first.refresh_expires_at, world.now() + TimeDelta::days(30));
        let (mut last, mut spent) = (first, String::new());
        // Every day, and in the last two hours every quarter of an hour.
        let days = (1..90).map(|day| end - TimeDelta::days(90 - day));
        let quarters = (0..8).map(|quarter| end - TimeDelta::minutes(15 * (8 - quarter)));
        // A JWT holds whole seconds: in the last second of the session no valid one can be made.
        let last_second = DateTime::from_timestamp(end.timestamp(), 0).unwrap();
        for at in days.chain(quarters).chain([last_second - TimeDelta::milliseconds(1)]) {
            world.advance(at - world.now());
            spent = last.refresh_token;
            last = world.access.refresh(&spent, &origin()).unwrap();
            assert_eq!(last.refresh_expires_at, end.min(at + TimeDelta::days(30)));
            assert!(last.access_expires_at <= end.min(at + TimeDelta::hours(2)), "{}", last.access_expires_at);
            assert!(end.min(at + TimeDelta::hours(2)) - last.access_expires_at < TimeDelta::seconds(1));
            world.access.authenticate_bearer(&last.access_token).unwrap();
            assert_eq!(claimed_end(&last), last.access_expires_at);
            assert_eq!(world.access.session(last.session_id).unwrap().expires_at, last.refresh_expires_at);
            assert!(is_listed_as_live(&world, &last));
        }

        world.advance(last_second - world.now());
        assert_eq!(
            unauthenticated(world.access.refresh(&last.refresh_token, &origin())),
            REFUSAL,
            "no valid access token is possible"
        );
        world.advance(end - world.now());
        assert_eq!(unauthenticated(world.access.refresh(&last.refresh_token, &origin())), REFUSAL);
        assert_eq!(unauthenticated(world.access.refresh(&spent, &origin())), REFUSAL, "within the grace period");
        unauthenticated(world.access.authenticate_bearer(&last.access_token));
        assert!(!is_listed_as_live(&world, &last));
        world.advance(TimeDelta::minutes(1));
        assert_eq!(
            unauthenticated(world.access.refresh(&spent, &origin())),
            REFUSAL,
            "no reuse: the session has ended"
        );
        world.access.end_session(&operator(), last.session_id).unwrap();
        assert_eq!(world.system_kinds(), ["account_create", "login_success"]);
        // The next login begins a new session.
        let next = world.jane_logs_in();
        assert_ne!(next.session_id, last.session_id);
        assert_eq!(next.refresh_expires_at, world.now() + TimeDelta::days(30));
    }
}

#[test]
fn the_earlier_of_the_two_ends_counts() {
    let world = World::new();
    world.jane(Role::Analyst);
    let short = server(&world, 1);
    let login = short.login(crate::world::EMAIL, crate::world::PASSWORD, &origin()).unwrap();
    let end = world.now() + TimeDelta::days(1);
    assert_eq!((login.refresh_expires_at, login.access_expires_at < end), (end, true));
    world.advance(TimeDelta::hours(23));
    let login = short.refresh(&login.refresh_token, &origin()).unwrap();
    assert_eq!(login.access_expires_at, DateTime::from_timestamp(end.timestamp(), 0).unwrap());
    short.authenticate_bearer(&login.access_token).unwrap();
    world.advance(TimeDelta::hours(1));
    unauthenticated(short.authenticate_bearer(&login.access_token));
    assert_eq!(unauthenticated(short.refresh(&login.refresh_token, &origin())), REFUSAL);

    // A refresh token still expires after thirty days without a refresh.
    let login = world.jane_logs_in();
    world.advance(TimeDelta::days(30));
    assert_eq!(unauthenticated(world.access.refresh(&login.refresh_token, &origin())), REFUSAL);
}

#[test]
fn a_shorter_setting_ends_older_sessions() {
    for world in World::on_both() {
        world.jane(Role::Analyst);
        let old = world.jane_logs_in();
        world.advance(TimeDelta::microseconds(1));
        let younger = world.jane_logs_in();
        world.advance(TimeDelta::days(10) - TimeDelta::microseconds(1));
        let [old, younger] = [old, younger].map(|login| world.access.refresh(&login.refresh_token, &origin()).unwrap());
        let lowered = server(&world, 10);
        unauthenticated(lowered.authenticate_bearer(&old.access_token));
        assert_eq!(unauthenticated(lowered.refresh(&old.refresh_token, &origin())), REFUSAL);
        lowered.authenticate_bearer(&younger.access_token).unwrap();
        assert!(is_listed_as_live(&world, &old));

        lowered.housekeeping().unwrap();
        assert!(!is_listed_as_live(&world, &old) && is_listed_as_live(&world, &younger));
        let record = world.access.session(old.session_id).unwrap();
        assert_eq!((record.expires_at, record.ended_at), (world.now(), None));
        unauthenticated(world.access.authenticate_bearer(&old.access_token));
        assert_eq!(unauthenticated(world.access.refresh(&old.refresh_token, &origin())), REFUSAL);
    }
}

#[test]
fn a_session_duration_beyond_the_calendar_is_no_limit() {
    let world = World::new();
    world.jane(Role::Analyst);
    let settings = AccessSettings { bcrypt_cost: 4, session_ttl: Duration::MAX, ..AccessSettings::default() };
    let endless = world.server_with_settings(settings);
    let login = world.jane_logs_in();
    endless.housekeeping().unwrap();
    let login = endless.refresh(&login.refresh_token, &origin()).unwrap();
    assert_eq!(login.refresh_expires_at, world.now() + TimeDelta::days(30));
    endless.authenticate_bearer(&login.access_token).unwrap();
}

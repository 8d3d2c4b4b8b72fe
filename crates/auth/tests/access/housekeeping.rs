//! Periodic maintenance.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_auth::{Access, AccessSettings, Housekept, MasterKey, SystemEntropy, jwt};
use trailkeeper_domain::account::{Role, SessionFilter};

use crate::world::{EMAIL, PASSWORD, World, operator, origin};

fn server(world: &World, rotate_token_keys_after: Option<Duration>) -> Access {
    let settings = AccessSettings { bcrypt_cost: 4, rotate_token_keys_after, ..AccessSettings::default() };
    let master = MasterKey::from_hex(&world.master).unwrap();
    Access::new(world.store.clone(), world.clock.clone(), Arc::new(SystemEntropy::new()), master, settings)
}

#[test]
fn old_token_keys_are_replaced_and_removed_when_their_last_token_has_expired() {
    let world = World::new();
    world.jane(Role::Analyst);
    assert_eq!(world.access.housekeeping().unwrap(), Housekept::default(), "no key, nothing to replace");
    let first = jwt::kid_of(&world.jane_logs_in().access_token).unwrap();
    world.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(world.access.housekeeping().unwrap(), Housekept::default());
    world.advance(TimeDelta::seconds(1));
    let before = world.jane_logs_in();
    let second = world.access.housekeeping().unwrap().new_token_key.unwrap();
    // Another server finds nothing left to do.
    assert_eq!(server(&world, Some(Duration::from_hours(720))).housekeeping().unwrap(), Housekept::default());
    assert_eq!(jwt::kid_of(&before.access_token).unwrap(), first);
    world.advance(TimeDelta::hours(2) - TimeDelta::seconds(1));
    world.access.authenticate_bearer(&before.access_token).unwrap();
    assert_eq!(world.access.housekeeping().unwrap(), Housekept::default());
    world.advance(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    assert_eq!(world.access.housekeeping().unwrap().removed_token_keys, [first]);
    let left = world.access.token_keys().unwrap();
    assert_eq!(left.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), [second.as_str()]);

    let event = world.system_events().into_iter().find(|event| event.kind.as_str() == "token_key_rotate").unwrap();
    assert_eq!(event.user_name.as_deref(), Some("Trailkeeper"));
    assert_eq!(event.target.unwrap().id, Some(second));
}

#[test]
fn rotation_of_token_keys_can_be_turned_off() {
    let world = World::new();
    world.jane(Role::Analyst);
    let access = server(&world, None);
    access.login(EMAIL, PASSWORD, &origin()).unwrap();
    world.advance(TimeDelta::days(3000));
    assert_eq!(access.housekeeping().unwrap(), Housekept::default());
    assert_eq!(access.token_keys().unwrap().len(), 1);
    let never = server(&world, Some(Duration::MAX));
    assert_eq!(never.housekeeping().unwrap(), Housekept::default());
}

#[test]
fn ended_sessions_are_kept_for_ninety_days() {
    let world = World::new();
    world.jane(Role::Analyst);
    let ended = world.jane_logs_in();
    let session = world.access.authenticate_bearer(&ended.access_token).unwrap().session_id.unwrap();
    world.access.end_session(&operator(), session).unwrap();
    world.advance(TimeDelta::days(60));
    let last = world.jane_logs_in();
    let count = || {
        world.access.housekeeping().unwrap();
        world.store.reading(|tx| tx.sessions(SessionFilter::default(), None, 10)).unwrap().len()
    };
    assert_eq!(count(), 2);
    world.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(count(), 2);
    let last = world.access.refresh(&last.refresh_token, &origin()).unwrap();
    world.advance(TimeDelta::seconds(2));
    assert_eq!(count(), 1);
    world.access.refresh(&last.refresh_token, &origin()).unwrap();
    world.advance(TimeDelta::days(120));
    assert_eq!(count(), 1, "it expired 90 days ago");
    world.advance(TimeDelta::seconds(1));
    assert_eq!(count(), 0);
}

//! Attempts with the current password while it is changed.

use chrono::TimeDelta;
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;

use super::{Attempt, WRONG, attempt, from};
use crate::world::{EMAIL, PASSWORD, World, origin};

#[test]
fn attempts_in_a_stolen_session_are_throttled_without_delaying_the_owner() {
    let world = World::new();
    world.jane(Role::Admin);
    let [stolen, own] = [(); 2].map(|()| world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap());
    let attempt_as = || world.access.change_own_password(&stolen, WRONG, "another good password", &from("203.0.113.1"));
    for _ in 0..5 {
        assert!(matches!(attempt_as(), Err(Error::Forbidden(_))));
    }
    assert!(matches!(attempt_as(), Err(Error::Throttled { retry_after_s: 1, .. })));
    assert_eq!(attempt(&world.access, EMAIL, PASSWORD, "192.0.2.9"), Attempt::Succeeded);
    // The owner changes the password in another session, which ends the stolen one.
    world.access.change_own_password(&own, PASSWORD, "another good password", &origin()).unwrap();
    world.advance(TimeDelta::seconds(1));
    assert!(matches!(attempt_as(), Err(Error::Forbidden(_))));
}

#[test]
fn a_new_password_equal_to_the_given_current_one_is_no_failure() {
    let world = World::new();
    world.jane(Role::Admin);
    let principal = world.access.authenticate_bearer(&world.jane_logs_in().access_token).unwrap();
    for same in [PASSWORD; 10].into_iter().chain(["no password of Jane's"; 10]) {
        // The same error whether it is the password or not: otherwise this would test passwords without an event.
        let error = world.access.change_own_password(&principal, same, same, &origin()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
}

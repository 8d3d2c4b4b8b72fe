//! Hashes with a lower cost than the setting.

use std::sync::Arc;

use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_testkit::FaultyStore;

use crate::world::{EMAIL, PASSWORD, World, operator, origin, unauthenticated};

#[test]
fn a_login_rehashes_a_password_with_a_lower_cost_and_no_other() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        let stored = || world.access.account(jane.id).unwrap();
        assert!(jane.password_hash.starts_with("$2b$04$"));
        let costlier = world.server_with_cost(5);

        unauthenticated(costlier.login(EMAIL, "a wrong password", &origin()));
        world.access.set_disabled(&operator(), EMAIL, true).unwrap();
        unauthenticated(costlier.login(EMAIL, PASSWORD, &origin()));
        world.access.set_disabled(&operator(), EMAIL, false).unwrap();
        assert_eq!(stored().password_hash, jane.password_hash, "only a login rehashes it");

        let earlier = world.jane_logs_in();
        let updated_at = stored().updated_at;
        let logged_in = costlier.login(EMAIL, PASSWORD, &origin()).unwrap();
        let hash = stored().password_hash;
        assert!(hash.starts_with("$2b$05$"), "{hash}");
        assert_eq!(stored().updated_at, updated_at, "it is the same password");
        for token in [&logged_in.access_token, &earlier.access_token] {
            costlier.authenticate_bearer(token).unwrap();
        }
        assert!(!world.system_kinds().contains(&"account_password_change".to_owned()));

        costlier.login(EMAIL, PASSWORD, &origin()).unwrap();
        world.access.login(EMAIL, PASSWORD, &origin()).unwrap();
        assert_eq!(stored().password_hash, hash, "rehashed neither again nor at a lower cost");
        unauthenticated(costlier.login(EMAIL, "a wrong password", &origin()));
    }
}

#[test]
fn a_login_does_not_restore_a_password_that_was_replaced_meanwhile() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        // The first login makes the token key, so the next ones do not.
        world.jane_logs_in();
        for before in 0..3 {
            world.access.set_password(&operator(), EMAIL, PASSWORD).unwrap();
            let administrator = Arc::new(world.server_over(world.store.clone()));
            let store = FaultyStore::over(&world.store);
            store.before_write(before, move |_| {
                administrator.set_password(&operator(), EMAIL, "the administrator's choice").unwrap();
            });
            let answer = world.server_with(store.clone(), 5).login(EMAIL, PASSWORD, &origin());
            if !store.has_struck() {
                continue;
            }
            assert!(matches!(answer, Err(Error::Unauthenticated(_))), "{before}: {answer:?}");
            let hash = world.access.account(jane.id).unwrap().password_hash;
            assert!(hash.starts_with("$2b$04$"), "{before}: {hash}");
            unauthenticated(world.access.login(EMAIL, PASSWORD, &origin()));
            world.access.login(EMAIL, "the administrator's choice", &origin()).unwrap();
        }
    }
}

/// Two devices log in at the same moment, after the cost was raised.
#[test]
fn a_login_succeeds_while_another_one_rehashes_the_password() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        world.jane_logs_in();
        let other = Arc::new(world.server_with_cost(5));
        // The second write: the first one counts the attempt.
        let store = FaultyStore::over(&world.store);
        store.before_write(1, move |_| drop(other.login(EMAIL, PASSWORD, &origin()).unwrap()));
        let logged_in = world.server_with(store.clone(), 5).login(EMAIL, PASSWORD, &origin()).unwrap();
        assert!(store.has_struck(), "the other login came between");
        world.access.authenticate_bearer(&logged_in.access_token).unwrap();
        assert!(world.access.account(jane.id).unwrap().password_hash.starts_with("$2b$05$"));
        assert!(!world.system_kinds().contains(&"login_fail".to_owned()));
    }
}

/// The account is deleted while its password is verified.
#[test]
fn a_login_of_an_account_that_is_deleted_meanwhile_is_refused_and_recorded_with_its_name() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        world.jane_logs_in();
        let deleting = Arc::new(world.server_over(world.store.clone()));
        let id = jane.id;
        let store = FaultyStore::over(&world.store);
        store.before_write(1, move |_| deleting.delete_account(&operator(), id).unwrap());
        unauthenticated(world.server_with(store, 4).login(EMAIL, PASSWORD, &origin()));
        let last = world.system_events().into_iter().next().unwrap();
        assert_eq!((last.kind.as_str(), last.user_name.as_deref()), ("login_fail", Some(EMAIL)));
    }
}

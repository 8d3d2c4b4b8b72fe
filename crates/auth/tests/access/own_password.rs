use trailkeeper_auth::{LoggedIn, Principal};
use trailkeeper_domain::Error;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::event::Outcome;
use trailkeeper_testkit::metadata_of;

use crate::world::{EMAIL, PASSWORD, World, operator, origin, unauthenticated};

const NEW: &str = "four entirely random words";

fn caller(world: &World, logged_in: &LoggedIn) -> Principal {
    world.access.authenticate_bearer(&logged_in.access_token).unwrap()
}

#[test]
fn a_change_of_the_own_password_ends_only_the_other_sessions() {
    for world in World::on_both() {
        let jane = world.jane(Role::Ingest);
        let (elsewhere, here) = (world.jane_logs_in(), world.jane_logs_in());
        world.access.change_own_password(&caller(&world, &here), PASSWORD, NEW, &origin()).unwrap();

        unauthenticated(world.access.authenticate_bearer(&elsewhere.access_token));
        unauthenticated(world.access.refresh(&elsewhere.refresh_token, &origin()));
        world.access.authenticate_bearer(&here.access_token).unwrap();
        world.access.refresh(&here.refresh_token, &origin()).unwrap();
        let event = world.system_events().remove(0);
        assert_eq!((event.kind.as_str(), event.outcome), ("account_password_change", Outcome::Success));
        assert_eq!(event.user_id.unwrap().as_str(), jane.id.to_string());
        assert_eq!(event.target.unwrap().id, Some(jane.id.to_string()));
        assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(event.session_id, Some(here.session_id.to_string()));
        unauthenticated(world.access.login(EMAIL, PASSWORD, &origin()));
        world.access.login(EMAIL, NEW, &origin()).unwrap();
    }
}

#[test]
fn a_wrong_current_password_changes_nothing_and_is_recorded() {
    let world = World::new();
    let jane = world.jane(Role::Admin);
    let here = world.jane_logs_in();
    let caller = caller(&world, &here);
    let answer = world.access.change_own_password(&caller, "a wrong password", NEW, &origin());
    match answer {
        Err(Error::Forbidden(fault)) => {
            assert_eq!((fault.code, fault.field.as_deref()), ("wrong_password", Some("current_password")));
        }
        other => panic!("{other:?}"),
    }
    let event = world.system_events().remove(0);
    assert_eq!((event.kind.as_str(), event.outcome), ("account_password_change", Outcome::Failure));
    assert_eq!(event.user_id.unwrap().as_str(), jane.id.to_string());
    assert_eq!(event.session_id, Some(here.session_id.to_string()));

    let before = world.system_events().len();
    for bad in ["short", PASSWORD, "jane.doe@example.com", "passwordpassword"] {
        let error = world.access.change_own_password(&caller, PASSWORD, bad, &origin()).unwrap_err();
        assert!(error.to_string().starts_with("new_password: ") && !error.to_string().contains(bad), "{error}");
    }
    assert_eq!(world.system_events().len(), before);
    assert_eq!(world.access.account(jane.id).unwrap(), jane);
}

#[test]
fn repeated_wrong_current_passwords_in_a_stolen_session_are_delayed() {
    let world = World::new();
    world.jane(Role::Admin);
    let caller = caller(&world, &world.jane_logs_in());
    let errors: Vec<_> = (0..20)
        .map(|_| world.access.change_own_password(&caller, "a wrong password", NEW, &origin()).unwrap_err())
        .collect();
    assert!(matches!(errors[0], Error::Forbidden(_)));
    let delayed = world.system_events().iter().find_map(metadata_of).unwrap();
    assert!(delayed["seconds"].is_u64(), "an audit event records the beginning of the delay: {delayed:?}");
    assert!(matches!(errors[19], Error::Throttled { .. }), "{}", errors[19]);
    // The right password is refused too, but the owner's login is not delayed.
    let right = world.access.change_own_password(&caller, PASSWORD, NEW, &origin());
    assert!(matches!(right, Err(Error::Throttled { .. })), "{right:?}");
    world.jane_logs_in();
}

#[test]
fn programs_have_no_password() {
    let world = World::new();
    let (_, token) = world.token(Role::Admin, None);
    let program = world.access.authenticate_bearer(token.expose()).unwrap();
    let error = world.access.change_own_password(&program, PASSWORD, NEW, &origin()).unwrap_err();
    assert!(matches!(&error, Error::Forbidden(fault) if fault.code == "permission_denied"), "{error}");
}

#[test]
fn the_old_password_is_wrong_after_an_administrator_replaced_it() {
    let world = World::new();
    world.jane(Role::Analyst);
    let caller = caller(&world, &world.jane_logs_in());
    world.access.set_password(&operator(), EMAIL, "the administrator's choice").unwrap();
    let answer = world.access.change_own_password(&caller, PASSWORD, NEW, &origin());
    assert!(matches!(answer, Err(Error::Forbidden(_))), "{answer:?}");
    world.access.login(EMAIL, "the administrator's choice", &origin()).unwrap();
}

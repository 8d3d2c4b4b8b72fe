use chrono::TimeDelta;
use serde_json::json;
use trailkeeper_domain::Error;
use trailkeeper_domain::account::{Role, Session, SessionFilter};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_testkit::metadata_of;
use uuid::Uuid;

use crate::world::{EMAIL, PASSWORD, World, context_of, operator, origin, unauthenticated};

const ALL: SessionFilter = SessionFilter { account_id: None, live_at: None };

fn newest(world: &World) -> Session {
    world.access.sessions(ALL, None, 1).unwrap().items.remove(0)
}

#[test]
fn a_session_records_its_origin_and_its_refreshes() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        let logged_in = world.jane_logs_in();
        let begun = newest(&world);
        let expected = Session {
            id: begun.id,
            account_id: jane.id,
            started_at: world.now(),
            source: Some("203.0.113.7".parse().unwrap()),
            user_agent: Some("curl/8.14  X-Forged: 1".to_owned()),
            refreshed_at: world.now(),
            expires_at: world.now() + TimeDelta::days(30),
            ended_at: None,
        };
        assert_eq!(begun, expected);
        assert_eq!(world.access.session(begun.id).unwrap(), expected);
        let principal = world.access.authenticate_bearer(&logged_in.access_token).unwrap();
        assert_eq!((principal.session_id, principal.account_id()), (Some(begun.id), Some(jane.id)));

        world.advance(TimeDelta::days(1));
        world.access.refresh(&logged_in.refresh_token, &origin()).unwrap();
        let (refreshed_at, expires_at) = (world.now(), world.now() + TimeDelta::days(30));
        assert_eq!(world.access.session(begun.id).unwrap(), Session { refreshed_at, expires_at, ..expected });
        // Programs have no session.
        let (_, token) = world.token(Role::Admin, None);
        assert_eq!(world.access.authenticate_bearer(token.expose()).unwrap().session_id, None);
    }
}

#[test]
fn lists_begin_with_the_newest_and_can_be_filtered() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        let omar = world.account("omar@example.com", Role::Analyst);
        let mut made = Vec::new();
        for email in [EMAIL, "omar@example.com", EMAIL, EMAIL, "omar@example.com"] {
            world.advance(TimeDelta::milliseconds(1));
            world.access.login(email, PASSWORD, &origin()).unwrap();
            made.insert(0, newest(&world));
        }
        let listed = |filter: SessionFilter| {
            let (mut listed, mut cursor) = (Vec::new(), None);
            loop {
                let page = world.access.sessions(filter, cursor.as_deref(), 2).unwrap();
                listed.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    return listed;
                }
            }
        };
        assert_eq!(listed(ALL), made);
        let of = |account: AccountId| SessionFilter { account_id: Some(account), ..ALL };
        let expected: Vec<_> = made.iter().filter(|session| session.account_id == jane.id).cloned().collect();
        assert_eq!((listed(of(jane.id)), expected.len()), (expected, 3));

        world.access.end_session(&operator(), made[0].id).unwrap();
        let live = SessionFilter { live_at: Some(world.now()), ..of(omar.id) };
        assert_eq!(listed(live), [made[3].clone()]);
        assert_eq!(listed(of(omar.id)).len(), 2);
        let later = SessionFilter { live_at: Some(world.now() + TimeDelta::days(30)), ..ALL };
        assert_eq!(listed(later), []);

        for limit in [0, 1001] {
            assert!(world.access.sessions(ALL, None, limit).unwrap_err().to_string().starts_with("limit: "));
        }
        let foreign = trailkeeper_domain::cursor::encode('a', &Uuid::nil().to_string());
        for bad in ["", "l", "l00", foreign.as_str()] {
            assert!(world.access.sessions(ALL, Some(bad), 2).unwrap_err().to_string().starts_with("cursor: "), "{bad}");
        }
    }
}

#[test]
fn the_end_of_a_session_invalidates_its_tokens_at_once_on_every_server() {
    for world in World::on_both() {
        let boss = world.account("boss@example.com", Role::Admin);
        let jane = world.jane(Role::Analyst);
        let (first, second) = (world.jane_logs_in(), world.jane_logs_in());
        let other = world.server_over(world.store.clone());
        for server in [&world.access, &other] {
            server.authenticate_bearer(&first.access_token).unwrap();
        }
        let session = world.access.authenticate_bearer(&first.access_token).unwrap().session_id.unwrap();

        world.access.end_session(&context_of(&boss), session).unwrap();
        for server in [&world.access, &other] {
            unauthenticated(server.authenticate_bearer(&first.access_token));
            unauthenticated(server.refresh(&first.refresh_token, &origin()));
            server.authenticate_bearer(&second.access_token).unwrap();
        }
        let event = world.system_events().remove(0);
        assert_eq!(event.kind.as_str(), "session_end");
        assert_eq!(event.user_id.unwrap().as_str(), boss.id.to_string());
        assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(event.session_id, Some(session.to_string()));
        let target = event.target.unwrap();
        assert_eq!(
            (target.kind.as_deref(), target.id, target.name.as_deref()),
            (Some("session"), Some(session.to_string()), Some(EMAIL))
        );

        // The end of one's own session is a logout. A session that has ended is not ended again.
        let own = world.access.authenticate_bearer(&second.access_token).unwrap().session_id.unwrap();
        let before = world.system_events().len();
        for _ in 0..2 {
            world.access.end_session(&context_of(&jane), own).unwrap();
            world.access.end_session(&context_of(&boss), session).unwrap();
        }
        let events = world.system_events();
        assert_eq!((events.len(), events[0].kind.as_str()), (before + 1, "logout"));
        assert_eq!(events[0].session_id, Some(own.to_string()));
        assert_eq!(events[0].user_id.as_ref().unwrap().as_str(), jane.id.to_string());
        unauthenticated(world.access.authenticate_bearer(&second.access_token));

        let nobody = SessionId(Uuid::from_u128(7));
        for answer in [world.access.session(nobody).map(|_| ()), world.access.end_session(&operator(), nobody)] {
            assert!(matches!(&answer, Err(Error::NotFound(fault)) if fault.code == "session_not_found"), "{answer:?}");
        }
    }
}

#[test]
fn ending_an_expired_session_leaves_no_event() {
    let world = World::new();
    world.jane(Role::Analyst);
    world.jane_logs_in();
    let session = newest(&world);
    let before = world.system_events().len();
    world.advance(TimeDelta::days(30));
    world.access.end_session(&operator(), session.id).unwrap();
    assert_eq!(world.access.end_sessions_of(&operator(), session.account_id, None).unwrap(), 0);
    assert_eq!(world.system_events().len(), before);
}

#[test]
fn an_expired_session_that_is_ended_stays_ended_where_the_clock_is_behind() {
    let world = World::new();
    world.jane(Role::Analyst);
    let login = world.jane_logs_in();
    let session = newest(&world);
    world.advance(TimeDelta::days(30));
    world.access.end_session(&operator(), session.id).unwrap();
    world.advance(TimeDelta::seconds(-1));
    unauthenticated(world.access.refresh(&login.refresh_token, &origin()));
}

#[test]
fn all_other_sessions_end_at_once_and_are_counted() {
    for world in World::on_both() {
        let jane = world.jane(Role::Analyst);
        world.account("omar@example.com", Role::Analyst);
        let bystander = world.access.login("omar@example.com", PASSWORD, &origin()).unwrap();
        let logins = [(); 4].map(|()| world.jane_logs_in());
        let kept = world.access.authenticate_bearer(&logins[2].access_token).unwrap().session_id;

        assert_eq!(world.access.end_sessions_of(&context_of(&jane), jane.id, kept).unwrap(), 3);
        let valid: Vec<bool> =
            logins.iter().map(|login| world.access.authenticate_bearer(&login.access_token).is_ok()).collect();
        assert_eq!(valid, [false, false, true, false]);
        let event = world.system_events().remove(0);
        let target = event.target.clone().unwrap();
        assert_eq!(event.kind.as_str(), "logout");
        assert_eq!((target.kind.as_deref(), target.id), (Some("account"), Some(jane.id.to_string())));
        assert_eq!(event.session_id, None, "several sessions");
        assert_eq!(metadata_of(&event), Some(json!({"sessions_ended": 3})));

        assert_eq!(world.access.end_sessions_of(&context_of(&jane), jane.id, kept).unwrap(), 0);
        assert_eq!(world.access.end_sessions_of(&operator(), jane.id, None).unwrap(), 1);
        assert_eq!(world.system_events()[0].kind.as_str(), "session_end");
        unauthenticated(world.access.authenticate_bearer(&logins[2].access_token));
        world.access.authenticate_bearer(&bystander.access_token).unwrap();
        let nobody = AccountId(Uuid::from_u128(7));
        let error = world.access.end_sessions_of(&operator(), nobody, None).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error}");
    }
}

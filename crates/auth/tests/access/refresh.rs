use chrono::TimeDelta;
use trailkeeper_auth::{PlainToken, SystemEntropy, TokenKind};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::event::Outcome;

use crate::world::{EMAIL, World, operator, origin, unauthenticated};

const REFUSAL: &str = "the refresh token is not valid; log in again";

#[test]
fn each_refresh_token_is_replaced_by_its_successor() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    let (begun, mut last) = (world.now(), world.jane_logs_in());
    for _ in 0..3 {
        world.advance(TimeDelta::days(29));
        let next = world.access.refresh(&last.refresh_token, &origin()).unwrap();
        assert_ne!(next.refresh_token, last.refresh_token);
        assert_ne!(next.access_token, last.access_token);
        assert_eq!(next.account, jane);
        assert_eq!(next.refresh_expires_at, (world.now() + TimeDelta::days(30)).min(begun + TimeDelta::days(90)));
        world.access.authenticate_bearer(&next.access_token).unwrap();
        unauthenticated(world.access.authenticate_bearer(&last.access_token));
        last = next;
    }
    assert_eq!(world.system_kinds(), ["account_create", "login_success"]);
}

#[test]
fn the_reuse_of_a_spent_token_ends_the_session_and_is_recorded_once() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    let bystander = world.jane_logs_in();
    let first = world.jane_logs_in();
    let successor = world.access.refresh(&first.refresh_token, &origin()).unwrap();
    let second = world.access.refresh(&successor.refresh_token, &origin()).unwrap();
    world.access.authenticate_bearer(&second.access_token).unwrap();
    world.advance(TimeDelta::seconds(10));

    assert_eq!(unauthenticated(world.access.refresh(&first.refresh_token, &origin())), REFUSAL);

    let event = world.system_events().remove(0);
    assert_eq!((event.kind.as_str(), event.outcome), ("refresh_token_reuse", Outcome::Failure));
    assert_eq!(event.user_id.unwrap().as_str(), jane.id.to_string());
    assert_eq!(event.user_name.as_deref(), Some(EMAIL));
    assert_eq!(event.source, Some("203.0.113.7".parse().unwrap()));
    let target = event.target.unwrap();
    assert_eq!((target.kind.as_deref(), target.name.as_deref()), (Some("session"), Some(EMAIL)));
    let session = Some(first.session_id.to_string());
    assert_eq!((event.session_id, target.id), (session.clone(), session));

    // All tokens of the session are invalid, those of the other login are not.
    unauthenticated(world.access.authenticate_bearer(&first.access_token));
    unauthenticated(world.access.authenticate_bearer(&second.access_token));
    assert_eq!(unauthenticated(world.access.refresh(&second.refresh_token, &origin())), REFUSAL);
    assert_eq!(unauthenticated(world.access.refresh(&first.refresh_token, &origin())), REFUSAL);
    world.access.authenticate_bearer(&bystander.access_token).unwrap();
    world.access.refresh(&bystander.refresh_token, &origin()).unwrap();
    assert_eq!(world.system_kinds().iter().filter(|kind| *kind == "refresh_token_reuse").count(), 1);
}

#[test]
fn every_unusable_token_is_refused_with_the_same_text() {
    let world = World::new();
    world.jane(Role::Admin);
    world.account("other@example.com", Role::Admin);
    let logged_in = world.jane_logs_in();
    let unknown = PlainToken::generate(TokenKind::Refresh, &SystemEntropy::new());
    let (_, api_token) = world.token(Role::Admin, None);
    let mistyped = logged_in.refresh_token.replacen('_', "-", 1);
    for token in [
        "",
        "rt_",
        "nonsense",
        unknown.expose(),
        api_token.expose(),
        &logged_in.access_token,
        &mistyped,
        &format!("{} ", logged_in.refresh_token),
    ] {
        assert_eq!(unauthenticated(world.access.refresh(token, &origin())), REFUSAL, "{token}");
    }
    // A refresh token is no access token.
    unauthenticated(world.access.authenticate_bearer(&logged_in.refresh_token));

    world.advance(TimeDelta::days(30));
    assert_eq!(unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin())), REFUSAL, "expired");
    let logged_in = world.jane_logs_in();
    world.access.set_disabled(&operator(), EMAIL, true).unwrap();
    assert_eq!(unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin())), REFUSAL, "disabled");
    world.access.set_disabled(&operator(), EMAIL, false).unwrap();
    assert_eq!(unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin())), REFUSAL, "ended");
    assert!(!world.system_kinds().contains(&"refresh_token_reuse".to_owned()));
}

#[test]
fn an_expired_token_that_was_never_spent_is_no_reuse() {
    let world = World::new();
    world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    world.advance(TimeDelta::days(31));
    unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin()));
    assert_eq!(world.system_kinds(), ["account_create", "login_success"]);
    // The answer is the same after the next login.
    world.jane_logs_in();
    assert_eq!(unauthenticated(world.access.refresh(&logged_in.refresh_token, &origin())), REFUSAL);
}

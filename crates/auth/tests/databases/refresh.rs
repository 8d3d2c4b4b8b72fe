use std::collections::BTreeSet;

use chrono::TimeDelta;
use trailkeeper_domain::Error;

use crate::world::{EMAIL, PASSWORD, World, origin};

trailkeeper_testkit::on_both!(crate::world::World::new =>
    tabs_that_refresh_at_the_same_moment_get_the_same_successor,
    concurrent_reuses_of_a_spent_token_end_the_session_once,
    tabs_that_lost_the_answer_get_the_same_second_successor,
    of_a_lost_answer_and_its_replacement_only_one_lives,
);

fn tabs_that_refresh_at_the_same_moment_get_the_same_successor(world: &World) {
    let mut token = world.servers[0].login(EMAIL, PASSWORD, &origin()).unwrap().refresh_token;
    for _ in 0..20 {
        let answers = world.at_once(|server| server.refresh(&token, &origin()).unwrap());
        let successors: BTreeSet<_> = answers.iter().map(|answer| answer.refresh_token.clone()).collect();
        assert_eq!(successors.len(), 1);
        for answer in &answers {
            for server in &world.servers {
                server.authenticate_bearer(&answer.access_token).unwrap();
            }
        }
        token = successors.into_iter().next().unwrap();
        world.clock.advance(TimeDelta::minutes(1));
    }
    assert_eq!(world.recorded("refresh_token_reuse"), 0);
}

fn concurrent_reuses_of_a_spent_token_end_the_session_once(world: &World) {
    let first = world.servers[0].login(EMAIL, PASSWORD, &origin()).unwrap().refresh_token;
    let successor = world.servers[1].refresh(&first, &origin()).unwrap();
    let second = world.servers[0].refresh(&successor.refresh_token, &origin()).unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    for answer in world.at_once(|server| server.refresh(&first, &origin()).map(|_| ())) {
        assert!(matches!(answer.unwrap_err(), Error::Unauthenticated(_)));
    }
    assert_eq!(world.recorded("refresh_token_reuse"), 1);
    for server in &world.servers {
        assert!(server.refresh(&second.refresh_token, &origin()).is_err());
        assert!(server.authenticate_bearer(&second.access_token).is_err());
    }
}

fn tabs_that_lost_the_answer_get_the_same_second_successor(world: &World) {
    let first = world.servers[0].login(EMAIL, PASSWORD, &origin()).unwrap().refresh_token;
    let lost = world.servers[1].refresh(&first, &origin()).unwrap().refresh_token;
    world.clock.advance(TimeDelta::hours(1));
    let answers = world.at_once(|server| server.refresh(&first, &origin()).unwrap());
    let successors: BTreeSet<_> = answers.iter().map(|answer| answer.refresh_token.clone()).collect();
    assert_eq!(successors.len(), 1);
    assert!(!successors.contains(&lost));
    for answer in &answers {
        for server in &world.servers {
            server.authenticate_bearer(&answer.access_token).unwrap();
        }
    }
    assert_eq!((world.recorded("refresh_token_reissue"), world.recorded("refresh_token_reuse")), (1, 0));
    let next = successors.into_iter().next().unwrap();
    world.servers[1].refresh(&next, &origin()).unwrap();
}

/// Whichever of the two comes first, the server never exchanges both.
fn of_a_lost_answer_and_its_replacement_only_one_lives(world: &World) {
    for _ in 0..10 {
        let first = world.servers[0].login(EMAIL, PASSWORD, &origin()).unwrap().refresh_token;
        let second = world.servers[1].refresh(&first, &origin()).unwrap().refresh_token;
        world.clock.advance(TimeDelta::hours(1));
        // Half of the threads send the spent token, half its successor, at the same moment.
        let number = std::sync::atomic::AtomicUsize::new(0);
        let _answers = world.at_once(|server| {
            let even = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(2);
            server.refresh(if even { &first } else { &second }, &origin()).ok()
        });
        // Both were sent, which only a thief and an owner do: the session has ended, whoever came first.
        for token in [&first, &second] {
            assert!(world.servers[0].refresh(token, &origin()).is_err());
        }
    }
    assert_eq!(world.recorded("refresh_token_reuse"), 10);
}

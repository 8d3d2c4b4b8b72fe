use std::collections::BTreeSet;

use chrono::TimeDelta;
use trailkeeper_domain::Error;

use crate::world::{EMAIL, PASSWORD, World, origin};

trailkeeper_testkit::on_both!(crate::world::World::new =>
    tabs_that_refresh_at_the_same_moment_get_the_same_successor,
    concurrent_reuses_of_a_spent_token_end_the_session_once,
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
    let second = world.servers[1].refresh(&first, &origin()).unwrap();
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

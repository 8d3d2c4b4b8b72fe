use std::collections::BTreeSet;

use chrono::TimeDelta;
use trailkeeper_auth::{OldKeys, jwt};

use crate::world::{EMAIL, PASSWORD, World, operator, origin};

trailkeeper_testkit::on_both!(crate::world::World::new =>
    servers_that_start_at_the_same_moment_on_a_fresh_database_make_one_key,
    servers_that_find_the_key_too_old_at_the_same_moment_make_one_key,
    rotations_at_the_same_moment_make_a_key_each_and_all_tokens_are_valid,
);

fn made(world: &World) -> usize {
    world.servers[0].token_keys().unwrap().len()
}

fn servers_that_start_at_the_same_moment_on_a_fresh_database_make_one_key(world: &World) {
    world.at_once(|server| server.check_master_key().unwrap());
    assert_eq!(made(world), 1);
}

fn servers_that_find_the_key_too_old_at_the_same_moment_make_one_key(world: &World) {
    let before = world.servers[0].login(EMAIL, PASSWORD, &origin()).unwrap();
    world.clock.advance(TimeDelta::days(30));
    let made_by = world.at_once(|server| server.housekeeping().unwrap().new_token_key);
    assert_eq!(made_by.iter().flatten().count(), 1);
    assert_eq!((made(world), world.recorded("token_key_rotate")), (2, 1));
    // Refresh tokens expire after 30 days, so this logs in before and after.
    assert!(world.servers[1].refresh(&before.refresh_token, &origin()).is_err());
    world.clock.advance(TimeDelta::minutes(131));
    let removed = world.at_once(|server| server.housekeeping().unwrap().removed_token_keys);
    assert_eq!(removed.iter().flatten().count(), 1);
    assert_eq!(made(world), 1);
}

fn rotations_at_the_same_moment_make_a_key_each_and_all_tokens_are_valid(world: &World) {
    let old = world.servers[0].login(EMAIL, PASSWORD, &origin()).unwrap().access_token;
    let kids = world.at_once(|server| server.rotate_token_key(&operator(), OldKeys::Keep).unwrap().kid);
    let kids: BTreeSet<_> = kids.into_iter().collect();
    assert_eq!((kids.len(), made(world)), (8, 9));
    let mut tokens = vec![old];
    for seconds in [0, 6] {
        world.clock.advance(TimeDelta::seconds(seconds));
        for server in &world.servers {
            tokens.push(server.login(EMAIL, PASSWORD, &origin()).unwrap().access_token);
        }
    }
    assert!(kids.contains(&jwt::kid_of(&tokens[4]).unwrap()));
    assert_eq!(jwt::kid_of(&tokens[3]), jwt::kid_of(&tokens[4]), "all servers choose the same key");
    for token in &tokens {
        for server in &world.servers {
            server.authenticate_bearer(token).unwrap();
        }
    }
    assert_eq!(world.recorded("token_key_rotate"), 8);
}

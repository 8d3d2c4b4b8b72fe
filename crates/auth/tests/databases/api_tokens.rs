//! Changes of one API token by two administrators at the same moment.

use chrono::TimeDelta;
use trailkeeper_auth::{NewToken, TokenChange};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::clock::Clock as _;

use crate::world::{World, operator};

trailkeeper_testkit::on_both!(crate::world::World::new =>
    a_rename_does_not_restore_the_old_end_of_a_token,
);

fn a_rename_does_not_restore_the_old_end_of_a_token(world: &World) {
    let [first, _] = &world.servers;
    let end = world.clock.now() + TimeDelta::hours(1);
    for _ in 0..10 {
        let new = NewToken { name: "old".to_owned(), role: Role::Ingest, tenant_id: None, expires_at: None };
        let (token, _) = first.create_token(&operator(), new).unwrap();
        world.at_once(|server| {
            let rename = TokenChange { name: Some("new".to_owned()), ..TokenChange::default() };
            let shorten = TokenChange { expires_at: Some(Some(end)), ..TokenChange::default() };
            let change = if std::ptr::eq(server, first) { rename } else { shorten };
            server.change_token(&operator(), token.id, change).unwrap();
        });
        let changed = first.token(token.id).unwrap();
        assert_eq!((changed.name.as_str(), changed.expires_at), ("new", Some(end)));
    }
}

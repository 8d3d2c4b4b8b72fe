//! Administrators who disable and delete each other at the same moment, through two servers.

use trailkeeper_auth::{AccountChange, NewAccount};
use trailkeeper_domain::account::Role;

use crate::world::{EMAIL, PASSWORD, World, operator};

trailkeeper_testkit::on_both!(crate::world::World::new =>
    one_administrator_is_left,
);

fn one_administrator_is_left(world: &World) {
    let [first, second] = &world.servers;
    let jane = first.account_with_email(EMAIL).unwrap();
    let new = |email: &str| NewAccount {
        email: email.to_owned(),
        display_name: None,
        password: PASSWORD.to_owned(),
        role: Role::Admin,
        tenant_id: None,
    };
    let omar = first.create_account(&operator(), new("omar@example.com")).unwrap();
    let disabled = |disabled| AccountChange { disabled: Some(disabled), ..AccountChange::default() };
    for _ in 0..10 {
        let done = world.at_once(|server| {
            let id = if std::ptr::eq(server, first) { jane.id } else { omar.id };
            server.change_account(&operator(), id, disabled(true)).is_ok()
        });
        let active = |id| second.account(id).unwrap().disabled_at.is_none();
        assert_ne!(active(jane.id), active(omar.id));
        assert!(done.contains(&true));
        for id in [jane.id, omar.id] {
            second.change_account(&operator(), id, disabled(false)).unwrap();
        }
    }
    let deleted = world.at_once(|server| {
        let id = if std::ptr::eq(server, first) { jane.id } else { omar.id };
        server.delete_account(&operator(), id).is_ok()
    });
    assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
    assert_eq!(first.accounts(None, 10).unwrap().items.len(), 1);
}

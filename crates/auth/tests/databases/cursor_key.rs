use trailkeeper_auth::{Principal, PrincipalKind};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::CredentialId;
use trailkeeper_testkit::{tenant_id, uuid};

use crate::world::World;

trailkeeper_testkit::on_both!(crate::world::World::new =>
    servers_that_need_the_cursor_key_at_the_same_moment_make_one,
);

fn servers_that_need_the_cursor_key_at_the_same_moment_make_one(world: &World) {
    let kind = PrincipalKind::Token(CredentialId(uuid(7)));
    let scoped = Principal {
        kind,
        name: "collector".to_owned(),
        role: Role::Auditor,
        tenant_id: Some(tenant_id(1)),
        session_id: None,
    };
    let sealed = world.at_once(|server| server.seal_feed_cursor(&scoped, "f00").unwrap());
    for server in &world.servers {
        for one in &sealed {
            assert_eq!(server.open_feed_cursor(&scoped, "cursor", one).unwrap(), "f00");
        }
    }
}

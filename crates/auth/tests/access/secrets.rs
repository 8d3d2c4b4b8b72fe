//! No secret is in the files of the database or in debug output.

use trailkeeper_auth::{AccountChange, NewSigningKey, Origin};
use trailkeeper_domain::account::Role;

use crate::world::{EMAIL, PASSWORD, World, operator, origin, unauthenticated};

#[test]
fn the_files_contain_no_password_token_or_secret() {
    let world = World::new();
    let jane = world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    let refreshed = world.access.refresh(&logged_in.refresh_token, &origin()).unwrap();
    unauthenticated(world.access.login(EMAIL, "planted wrong password", &origin()));
    unauthenticated(world.access.login("planted name", "planted password of nobody", &Origin::default()));
    world.access.set_password(&operator(), EMAIL, "planted second password").unwrap();
    let caller = world
        .access
        .authenticate_bearer(&world.access.login(EMAIL, "planted second password", &origin()).unwrap().access_token)
        .unwrap();
    world
        .access
        .change_own_password(&caller, "planted wrong current", "planted third password", &origin())
        .unwrap_err();
    world.access.change_own_password(&caller, "planted second password", "planted third password", &origin()).unwrap();
    let change = AccountChange {
        password: Some("planted fourth password".to_owned()),
        role: Some(Role::Auditor),
        ..AccountChange::default()
    };
    world.access.change_account(&operator(), jane.id, change).unwrap();
    let (token, plain) = world.token(Role::Ingest, None);
    world.access.authenticate_bearer(plain.expose()).unwrap();
    let new = NewSigningKey { name: "planted key".to_owned(), tenant_id: None };
    let (_, secret) = world.access.create_signing_key(&operator(), new).unwrap();

    let bytes = world.bytes_on_disk();
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    // The search works: it finds texts that are stored.
    assert!(contains(EMAIL.as_bytes()) && contains(b"planted name") && contains(b"planted key"));
    assert!(contains(&token.token_hash));
    let master: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&world.master[2 * at..2 * at + 2], 16).unwrap()).collect();
    for needle in [
        PASSWORD.as_bytes(),
        b"planted wrong password",
        b"planted password of nobody",
        b"planted second password",
        b"planted third password",
        b"planted fourth password",
        b"planted wrong current",
        logged_in.access_token.as_bytes(),
        logged_in.refresh_token.as_bytes(),
        refreshed.refresh_token.as_bytes(),
        plain.expose().as_bytes(),
        // Without prefix and checksum.
        &plain.expose().as_bytes()[3..46],
        secret.expose().as_bytes(),
        &secret.expose().as_bytes()[3..],
        world.master.as_bytes(),
        &master,
        // The beginning of every unsealed Ed25519 key.
        &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
    ] {
        assert!(!contains(needle), "{}", String::from_utf8_lossy(needle));
    }
}

#[test]
fn debug_output_shows_no_token() {
    let world = World::new();
    world.jane(Role::Analyst);
    let logged_in = world.jane_logs_in();
    let printed = format!("{logged_in:?}");
    for secret in [&logged_in.access_token, &logged_in.refresh_token, &logged_in.account.password_hash] {
        assert!(!printed.contains(secret.as_str()), "{printed}");
    }
}

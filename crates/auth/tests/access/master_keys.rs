//! Rotation of the master key under a running service.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use trailkeeper_auth::{
    Access, AccessSettings, MasterKey, MasterKeyPair, MasterKeySource, MasterKeys, NewSigningKey, OldKeys, PlainToken,
    SystemEntropy, TokenKind,
};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{FaultyStore, metadata_of};

use crate::sealed_cursors::caller;
use crate::signing_keys::{REQUEST, header};
use crate::world::{EMAIL, PASSWORD, TENANT, World, operator, origin};

/// The key files.
#[derive(Clone)]
pub struct Files(Arc<Mutex<Vec<String>>>);

impl MasterKeySource for Files {
    fn read(&self) -> Result<MasterKeyPair> {
        let files = self.0.lock().unwrap();
        let current = files.first().ok_or_else(|| Error::internal("the key file is gone"))?;
        let previous = files.get(1).map(|hex| MasterKey::from_hex(hex)).transpose()?;
        Ok(MasterKeyPair { current: MasterKey::from_hex(current)?, previous })
    }
}

impl Files {
    pub fn of(world: &World) -> Self {
        Self(Arc::new(Mutex::new(vec![world.master.clone()])))
    }

    /// The key that seals.
    pub fn current(&self) -> MasterKey {
        MasterKey::from_hex(self.0.lock().unwrap().first().unwrap()).unwrap()
    }

    /// Copies the files of another machine.
    pub fn copy(&self, others: &Self) {
        let others = others.0.lock().unwrap().clone();
        *self.0.lock().unwrap() = others;
    }

    pub fn rotate(&self) {
        let mut files = self.0.lock().unwrap();
        files.insert(0, MasterKey::generate(&SystemEntropy::new()).to_hex());
        files.truncate(2);
    }
}

pub fn server(world: &World, master: MasterKeys) -> Access {
    let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
    Access::new(world.store.clone(), world.clock.clone(), Arc::new(SystemEntropy::new()), master, settings)
}

pub fn over(world: &World, files: &Files) -> Access {
    server(world, MasterKeys::from_source(files.clone()).unwrap())
}

fn new(name: &str) -> NewSigningKey {
    NewSigningKey { name: name.to_owned(), tenant_id: None }
}

#[test]
fn a_running_server_follows_a_rotation_without_a_restart() {
    let world = World::new();
    world.jane(Role::Admin);
    let files = Files::of(&world);
    let running = over(&world, &files);
    let (key, secret) = running.create_signing_key(&operator(), new("before")).unwrap();
    let signed = header(secret.expose(), &key.saas_id, &key.api_key);
    let logged_in = running.login(EMAIL, PASSWORD, &origin()).unwrap();

    // The command of the rotation runs in another process.
    files.rotate();
    let command = over(&world, &files);
    assert_eq!(command.sealed_with_previous().unwrap(), 2);
    assert_eq!(command.reseal(&operator()).unwrap(), 2);
    assert_eq!(command.sealed_with_previous().unwrap(), 0);

    running.authenticate_signature(&signed, &REQUEST).unwrap();
    running.authenticate_bearer(&logged_in.access_token).unwrap();
    let (later, secret) = running.create_signing_key(&operator(), new("after")).unwrap();
    // All secrets are sealed with the new key: the old one may be deleted.
    let rotated = server(&world, files.current().into());
    rotated.check_master_key().unwrap();
    for signed in [&signed, &header(secret.expose(), &later.saas_id, &later.api_key)] {
        rotated.authenticate_signature(signed, &REQUEST).unwrap();
    }
    rotated.authenticate_bearer(&logged_in.access_token).unwrap();

    // After a second rotation no secret depends on the first key, which no longer exists.
    files.rotate();
    assert_eq!(over(&world, &files).reseal(&operator()).unwrap(), 3);
    running.authenticate_signature(&signed, &REQUEST).unwrap();

    let events: Vec<_> =
        world.system_events().into_iter().filter(|event| event.kind.as_str() == "master_key_rotate").collect();
    assert_eq!(events.len(), 2);
    assert_eq!(metadata_of(&events[1]), Some(serde_json::json!({"resealed": 2})));
    let events = format!("{:?}", world.system_events());
    for hex in files.0.lock().unwrap().iter().chain([&world.master]) {
        assert!(!events.contains(hex.as_str()));
    }
}

#[test]
fn a_rotation_is_all_or_nothing() {
    let world = World::new();
    world.jane(Role::Admin);
    world.jane_logs_in();
    let (key, _) = world.access.create_signing_key(&operator(), new("damaged")).unwrap();
    world.store.writing(|tx| tx.reseal_signing_key(key.id, &[1; 90])).unwrap();
    let before = world.store.reading(|tx| tx.token_keys()).unwrap();
    let files = Files::of(&world);
    files.rotate();
    let error = over(&world, &files).reseal(&operator()).unwrap_err();
    assert!(matches!(&error, Error::Internal { cause } if cause.to_string().contains(&key.id.to_string())), "{error}");
    assert_eq!(world.store.reading(|tx| tx.token_keys()).unwrap(), before);
    assert!(!world.system_kinds().contains(&"master_key_rotate".to_owned()));
}

#[test]
fn more_signing_keys_than_one_page_are_resealed() {
    let world = World::new();
    let files = Files::of(&world);
    for number in 0..501 {
        world.access.create_signing_key(&operator(), new(&format!("key {number}"))).unwrap();
    }
    files.rotate();
    assert_eq!(over(&world, &files).reseal(&operator()).unwrap(), 501);
    assert_eq!(over(&world, &files).sealed_with_previous().unwrap(), 0);
}

/// A secret that is sealed with a replaced key would be lost at the rotation after the next.
#[test]
fn nothing_is_sealed_when_the_key_file_cannot_be_read() {
    let world = World::new();
    let files = Files::of(&world);
    let running = over(&world, &files);
    files.0.lock().unwrap().clear();
    assert!(matches!(running.create_signing_key(&operator(), new("x")).unwrap_err(), Error::Internal { .. }));
    assert!(world.access.signing_keys(None, 10).unwrap().items.is_empty());
}

/// A secret whose write waited while all others were resealed must not be sealed with the previous key, which may be deleted
/// afterwards.
#[test]
fn a_server_that_waited_for_the_resealing_seals_with_the_new_key() {
    let sealers: [fn(&Access); 4] = [
        |access| drop(access.seal_feed_cursor(&caller(Some(TENANT)), "f00").unwrap()),
        |access| drop(access.create_signing_key(&operator(), new("waited")).unwrap()),
        |access| drop(access.rotate_token_key(&operator(), OldKeys::Keep).unwrap()),
        |access| access.check_master_key().unwrap(),
    ];
    for seal in sealers {
        let world = World::new();
        let files = Files::of(&world);
        let (rotated, command) = (files.clone(), over(&world, &files));
        let store = FaultyStore::over(&world.store);
        store.before_write(0, move |_| {
            rotated.rotate();
            command.reseal(&operator()).unwrap();
        });
        let settings = AccessSettings { bcrypt_cost: 4, ..AccessSettings::default() };
        let master = MasterKeys::from_source(files.clone()).unwrap();
        let running = Access::new(store, world.clock.clone(), Arc::new(SystemEntropy::new()), master, settings);
        seal(&running);
        assert_eq!(over(&world, &files).sealed_with_previous().unwrap(), 0);
    }
}

#[test]
fn expired_records_are_removed_even_if_no_key_can_be_made() {
    let world = World::new();
    world.jane(Role::Admin);
    let files = Files::of(&world);
    let running = over(&world, &files);
    let login = running.login(EMAIL, PASSWORD, &origin()).unwrap();
    let hash = PlainToken::read(TokenKind::Refresh, &login.refresh_token).unwrap().hash();
    let stored = || world.store.reading(|tx| tx.refresh_token(hash.as_bytes())).unwrap();
    assert!(stored().is_some());
    world.advance(TimeDelta::days(31));
    files.0.lock().unwrap().clear();
    assert!(matches!(running.housekeeping().unwrap_err(), Error::Internal { .. }));
    assert!(stored().is_none());
}

//! Sealed cursors of tenant-scoped callers.

use std::collections::BTreeSet;
use std::sync::Arc;

use trailkeeper_auth::{
    Access, AccessSettings, MasterKey, MasterKeyPair, MasterKeys, Principal, PrincipalKind, SystemEntropy,
};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::cursor;
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use crate::world::{TENANT, World};

pub const OTHER: TenantId = TenantId(Uuid::from_u128(0x1111_1111_2222_4333_8444_5555_5555_5555));
const EVENTS: &str = "events";

pub fn caller(tenant_id: Option<TenantId>) -> Principal {
    let kind = PrincipalKind::Token(CredentialId(Uuid::from_u128(7)));
    Principal { kind, name: "billing".to_owned(), role: Role::Admin, tenant_id, session_id: None }
}

fn plain_cursor(seq: u64) -> String {
    cursor::encode('e', &format!("1769860800000000.{seq}"))
}

fn server(world: &World, current: &str, previous: Option<&str>) -> Access {
    let key = |hex| MasterKey::from_hex(hex).unwrap();
    let keys = MasterKeys::fixed(MasterKeyPair { current: key(current), previous: previous.map(key) });
    let entropy = Arc::new(SystemEntropy::new());
    Access::new(world.store.clone(), world.clock.clone(), entropy, keys, AccessSettings::default())
}

#[track_caller]
pub fn refused(answer: Result<String>) {
    let Err(Error::Invalid(fault)) = answer else { panic!("not a refusal: {answer:?}") };
    assert_eq!(fault.field.as_deref(), Some("cursor"));
    assert!(fault.to_string().contains("is not a cursor of this list"), "{fault}");
}

#[test]
fn a_sealed_cursor_opens_only_for_its_tenant_and_its_list() {
    let World { access, .. } = &World::new();
    let (own, plain) = (caller(Some(TENANT)), plain_cursor(42));
    let sealed = access.seal_cursor(&own, EVENTS, &plain).unwrap();
    assert_eq!(access.open_cursor(&own, EVENTS, "cursor", &sealed).unwrap(), plain);
    let colleague = Principal { role: Role::Auditor, name: "jane".to_owned(), ..own.clone() };
    assert_eq!(
        access.open_cursor(&colleague, EVENTS, "cursor", &sealed).unwrap(),
        plain,
        "another credential of the same tenant opens it"
    );
    refused(access.open_cursor(&caller(Some(OTHER)), EVENTS, "cursor", &sealed));
    refused(access.open_cursor(&caller(None), EVENTS, "cursor", &sealed));
    refused(access.open_cursor(&own, "timeline", "cursor", &sealed));
    refused(access.open_cursor(&own, EVENTS, "cursor", &plain));
}

#[test]
fn callers_of_all_tenants_get_plain_cursors() {
    let World { access, .. } = &World::new();
    let everyone = caller(None);
    assert_eq!(access.seal_cursor(&everyone, EVENTS, &plain_cursor(42)).unwrap(), plain_cursor(42));
    assert_eq!(access.open_cursor(&everyone, EVENTS, "cursor", &plain_cursor(42)).unwrap(), plain_cursor(42));
}

#[test]
fn a_changed_or_cut_cursor_is_refused() {
    let World { access, .. } = &World::new();
    let own = caller(Some(TENANT));
    let sealed = access.seal_cursor(&own, EVENTS, &plain_cursor(42)).unwrap();
    for at in 0..sealed.len() {
        let (head, tail) = (&sealed[..at], &sealed[at + 1..]);
        let other = if sealed[at..].starts_with('0') { '1' } else { '0' };
        refused(access.open_cursor(&own, EVENTS, "cursor", &format!("{head}{other}{tail}")));
        refused(access.open_cursor(&own, EVENTS, "cursor", head));
    }
    for strange in [sealed.to_uppercase(), format!("{sealed}00"), format!("x{}", "0".repeat(2136)), "x".repeat(1 << 20)]
    {
        refused(access.open_cursor(&own, EVENTS, "cursor", &strange));
    }
    for strange in ["", "x", "xé", "x+1", "xgg", " x00", "x00"] {
        refused(access.open_cursor(&own, EVENTS, "cursor", strange));
    }
}

#[test]
fn a_sealed_cursor_reveals_neither_the_key_nor_its_length() {
    let World { access, .. } = &World::new();
    let own = caller(Some(TENANT));
    let seal = |plain: &str| access.seal_cursor(&own, EVENTS, plain).unwrap();
    let numbers = [1, 2, 9, 10, 999_999, u64::from(u32::MAX), 999_999_999_999_999_999];
    let mut plain: Vec<String> = numbers.map(plain_cursor).to_vec();
    plain.extend(numbers.map(|number| cursor::encode('c', &number.to_string())));
    plain.push(cursor::encode('t', &TENANT.to_string()));
    let sealed: Vec<String> = plain.iter().map(|plain| seal(plain)).collect();
    assert!(sealed.iter().all(|text| text.len() == 217), "{sealed:#?}");
    let starts: BTreeSet<&str> = sealed.iter().map(|text| &text[..9]).collect();
    assert_eq!(starts.len(), sealed.len(), "different cursors have different nonces");
    for (plain, sealed) in plain.iter().zip(&sealed) {
        assert_eq!(*sealed, seal(plain), "equal cursors are sealed equally");
    }
    assert_ne!(seal(&plain_cursor(1)), access.seal_cursor(&caller(Some(OTHER)), EVENTS, &plain_cursor(1)).unwrap());
    assert_ne!(seal(&plain_cursor(1)), access.seal_cursor(&own, "timeline", &plain_cursor(1)).unwrap());
    // The longest user id.
    let longest = cursor::encode('u', &"\u{10ffff}".repeat(128));
    let sealed = seal(&longest);
    assert_eq!((longest.len(), sealed.len()), (1025, 2137));
    assert_eq!(access.open_cursor(&own, EVENTS, "cursor", &sealed).unwrap(), longest);
}

#[test]
fn a_sealed_cursor_opens_until_the_second_rotation() {
    let world = World::new();
    let own = caller(Some(TENANT));
    let [second, third] = [(); 2].map(|()| MasterKey::generate(&SystemEntropy::new()).to_hex());
    let sealed = world.access.seal_cursor(&own, EVENTS, &plain_cursor(42)).unwrap();
    let rotated = server(&world, &second, Some(&world.master));
    assert_eq!(rotated.open_cursor(&own, EVENTS, "cursor", &sealed).unwrap(), plain_cursor(42));
    assert_ne!(rotated.seal_cursor(&own, EVENTS, &plain_cursor(42)).unwrap(), sealed, "sealed with the new key");
    refused(server(&world, &third, Some(&second)).open_cursor(&own, EVENTS, "cursor", &sealed));
    refused(server(&world, &second, None).open_cursor(&own, EVENTS, "cursor", &sealed));
}

/// The expected text was computed in Python (hmac, hashlib, and ChaCha20-Poly1305 of `cryptography`), from the formula in
/// the module `sealed_cursor`.
#[test]
fn the_sealed_text_follows_the_formula() {
    let access = server(&World::new(), &"ab".repeat(32), None);
    assert_eq!(access.seal_cursor(&caller(Some(TENANT)), EVENTS, &plain_cursor(42)).unwrap(), VECTOR);
}

const VECTOR: &str = "x81ab132c6d01d26cb1adcab101656c63b1adba2a5f396fc925b94271a6e5044d907309dd2512f6307b05b28bb27fbf6b2bdbd889442593e7a38179b23faa8608fc6cc3b4d782e46e3d8a8dae4ec51fd9473475474d6cf56f5f749e2a38158ddf37f6da5118d6d850a73d20be";

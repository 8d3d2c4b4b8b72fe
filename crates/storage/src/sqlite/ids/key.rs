//! The keys of ids.
//!
//! A key has 48 bits: 32 of the hash of the id, then 16 of the hash of the id and its tenant. So the events with an id in
//! any tenant are neighbours, and an event of one tenant is found without reading those that others have under its id:
//! their number, and whether there are any, costs no time. Keys that are equal by chance cost one row that is read.

use std::ops::RangeInclusive;

use uuid::Uuid;

use crate::hash_key::{EVENT_ID, HashKey};

/// The number of bits of a key.
pub const KEY_BITS: u8 = 48;
/// The number of bits of a key that depend on the tenant.
const TENANT_BITS: u8 = 16;

/// The key of the event with this id in the tenant of this number.
pub fn key_of(hash: &HashKey, id: &Uuid, tenant: i64) -> u64 {
    let mut both = [0; 24];
    let (of_id, of_tenant) = both.split_at_mut(16);
    of_id.copy_from_slice(id.as_bytes());
    of_tenant.copy_from_slice(&tenant.to_le_bytes());
    first_of(hash, id) | hash.hash64(EVENT_ID, &both) >> (64 - TENANT_BITS)
}

/// The keys of the events with this id in all tenants.
pub fn keys_of(hash: &HashKey, id: &Uuid) -> RangeInclusive<u64> {
    let first = first_of(hash, id);
    first..=first | ((1 << TENANT_BITS) - 1)
}

fn first_of(hash: &HashKey, id: &Uuid) -> u64 {
    u64::from(hash.hash32(EVENT_ID, id.as_bytes())) << TENANT_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_an_id_are_neighbours() {
        let hash = HashKey::of(&[7; 16]).unwrap();
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let keys: Vec<u64> = (0..1_000).map(|tenant| key_of(&hash, &a, tenant)).collect();
        assert!(keys.iter().all(|key| keys_of(&hash, &a).contains(key) && *key >> KEY_BITS == 0));
        assert!(keys.iter().all(|key| !keys_of(&hash, &b).contains(key)));
        let distinct: std::collections::BTreeSet<&u64> = keys.iter().collect();
        assert!(distinct.len() > 980, "{}", distinct.len());
        assert_ne!(key_of(&HashKey::of(&[8; 16]).unwrap(), &a, 1), keys[1]);
    }
}

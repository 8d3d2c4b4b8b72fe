//! Ids of events whose senders have ids of another form, or none.

use sha2::{Digest as _, Sha256};
use trailkeeper_domain::id::parse_uuid;
use uuid::{Builder, Uuid};

/// A UUID version 8 (custom, in the words of RFC 9562) of `parts`: the first 16 bytes of their SHA-256. Equal parts in
/// one `space` have one id; each part counts by itself, so `["ab", "c"]` and `["a", "bc"]` have different ids.
///
/// ```
/// use trailkeeper_parsers::derived_id::derived_id;
///
/// let id = derived_id("auth0", &[b"90020230726131118200088"]);
/// assert_eq!(id, derived_id("auth0", &[b"90020230726131118200088"]));
/// assert_ne!(id, derived_id("keycloak", &[b"90020230726131118200088"]));
/// ```
pub fn derived_id(space: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in std::iter::once(space.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// The id of a record of an identity provider: its own id if that is a UUID, else one derived from provider and id.
pub fn of_provider(provider: &str, id: &str) -> Uuid {
    parse_uuid("id", id).unwrap_or_else(|_| derived_id(provider, &[id.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_kept_and_anything_else_is_hashed_with_its_provider() {
        let uuid = "382ae09a-151d-4116-8f2b-6ac0a804a38c";
        assert_eq!(of_provider("cloudtrail", uuid).to_string(), uuid);
        // By Python: hashlib.sha256(struct.pack(">Q", 5) + b"auth0" + struct.pack(">Q", 3) + b"900"), with the bits of
        // version and variant set.
        assert_eq!(of_provider("auth0", "900").to_string(), "83da9868-0294-8209-bcdd-0dcfb9eed8a7");
        assert_eq!(of_provider("auth0", "900").get_version_num(), 8);
        assert_ne!(derived_id("x", &[b"ab", b"c"]), derived_id("x", &[b"a", b"bc"]));
        assert_ne!(derived_id("x", &[b""]), derived_id("x", &[]));
    }
}

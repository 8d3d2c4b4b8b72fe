//! Readings of the feed: all pages that one credential requests with the same conditions.
//!
//! A reading is recorded once, at its start, and its cursors carry its number. A reader that could compute the number of
//! another reading could read unrecorded, so the number is an HMAC under the cursor key.

use ring::hmac;
use trailkeeper_domain::Result;

use crate::access::Access;
use crate::permission::{Principal, PrincipalKind};

impl Access {
    /// The number of the reading of this caller with these conditions, which are pairs of a name and a value in any order.
    /// A person has other readings in another session.
    ///
    /// Makes the cursor key of a database that has none. Errors as for [`Self::feed_sealer`].
    pub fn reading_of(&self, caller: &Principal, conditions: &[(String, String)]) -> Result<u64> {
        let key = self.cursor_key.current(self.key_source())?;
        let (kind, id) = match caller.kind {
            PrincipalKind::Account(id) => ("account", id.0),
            PrincipalKind::Token(id) => ("token", id.0),
            PrincipalKind::SigningKey(id) => ("signing_key", id.0),
        };
        let id = id.to_string();
        let session = caller.session_id.map(|session| session.to_string()).unwrap_or_default();
        let mut sorted: Vec<&(String, String)> = conditions.iter().collect();
        sorted.sort();
        let pairs = sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let mut whole = hmac::Context::with_key(&key);
        for part in ["reading", kind, id.as_str(), session.as_str()].into_iter().chain(pairs) {
            // With its length, so that no part can contain the next one.
            whole.update(&(part.len() as u64).to_be_bytes());
            whole.update(part.as_bytes());
        }
        Ok(whole.sign().as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

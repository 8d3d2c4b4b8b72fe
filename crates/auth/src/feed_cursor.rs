//! Cursors of the feed for tenant-scoped callers.
//!
//! They are sealed like [those of lists](crate::sealed_cursor), with these differences:
//!
//! - The root of their keys is the cursor key, not a key derived from the master key. So they stay valid however often the
//!   master key is replaced: `K = HMAC(cursor key, "cursor:<tenant>:feed")`.
//! - The nonce is random. The position behind an empty page moves on when another tenant stores something, and equal sealed
//!   cursors would say when it does not.
//! - The bytes of the position are sealed, in place of its digits. All have one length, so there is no padding.

use std::sync::Arc;

use ring::aead::NONCE_LEN;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::{Error, Result, cursor};

use crate::access::Access;
use crate::hex;
use crate::permission::Principal;
use crate::sealed_cursor::{Seal, sealed_part};

/// The name inside sealed cursors. Another text invalidates all cursors that clients hold.
const LIST: &str = "feed";

/// Seals the cursors of one page of the feed for one caller, and neither reads the database nor derives keys for each.
pub struct FeedSealer {
    seal: Option<Seal>,
    entropy: Arc<dyn Entropy>,
}

impl FeedSealer {
    /// The cursor in the form for the caller: sealed if the caller is tenant-scoped, else unchanged.
    ///
    /// [`Error::Internal`] when it cannot be sealed.
    pub fn seal(&self, plain: &str) -> Result<String> {
        let Some(seal) = &self.seal else { return Ok(plain.to_owned()) };
        let position = plain.strip_prefix(cursor::FEED).and_then(hex::decode_all);
        let position = position.ok_or_else(|| Error::internal("a cursor of the feed that is none"))?;
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        seal.seal_with(nonce, position)
    }
}

impl Access {
    /// What seals the cursors of a page of the feed for this caller. Makes the cursor key of a database that has none.
    ///
    /// For a tenant-scoped caller, the errors of the store, and [`Error::Internal`] when no master key opens the cursor key.
    pub fn feed_sealer(&self, caller: &Principal) -> Result<FeedSealer> {
        let seal = |tenant| Seal::of(&self.cursor_key.current(self.key_source())?, tenant, LIST);
        let seal = caller.tenant_id.map(seal).transpose()?;
        Ok(FeedSealer { seal, entropy: Arc::clone(&self.entropy) })
    }

    /// One cursor of the feed in the form for this caller. Errors as for [`Self::feed_sealer`] and [`FeedSealer::seal`].
    pub fn seal_feed_cursor(&self, caller: &Principal, plain: &str) -> Result<String> {
        self.feed_sealer(caller)?.seal(plain)
    }

    /// The plain cursor of the cursor of the feed that this caller sent in the parameter `field`.
    ///
    /// [`Error::Invalid`] when [`Self::seal_feed_cursor`] cannot have given it to this caller, as for
    /// [`Self::open_cursor`]; otherwise errors as for [`Self::feed_sealer`].
    pub fn open_feed_cursor(&self, caller: &Principal, field: &str, sent: &str) -> Result<String> {
        let Some((tenant, sealed)) = sealed_part(caller, field, sent)? else { return Ok(sent.to_owned()) };
        let seal = Seal::of(&self.cursor_key.current(self.key_source())?, tenant, LIST)?;
        let position = seal.open_bytes(&sealed).ok_or_else(|| cursor::refused(field))?;
        Ok(format!("{}{}", cursor::FEED, hex::encode(&position)))
    }
}

//! Cursors of the feed for tenant-scoped callers.
//!
//! They are sealed like [those of lists](crate::sealed_cursor), with two differences:
//!
//! - The root of their keys is the cursor key, not a key derived from the master key. So they stay valid however often the
//!   master key is replaced: `K = HMAC(cursor key, "cursor:<tenant>:feed")`.
//! - They have a greater block, because a position in the feed is longer than the key of a row.

use trailkeeper_domain::{Result, cursor};

use crate::access::Access;
use crate::permission::Principal;
use crate::sealed_cursor::{Seal, sealed_part};

/// The name inside sealed cursors. Another text invalidates all cursors that clients hold.
const LIST: &str = "feed";

/// Plain cursors are padded to a multiple of this many bytes. The longest one, with the greatest numbers, has 181.
const BLOCK: usize = 192;

/// Seals the cursors of one page of the feed for one caller, and neither reads the database nor derives keys for each.
pub struct FeedSealer(Option<Seal>);

impl FeedSealer {
    /// The cursor in the form for the caller: sealed if the caller is tenant-scoped, else unchanged.
    ///
    /// [`trailkeeper_domain::Error::Internal`] when it cannot be sealed.
    pub fn seal(&self, plain: &str) -> Result<String> {
        self.0.as_ref().map_or_else(|| Ok(plain.to_owned()), |seal| seal.seal(plain))
    }
}

impl Access {
    /// What seals the cursors of a page of the feed for this caller. Makes the cursor key of a database that has none.
    ///
    /// For a tenant-scoped caller, the errors of the store, and [`trailkeeper_domain::Error::Internal`] when no master key
    /// opens the cursor key.
    pub fn feed_sealer(&self, caller: &Principal) -> Result<FeedSealer> {
        let seal = |tenant| Seal::of(&self.cursor_key.current(self.key_source())?, tenant, LIST, BLOCK);
        caller.tenant_id.map(seal).transpose().map(FeedSealer)
    }

    /// One cursor of the feed in the form for this caller. Errors as for [`Self::feed_sealer`] and [`FeedSealer::seal`].
    pub fn seal_feed_cursor(&self, caller: &Principal, plain: &str) -> Result<String> {
        self.feed_sealer(caller)?.seal(plain)
    }

    /// The plain cursor of the cursor of the feed that this caller sent in the parameter `field`.
    ///
    /// [`trailkeeper_domain::Error::Invalid`] when [`Self::seal_feed_cursor`] cannot have given it to this caller, as for
    /// [`Self::open_cursor`]; otherwise errors as for [`Self::feed_sealer`].
    pub fn open_feed_cursor(&self, caller: &Principal, field: &str, sent: &str) -> Result<String> {
        let Some((tenant, sealed)) = sealed_part(caller, field, sent)? else { return Ok(sent.to_owned()) };
        let seal = Seal::of(&self.cursor_key.current(self.key_source())?, tenant, LIST, BLOCK)?;
        seal.open(&sealed).ok_or_else(|| cursor::refused(field))
    }
}

//! Cursors of callers that are confined to a tenant.
//!
//! A cursor is the key of a row, and some keys count the rows of all tenants: the difference of two of them would
//! tell how much the others stored in between. So who is confined gets cursors that nobody else can read: encrypted,
//! bound to the tenant and the list, and of one length.
//!
//! - Per tenant and list: `K = HMAC(derived(master key), "cursor:<tenant>:<list>")`. A cursor of elsewhere is refused.
//! - The nonce is `HMAC(K, "nonce:" ‖ plain)`, cut to 96 bits, and not random: one place has one text, so that equal
//!   questions have equal answers, and a nonce comes twice for two places by an accident of 1 in 2^96 alone. Whoever
//!   compares two texts learns whether they mean the same row, which the rows of the page tell anyway.
//! - Sealed by the current master key, opened by the one before it too: a page may be asked for while it is replaced.

use std::str;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::{Error, Result, cursor};

use crate::access::Access;
use crate::hex;
use crate::master::MasterKey;
use crate::permission::Principal;

/// What the derived key is for. Another text ends all cursors that are out.
const PURPOSE: &str = "trailkeeper sealed cursor 1";

/// The first letter. No plain cursor begins with it.
const MARK: char = 'x';

/// Plain cursors are filled up to a multiple of this many bytes. All fit into one such block, but those that hold a
/// long id, which stands in the page itself.
const BLOCK: usize = 80;

/// The longest sealed cursor in characters; a plain one of a user's id has up to 1,025.
const LONGEST: usize = 1 + 2 * (NONCE_LEN + 13 * BLOCK + 16);

impl Access {
    /// A cursor of `list` as this caller gets it: sealed where the caller is confined to a tenant.
    ///
    /// [`Error::Internal`] when it cannot be sealed.
    pub fn seal_cursor(&self, caller: &Principal, list: &str, plain: &str) -> Result<String> {
        match caller.tenant_id {
            None => Ok(plain.to_owned()),
            Some(tenant) => Seal::of(&self.master.held().current, tenant, list)?.seal(plain),
        }
    }

    /// The plain cursor behind what this caller sent for `list` in the parameter `field`.
    ///
    /// [`Error::Invalid`] when it is not what [`Self::seal_cursor`] gave to such a caller: damaged, made up, of
    /// another tenant or list, or plain from who is confined and sealed from who is not. A plain one is read by the
    /// list itself, which refuses those of other lists.
    pub fn open_cursor(&self, caller: &Principal, list: &str, field: &str, sent: &str) -> Result<String> {
        let refused = || cursor::refused(field);
        match (caller.tenant_id, sent.strip_prefix(MARK)) {
            (None, None) => Ok(sent.to_owned()),
            (None, Some(_)) | (Some(_), None) => Err(refused()),
            (Some(tenant), Some(text)) => {
                let sealed = Some(text).filter(|_| sent.len() <= LONGEST).and_then(hex::decode_all);
                let sealed = sealed.ok_or_else(refused)?;
                if let Some(plain) = self.opened(tenant, list, &sealed)? {
                    return Ok(plain);
                }
                // Perhaps another server has a newer master key already.
                let again = if self.master.reload()? { self.opened(tenant, list, &sealed)? } else { None };
                again.ok_or_else(refused)
            }
        }
    }

    /// `None` when no master key that we hold opens it.
    fn opened(&self, tenant: TenantId, list: &str, sealed: &[u8]) -> Result<Option<String>> {
        for key in self.master.held().all() {
            let plain = Seal::of(key, tenant, list)?.open(sealed);
            if plain.is_some() {
                return Ok(plain);
            }
        }
        Ok(None)
    }
}

/// The keys of one tenant's cursors of one list.
struct Seal {
    nonces: hmac::Key,
    cipher: LessSafeKey,
}

impl Seal {
    fn of(master: &MasterKey, tenant: TenantId, list: &str) -> Result<Self> {
        let context = format!("cursor:{tenant}:{list}");
        let root = hmac::sign(&master.derived(PURPOSE), context.as_bytes());
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, root.as_ref());
        let cipher = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&nonces, b"key").as_ref())
            .map_err(|_| Error::internal("a key of cursors has not 32 bytes"))?;
        Ok(Self { nonces, cipher: LessSafeKey::new(cipher) })
    }

    /// Layout: nonce, ciphertext and tag, in hexadecimal digits behind the mark.
    fn seal(&self, plain: &str) -> Result<String> {
        let mut body = plain.as_bytes().to_vec();
        body.resize(body.len().next_multiple_of(BLOCK), 0);
        let nonce = self.nonce(plain);
        self.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut body)
            .map_err(|_| Error::internal(format!("cannot seal a cursor of {} bytes", plain.len())))?;
        Ok(format!("{MARK}{}{}", hex::encode(&nonce), hex::encode(&body)))
    }

    fn open(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let padded = self.cipher.open_in_place(nonce, Aad::empty(), &mut body).ok()?;
        // No plain cursor has a zero byte.
        str::from_utf8(padded).ok().map(|padded| padded.trim_end_matches('\0').to_owned())
    }

    fn nonce(&self, plain: &str) -> [u8; NONCE_LEN] {
        let mut whole = hmac::Context::with_key(&self.nonces);
        whole.update(b"nonce:");
        whole.update(plain.as_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(whole.sign().as_ref()).for_each(|(to, from)| *to = *from);
        nonce
    }
}

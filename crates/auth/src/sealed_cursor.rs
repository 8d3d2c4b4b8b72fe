//! Cursors of tenant-scoped callers.
//!
//! A cursor holds the key of a row, and some keys count the rows of all tenants: the difference of two of them would
//! reveal how much other tenants stored in between. So tenant-scoped callers get cursors that only the server can read:
//! encrypted, bound to the tenant and the list, and of equal length.
//!
//! - Per tenant and list: `K = HMAC(derived(master key), "cursor:<tenant>:<list>")`. A cursor of another tenant or list is
//!   refused.
//! - The nonce is `HMAC(K, "nonce:" ‖ plain)`, cut to 96 bits, and not random: equal plain cursors have equal sealed ones,
//!   so that equal requests have equal responses. Two different plain cursors have the same nonce with a probability of
//!   1 in 2^96. A comparison of two sealed cursors reveals whether they name the same row, which the rows of the page
//!   reveal anyway.
//! - Plain cursors are padded before they are sealed, so that short and long numbers give cursors of one length.
//! - The current master key seals; the previous one opens too, because the key may be replaced between two pages.

use std::str;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::{Error, Result, cursor};

use crate::access::Access;
use crate::hex;
use crate::master::MasterKey;
use crate::permission::Principal;

/// The purpose of the derived key. Another text invalidates all cursors that clients hold.
const PURPOSE: &str = "trailkeeper sealed cursor 1";

/// The first letter. No plain cursor begins with it.
const MARK: char = 'x';

/// Plain cursors are padded to a multiple of this many bytes. All fit into one block except those with a long id, which
/// the page itself shows.
const BLOCK: usize = 80;

/// The longest sealed cursor, in characters. The longest plain one, with a user's id, has 1,025.
const LONGEST: usize = 1 + 2 * (NONCE_LEN + 13 * BLOCK + 16);

impl Access {
    /// The cursor of `list` in the form for this caller: sealed if the caller is tenant-scoped, else unchanged.
    ///
    /// [`Error::Internal`] when it cannot be sealed.
    pub fn seal_cursor(&self, caller: &Principal, list: &str, plain: &str) -> Result<String> {
        match caller.tenant_id {
            None => Ok(plain.to_owned()),
            Some(tenant) => Seal::of_list(&self.master.get().current, tenant, list)?.seal(plain),
        }
    }

    /// The plain cursor of the cursor that this caller sent for `list` in the parameter `field`.
    ///
    /// [`Error::Invalid`] when [`Self::seal_cursor`] cannot have given it to this caller: it is damaged, made up, or of
    /// another tenant or list; or it is plain and the caller tenant-scoped, or sealed and the caller not. The list itself
    /// refuses plain cursors of other lists.
    pub fn open_cursor(&self, caller: &Principal, list: &str, field: &str, sent: &str) -> Result<String> {
        let Some((tenant, sealed)) = sealed_part(caller, field, sent)? else { return Ok(sent.to_owned()) };
        if let Some(plain) = self.opened(tenant, list, &sealed)? {
            return Ok(plain);
        }
        // Another server may have sealed it with a newer master key.
        let again = if self.master.reload()? { self.opened(tenant, list, &sealed)? } else { None };
        again.ok_or_else(|| cursor::refused(field))
    }

    /// `None` when no master key of this process opens it.
    fn opened(&self, tenant: TenantId, list: &str, sealed: &[u8]) -> Result<Option<String>> {
        for key in self.master.get().all() {
            let plain = Seal::of_list(key, tenant, list)?.open(sealed);
            if plain.is_some() {
                return Ok(plain);
            }
        }
        Ok(None)
    }
}

/// The tenant and the bytes of a sealed cursor; `None` for a plain cursor of a caller who gets plain ones.
///
/// [`Error::Invalid`] for a cursor of another form than this caller gets.
pub(crate) fn sealed_part(caller: &Principal, field: &str, sent: &str) -> Result<Option<(TenantId, Vec<u8>)>> {
    let refused = || cursor::refused(field);
    match (caller.tenant_id, sent.strip_prefix(MARK)) {
        (None, None) => Ok(None),
        (None, Some(_)) | (Some(_), None) => Err(refused()),
        (Some(tenant), Some(text)) => {
            let sealed = Some(text).filter(|_| sent.len() <= LONGEST).and_then(hex::decode_all);
            Ok(Some((tenant, sealed.ok_or_else(refused)?)))
        }
    }
}

/// The keys for the cursors of one tenant and one list.
pub(crate) struct Seal {
    nonces: hmac::Key,
    cipher: LessSafeKey,
}

impl Seal {
    fn of_list(master: &MasterKey, tenant: TenantId, list: &str) -> Result<Self> {
        Self::of(&master.derived(PURPOSE), tenant, list)
    }

    /// The keys under `root`.
    pub(crate) fn of(root: &hmac::Key, tenant: TenantId, list: &str) -> Result<Self> {
        let context = format!("cursor:{tenant}:{list}");
        let root = hmac::sign(root, context.as_bytes());
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, root.as_ref());
        let cipher = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&nonces, b"key").as_ref())
            .map_err(|_| Error::internal("a cursor key does not have 32 bytes"))?;
        Ok(Self { nonces, cipher: LessSafeKey::new(cipher) })
    }

    fn seal(&self, plain: &str) -> Result<String> {
        let mut body = plain.as_bytes().to_vec();
        body.resize(body.len().next_multiple_of(BLOCK), 0);
        self.seal_with(self.nonce(plain), body)
    }

    /// `None` when these keys did not seal it.
    fn open(&self, sealed: &[u8]) -> Option<String> {
        let padded = self.open_bytes(sealed)?;
        // Padding is unambiguous: no plain cursor contains a zero byte.
        str::from_utf8(&padded).ok().map(|padded| padded.trim_end_matches('\0').to_owned())
    }

    /// Layout: the mark, then nonce, ciphertext and tag in hexadecimal digits.
    pub(crate) fn seal_with(&self, nonce: [u8; NONCE_LEN], mut body: Vec<u8>) -> Result<String> {
        let length = body.len();
        self.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut body)
            .map_err(|_| Error::internal(format!("cannot seal a cursor of {length} bytes")))?;
        Ok(format!("{MARK}{}{}", hex::encode(&nonce), hex::encode(&body)))
    }

    /// `None` when these keys did not seal it.
    pub(crate) fn open_bytes(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        self.cipher.open_in_place(nonce, Aad::empty(), &mut body).ok().map(|plain| plain.to_vec())
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

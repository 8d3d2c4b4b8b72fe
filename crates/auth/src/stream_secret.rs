//! The secrets of forwarding streams, and the signatures of their messages, as
//! [Standard Webhooks](https://www.standardwebhooks.com) describes them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use trailkeeper_domain::clock::Entropy;
use trailkeeper_domain::{Error, Result};
use zeroize::Zeroizing;

/// The beginning of every secret.
const PREFIX: &str = "whsec_";
/// The length of a secret in bytes. The standard asks for 24 to 64.
const BYTES: usize = 32;

/// The secret of a stream in plain text: `whsec_` and 32 random bytes in base64. Its `Debug` output hides it, and it is wiped
/// from memory when dropped.
///
/// ```
/// use trailkeeper_auth::{StreamSecret, SystemEntropy};
///
/// let secret = StreamSecret::generate(&SystemEntropy::new());
/// assert!(secret.expose().starts_with("whsec_"));
/// assert_eq!(format!("{secret:?}"), "StreamSecret(…)");
/// assert_eq!(StreamSecret::read(secret.expose())?.expose(), secret.expose());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
pub struct StreamSecret {
    text: Zeroizing<String>,
    key: hmac::Key,
}

impl StreamSecret {
    /// Makes a new secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        entropy.fill(bytes.as_mut_slice());
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 2 * BYTES));
        text.push_str(PREFIX);
        STANDARD.encode_string(bytes.as_slice(), &mut text);
        Self { text, key: hmac::Key::new(hmac::HMAC_SHA256, bytes.as_slice()) }
    }

    /// Reads a secret. [`Error::Internal`] if it is none; the message does not show it.
    pub fn read(text: &str) -> Result<Self> {
        let none = || Error::internal("a secret of a stream that is not whsec_ and base64");
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).ok_or_else(none)?).map_err(|_| none())?;
        let bytes = Zeroizing::new(bytes);
        Ok(Self { text: Zeroizing::new(text.to_owned()), key: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }

    /// The plain text, to be shown once to its new owner.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The signature of a message: the version, a comma, and HMAC-SHA256 of `id.timestamp.body` in base64. The timestamp is
    /// in seconds since 1970.
    ///
    /// ```
    /// use trailkeeper_auth::StreamSecret;
    ///
    /// // The example of the standard's documentation.
    /// let secret = StreamSecret::read("whsec_plJ3nmyCDGBKInavdOK15jsl")?;
    /// let body = br#"{"event_type":"ping","data":{"success":true}}"#;
    /// assert_eq!(
    ///     secret.sign("msg_loFOjxBNrRLzqYUf", 1_731_705_121, body),
    ///     "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    /// );
    /// # Ok::<(), trailkeeper_domain::Error>(())
    /// ```
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut whole = hmac::Context::with_key(&self.key);
        whole.update(format!("{id}.{timestamp}.").as_bytes());
        whole.update(body);
        format!("v1,{}", STANDARD.encode(whole.sign()))
    }
}

impl fmt::Debug for StreamSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamSecret(…)")
    }
}

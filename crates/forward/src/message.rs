//! The messages that streams send.

use ring::digest::{SHA256, digest};
use trailkeeper_domain::hex;
use trailkeeper_domain::id::StreamId;

/// The bytes of a hash that become part of an id.
const ID_BYTES: usize = 16;

/// A message, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id, by which a receiver recognises a repetition.
    pub id: String,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// A message of a stream. Its id is a hash of stream and body: a retry, also by another server after a crash, has the same
    /// id if and only if it has the same events.
    pub fn new(stream: StreamId, content_type: &'static str, body: Vec<u8>) -> Self {
        let mut whole = stream.0.as_bytes().to_vec();
        whole.extend(digest(&SHA256, &body).as_ref());
        let hash = digest(&SHA256, &whole);
        let start: Vec<u8> = hash.as_ref().iter().take(ID_BYTES).copied().collect();
        Self { id: format!("msg_{}", hex::encode(&start)), content_type, body }
    }
}

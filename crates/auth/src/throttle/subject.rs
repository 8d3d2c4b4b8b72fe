//! What an attempt is about: the keys of its counters.

use std::net::IpAddr;

use trailkeeper_domain::ports::CounterKey;
use trailkeeper_domain::throttle::network_of;
use trailkeeper_domain::user::folded_email;
use uuid::Uuid;

use crate::sha256::sha256;

/// An account and a source, as counters know them.
pub(crate) struct Subject {
    /// Of the account: a hash, since people type passwords into name fields.
    pub account: CounterKey,
    /// Absent where it is not known from where the attempt comes: then the account alone counts.
    pub source: Option<SourceKeys>,
}

/// A source, and the pair of it and the account.
pub(crate) struct SourceKeys {
    /// The address or network.
    pub network: IpAddr,
    /// Of the source.
    pub source: CounterKey,
    /// Of both.
    pub pair: CounterKey,
}

impl Subject {
    /// A login under the name that was typed, whether anybody has it or not.
    pub fn login(username: &str, source: Option<IpAddr>) -> Self {
        let account = hash("login", &[folded_email(username).as_bytes()]);
        let source = source.map(|source| {
            let network = network_of(source);
            let address = network.to_string();
            SourceKeys {
                network,
                source: hash("source", &[address.as_bytes()]),
                pair: hash("pair", &[&account, address.as_bytes()]),
            }
        });
        Self { account, source }
    }

    /// The password that someone who is logged in gives to change it. Apart from logins, and from other sessions:
    /// whoever has stolen one must delay neither the owner's login nor the change of password that shuts him out.
    pub fn own_password(session: Uuid) -> Self {
        Self { account: hash("own_password", &[session.as_bytes()]), source: None }
    }
}

/// Different kinds of counters never share a key: the kind ends at a byte that none of them contains.
fn hash(kind: &str, parts: &[&[u8]]) -> CounterKey {
    // At most one part has a length of its own, and it is the last.
    sha256([kind.as_bytes(), &[0]].into_iter().chain(parts.iter().copied()))
}

//! The subject of an attempt: the keys of its counters.

use std::net::IpAddr;

use trailkeeper_domain::folding::folded;
use trailkeeper_domain::ports::CounterKey;
use trailkeeper_domain::throttle::network_of;
use uuid::Uuid;

use crate::sha256::sha256;

/// The account and the source of an attempt, as keys of counters.
pub(crate) struct Subject {
    /// The key of the account: a hash, since people type passwords into name fields.
    pub account: CounterKey,
    /// The keys of the source; absent if the client's address is unknown. Then only the account is counted.
    pub source: Option<SourceKeys>,
}

/// The keys of a source, and of its pair with the account.
pub(crate) struct SourceKeys {
    /// The IPv4 address, or the /64 network of IPv6.
    pub network: IpAddr,
    /// The key of the source.
    pub source: CounterKey,
    /// The key of account and source together.
    pub pair: CounterKey,
}

impl Subject {
    /// A login with this user name, whether an account has it or not.
    pub fn login(username: &str, source: Option<IpAddr>) -> Self {
        let account = hash("login", &[folded(username).as_bytes()]);
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

    /// The current password that a logged-in person gives to change it. Counted apart from logins and from other sessions:
    /// a thief of one session must delay neither the owner's login nor the change of password that ends the stolen session.
    pub fn own_password(session: Uuid) -> Self {
        Self { account: hash("own_password", &[session.as_bytes()]), source: None }
    }
}

/// The key of a counter. Counters of different kinds never share one, because the kind ends with a byte that no kind
/// contains.
fn hash(kind: &str, parts: &[&[u8]]) -> CounterKey {
    // Unambiguous without separators: only the last part has a variable length.
    sha256([kind.as_bytes(), &[0]].into_iter().chain(parts.iter().copied()))
}

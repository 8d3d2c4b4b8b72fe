//! A limit on the connections of one source, so that one client cannot use up the connections of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;
use trailkeeper_domain::throttle::network_of;

/// The number of open connections of each source, over all workers. Only sources with open connections have a row.
pub struct Sources {
    /// The most connections of one source; 0 means no limit.
    max: usize,
    /// Networks without a limit: trusted proxies, which serve many clients.
    exempt: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Sources {
    /// Allows at most `max` connections per source, except for the networks `exempt`.
    pub fn new(max: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { max, exempt, open: Mutex::default() })
    }

    /// A permit for a connection from `peer`; `None` if the peer is exempt.
    pub fn permit(self: &Arc<Self>, peer: IpAddr) -> Result<Option<ConnectionPermit>, TooManyConnections> {
        let peer = peer.to_canonical();
        if self.max == 0 || self.exempt.iter().any(|network| network.contains(&peer)) {
            return Ok(None);
        }
        let source = network_of(peer);
        let mut open = self.open.lock();
        let count = open.entry(source).or_default();
        if *count >= self.max {
            return Err(TooManyConnections);
        }
        *count += 1;
        Ok(Some(ConnectionPermit { sources: Arc::clone(self), source }))
    }
}

/// The source has reached its limit.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyConnections;

/// The right to one open connection, returned when it is dropped.
pub struct ConnectionPermit {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.sources.open.lock();
        if let Some(count) = open.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_of_a_source_are_limited() {
        let sources = Sources::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let permit = |address: &str| sources.permit(address.parse().unwrap());
        let first = permit("203.0.113.7").unwrap();
        let _second = permit("::ffff:203.0.113.7").unwrap();
        assert_eq!(permit("203.0.113.7").err(), Some(TooManyConnections));
        assert!(permit("203.0.113.8").unwrap().is_some());
        // A /64 network of IPv6 is one source; proxies are exempt.
        let _of_network = [permit("2001:db8::1").unwrap(), permit("2001:db8::2").unwrap()];
        assert_eq!(permit("2001:db8::3").err(), Some(TooManyConnections));
        assert!(permit("2001:db8:0:1::3").is_ok() && permit("10.0.0.1").unwrap().is_none());
        drop(first);
        assert!(permit("203.0.113.7").is_ok());
    }

    #[test]
    fn a_source_without_connections_takes_no_memory() {
        let sources = Sources::new(5, Vec::new());
        drop((0..100).map(|n| sources.permit(IpAddr::from([203, 0, 113, n])).unwrap()).collect::<Vec<_>>());
        assert!(sources.open.lock().is_empty());
    }
}

//! How many connections one source may hold, so that one client does not take the places of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use trailkeeper_domain::throttle::network_of;

/// The open connections of every source, over all workers. It has a row per source that is connected now, no more.
pub struct Sources {
    /// The most that one source may hold; 0: as many as it likes.
    most: usize,
    /// Proxies speak for many clients.
    exempt: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Sources {
    /// At most `most` connections per source, except for the networks `exempt`.
    pub fn new(most: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { most, exempt, open: Mutex::default() })
    }

    /// Takes a place for a connection from `peer`: `Err` where it has as many as it may.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Result<Option<ConnectionPermit>, Full> {
        let peer = peer.to_canonical();
        if self.most == 0 || self.exempt.iter().any(|network| network.contains(&peer)) {
            return Ok(None);
        }
        let source = network_of(peer);
        let mut open = self.lock();
        let held = open.entry(source).or_default();
        if *held >= self.most {
            return Err(Full);
        }
        *held += 1;
        Ok(Some(ConnectionPermit { sources: Arc::clone(self), source }))
    }

    /// The numbers hold whatever panicked meanwhile: each change is one step.
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The source has as many connections as it may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// The place of one connection; free again when it is dropped.
pub struct ConnectionPermit {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.sources.lock();
        if let Some(held) = open.get_mut(&self.source) {
            *held -= 1;
            if *held == 0 {
                open.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_places_and_no_more() {
        let sources = Sources::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let enter = |address: &str| sources.enter(address.parse().unwrap());
        let first = enter("203.0.113.7").unwrap();
        let _second = enter("::ffff:203.0.113.7").unwrap();
        assert_eq!(enter("203.0.113.7").err(), Some(Full));
        assert!(enter("203.0.113.8").unwrap().is_some());
        // All of a /64 is one source; a proxy is as many as it has clients.
        let _of_network = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert_eq!(enter("2001:db8::3").err(), Some(Full));
        assert!(enter("2001:db8:0:1::3").is_ok() && enter("10.0.0.1").unwrap().is_none());
        drop(first);
        assert!(enter("203.0.113.7").is_ok());
    }

    #[test]
    fn a_source_without_connections_takes_no_memory() {
        let sources = Sources::new(5, Vec::new());
        drop((0..100).map(|n| sources.enter(IpAddr::from([203, 0, 113, n])).unwrap()).collect::<Vec<_>>());
        assert!(sources.lock().is_empty());
    }
}

//! The client's address behind trusted proxies, from `X-Forwarded-For`.

use std::net::IpAddr;

use ipnet::IpNet;
use trailkeeper_domain::address::read_address;

/// The address of the client: `peer` itself, or, if the peer is a trusted proxy, the last address in `values` that
/// is not a trusted proxy. The header of an untrusted peer is ignored.
///
/// `values` are the values of the header in the order sent, each a list separated by commas. They are bytes, because a
/// value that is not UTF-8 still ends with the address that the proxy appended, and skipping that value would trust
/// the forged one before it.
///
/// The header is read from its end, because a client can begin it with any text and only the entries that trusted proxies
/// appended are true. A list that a trusted sender put into an event's `source`, or that stands in an access log, is
/// read from its start (`trailkeeper_domain::address::parse_address`): there, the trust in the list comes with it.
///
/// ```
/// use std::net::IpAddr;
/// use trailkeeper_parsers::forwarded::client_address;
///
/// let proxy = IpAddr::from([10, 0, 0, 1]);
/// let values = [b"198.51.100.9, 203.0.113.7".as_slice()];
/// let trusted = ["10.0.0.0/8".parse()?];
/// assert_eq!(client_address(proxy, values.into_iter(), &trusted), IpAddr::from([203, 0, 113, 7]));
/// assert_eq!(client_address(proxy, values.into_iter(), &[]), proxy);
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
pub fn client_address<'a>(peer: IpAddr, values: impl Iterator<Item = &'a [u8]>, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let hops: Vec<&[u8]> = values.flat_map(|value| value.split(|byte| *byte == b',')).collect();
    let mut nearest = peer;
    for hop in hops.iter().rev() {
        // A hop that is not an address ends the chain: the hops before it may be forged.
        let Some(address) = address_of(hop) else { break };
        nearest = address;
        if !is_trusted(&address) {
            break;
        }
    }
    nearest
}

/// The address of a hop, read as every other address is.
fn address_of(hop: &[u8]) -> Option<IpAddr> {
    read_address(std::str::from_utf8(hop).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(values: &[&[u8]]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        client_address("10.0.0.1".parse().unwrap(), values.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_trusted_proxy_is_the_client() {
        assert_eq!(client_of(&[]), "10.0.0.1");
        assert_eq!(client_of(&[b"198.51.100.9, 203.0.113.7, 10.0.0.2"]), "203.0.113.7");
        assert_eq!(client_of(&[b"198.51.100.9", b"203.0.113.7:4711", b"[2001:db8::1]:80"]), "203.0.113.7");
        assert_eq!(client_of(&[b"10.0.0.3,10.0.0.2"]), "10.0.0.3");
        assert_eq!(client_of(&[b"[2001:db9::1]"]), "2001:db9::1");
        assert_eq!(client_of(&[b"[::ffff:203.0.113.7]:80"]), "203.0.113.7");
        // An IPv4-mapped address of a trusted proxy is still that proxy.
        assert_eq!(client_of(&[b"203.0.113.7, ::ffff:10.0.0.9"]), "203.0.113.7");
        // The zone of an address does not count.
        assert_eq!(client_of(&[b"fe80::1%eth0"]), "fe80::1");
        assert_eq!(client_of(&[b"203.0.113.7, [2001:db8::1%eth0]:443"]), "203.0.113.7");
    }

    #[test]
    fn hops_before_one_that_is_no_address_are_ignored() {
        assert_eq!(client_of(&[b"198.51.100.9, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client_of(&[b"198.51.100.9,"]), "10.0.0.1");
        // The proxy appended the client to a value that the client had begun with a byte that is not UTF-8.
        assert_eq!(client_of(&[b"198.51.100.9", b"\xff, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client_of(&[b"198.51.100.9", b"\xff"]), "10.0.0.1");
        for garbage in [
            "[203.0.113.7]",
            "203.0.113.7:99999",
            "203.0.113.007",
            "fe80::1%",
            "fe80::1%eth0:443",
            "[::1",
            "for=1.2.3.4",
            "0x7f.1",
        ] {
            assert_eq!(client_of(&[b"198.51.100.9", garbage.as_bytes()]), "10.0.0.1", "{garbage}");
        }
    }
}

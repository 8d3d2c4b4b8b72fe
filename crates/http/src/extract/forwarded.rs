//! Whom `X-Forwarded-For` names. Free of actix: `fuzz/` reads this file too.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The address of the client behind `peer`: the peer itself, or, where the peer is a trusted proxy, the last
/// address of `hops` that is not one. A header from anybody else is not believed.
///
/// `values` are those of the header in the order sent, each a list with commas, as bytes: a value that is not a text
/// still ends with what the proxy wrote, and passing over it would believe the value before it.
pub fn client<'a>(peer: IpAddr, values: impl Iterator<Item = &'a [u8]>, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let hops: Vec<&[u8]> = values.flat_map(|value| value.split(|byte| *byte == b',')).collect();
    let mut nearest = peer;
    for hop in hops.iter().rev() {
        // A hop that is not an address ends the chain: what stands before it may be forged.
        let Some(address) = address_of(hop) else { break };
        nearest = address;
        if !is_trusted(&address) {
            break;
        }
    }
    nearest
}

/// An address with or without a port, as proxies write it; one of IPv6 also in brackets without a port.
fn address_of(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let plain = hop.parse::<IpAddr>().ok();
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    plain.or_else(bracketed).or_else(with_port).map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(values: &[&[u8]]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        client("10.0.0.1".parse().unwrap(), values.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_trusted_proxy_is_the_client() {
        assert_eq!(client_of(&[]), "10.0.0.1");
        assert_eq!(client_of(&[b"198.51.100.9, 203.0.113.7, 10.0.0.2"]), "203.0.113.7");
        assert_eq!(client_of(&[b"198.51.100.9", b"203.0.113.7:4711", b"[2001:db8::1]:80"]), "203.0.113.7");
        assert_eq!(client_of(&[b"10.0.0.3,10.0.0.2"]), "10.0.0.3");
        assert_eq!(client_of(&[b"[2001:db9::1]"]), "2001:db9::1");
        assert_eq!(client_of(&[b"[::ffff:203.0.113.7]:80"]), "203.0.113.7");
        // Another spelling of a trusted proxy is still that proxy, and another one of a client does not hide it.
        assert_eq!(client_of(&[b"203.0.113.7, ::ffff:10.0.0.9"]), "203.0.113.7");
    }

    #[test]
    fn what_stands_before_a_hop_that_is_no_address_is_not_believed() {
        assert_eq!(client_of(&[b"198.51.100.9, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client_of(&[b"198.51.100.9,"]), "10.0.0.1");
        // The proxy appended the client to a value that the client had begun with a byte that is no text.
        assert_eq!(client_of(&[b"198.51.100.9", b"\xff, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client_of(&[b"198.51.100.9", b"\xff"]), "10.0.0.1");
        for garbage in
            ["[203.0.113.7]", "203.0.113.7:99999", "203.0.113.007", "fe80::1%eth0", "[::1", "for=1.2.3.4", "0x7f.1"]
        {
            assert_eq!(client_of(&[b"198.51.100.9", garbage.as_bytes()]), "10.0.0.1", "{garbage}");
        }
    }
}

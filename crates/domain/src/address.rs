//! Source addresses and networks.
//!
//! Every part of the server reads addresses by [`read_address`]: the source of an event, the fields of an access log, the
//! hops of `X-Forwarded-For`, and filters. So a text means the same address wherever it is sent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::error::{Error, Result};
use crate::text;

/// Reads one address as programs write it: IPv4 or IPv6, with blanks around it, with a port (`203.0.113.7:51234`,
/// `[2001:db8::1]:443`), an IPv6 address also in brackets and with a zone (`fe80::1%eth0`).
///
/// The address has one spelling: an IPv4-mapped one (`::ffff:192.0.2.1`) becomes IPv4, and port and zone are dropped. A
/// zone names a network interface of the machine that wrote it, so it means nothing elsewhere, and databases cannot
/// store it. `None`: this is not exactly one address. An IPv6 address without brackets has no port, so `2001:db8::1:443`
/// is one address.
pub fn read_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        if !after.is_empty() && !is_port(after.strip_prefix(':')?) {
            return None;
        }
        IpAddr::V6(ipv6(inside)?)
    } else if let Some((host, port)) = text.split_once(':').filter(|(_, port)| !port.contains(':')) {
        // An IPv6 address has at least two colons.
        IpAddr::V4(host.parse::<Ipv4Addr>().ok().filter(|_| is_port(port))?)
    } else {
        text.parse::<Ipv4Addr>().map(IpAddr::V4).ok().or_else(|| ipv6(text).map(IpAddr::V6))?
    };
    Some(address.to_canonical())
}

/// Reads an IPv6 address with or without a zone, and drops the zone.
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    let address = match text.split_once('%') {
        Some((address, zone)) if is_zone(zone) => address,
        Some(_) => return None,
        None => text,
    };
    address.parse().ok()
}

/// Whether this is the number or name of a network interface. A colon could begin a port, so it is not allowed.
fn is_zone(zone: &str) -> bool {
    !zone.is_empty() && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
}

fn is_port(text: &str) -> bool {
    // `parse` also accepts a plus sign.
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Parses an address as [`read_address`] does, or a list of addresses as proxies write it: `203.0.113.7, 10.0.0.1`.
///
/// Proxies append to a list, so its first address is the client's, if the sender of the list is trusted. Whether to trust
/// a sender who is a stranger is decided elsewhere (see `client_address` in `trailkeeper-parsers`). The other members of
/// the list are addresses, or `unknown` for a proxy that hides its own.
///
/// ```
/// use trailkeeper_domain::address::parse_address;
///
/// assert_eq!(parse_address("source", "203.0.113.7:51234")?.to_string(), "203.0.113.7");
/// assert_eq!(parse_address("source", "[fe80::1%eth0]:443, 10.0.0.1")?.to_string(), "fe80::1");
/// assert!(parse_address("source", "crawler.example").is_err());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
pub fn parse_address(field: &str, value: &str) -> Result<IpAddr> {
    let mut members = value.split(',');
    members
        .next()
        .and_then(read_address)
        .filter(|_| members.all(|hop| read_address(hop).is_some() || hop.trim().eq_ignore_ascii_case("unknown")))
        .ok_or_else(|| {
            Error::invalid(
                field,
                format!(
                    "'{}' is not an address; send IPv4 or IPv6, for example 203.0.113.7 or 2001:db8::1",
                    text::shown(value)
                ),
            )
        })
}

/// An inclusive range of addresses of one family: a single address or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    /// The first address inside.
    pub first: IpAddr,
    /// The last address inside.
    pub last: IpAddr,
}

impl AddressRange {
    /// Parses an address as [`parse_address`] does, so that the source of an event finds it as it was sent; or a network
    /// in CIDR notation. Host bits of a network are ignored.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        if let Ok(address) = parse_address(field, value) {
            return Ok(Self { first: address, last: address });
        }
        let network = value.trim().parse::<IpNet>().map_err(|_| {
            Error::invalid(
                field,
                format!(
                    "'{}' is neither an address nor a network; send for example 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32",
                    text::shown(value)
                ),
            )
        })?;
        Ok(match network {
            IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
                Self { first: canonical(v6.network()), last: canonical(v6.broadcast()) }
            }
            other => Self { first: other.network(), last: other.broadcast() },
        })
    }

    /// Whether the range contains `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, self.last, address) {
            (IpAddr::V4(first), IpAddr::V4(last), IpAddr::V4(at)) => inside(first, last, at),
            (IpAddr::V6(first), IpAddr::V6(last), IpAddr::V6(at)) => inside(first, last, at),
            _ => false,
        }
    }
}

fn inside<A: PartialOrd + Copy>(first: A, last: A, at: A) -> bool {
    first <= at && at <= last
}

fn canonical(address: Ipv6Addr) -> IpAddr {
    IpAddr::V6(address).to_canonical()
}

impl fmt::Display for AddressRange {
    /// Writes an address, or a network in CIDR notation: as [`AddressRange::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = match (self.first, self.last) {
            (first, last) if first == last => return first.fmt(f),
            (IpAddr::V4(first), IpAddr::V4(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
            (IpAddr::V6(first), IpAddr::V6(last)) => (first.to_bits() ^ last.to_bits()).leading_zeros(),
            // `parse` makes none of two families.
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => 0,
        };
        write!(f, "{}/{length}", self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.77/24", "192.0.2.0", "192.0.1.255"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "::c000:209"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.7:51234", "203.0.113.7", "203.0.113.8"),
            (" 203.0.113.0/24 ", "203.0.113.255:80", "203.0.114.0"),
            ("fe80::1%eth0", "fe80::1%eth1", "fe80::2"),
        ] {
            let range = AddressRange::parse("source", range).unwrap();
            assert!(range.contains(parse_address("source", inside).unwrap()), "{inside}");
            assert!(!range.contains(parse_address("source", outside).unwrap()), "{outside}");
        }
        assert!(AddressRange::parse("source", "203.0.113.0/33").is_err());
        assert!(AddressRange::parse("source", "").is_err());
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (sent, read) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::FFFF:cb00:7107", "203.0.113.7"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("::1", "::1"),
            // Not mapped: an address of its own.
            ("::203.0.113.7", "::cb00:7107"),
            // Blanks around.
            ("  203.0.113.7\t", "203.0.113.7"),
            // Ports, and brackets.
            ("203.0.113.7:51234", "203.0.113.7"),
            ("203.0.113.7:0", "203.0.113.7"),
            ("203.0.113.7:65535", "203.0.113.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
            // Without brackets, the last group is no port.
            ("2001:db8::1:443", "2001:db8::1:443"),
            ("::1:8080", "::1:8080"),
            // Zones: by name, by number, as in a URI.
            ("fe80::1%eth0", "fe80::1"),
            ("fe80::1%12", "fe80::1"),
            ("fe80::1%25eth0", "fe80::1"),
            ("fe80::1%br-lan.100", "fe80::1"),
            ("[fe80::1%eth0]", "fe80::1"),
            ("[fe80::1%eth0]:443", "fe80::1"),
            // Lists as proxies write them.
            ("203.0.113.7, 10.0.0.1", "203.0.113.7"),
            ("203.0.113.7,10.0.0.1,::1", "203.0.113.7"),
            ("203.0.113.7:4711, 10.0.0.1:80", "203.0.113.7"),
            ("[2001:db8::1]:443 , unknown", "2001:db8::1"),
        ] {
            assert_eq!(parse_address("source", sent).unwrap().to_string(), read, "{sent}");
            // The same text finds the event.
            let range = AddressRange::parse("source", sent).unwrap();
            assert_eq!((range.first.to_string(), range.last), (read.to_owned(), range.first), "{sent}");
        }
    }

    #[test]
    fn a_text_that_is_no_address_is_refused() {
        for bad in [
            "",
            " ",
            "203.0.113",
            "203.0.113.256",
            "010.0.0.1",
            "0x7f.1",
            "3405803783",
            "localhost",
            "crawler.example",
            "AWS Internal",
            "unix:",
            "-",
            "unknown",
            "null",
            "for=203.0.113.7",
            "203.0.113.7 10.0.0.1",
            // Ports that are none.
            "203.0.113.7:",
            "203.0.113.7:99999",
            "203.0.113.7:+80",
            "203.0.113.7:-1",
            "203.0.113.7:http",
            "203.0.113.7:80:80",
            "[2001:db8::1]:",
            "[2001:db8::1]443",
            "[2001:db8::1]:99999",
            "crawler.example:80",
            ":80",
            // Brackets that do not hold one IPv6 address.
            "[203.0.113.7]",
            "[2001:db8::1",
            "2001:db8::1]",
            "[]",
            "[[::1]]",
            "[::1, ::2]",
            // Zones that are none; after a zone without brackets, a port could also be part of the zone.
            "fe80::1%",
            "fe80::1%eth0:443",
            "fe80::1%eth 0",
            "fe80::1%eth0/64",
            "203.0.113.7%eth0",
            "%eth0",
            "fe80::1%eth0%eth1",
            // Lists with a hole or with another text.
            "203.0.113.7,",
            ",203.0.113.7",
            "203.0.113.7,,10.0.0.1",
            "unknown, 203.0.113.7",
            "203.0.113.7, host.example",
            "203.0.113.0/24, 10.0.0.1",
        ] {
            let error = parse_address("source", bad).unwrap_err().to_string();
            let shown = bad.replace('\t', "\\t");
            assert!(error.starts_with(&format!("source: '{shown}' is not an address")), "{error}");
            let error = AddressRange::parse("source", bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("source: '{shown}' is neither an address nor a network")), "{error}");
        }
    }

    #[test]
    fn a_range_is_of_one_family() {
        for (sent, first, last) in [
            ("192.0.2.77/24", "192.0.2.0", "192.0.2.255"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
            ("::ffff:0:0/96", "0.0.0.0", "255.255.255.255"),
            ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            let range = AddressRange::parse("source", sent).unwrap();
            assert_eq!((range.first.to_string().as_str(), range.last.to_string().as_str()), (first, last), "{sent}");
        }
        let all_ipv6 = AddressRange::parse("source", "::/0").unwrap();
        assert!(!all_ipv6.contains(parse_address("source", "192.0.2.1").unwrap()));
    }
}

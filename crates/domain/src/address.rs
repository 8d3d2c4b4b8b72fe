//! Source addresses and networks.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::error::{Error, Result};
use crate::text;

/// Parses an IPv4 or IPv6 address. An IPv4-mapped address (`::ffff:192.0.2.1`) becomes IPv4, so that one sender has one
/// spelling.
pub fn parse_address(field: &str, value: &str) -> Result<IpAddr> {
    value.parse::<IpAddr>().map(|address| address.to_canonical()).map_err(|_| {
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
    /// Parses an address, or a network in CIDR notation. Host bits of a network are ignored.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        if let Ok(address) = value.parse::<IpAddr>() {
            let address = address.to_canonical();
            return Ok(Self { first: address, last: address });
        }
        let network = value.parse::<IpNet>().map_err(|_| {
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
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("::1", "::1"),
        ] {
            assert_eq!(parse_address("source", sent).unwrap().to_string(), read);
        }
        for bad in ["", "203.0.113", "203.0.113.256", "010.0.0.1", "localhost", "2001:db8::1%eth0", "203.0.113.7:80"] {
            let error = parse_address("source", bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("source: '{bad}' is not an address")), "{error}");
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

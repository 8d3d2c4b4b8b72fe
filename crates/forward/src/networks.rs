//! The addresses to which streams may connect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What is not global unicast of IPv4, by the registry of special-purpose addresses (RFC 6890) and those of multicast and
/// former classes.
const NOT_GLOBAL_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),       // this network, unspecified
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // shared by customers of a carrier (CGNAT)
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local; clouds give credentials there
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 31, 196, 0], 24), // AS112
    v4([192, 88, 99, 0], 24),  // relays of 6to4
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarks
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// Global unicast of IPv6 is this network, without [`NOT_GLOBAL_V6`]. So loopback, unspecified, unique local, link-local,
/// multicast, and the mapped and NAT64 forms of IPv4 are outside.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);
const NOT_GLOBAL_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23),     // protocol assignments: Teredo, benchmarks, ORCHID
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x2002, 0, 0], 16),     // 6to4, which has an IPv4 address inside
    v6([0x3fff, 0, 0], 20),     // documentation
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b, c]: [u16; 3], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// The addresses to which streams may connect: global unicast, and the networks that the operator names.
#[derive(Debug, Clone, Default)]
pub struct AllowedNetworks(Vec<IpNet>);

impl AllowedNetworks {
    /// Global unicast and these networks.
    pub fn with(named: Vec<IpNet>) -> Self {
        Self(named)
    }

    /// Whether streams may connect to the address.
    ///
    /// ```
    /// use trailkeeper_forward::AllowedNetworks;
    ///
    /// let allowed = AllowedNetworks::with(vec!["10.1.0.0/16".parse()?]);
    /// assert!(allowed.allow("8.8.8.8".parse()?) && allowed.allow("10.1.2.3".parse()?));
    /// assert!(!allowed.allow("10.2.0.1".parse()?) && !allowed.allow("::1".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow(&self, address: IpAddr) -> bool {
        // The mapped form of an IPv4 address reaches that address.
        let reached = address.to_canonical();
        let is_named = self.0.iter().any(|network| network.contains(&reached));
        let is_global = match address {
            IpAddr::V4(v4) => !NOT_GLOBAL_V4.iter().any(|network| network.contains(&v4)),
            IpAddr::V6(v6) => GLOBAL_V6.contains(&v6) && !NOT_GLOBAL_V6.iter().any(|network| network.contains(&v6)),
        };
        is_named || is_global
    }
}

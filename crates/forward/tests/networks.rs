//! The addresses to which streams may connect.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::net::IpAddr;

use trailkeeper_forward::AllowedNetworks;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn only_global_unicast_is_allowed() {
    let allowed = AllowedNetworks::default();
    for global in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
        "2003::1",
        "3ffe::1",
    ] {
        assert!(allowed.allow(address(global)), "{global}");
    }
    for other in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "4000::1",
        "fc00::1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!allowed.allow(address(other)), "{other}");
    }
}

#[test]
fn the_operator_names_further_networks() {
    let named = ["10.1.0.0/16", "127.0.0.1/32", "fd00:1::/32", "64:ff9b::/96"];
    let allowed = AllowedNetworks::with(named.map(|network| network.parse().unwrap()).to_vec());
    for inside in ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "fd00:1::7", "64:ff9b::7f00:1", "8.8.8.8"] {
        assert!(allowed.allow(address(inside)), "{inside}");
    }
    for outside in ["10.2.0.1", "127.0.0.2", "::ffff:10.2.0.1", "fd00:2::7", "::1"] {
        assert!(!allowed.allow(address(outside)), "{outside}");
    }
}

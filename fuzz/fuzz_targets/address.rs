//! Addresses and networks: the filter `source`. The input has the filter in its first line, and addresses below it.
#![no_main]

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use trailkeeper_domain::address::{AddressRange, parse_address};
use trailkeeper_fuzz::refused;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let addresses: Vec<IpAddr> = lines.chain([first]).filter_map(address).collect();
    match AddressRange::parse("source", first) {
        Err(error) => {
            refused(&error);
            assert!(first.parse::<IpAddr>().is_err() && first.parse::<IpNet>().is_err(), "{first:?} was refused");
        }
        Ok(range) => {
            assert_eq!(range.first.is_ipv4(), range.last.is_ipv4());
            assert!(range.first <= range.last);
            for address in addresses.into_iter().chain([range.first, range.last]) {
                assert_eq!(range.contains(address), expected(first, address), "{first:?} {address}");
            }
        }
    }
});

fn address(text: &str) -> Option<IpAddr> {
    let address = match parse_address("source", text) {
        Ok(address) => address,
        Err(error) => {
            refused(&error);
            assert_eq!(simplest(text), None, "{text:?} was refused");
            return None;
        }
    };
    assert_eq!(Some(address), first_of(text), "{text:?}");
    assert_eq!(address, address.to_canonical());
    let written = address.to_string();
    assert_eq!(parse_address("source", &written).expect("what we write is read"), address);
    let alone = AddressRange::parse("source", &written).expect("an address is a range");
    assert_eq!((alone.first, alone.last), (address, address));
    Some(address)
}

/// An address in the forms that the standard library reads.
fn simplest(text: &str) -> Option<IpAddr> {
    let socket = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    text.parse::<IpAddr>().ok().or_else(socket).map(|address| address.to_canonical())
}

/// The address of the first member of a list that is known to be good: everything around it is cut away.
fn first_of(list: &str) -> Option<IpAddr> {
    let first = list.split(',').next()?.trim();
    let without_brackets = first.trim_start_matches('[').split(']').next()?;
    let without_zone = without_brackets.split('%').next()?;
    let ipv6 = || without_zone.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    simplest(first).or_else(ipv6).map(|address| address.to_canonical())
}

/// Whether a filter contains an address, computed with `ipnet`. Addresses are canonical here. An IPv6 network with a
/// prefix shorter than 96 bits therefore contains no IPv4 address, even if it contains the mapped form of all of them.
fn expected(filter: &str, address: IpAddr) -> bool {
    if parse_address("source", filter).is_ok() {
        return first_of(filter) == Some(address);
    }
    match (filter.trim().parse::<IpNet>(), address) {
        (Ok(IpNet::V6(net)), IpAddr::V4(address)) => net.prefix_len() >= 96 && net.contains(&address.to_ipv6_mapped()),
        (Ok(net), address) => net.contains(&address),
        (Err(_), _) => false,
    }
}

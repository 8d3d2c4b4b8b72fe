//! `X-Forwarded-For`: only a trusted proxy can name an address.
#![no_main]

use std::net::IpAddr;

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::lines;
use trailkeeper_parsers::forwarded::client_address;

fuzz_target!(|data: &[u8]| {
    let Some([peer, trusted, values]) = lines(data) else { return };
    let Some(peer) = text(peer).and_then(|peer| peer.parse::<IpAddr>().ok()) else { return };
    let trusted: Vec<IpNet> = text(trusted).unwrap_or_default().split(',').filter_map(|net| net.parse().ok()).collect();
    let values: Vec<&[u8]> = values.split(|byte| *byte == b'\n').collect();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let named = |values: &[&[u8]]| client_address(peer, values.iter().copied(), &trusted);

    let found = named(&values);
    assert_eq!(found, found.to_canonical());
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        assert_eq!(found, peer, "a stranger's header is not read");
        return;
    }
    assert_eq!(named(&[]), peer);
    if !is_trusted(&found) {
        // A client may write any text before the addresses that the proxies append, in the same value or in an earlier
        // one.
        for forged in [b"198.51.100.66".as_slice(), b"unknown", b"\xff\xfe", b"", b"10.0.0.1, 10.0.0.2"] {
            let before: Vec<&[u8]> = [&[forged], values.as_slice()].concat();
            assert_eq!(named(&before), found);
            let first = [forged, b",", values[0]].concat();
            let inside: Vec<&[u8]> = [&[first.as_slice()], &values[1..]].concat();
            assert_eq!(named(&inside), found);
        }
    }
    // A further proxy in front of the server appends the address that it saw.
    if let Some(proxy) = trusted.first().map(|net| net.addr().to_canonical()).filter(is_trusted) {
        let seen = format!("{peer}");
        let appended: Vec<&[u8]> = [values.as_slice(), &[seen.as_bytes()]].concat();
        assert_eq!(client_address(proxy, appended.into_iter(), &trusted), found);
    }
});

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

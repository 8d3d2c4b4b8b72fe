//! Payloads of deltas: forged, damaged, and made by Trailkeeper itself.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use trailkeeper_analytics::engine::delta;
use trailkeeper_analytics::sheet::{ScopeKind, Sheet};
use trailkeeper_domain::Error;
use trailkeeper_fuzz::sheets::{sealed, sheet};

fuzz_target!(|data: &[u8]| {
    let _either = walked(data);
    let Some((length, rest)) = data.split_first() else { return };
    let (list, sheets) = rest.split_at(usize::from(*length).min(rest.len()));
    let _either = walked(&[sealed(list), sheets.to_vec()].concat());
    written(rest);
});

/// The hours of a payload, each with the bytes of its sheet; `None` if the payload is unreadable. Panics on any other
/// error.
fn walked(payload: &[u8]) -> Option<Vec<(i64, Vec<u8>)>> {
    let mut hours = Vec::new();
    let mut bytes = 0;
    let walked = delta::walk(payload, |start, sheet| {
        bytes += sheet.len();
        hours.push((delta::hour_number(start), sheet.to_vec()));
        Ok(())
    });
    match walked {
        Ok(()) => {
            assert!(hours.is_sorted_by(|(a, _), (b, _)| a < b), "hours ascend");
            assert!(bytes < payload.len().max(1));
            Some(hours)
        }
        Err(Error::Internal { cause }) => {
            assert!(cause.to_string().contains("unreadable at byte"), "{cause}");
            None
        }
        Err(other) => panic!("{other}"),
    }
}

/// Encodes sheets of several hours and reads them again. For each hour, the input has four bytes with the hour, a byte
/// with the number of facts, and the facts.
fn written(mut bytes: &[u8]) {
    let mut hours: BTreeMap<i64, Sheet> = BTreeMap::new();
    while let Some(([a, b, c, d, count], rest)) = bytes.split_first_chunk() {
        let (facts, rest) = rest.split_at((usize::from(*count) * 8).min(rest.len()));
        // The 32 bits cover all hours that have a timestamp, and more.
        hours.insert(i32::from_le_bytes([*a, *b, *c, *d]).into(), sheet(ScopeKind::Tenant, facts));
        bytes = rest;
    }
    let read = walked(&delta::encode(&hours)).expect("what is written is read");
    let read: Vec<(i64, Sheet)> =
        read.into_iter().map(|(hour, payload)| (hour, Sheet::decode(&payload).expect("a sheet of ours"))).collect();
    assert_eq!(read, hours.into_iter().collect::<Vec<_>>());
}

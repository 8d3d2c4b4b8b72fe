//! Payloads of sheets: forged, damaged, and made by Trailkeeper itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeeper_analytics::sheet::{ScopeKind, Sheet};
use trailkeeper_fuzz::sheets::{sealed, sheet, survives};

fuzz_target!(|data: &[u8]| {
    survives(data);
    if let Some(forged) = survives(&sealed(data)) {
        let again = Sheet::decode(&forged.encode()).expect("what is written is read");
        assert_eq!(again.encode(), forged.encode(), "equal sheets have equal payloads");
    }
    let Some((length, rest)) = data.split_first() else { return };
    let (damage, facts) = rest.split_at(usize::from(*length).min(rest.len()));
    for scope in [ScopeKind::Everyone, ScopeKind::Tenant] {
        written(&sheet(scope, facts), damage);
        merged(scope, facts);
    }
});

fn written(sheet: &Sheet, damage: &[u8]) {
    let payload = sheet.encode();
    assert_eq!(survives(&payload).as_ref(), Some(sheet), "what is written is read");
    let mut body = payload[..payload.len() - 4].to_vec();
    for [high, low, byte] in damage.as_chunks().0 {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % body.len();
        body[at] = *byte;
        survives(&sealed(&body));
    }
}

/// Checks that the sheets of two halves merge into the sheet of the whole.
fn merged(scope: ScopeKind, facts: &[u8]) {
    let (first, second) = facts.split_at(facts.len() / 16 * 8);
    let mut merged = sheet(scope, first);
    merged.merge(sheet(scope, second));
    assert_eq!(merged, sheet(scope, facts));
}

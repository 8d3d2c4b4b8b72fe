//! Helpers and invariants that the fuzz targets share.

pub mod events;
pub mod sheets;

use trailkeeper_domain::Error;
use trailkeeper_domain::time::Timestamp;

/// The clock of all targets: 2026-03-01T00:00:00Z.
pub fn now() -> Timestamp {
    Timestamp::from_timestamp(1_772_323_200, 0).expect("a time of this century")
}

/// Checks the error of a rejected input. An input may be wrong, but it must not cause an internal error, and the sender
/// must be able to read why it was rejected. Panics otherwise.
pub fn refused(error: &Error) {
    let fault = error.detail().unwrap_or_else(|| panic!("input led to an inner error: {error}"));
    let text = fault.to_string();
    assert!(!fault.detail.is_empty(), "a refusal says why");
    assert!(text.len() < 4096, "a refusal of {} bytes", text.len());
    assert!(!text.contains(char::is_control), "a refusal holds a control character: {text:?}");
}

/// The input as `N` lines, the last of which contains all the rest; `None` if the input has fewer lines.
pub fn lines<const N: usize>(data: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = data.splitn(N, |byte| *byte == b'\n');
    let mut out = [b"".as_slice(); N];
    for place in &mut out {
        *place = parts.next()?;
    }
    Some(out)
}

/// The input as `N` lines of text, like [`lines`]; `None` also if one of them is not UTF-8.
pub fn texts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut out = [""; N];
    for (place, line) in out.iter_mut().zip(lines::<N>(data)?) {
        *place = std::str::from_utf8(line).ok()?;
    }
    Some(out)
}

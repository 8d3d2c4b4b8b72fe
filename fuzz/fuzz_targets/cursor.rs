//! Cursors: exactly the cursors that the server made are accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeeper_domain::cursor;
use trailkeeper_fuzz::{refused, texts};

fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    for kind in ['e', 't', 'u', 'c'] {
        match cursor::decode("cursor", kind, text) {
            Ok(key) => assert_eq!(cursor::encode(kind, &key), text),
            Err(error) => refused(&error),
        }
        let written = cursor::encode(kind, text);
        match cursor::decode("cursor", kind, &written) {
            Ok(key) => assert_eq!(key, text),
            Err(_) => assert!(text.len() > 1024, "a key of {} bytes", text.len()),
        }
        let other = if kind == 'e' { 't' } else { 'e' };
        assert!(cursor::decode("cursor", other, &written).is_err(), "a cursor opens its own list alone");
    }
    // The text as a cursor, and as the key inside a cursor.
    for cursor in [text.to_owned(), cursor::encode('e', text)] {
        match cursor::to_event("cursor", &cursor) {
            Ok(position) => assert_eq!(cursor::of_event(position), cursor),
            Err(error) => refused(&error),
        }
    }
});

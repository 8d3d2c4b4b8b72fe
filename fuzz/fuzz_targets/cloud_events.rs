//! `CloudEvents`: structured, and the same bytes as the data of an event in the binary mode.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::cloud_events::{binary, structured};

fuzz_target!(|body: &[u8]| {
    let headers = [("specversion", &b"1.0"[..]), ("id", b"1"), ("source", b"/a"), ("type", b"a")];
    let in_headers = [None, Some("application/json"), Some("text/plain")]
        .map(|content_type| binary(headers.into_iter(), content_type, body));
    assert!(in_headers[2].is_ok() || body.is_empty(), "any text or bytes can be data");
    for draft in in_headers.into_iter().chain([structured(body)]) {
        let draft = match draft {
            Ok(draft) => draft,
            Err(unreadable) => {
                refused(&unreadable.error);
                continue;
            }
        };
        assert!(draft.id.is_some() && !draft.kind.is_empty());
        if let Err(error) = events::validate(draft) {
            refused(&error);
        }
    }
});

//! Requests of OTLP: they are parsed, and each event is validated. The first byte chooses the encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::otlp::{self, Encoding};

const MAX: usize = 20;

fuzz_target!(|input: &[u8]| {
    let Some((first, body)) = input.split_first() else { return };
    let encoding = if first % 2 == 0 { Encoding::Protobuf } else { Encoding::Json };
    let drafts = match otlp::parse(body, encoding, MAX) {
        Ok(drafts) => drafts,
        Err(error) => return refused(&error),
    };
    assert!(drafts.len() <= MAX);
    let again = otlp::parse(body, encoding, MAX).expect("as before");
    for (draft, again) in drafts.into_iter().zip(again) {
        match draft {
            Ok(draft) => {
                assert!(draft.id.is_some(), "every record has an id");
                assert_eq!(draft.id, again.expect("as before").id);
                if let Err(error) = events::validate(draft) {
                    refused(&error);
                }
            }
            Err(unreadable) => refused(&unreadable.error),
        }
    }
});

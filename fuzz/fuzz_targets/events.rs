//! Bodies of `POST /v1/events`, read as JSON and as NDJSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use trailkeeper_domain::event::EventDraft;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::event_body::{self, Syntax};

/// The maximum number of drafts. It is small, so that inputs reach it.
const MAX: usize = 20;

fuzz_target!(|body: &[u8]| {
    for syntax in [Syntax::Json, Syntax::NdJson] {
        match event_body::parse(body, syntax, MAX) {
            Err(error) => refused(&error),
            Ok(drafts) => {
                assert!((1..=MAX).contains(&drafts.len()), "{} drafts", drafts.len());
                // If serde_json reads the body as a list, each element of the list has a draft.
                if syntax == Syntax::Json
                    && let Ok(Value::Array(elements)) = serde_json::from_slice(body)
                {
                    assert_eq!(drafts.len(), elements.len());
                }
                drafts.into_iter().for_each(|draft| match draft {
                    Ok(draft) => validate(draft),
                    Err(unreadable) => refused(&unreadable.error),
                });
            }
        }
    }
});

fn validate(draft: EventDraft) {
    let sent = draft.id;
    match events::validate(draft) {
        Err(error) => refused(&error),
        Ok(event) => assert!(sent.is_none_or(|id| id == event.id.0), "the sender's id is kept"),
    }
}

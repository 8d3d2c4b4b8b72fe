//! Lines of `auth.log`: they are parsed in their order, and converted to events.
#![no_main]

use chrono::{DateTime, Utc};
use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::auth_log::{AuthLog, MAX_REPEATS, to_draft};
use uuid::Uuid;

fuzz_target!(|file: &[u8]| {
    let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
    let mut log = AuthLog::new(Utc, Some(2026), now);
    for line in String::from_utf8_lossy(file).lines() {
        let Ok(Some(entry)) = log.read(line) else { continue };
        assert!((1..=MAX_REPEATS).contains(&entry.count), "{line:?}");
        assert!(!entry.action.source.is_empty() && !entry.action.source.contains(' '), "{line:?}");
        if let Err(error) = events::validate(to_draft(&entry, Uuid::from_u128(7))) {
            refused(&error);
            assert!(error.to_string().starts_with("occurred_at: "), "{line:?}: {error}");
        }
    }
});

//! Numbers of epochs, unique in this process: see `SheetReads::epoch`.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other epoch has.
pub fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

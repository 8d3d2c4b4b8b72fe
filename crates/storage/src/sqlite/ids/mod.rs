//! Finds events by their ids, without an index of the table of events.
//!
//! ```text
//! seq:  0 ────────────────────────────────── S ───────────── last
//!       │ runs: sorted keys in pages, on disk │ recent: memory │
//! ```
//!
//! Ids of the events up to S are in runs: sorted keys (hashes of the ids, see [`key`]) with the numbers of their events.
//! Each run covers the events after its `after_seq` up to its `last_seq`; together they cover all from the first to S.
//! Ids of later events are in memory. They are put there only after the commit, and are read again from the rows when a
//! store opens, when another connection has written, and when the outcome of a commit is unknown. So a crash loses
//! nothing: what decides is always derived from rows.
//!
//! When enough ids are in memory, they become a run ([`flush`]). Of four adjacent runs of a size, one is made ([`merge`]),
//! in steps: its pages are invisible until a last short transaction shows its row in `id_runs` and removes those of the
//! four. Every key that is found is compared with its row, so that equal keys of different ids do no harm.
//! `docs/adr/0029-ids-as-runs.md` gives the reasons, `docs/sheets.md` the bytes.

mod backfill;
mod build;
mod filter;
mod flush;
mod insert;
mod key;
mod load;
mod lookup;
mod merge;
mod page;
mod recent;
mod rows;
mod run;
mod state;
mod sweep;
mod verify;
mod work;

pub use backfill::drop_index_of_no_events;
pub use insert::{NewIds, insert_events};
pub use lookup::events_by_id;
pub use state::Ids;
pub use verify::{Rebuild, verify};
pub use work::{Pace, Step};

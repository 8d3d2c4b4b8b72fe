//! The constants of the format. A change of any of them is a new version.

/// The first byte of a delta.
pub const VERSION: u8 = 2;
/// The length in bytes of a tenant's id.
pub const TENANT_LEN: usize = 16;
/// The environment that is left out if all events have it.
pub const USUAL_ENV: u32 = 1;
/// The code of the outcome that is left out if all events have it: success.
pub const USUAL_OUTCOME: u32 = 0;
/// The units in which times are written, in microseconds: the coarsest one that divides all times of the delta.
pub const UNITS: [u64; 3] = [1, 1_000, 1_000_000];
/// The first byte of a column that every event has a value in.
pub const DENSE: u8 = 0;
/// The first byte of a column in which some events have no value. A bit per event follows: 1 if it has one.
pub const SPARSE: u8 = 1;

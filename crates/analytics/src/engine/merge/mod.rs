//! Merging: what was counted anew is added to the sheets of a scope.
//!
//! Every level of a scope is complete by itself: a day is not made of hours when it is asked for, it has sheets of
//! its own. So what is new goes to each level, and each period it touches gets one new run. A new run takes in
//! the older ones that are not much larger than it is, so that a large sheet is not written again for each small
//! addition, and yet a period never has many runs.
//!
//! Nothing here writes: the answer is a [`Plan`], computed in a read transaction, which a short write transaction
//! carries out. A plan is about a group of scopes: the database is asked about all of their periods at once.

mod addition;
mod group;
mod halves;
mod plan;
mod runs;
mod waiting;

pub use addition::{Addition, Period, periods};
pub use group::{Outcome, Step, fitting};
pub use halves::halves_of;
pub use plan::Plan;
pub use runs::absorb;
pub use waiting::{first, step};

//! Merging: adds events that are not in sheets yet to the sheets of their scopes.
//!
//! Every level of a scope is complete by itself: a day has sheets of its own and is not made of hours when it is read.
//! So an addition goes to each level, and each period that it touches gets one new run. A new run absorbs the older runs
//! that are not much larger than it is. So a large sheet is not written again for each small addition, and a period
//! never has many runs.
//!
//! Nothing here writes. The result is a [`Plan`], which is computed in a read transaction and executed by a short write
//! transaction. A plan is about a group of scopes: the database is asked for all of their periods at once.

mod addition;
mod claim;
mod group;
mod halves;
mod plan;
mod runs;

pub use addition::{Addition, Period, periods};
pub use claim::Claim;
pub use group::{Outcome, Step, fitting};
pub use halves::halves_of;
pub use plan::Plan;
pub use runs::absorb;

//! Merging: what was counted anew is added to the sheets of a scope.
//!
//! Every level of a scope is complete by itself: a day is not made of hours when it is asked for, it has sheets of
//! its own. So what is new goes to each level, and each period it touches gets one new run. A new run takes in
//! the older ones that are not much larger than it is, so that a large sheet is not written again for each small
//! addition, and yet a period never has many runs.
//!
//! Nothing here writes: the answer is a [`Plan`], computed in a read transaction, which a short write
//! transaction carries out.

mod addition;
mod place;
mod plan;
mod runs;
mod waiting;

use trailkeeper_domain::Error;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::Scope;

pub use addition::{Addition, Period, periods};
pub use place::{Place, halves_of};
pub use plan::Plan;
pub use waiting::step;

/// Why a scope cannot be merged.
#[derive(Debug)]
pub enum Trouble {
    /// The database failed: nothing can be merged now.
    Store(Error),
    /// A row of this scope is unreadable: the text names it. Other scopes are not concerned.
    Unreadable(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// What must be written so that the sheets of `scope` in `generation` count what these
/// periods bring too.
pub fn absorb(tx: &mut dyn ReadTx, generation: i64, scope: Scope, periods: &[Period]) -> Result<Plan, Trouble> {
    let mut plan = Plan::new(generation);
    for period in periods {
        for half in period.halves.iter() {
            let place = Place { scope, level: period.level, part: half.part, start: period.start };
            runs::add(tx, place, &half.payload, &mut plan)?;
        }
    }
    Ok(plan)
}

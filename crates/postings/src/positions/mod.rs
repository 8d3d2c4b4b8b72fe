//! Sets of positions in a run, and their algebra.

mod algebra;
mod bits;
mod iter;
mod set;
mod union;

pub use iter::Iter;
pub use set::PositionSet;
pub use union::Union;

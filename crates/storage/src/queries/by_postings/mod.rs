//! Lists, numbers and facts by the index of events: the runs of one scope, and its waiting deltas.
//!
//! A question reads nothing but its own scope: the keys of its runs, the headers of the months that it needs, pages of
//! runs, and deltas. So a name costs the same whether nobody uses it or only another tenant. The rows come last, by
//! their numbers.

mod asked;
mod behaviors;
mod facts;
mod lists;
mod numbers;
mod runs;
mod snapshot;
mod sources;
mod texts;

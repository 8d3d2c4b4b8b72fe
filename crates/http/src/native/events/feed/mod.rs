//! The feed of events, by pages and as a stream.
//!
//! [`reading`] says what a caller reads and asks the database for pages of it. [`following`] waits for more of them. Then
//! [`get`] answers one page, and [`live`] makes an endless answer of many, which [`stream`] sends.

mod event;
mod following;
mod frames;
pub mod get;
mod live;
mod reading;
pub mod stream;

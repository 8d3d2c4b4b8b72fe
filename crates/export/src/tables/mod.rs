//! The columns of what can be exported: the fields that the API shows, in its order.

mod directory;
mod events;

pub use events::ExportedEvent;

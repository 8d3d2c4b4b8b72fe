//! Files of exports.
//!
//! A [`Record`] declares its columns once. From them an [`Encoder`] makes any [`Format`]: it takes rows in pages and gives
//! bytes, so that the size of an export does not matter to its memory.
//!
//! ```
//! use trailkeeper_domain::id::TenantId;
//! use trailkeeper_domain::time::Timestamp;
//! use trailkeeper_domain::user::Membership;
//! use trailkeeper_export::{Compression, Encoder, Format, Formulas, columns_of};
//!
//! let membership = Membership {
//!     tenant_id: TenantId::NONE,
//!     user_id: trailkeeper_domain::id::UserId::parse("user_id", "jane")?,
//!     created_at: Timestamp::from_timestamp(1_769_860_800, 0).unwrap(),
//!     creation_id: trailkeeper_domain::id::CreationId(uuid::Uuid::nil()),
//! };
//! let mut encoder = Encoder::new(Format::Csv, Compression::None, Formulas::Quote, columns_of())?;
//! encoder.write(&[membership])?;
//! assert_eq!(
//!     String::from_utf8(encoder.finish()?).unwrap(),
//!     "tenant_id,user_id,created_at\n00000000-0000-0000-0000-000000000000,jane,2026-01-31T12:00:00Z\n"
//! );
//! # Ok::<(), trailkeeper_domain::Error>(())
//! ```

mod cell;
mod column;
mod compression;
mod csv_file;
mod encoder;
mod format;
mod ndjson;
mod parquet_file;
mod tables;

pub use cell::{Cell, Kind};
pub use column::{Column, Record, columns_of};
pub use compression::Compression;
pub use csv_file::{CsvRows, Formulas};
pub use encoder::Encoder;
pub use format::Format;
pub use tables::ExportedEvent;

//! Rows as the tables store them, and their conversion from and to the types of the domain.
//!
//! Reading a row can fail, because other programs may have changed it. Then the error names the table, the column and the
//! row.

mod access;
mod directory;
mod event;
mod indexed_event;
mod posting;
mod query_results;
mod retention;
mod sheet;
mod stream;
mod throttle;

use std::fmt;

use trailkeeper_domain::Error;
use trailkeeper_domain::error::{BoxedError, Context};

pub use access::{AccountRow, ApiTokenRow, RefreshTokenRow, SessionRow, SigningKeyRow, TokenKeyRow};
pub use directory::{
    AttributeChangeRow, CreationRow, MembershipRow, NewAttributeChangeRow, ReportedRow, TenantRow, UserRow,
};
pub use event::{EventRefs, EventRow, Names, NewEventRow, PageUpdate, SentPageRow, outcome_code, outcome_of_code};
pub use indexed_event::IndexedEventRow;
pub use posting::{PostingKeyRow, PostingRunRow};
pub use query_results::{BehaviorRow, CountRow, DailyCountRow, StoredCreationRow};
pub use retention::{LegalHoldRow, RetentionRuleRow};
pub use sheet::{DeltaRow, FactRow, PassRow, SheetKeyRow, SheetRow};
pub use stream::StreamRow;
pub use throttle::LoginCounterRow;

/// The error of a row that cannot be converted.
pub fn unreadable(table: &str, column: &str, id: impl fmt::Display, reason: impl Into<BoxedError>) -> Error {
    Error::internal(Context::new(format!("table {table}, column {column}, row {id}"), reason))
}

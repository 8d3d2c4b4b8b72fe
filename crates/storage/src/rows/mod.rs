//! Rows as they lie in the tables, and their way from and to the domain's types.
//!
//! Writing borrows nothing and cannot fail; reading can, as other tools may have changed a row. Then the error names
//! the table, the column and the row.

mod access;
mod directory;
mod event;
mod query_results;
mod sheet;
mod throttle;

use std::fmt;

use trailkeeper_domain::Error;
use trailkeeper_domain::error::{BoxedError, Context};

pub use access::{AccountRow, ApiTokenRow, RefreshTokenRow, SessionRow, SigningKeyRow, TokenKeyRow};
pub use directory::{
    AttributeChangeRow, CreationRow, MembershipRow, NewAttributeChangeRow, ReportedRow, TenantRow, UserRow,
};
pub use event::{EventRefs, EventRow, Names, NewEventRow, outcome_code, outcome_of_code};
pub use query_results::{BehaviorRow, CountRow, DailyCountRow, StoredCreationRow};
pub use sheet::{DeltaRow, FactRow, ScopeBytesRow, SheetPeriodRow, SheetRow};
pub use throttle::LoginCounterRow;

/// A row that no one but us should have written, and yet cannot be read.
fn unreadable(table: &str, column: &str, id: impl fmt::Display, reason: impl Into<BoxedError>) -> Error {
    Error::internal(Context::new(format!("table {table}, column {column}, row {id}"), reason))
}

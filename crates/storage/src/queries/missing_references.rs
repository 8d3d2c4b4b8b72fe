//! Names that a transaction needs and does not find.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use trailkeeper_domain::Error;
use trailkeeper_domain::id::TenantId;

use crate::names::Dictionary;

/// Names without numbers. They must be committed before the events can be stored.
#[derive(Debug, Default)]
pub struct MissingReferences {
    /// Names without a number, by dictionary.
    pub names: BTreeMap<Dictionary, Vec<Arc<str>>>,
    /// Pages without a number.
    pub pages: Vec<NewPage>,
}

/// A page that is not in the dictionary. It counts against the quota of this tenant and day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewPage {
    /// Tenant of the event.
    pub tenant: TenantId,
    /// UTC day of the event's receipt.
    pub day: NaiveDate,
    /// Key of the page.
    pub key: Arc<str>,
}

impl MissingReferences {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.pages.is_empty()
    }

    /// The error of a transaction that needs these references. Callers do not see it: the transaction runs again.
    pub fn to_error(&self) -> Error {
        let names = self.names.values().map(Vec::len).sum::<usize>() + self.pages.len();
        Error::unavailable(format!("the transaction needs numbers for {names} names"))
    }
}

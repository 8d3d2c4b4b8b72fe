//! Exports of users, tenants and memberships.
//!
//! They are read in pages, in the order of their ids. A record that changes meanwhile is in the file as it was before or
//! after its change, and one that is made or removed meanwhile may be missing.

use std::path::Path;

use indicatif::ProgressBar;
use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::cursor::{Paged, PlainCursor};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::rfc3339;
use trailkeeper_domain::usecase::{list_tenants, list_users};
use trailkeeper_domain::user::{Membership, UserFilter};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_export::{Encoder, Record, columns_of};

use super::layout::Layout;
use super::target::Target;
use crate::failure::Failure;
use crate::progress;
use crate::wiring::Ports;

/// Rows per transaction.
const PAGE: usize = 1_000;

/// A file of an export that is being written.
struct Writing<T: 'static> {
    target: Target,
    encoder: Encoder<T>,
    bar: ProgressBar,
}

/// The rows of an export.
pub type Exported = Result<u64, Failure>;

impl<T: Record> Writing<T> {
    fn begin(file: &Path, layout: Layout) -> Result<Self, Failure> {
        let encoder = layout.encoder(columns_of(), false)?;
        Ok(Self { target: Target::create(file)?, encoder, bar: progress::count("rows") })
    }

    fn write(&mut self, rows: &[T]) -> Result<(), Failure> {
        self.encoder.write(rows)?;
        self.target.rows += rows.len() as u64;
        self.bar.set_position(self.target.rows);
        self.target.write(&self.encoder.take())
    }

    fn finish(self, what: &str, layout: Layout, began_at: String) -> Exported {
        let Self { mut target, encoder, bar } = self;
        target.write(&encoder.finish()?)?;
        bar.finish_and_clear();
        let rows = target.rows;
        target.finish(&layout.content(what, Vec::new()), began_at, None)?;
        Ok(rows)
    }
}

/// The directory of all tenants.
#[expect(clippy::disallowed_methods, reason = "the operator of the machine has no credential, and may read everything")]
fn everybody() -> Visibility {
    Visibility::unrestricted()
}

/// Writes all users into a file.
pub fn export_users(ports: &Ports, file: &Path, layout: Layout) -> Exported {
    let filter = UserFilter::within(everybody());
    by_pages(ports, file, layout, "users", |cursor| list_users(ports.store.as_ref(), &filter, cursor, PAGE))
}

/// Writes all tenants into a file.
pub fn export_tenants(ports: &Ports, file: &Path, layout: Layout) -> Exported {
    by_pages(ports, file, layout, "tenants", |cursor| list_tenants(ports.store.as_ref(), everybody(), cursor, PAGE))
}

fn by_pages<T: Record>(
    ports: &Ports,
    file: &Path,
    layout: Layout,
    what: &str,
    mut page: impl FnMut(Option<&str>) -> DomainResult<Paged<T>>,
) -> Exported {
    let began_at = rfc3339(ports.clock.now());
    let mut writing = Writing::begin(file, layout)?;
    let mut cursor: Option<PlainCursor> = None;
    loop {
        let Paged { items, next } = page(cursor.as_deref()).map_err(|error| ports.failed(error))?;
        writing.write(&items)?;
        cursor = next;
        if cursor.is_none() {
            return writing.finish(what, layout, began_at);
        }
    }
}

/// Writes all memberships into a file, those of tenants without a record, too.
pub fn export_memberships(ports: &Ports, file: &Path, layout: Layout) -> Exported {
    let began_at = rfc3339(ports.clock.now());
    let mut writing = Writing::begin(file, layout)?;
    let mut after: Option<TenantId> = None;
    loop {
        let tenant = ports.store.reading(|tx| tx.next_tenant_with_members(after));
        let Some(tenant) = tenant.map_err(|error| ports.failed(error))? else { break };
        let mut last: Option<Membership> = None;
        loop {
            let behind = last.as_ref().map(|membership| &membership.user_id);
            let page = ports.store.reading(|tx| tx.memberships(tenant, behind, PAGE));
            let page = page.map_err(|error| ports.failed(error))?;
            writing.write(&page)?;
            if page.len() < PAGE {
                break;
            }
            last = page.into_iter().next_back();
        }
        after = Some(tenant);
    }
    writing.finish("memberships", layout, began_at)
}

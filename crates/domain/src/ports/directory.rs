use crate::creation::Creation;
use crate::error::Result;
use crate::id::{TenantId, UserId};
use crate::tenant::Tenant;
use crate::user::{AttributeChange, Membership, User, UserFilter};

/// Tenants, users and memberships, read.
pub trait DirectoryReads {
    /// A tenant's record.
    fn tenant(&mut self, id: TenantId) -> Result<Option<Tenant>>;

    /// Tenants by id ascending, behind `after`.
    fn tenants(&mut self, after: Option<TenantId>, limit: usize) -> Result<Vec<Tenant>>;

    /// A user's record.
    fn user(&mut self, id: &UserId) -> Result<Option<User>>;

    /// Users by id ascending (byte order of UTF-8), behind `after`.
    fn users(&mut self, filter: &UserFilter, after: Option<&UserId>, limit: usize) -> Result<Vec<User>>;

    /// A membership.
    fn membership(&mut self, tenant: TenantId, user: &UserId) -> Result<Option<Membership>>;

    /// A tenant's memberships by user id ascending (byte order of UTF-8), behind `after`.
    fn memberships(&mut self, tenant: TenantId, after: Option<&UserId>, limit: usize) -> Result<Vec<Membership>>;

    /// The changes of a user's attributes, newest first (by `changed_at`, then by order of storage),
    /// skipping those at and before `after`: a number that the page before gave. Each comes with its number.
    fn attribute_changes(
        &mut self,
        user: &UserId,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, AttributeChange)>>;

    /// Whether there is any record of a tenant, user or membership.
    fn has_directory(&mut self) -> Result<bool>;
}

/// Tenants, users and memberships, written.
pub trait DirectoryWrites {
    /// Creates or replaces a tenant's record.
    fn put_tenant(&mut self, tenant: &Tenant) -> Result<()>;

    /// Removes a tenant's record and its memberships; `false` when there was none.
    fn delete_tenant(&mut self, id: TenantId) -> Result<bool>;

    /// Creates or replaces a user's record.
    ///
    /// [`crate::Error::Conflict`] with code `alias_exists` and field `email` when the e-mail is
    /// another user's in the same pool; callers need not look first.
    fn put_user(&mut self, user: &User) -> Result<()>;

    /// Removes a user's record, memberships and attribute changes; `false` when there was no record.
    fn delete_user(&mut self, id: &UserId) -> Result<bool>;

    /// Creates or replaces a membership.
    fn put_membership(&mut self, membership: &Membership) -> Result<()>;

    /// Removes a membership; `false` when there was none.
    fn delete_membership(&mut self, tenant: TenantId, user: &UserId) -> Result<bool>;

    /// Adds an entry to the ledger of creations, or corrects the entry with the same (tenant, id).
    fn put_creation(&mut self, creation: &Creation) -> Result<()>;

    /// Adds attribute changes to the history.
    fn add_attribute_changes(&mut self, changes: &[AttributeChange]) -> Result<()>;

    /// Makes the writers of this user's records wait for one another until the transaction ends, so
    /// that two of them do not both create it. A no-op where writers are alone anyway (SQLite).
    fn lock_directory(&mut self) -> Result<()>;
}

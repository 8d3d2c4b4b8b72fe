use crate::creation::Creation;
use crate::error::Result;
use crate::id::{TenantId, UserId};
use crate::tenant::Tenant;
use crate::user::{AttributeChange, Membership, SharedEmail, User, UserFilter};

/// Read access to tenants, users and memberships. A look-up returns `None` if no such record exists.
pub trait DirectoryReads {
    /// The record of a tenant.
    fn tenant(&mut self, id: TenantId) -> Result<Option<Tenant>>;

    /// At most `limit` tenants in ascending order of id, after `after`.
    fn tenants(&mut self, after: Option<TenantId>, limit: usize) -> Result<Vec<Tenant>>;

    /// The record of a user.
    fn user(&mut self, id: &UserId) -> Result<Option<User>>;

    /// At most `limit` users in ascending order of id (byte order of UTF-8), after `after`.
    fn users(&mut self, filter: &UserFilter, after: Option<&UserId>, limit: usize) -> Result<Vec<User>>;

    /// The membership of a user in a tenant.
    fn membership(&mut self, tenant: TenantId, user: &UserId) -> Result<Option<Membership>>;

    /// At most `limit` memberships of a tenant in ascending order of user id (byte order of UTF-8), after `after`.
    fn memberships(&mut self, tenant: TenantId, after: Option<&UserId>, limit: usize) -> Result<Vec<Membership>>;

    /// The tenant with the smallest id after `after` that has memberships, with or without a record.
    fn next_tenant_with_members(&mut self, after: Option<TenantId>) -> Result<Option<TenantId>>;

    /// At most `limit` changes of a user's attributes, newest first (by `changed_at`, then by order of storage), each
    /// with its number. The list continues after the change with the number `after`, a number from the previous page.
    ///
    /// With `member_of`, only the changes that were stored since the user became a member of this tenant; none if the user
    /// is not a member.
    fn attribute_changes(
        &mut self,
        user: &UserId,
        member_of: Option<TenantId>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, AttributeChange)>>;

    /// Whether any record of a tenant, user or membership exists.
    fn has_directory(&mut self) -> Result<bool>;

    /// Addresses that several users of one pool share, or several accounts. They are older than the rule by which
    /// addresses are compared now, and stay until one of the owners changes. This reads every user and account.
    fn shared_emails(&mut self) -> Result<Vec<SharedEmail>>;
}

/// Write access to tenants, users and memberships.
pub trait DirectoryWrites {
    /// Creates or replaces the record of a tenant.
    fn put_tenant(&mut self, tenant: &Tenant) -> Result<()>;

    /// Removes the record and the memberships of a tenant; `false` if the record did not exist.
    fn delete_tenant(&mut self, id: TenantId) -> Result<bool>;

    /// Creates or replaces the record of a user.
    ///
    /// [`crate::Error::Conflict`] with the code `alias_exists` and the field `email` if another user of the same pool
    /// has the e-mail address. Callers need not check this first. A user who shares an address already may keep it.
    fn put_user(&mut self, user: &User) -> Result<()>;

    /// Removes the record, memberships and attribute changes of a user; `false` if the record did not exist.
    fn delete_user(&mut self, id: &UserId) -> Result<bool>;

    /// Creates or replaces a membership. A new one records the changes of the user's attributes that are stored already:
    /// they are not the tenant's.
    fn put_membership(&mut self, membership: &Membership) -> Result<()>;

    /// Removes a membership; `false` if it did not exist.
    fn delete_membership(&mut self, tenant: TenantId, user: &UserId) -> Result<bool>;

    /// Adds an entry to the ledger of creations, or replaces the entry with the same (tenant, id).
    fn put_creation(&mut self, creation: &Creation) -> Result<()>;

    /// Adds attribute changes to the history.
    fn add_attribute_changes(&mut self, changes: &[AttributeChange]) -> Result<()>;

    /// Excludes other writers of the directory until the transaction ends. Otherwise two writers could both create the
    /// same record. A no-op for a database with a single writer (SQLite).
    fn lock_directory(&mut self) -> Result<()>;
}

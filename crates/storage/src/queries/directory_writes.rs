//! Writes tenants, users and memberships.

use diesel::dsl::max;
use diesel::prelude::*;
use trailkeeper_domain::creation::Creation;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::ports::DirectoryWrites;
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::user::{AttributeChange, Membership, User};
use trailkeeper_domain::{Error, Result};

use super::{Tx, dialect};
use crate::columns::DbUuid;
use crate::error;
use crate::rows::{CreationRow, MembershipRow, NewAttributeChangeRow, TenantRow, UserRow};
use crate::schema::{attribute_changes, creations, memberships, tenants, users};

impl DirectoryWrites for Tx<'_> {
    fn put_tenant(&mut self, tenant: &Tenant) -> Result<()> {
        let row = TenantRow::from(tenant);
        self.run("tenants", |conn| {
            diesel::insert_into(tenants::table)
                .values(&row)
                .on_conflict(tenants::tenant_id)
                .do_update()
                .set(&row)
                .execute(conn)
        })?;
        Ok(())
    }

    fn delete_tenant(&mut self, id: TenantId) -> Result<bool> {
        let gone = self.run("tenants", |conn| diesel::delete(tenants::table.find(DbUuid(id.0))).execute(conn))?;
        if gone == 0 {
            return Ok(false);
        }
        self.run("memberships", |conn| {
            diesel::delete(memberships::table.filter(memberships::tenant_id.eq(DbUuid(id.0)))).execute(conn)
        })?;
        Ok(true)
    }

    fn put_user(&mut self, user: &User) -> Result<()> {
        let mut row = UserRow::from(user);
        if let Some(email) = &user.email {
            let key = self.user_email_key(&user.id, user.user_pool_id.as_ref(), email)?;
            row.email_folded = Some(key.ok_or_else(|| email_taken(user))?);
        }
        let outcome = self.attempt(|conn| {
            diesel::insert_into(users::table)
                .values(&row)
                .on_conflict(users::user_id)
                .do_update()
                .set(&row)
                .execute(conn)
        });
        match outcome {
            Ok(_) => Ok(()),
            // Another transaction took it meanwhile. A row with the same id is replaced, so the violated key is that of
            // the e-mail.
            Err(failure) if error::is_unique_violation(&failure) => Err(email_taken(user)),
            Err(failure) => Err(error::of_statement("users", failure)),
        }
    }

    fn delete_user(&mut self, id: &UserId) -> Result<bool> {
        let gone = self.run("users", |conn| diesel::delete(users::table.find(id.as_str())).execute(conn))?;
        if gone == 0 {
            return Ok(false);
        }
        self.run("memberships", |conn| {
            diesel::delete(memberships::table.filter(memberships::user_id.eq(id.as_str()))).execute(conn)
        })?;
        self.run("attribute_changes", |conn| {
            diesel::delete(attribute_changes::table.filter(attribute_changes::user_id.eq(id.as_str()))).execute(conn)
        })?;
        Ok(true)
    }

    fn put_membership(&mut self, membership: &Membership) -> Result<()> {
        let row = MembershipRow::from(membership);
        let user = membership.user_id.as_str();
        let last_change: Option<i64> = self.run("attribute_changes", |conn| {
            let changes = attribute_changes::table.filter(attribute_changes::user_id.eq(user));
            changes.select(max(attribute_changes::seq)).first(conn)
        })?;
        // The directory is locked, so changes have their numbers in the order in which they are committed.
        let changes_after = memberships::changes_after.eq(last_change.unwrap_or_default());
        self.run("memberships", |conn| {
            diesel::insert_into(memberships::table)
                .values((&row, changes_after))
                .on_conflict((memberships::tenant_id, memberships::user_id))
                .do_update()
                .set(&row)
                .execute(conn)
        })?;
        Ok(())
    }

    fn delete_membership(&mut self, tenant: TenantId, user: &UserId) -> Result<bool> {
        let gone = self.run("memberships", |conn| {
            diesel::delete(memberships::table.find((DbUuid(tenant.0), user.as_str()))).execute(conn)
        })?;
        Ok(gone > 0)
    }

    fn put_creation(&mut self, creation: &Creation) -> Result<()> {
        let row = CreationRow::from(creation);
        self.run("creations", |conn| {
            diesel::insert_into(creations::table)
                .values(&row)
                .on_conflict((creations::tenant_id, creations::id))
                .do_update()
                .set(&row)
                .execute(conn)
        })?;
        Ok(())
    }

    fn add_attribute_changes(&mut self, changes: &[AttributeChange]) -> Result<()> {
        // One statement per change, so that they are stored in the order in which they were made.
        for change in changes {
            let row = NewAttributeChangeRow::from(change);
            self.run("attribute_changes", |conn| {
                diesel::insert_into(attribute_changes::table).values(&row).execute(conn)
            })?;
        }
        Ok(())
    }

    fn lock_directory(&mut self) -> Result<()> {
        self.run("directory lock", dialect::lock_directory)
    }
}

fn email_taken(user: &User) -> Error {
    let email = user.email.as_deref().unwrap_or_default();
    let owner = match &user.user_pool_id {
        Some(pool) => format!("in the user pool '{pool}'"),
        None => "among the users without a pool".to_owned(),
    };
    Error::conflict(
        "email",
        "alias_exists",
        format!("'{email}' is another user's {owner}; choose another e-mail or change that user first"),
    )
}

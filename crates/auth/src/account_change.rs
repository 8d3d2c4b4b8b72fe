//! Changing and deleting accounts. The last administrator of all tenants stays one, so that somebody can always manage
//! accounts.

use trailkeeper_domain::account::{Account, Role};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::{AccountId, TenantId};
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, ErrorDetail, Result, text};

use crate::access::{Access, checked_tenant_scope, lock_accounts};
use crate::accounts::{TARGET, account_of, check_display_name, check_email};
use crate::audit::{
    ACCOUNT_CHANGE, ACCOUNT_DELETE, ACCOUNT_DISABLE, ACCOUNT_ENABLE, ACCOUNT_PASSWORD_CHANGE, AuditContext, Changes,
    append, credential_metadata, target,
};

/// The number of accounts per query in the search for another administrator.
const BATCH: usize = 200;

/// A change of an account; absent fields stay as they are.
#[derive(Clone, Default)]
pub struct AccountChange {
    /// The new e-mail address, with which it logs in.
    pub email: Option<String>,
    /// The new name for people.
    pub display_name: Option<String>,
    /// The new role.
    pub role: Option<Role>,
    /// The tenant to which it is scoped; `Some(None)`: all tenants.
    pub tenant_id: Option<Option<TenantId>>,
    /// Whether it is disabled, so that it cannot log in.
    pub disabled: Option<bool>,
    /// The new password. The old one is not required.
    pub password: Option<String>,
}

impl AccountChange {
    fn check(&self) -> Result<()> {
        self.email.as_deref().map_or(Ok(()), check_email)?;
        self.display_name.as_deref().map_or(Ok(()), check_display_name)?;
        checked_tenant_scope(self.tenant_id.flatten())
    }

    fn applied_to(&self, before: &Account, password_hash: Option<&str>, now: Timestamp) -> Account {
        let disabled_at = match self.disabled {
            None => before.disabled_at,
            Some(true) => before.disabled_at.or(Some(now)),
            Some(false) => None,
        };
        Account {
            id: before.id,
            email: self.email.as_ref().unwrap_or(&before.email).clone(),
            display_name: self.display_name.as_ref().unwrap_or(&before.display_name).clone(),
            password_hash: password_hash.unwrap_or(&before.password_hash).to_owned(),
            role: self.role.unwrap_or(before.role),
            tenant_id: self.tenant_id.unwrap_or(before.tenant_id),
            disabled_at,
            created_at: before.created_at,
            updated_at: before.updated_at,
        }
    }
}

impl Access {
    /// Changes an account. Does nothing, and records nothing, if it already is as wanted.
    ///
    /// A change of role, tenant or password, and disabling, end all its sessions, also the one in which it changes itself.
    ///
    /// [`Error::Conflict`] with code `email_taken`, or `last_administrator` when nobody would be left to manage
    /// accounts; [`Error::NotFound`] with code `account_not_found`.
    #[expect(clippy::needless_pass_by_value, reason = "it may hold a password: the caller keeps none of it")]
    pub fn change_account(&self, context: &AuditContext, id: AccountId, change: AccountChange) -> Result<Account> {
        change.check()?;
        let known = self.account(id)?;
        let email = change.email.as_ref().unwrap_or(&known.email);
        // Hashed before the transaction and not inside it: it takes a good part of a second.
        let password_hash =
            change.password.as_ref().map(|password| self.hashed("password", password, email)).transpose()?;
        let now = self.clock.now();
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let before = account_of(tx, id)?;
            let after = change.applied_to(&before, password_hash.as_deref(), now);
            if after == before {
                return Ok(before);
            }
            refuse_taken_email(tx, &after)?;
            refuse_last_administrator(tx, &before, Some(&after))?;
            let after = Account { updated_at: now, ..after };
            update(tx, &after)?;
            if ends_sessions(&before, &after) {
                tx.end_sessions_of(id, None, now)?;
            }
            for event in self.audit_events(context, &before, &after, now)? {
                append(tx, &event)?;
            }
            Ok(after)
        })
    }

    /// Replaces the password of the account with this e-mail address and ends its sessions, so that everyone who logged in
    /// with the old password is out. Errors as [`Access::change_account`].
    pub fn set_password(&self, context: &AuditContext, email: &str, password: &str) -> Result<()> {
        let id = self.account_with_email(email)?.id;
        let change = AccountChange { password: Some(password.to_owned()), ..AccountChange::default() };
        self.change_account(context, id, change).map(|_| ())
    }

    /// Disables the account with this e-mail address and ends its sessions, or enables it again. Does nothing if it is so
    /// already.
    ///
    /// [`Error::Conflict`] with code `last_administrator` when nobody would be left to manage accounts.
    pub fn set_disabled(&self, context: &AuditContext, email: &str, disabled: bool) -> Result<()> {
        let id = self.account_with_email(email)?.id;
        let change = AccountChange { disabled: Some(disabled), ..AccountChange::default() };
        self.change_account(context, id, change).map(|_| ())
    }

    /// Deletes an account with its sessions. Its audit events stay, under its id and e-mail address.
    ///
    /// [`Error::Conflict`] with code `last_administrator` when nobody would be left to manage accounts;
    /// [`Error::NotFound`] with code `account_not_found`.
    pub fn delete_account(&self, context: &AuditContext, id: AccountId) -> Result<()> {
        let now = self.clock.now();
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let account = account_of(tx, id)?;
            refuse_last_administrator(tx, &account, None)?;
            if !tx.delete_account(id)? {
                return Err(vanished(id));
            }
            let mut event = self.change_event(now, ACCOUNT_DELETE, context, target(TARGET, &id, &account.email))?;
            event.metadata = Some(credential_metadata(Some(account.role), account.tenant_id).into());
            append(tx, &event)
        })
    }

    /// The audit events about the change of an account. They name it by its e-mail address from before the change.
    fn audit_events(
        &self,
        context: &AuditContext,
        before: &Account,
        after: &Account,
        now: Timestamp,
    ) -> Result<Vec<Event>> {
        let event = |kind| self.change_event(now, kind, context, target(TARGET, &before.id, &before.email));
        let mut events = Vec::new();
        let mut changes = Changes::default();
        changes.note("email", before.email.as_str(), after.email.as_str());
        changes.note("display_name", before.display_name.as_str(), after.display_name.as_str());
        changes.note("role", before.role.as_str(), after.role.as_str());
        let tenant = |account: &Account| account.tenant_id.map(|id| id.to_string());
        changes.note("tenant_id", tenant(before), tenant(after));
        if !changes.is_empty() {
            events.push(Event { metadata: Some(changes.into_metadata().into()), ..event(ACCOUNT_CHANGE)? });
        }
        if before.password_hash != after.password_hash {
            events.push(event(ACCOUNT_PASSWORD_CHANGE)?);
        }
        match (before.disabled_at, after.disabled_at) {
            (None, Some(_)) => events.push(event(ACCOUNT_DISABLE)?),
            (Some(_), None) => events.push(event(ACCOUNT_ENABLE)?),
            (None, None) | (Some(_), Some(_)) => {}
        }
        Ok(events)
    }
}

/// Whether the change ends the account's sessions.
fn ends_sessions(before: &Account, after: &Account) -> bool {
    before.role != after.role
        || before.tenant_id != after.tenant_id
        || before.password_hash != after.password_hash
        || after.disabled_at.is_some()
}

/// Replaces the row of an account that was read in this transaction.
pub(crate) fn update(tx: &mut dyn WriteTx, account: &Account) -> Result<()> {
    if tx.update_account(account)? { Ok(()) } else { Err(vanished(account.id)) }
}

fn vanished(id: AccountId) -> Error {
    Error::internal(format!("accounts: the row '{id}' vanished inside a transaction"))
}

/// Whether the account may manage accounts: tenant-scoped and disabled ones may not, whatever their role.
fn administers(account: &Account) -> bool {
    account.role == Role::Admin && account.tenant_id.is_none() && account.disabled_at.is_none()
}

fn refuse_taken_email<T: ReadTx + ?Sized>(tx: &mut T, wanted: &Account) -> Result<()> {
    let owner = tx.account_by_email(&wanted.email)?;
    if owner.is_none_or(|owner| owner.id == wanted.id) {
        return Ok(());
    }
    Err(Error::conflict(
        "email",
        "email_taken",
        format!("there is already an account '{}'; choose another e-mail", text::shown(&wanted.email)),
    ))
}

/// Checks that another administrator is left after the change of an account to `after`, or after its deletion if `after`
/// is absent.
fn refuse_last_administrator<T: ReadTx + ?Sized>(tx: &mut T, before: &Account, after: Option<&Account>) -> Result<()> {
    if !administers(before) || after.is_some_and(administers) {
        return Ok(());
    }
    let mut behind = None;
    loop {
        let batch = tx.accounts(behind, BATCH)?;
        if batch.iter().any(|account| account.id != before.id && administers(account)) {
            return Ok(());
        }
        behind = batch.last().map(|account| account.id);
        if batch.len() < BATCH {
            return Err(Error::Conflict(ErrorDetail {
                code: "last_administrator",
                field: after.map(|after| conflicting_field(before, after).to_owned()),
                detail: format!(
                    "'{}' is the last active administrator of all tenants; make another one first",
                    text::shown(&before.email)
                ),
            }));
        }
    }
}

fn conflicting_field(before: &Account, after: &Account) -> &'static str {
    if before.role != after.role {
        "role"
    } else if before.tenant_id != after.tenant_id {
        "tenant_id"
    } else {
        "disabled"
    }
}

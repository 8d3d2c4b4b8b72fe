//! Accounts: creation, lists and look-ups. The module `account_change` changes and deletes them.

use trailkeeper_domain::account::{Account, Role};
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::id::{AccountId, TenantId};
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::user::checked_email;
use trailkeeper_domain::{Error, Result, text};

use crate::access::{Access, checked_tenant_scope, lock_accounts};
use crate::audit::{ACCOUNT_CREATE, AuditContext, append, credential_metadata, target};
use crate::{listing, password};

const CURSOR_KIND: char = 'a';

/// The type of accounts as targets of audit events.
pub(crate) const TARGET: &str = "account";

/// The longest e-mail address, in characters. Audit events hold names of this length.
const MAX_EMAIL: usize = 254;

/// The longest display name, in characters.
const MAX_DISPLAY_NAME: usize = 256;

/// The properties of a new account.
#[derive(Clone)]
pub struct NewAccount {
    /// The e-mail address with which it logs in; unique without regard to case.
    pub email: String,
    /// A name for people; absent: the e-mail address.
    pub display_name: Option<String>,
    /// The password, by the rules of [`password::check`].
    pub password: String,
    /// Its role.
    pub role: Role,
    /// The tenant to which it is scoped; absent: all tenants.
    pub tenant_id: Option<TenantId>,
}

impl Access {
    /// Creates an account. [`Error::Conflict`] with code `email_taken` when there is one with this e-mail address.
    pub fn create_account(&self, context: &AuditContext, new: NewAccount) -> Result<Account> {
        check_email(&new.email)?;
        new.display_name.as_deref().map_or(Ok(()), check_display_name)?;
        checked_tenant_scope(new.tenant_id)?;
        let password_hash = self.hashed("password", &new.password, &new.email)?;
        let now = self.clock.now();
        let account = Account {
            id: AccountId(self.fresh_uuid()),
            display_name: new.display_name.unwrap_or_else(|| new.email.clone()),
            email: new.email,
            password_hash,
            role: new.role,
            tenant_id: new.tenant_id,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        let mut event = self.change_event(now, ACCOUNT_CREATE, context, target(TARGET, &account.id, &account.email))?;
        event.metadata = Some(credential_metadata(Some(account.role), account.tenant_id).into());
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            tx.insert_account(&account)?;
            append(tx, &event)
        })?;
        Ok(account)
    }

    /// A page of accounts by id, which is the order of their creation.
    pub fn accounts(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<Account>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::start_after(CURSOR_KIND, cursor)?.map(AccountId);
        let accounts = self.store.reading(|tx| tx.accounts(after, limit + 1))?;
        Ok(Paged::cut(accounts, limit, |account| cursor::encode(CURSOR_KIND, &account.id.to_string())))
    }

    /// The account. [`Error::NotFound`] with code `account_not_found`.
    pub fn account(&self, id: AccountId) -> Result<Account> {
        self.store.reading(|tx| account_of(tx, id))
    }

    /// The account with this e-mail address, in any case. [`Error::NotFound`] with code `account_not_found`.
    pub fn account_with_email(&self, email: &str) -> Result<Account> {
        checked_email("email", email)?;
        self.store.reading(|tx| tx.account_by_email(email))?.ok_or_else(|| {
            Error::not_found("account_not_found", format!("there is no account '{}'", text::shown(email)))
        })
    }

    /// Checks a new password for the account with this e-mail address and hashes it. Takes a good part of a second.
    pub(crate) fn hashed(&self, field: &str, password: &str, email: &str) -> Result<String> {
        password::check(field, password, email)?;
        password::hash(self.entropy.as_ref(), password, self.settings.bcrypt_cost)
    }
}

/// The account, or [`Error::NotFound`].
pub(crate) fn account_of<T: ReadTx + ?Sized>(tx: &mut T, id: AccountId) -> Result<Account> {
    tx.account(id)?.ok_or_else(|| Error::not_found("account_not_found", format!("there is no account '{id}'")))
}

/// Checks the e-mail address of an account.
pub(crate) fn check_email(email: &str) -> Result<()> {
    checked_email("email", email)?;
    text::checked("email", email, MAX_EMAIL)
}

/// Checks the display name of an account.
pub(crate) fn check_display_name(name: &str) -> Result<()> {
    text::checked("display_name", name, MAX_DISPLAY_NAME)
}

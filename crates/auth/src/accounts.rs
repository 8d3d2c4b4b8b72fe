//! Accounts: who may log in.

use trailkeeper_domain::account::{Account, Actor, Role};
use trailkeeper_domain::cursor::{self, Paged};
use trailkeeper_domain::id::{AccountId, TenantId};
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::user::{checked_email, folded_email};
use trailkeeper_domain::{Error, Result, text};

use crate::access::{Access, checked_confinement, lock_accounts};
use crate::trail::{ACCOUNT_CREATE, ACCOUNT_DISABLE, ACCOUNT_ENABLE, ACCOUNT_PASSWORD_CHANGE, record, target};
use crate::{listing, password};

const CURSOR_KIND: char = 'a';

/// How the trail names accounts.
const TARGET: &str = "account";

/// The longest e-mail address, in characters: what the trail can name.
const MAX_EMAIL: usize = 254;

/// Accounts that are read at once while looking for another administrator.
const BATCH: usize = 200;

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// By which it logs in; unique without regard to case.
    pub email: String,
    /// For people; absent: the e-mail.
    pub display_name: Option<String>,
    /// 12 to 72 bytes.
    pub password: String,
    /// What it may do.
    pub role: Role,
    /// The one tenant it may see; absent: all.
    pub tenant_id: Option<TenantId>,
}

impl Access {
    /// Makes an account. [`Error::Conflict`] with code `email_taken` when there is one with this e-mail.
    pub fn create_account(&self, actor: &Actor, new: NewAccount) -> Result<Account> {
        checked_email("email", &new.email)?;
        text::checked("email", &new.email, MAX_EMAIL)?;
        if let Some(name) = &new.display_name {
            text::checked("display_name", name, 256)?;
        }
        checked_confinement(new.tenant_id)?;
        let password_hash = self.hashed(&new.password, &new.email)?;
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
        let event = self.change_event(now, ACCOUNT_CREATE, actor, target(TARGET, &account.id, &account.email))?;
        self.store.writing(|tx| {
            tx.insert_account(&account)?;
            record(tx, &event)
        })?;
        Ok(account)
    }

    /// Accounts by id, which is the order in which they were made.
    pub fn accounts(&self, cursor: Option<&str>, limit: usize) -> Result<Paged<Account>> {
        let limit = listing::checked_limit(limit)?;
        let after = listing::after(CURSOR_KIND, cursor)?.map(AccountId);
        let accounts = self.store.reading(|tx| tx.accounts(after, limit + 1))?;
        Ok(Paged::cut(accounts, limit, |account| cursor::encode(CURSOR_KIND, &account.id.to_string())))
    }

    /// Replaces the password of the account with this e-mail, and ends its sessions: whoever knew the old
    /// one is out.
    pub fn set_password(&self, actor: &Actor, email: &str, password: &str) -> Result<()> {
        let known = self.store.reading(|tx| account_with(tx, email))?;
        let password_hash = self.hashed(password, &known.email)?;
        let now = self.clock.now();
        let event = self.change_event(now, ACCOUNT_PASSWORD_CHANGE, actor, target(TARGET, &known.id, &known.email))?;
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let account = account_with(tx, email)?;
            let changed = Account { password_hash: password_hash.clone(), updated_at: now, ..account };
            update(tx, &changed)?;
            tx.end_sessions_of(changed.id, now)?;
            record(tx, &event)
        })
    }

    /// Disables the account with this e-mail and ends its sessions, or enables it again. Nothing happens
    /// when it is so already.
    ///
    /// [`Error::Conflict`] with code `last_administrator` when nobody would be left to manage accounts.
    pub fn set_disabled(&self, actor: &Actor, email: &str, disabled: bool) -> Result<()> {
        let known = self.store.reading(|tx| account_with(tx, email))?;
        let now = self.clock.now();
        let kind = if disabled { ACCOUNT_DISABLE } else { ACCOUNT_ENABLE };
        let event = self.change_event(now, kind, actor, target(TARGET, &known.id, &known.email))?;
        self.store.writing(|tx| {
            lock_accounts(tx)?;
            let account = account_with(tx, email)?;
            if account.disabled_at.is_some() == disabled {
                return Ok(());
            }
            if disabled {
                refuse_last_administrator(tx, &account)?;
                disable(tx, account, now)?;
            } else {
                update(tx, &Account { disabled_at: None, updated_at: now, ..account })?;
            }
            record(tx, &event)
        })
    }

    fn hashed(&self, password: &str, email: &str) -> Result<String> {
        password::check("password", password, email)?;
        password::hash(self.entropy.as_ref(), password, self.settings.bcrypt_cost)
    }
}

fn disable(tx: &mut dyn WriteTx, account: Account, now: Timestamp) -> Result<()> {
    let changed = Account { disabled_at: Some(now), updated_at: now, ..account };
    update(tx, &changed)?;
    tx.end_sessions_of(changed.id, now)
}

fn update(tx: &mut dyn WriteTx, account: &Account) -> Result<()> {
    if tx.update_account(account)? {
        return Ok(());
    }
    Err(Error::internal(format!("accounts: the row '{}' vanished inside a transaction", account.id)))
}

fn account_with<T: ReadTx + ?Sized>(tx: &mut T, email: &str) -> Result<Account> {
    checked_email("email", email)?;
    tx.account_by_email(&folded_email(email))?
        .ok_or_else(|| Error::not_found("account_not_found", format!("there is no account '{}'", text::shown(email))))
}

/// Whether it may manage accounts. One that is confined to a tenant may not, whatever its role.
fn administers(account: &Account) -> bool {
    account.role == Role::Admin && account.tenant_id.is_none() && account.disabled_at.is_none()
}

fn refuse_last_administrator<T: ReadTx + ?Sized>(tx: &mut T, leaving: &Account) -> Result<()> {
    if !administers(leaving) {
        return Ok(());
    }
    let mut after = None;
    loop {
        let batch = tx.accounts(after, BATCH)?;
        if batch.iter().any(|account| account.id != leaving.id && administers(account)) {
            return Ok(());
        }
        after = batch.last().map(|account| account.id);
        if batch.len() < BATCH {
            return Err(Error::conflict(
                "email",
                "last_administrator",
                format!("'{}' is the last active administrator; make another one first", text::shown(&leaving.email)),
            ));
        }
    }
}

//! The keys of e-mail addresses in the database, see [`crate::email_key`].

use std::collections::BTreeSet;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use trailkeeper_domain::Result;
use trailkeeper_domain::folding::folded;
use trailkeeper_domain::id::{AccountId, UserId};
use trailkeeper_domain::user::{EmailOwner, PoolId, SharedEmail};

use super::{Conn, Db, Tx};
use crate::columns::DbUuid;
use crate::email_key::{EmailKey, SEPARATOR, folded_of};
use crate::schema::{accounts, email_rule, users};

/// The present version of the rule.
const VERSION: i16 = 1;

/// The keys of owners who share an address.
const SHARED: &str = "%\n%";

/// Rows that are read at once.
const CHUNK: usize = 1_000;

impl Tx<'_> {
    /// The key for the address of a user of this pool; `None` if the address is taken.
    pub(super) fn user_email_key(&mut self, id: &UserId, pool: Option<&PoolId>, email: &str) -> Result<Option<String>> {
        let key = EmailKey::of(email);
        let owners = self.run("users", |conn| user_keys(conn, pool.map(PoolId::as_str), &key))?;
        let (own, others) = apart(owners, &id.as_str().to_owned());
        Ok(key.choose(own.as_deref(), &others))
    }

    /// The key for the address of an account; `None` if the address is taken.
    pub(super) fn account_email_key(&mut self, id: AccountId, email: &str) -> Result<Option<String>> {
        let key = EmailKey::of(email);
        let owners = self.run("accounts", |conn| account_keys(conn, &key))?;
        let (own, others) = apart(owners, &DbUuid(id.0));
        Ok(key.choose(own.as_deref(), &others))
    }

    /// The addresses that several users of a pool share, and those that several accounts share.
    pub(super) fn all_shared_emails(&mut self) -> Result<Vec<SharedEmail>> {
        let mut shared = Vec::new();
        let marked: Vec<(Option<String>, String)> = self.run("users", |conn| {
            users::table
                .filter(users::email_folded.like(SHARED))
                .select((users::user_pool_id, users::email_folded.assume_not_null()))
                .load(conn)
        })?;
        let marked: BTreeSet<(Option<String>, String)> =
            marked.into_iter().map(|(pool, key)| (pool, folded_of(&key).to_owned())).collect();
        for (pool, folded) in marked {
            let key = EmailKey::with_old(folded, "");
            let rows: Vec<(String, Option<String>)> = self.run("users", |conn| {
                users_of(pool.as_deref(), &key).select((users::user_id, users::email)).load(conn)
            })?;
            let owners = rows.into_iter().map(|(id, email)| (EmailOwner::User(UserId::stored(id)), email));
            shared.push((pool.map(PoolId::stored), owners.collect::<Vec<_>>()));
        }
        let marked: Vec<String> = self.run("accounts", |conn| {
            accounts::table.filter(accounts::email_folded.like(SHARED)).select(accounts::email_folded).load(conn)
        })?;
        let marked: BTreeSet<String> = marked.iter().map(|key| folded_of(key).to_owned()).collect();
        for folded in marked {
            let key = EmailKey::with_old(folded, "");
            let rows: Vec<(DbUuid, String)> =
                self.run("accounts", |conn| accounts_of(&key).select((accounts::id, accounts::email)).load(conn))?;
            let owners = rows.into_iter().map(|(id, email)| (EmailOwner::Account(AccountId(id.0)), Some(email)));
            shared.push((None, owners.collect()));
        }
        // An owner may be the only one by now: the others were deleted, or have another address.
        Ok(shared
            .into_iter()
            .filter(|(_, owners)| owners.len() > 1)
            .map(|(user_pool_id, owners)| {
                let mut owners: Vec<_> =
                    owners.into_iter().map(|(owner, email)| (owner, email.unwrap_or_default())).collect();
                owners.sort();
                SharedEmail { user_pool_id, owners }
            })
            .collect())
    }
}

/// Gives every address the key of the present rule. It changes nothing if all have it. Addresses that are the same by
/// this rule and were not by the old one stay, with a key that says so.
pub fn rewrite_email_keys(conn: &mut Conn) -> QueryResult<()> {
    let version: i16 = email_rule::table.select(email_rule::version).first(conn)?;
    if version >= VERSION {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let rows: Vec<(String, String, String, Option<String>)> = users::table
            .filter(users::user_id.gt(&after))
            .filter(users::email.is_not_null())
            .order(users::user_id.asc())
            .limit(super::count(CHUNK))
            .select((
                users::user_id,
                users::email.assume_not_null(),
                users::email_folded.assume_not_null(),
                users::user_pool_id,
            ))
            .load(conn)?;
        for (id, email, old, pool) in &rows {
            let key = EmailKey::with_old(folded(email), old_part(old));
            if *old == key.folded {
                continue;
            }
            let (_, others) = apart(user_keys(conn, pool.as_deref(), &key)?, id);
            let new = if others.is_empty() { key.folded } else { key.shared };
            diesel::update(users::table.find(id)).set(users::email_folded.eq(Some(new))).execute(conn)?;
        }
        match rows.into_iter().nth(CHUNK - 1) {
            Some((last, ..)) => after = last,
            None => break,
        }
    }
    let rows: Vec<(DbUuid, String, String)> = accounts::table
        .order(accounts::id.asc())
        .select((accounts::id, accounts::email, accounts::email_folded))
        .load(conn)?;
    for (id, email, old) in rows {
        let key = EmailKey::with_old(folded(&email), old_part(&old));
        if old == key.folded {
            continue;
        }
        let (_, others) = apart(account_keys(conn, &key)?, &id);
        let new = if others.is_empty() { key.folded } else { key.shared };
        diesel::update(accounts::table.find(id)).set(accounts::email_folded.eq(new)).execute(conn)?;
    }
    diesel::update(email_rule::table).set(email_rule::version.eq(VERSION)).execute(conn)?;
    Ok(())
}

/// The key of the old rule, of a row that was rewritten or not.
fn old_part(key: &str) -> &str {
    key.split_once(SEPARATOR).map_or(key, |(_, old)| old)
}

/// The key of one owner, and the keys of the others.
fn apart<I: PartialEq>(owners: Vec<(I, String)>, id: &I) -> (Option<String>, Vec<String>) {
    let (own, others): (Vec<_>, Vec<_>) = owners.into_iter().partition(|(owner, _)| owner == id);
    (own.into_iter().map(|(_, key)| key).next(), others.into_iter().map(|(_, key)| key).collect())
}

fn user_keys(conn: &mut Conn, pool: Option<&str>, key: &EmailKey) -> QueryResult<Vec<(String, String)>> {
    users_of(pool, key).select((users::user_id, users::email_folded.assume_not_null())).load(conn)
}

fn account_keys(conn: &mut Conn, key: &EmailKey) -> QueryResult<Vec<(DbUuid, String)>> {
    accounts_of(key).select((accounts::id, accounts::email_folded)).load(conn)
}

/// The users of a pool with this address. The expression is that of the unique index.
fn users_of<'a>(pool: Option<&'a str>, key: &'a EmailKey) -> users::BoxedQuery<'a, Db> {
    users::table
        .into_boxed()
        .filter(sql::<Text>("coalesce(user_pool_id, '')").eq(pool.unwrap_or_default()))
        .filter(users::email_folded.ge(key.folded.as_str()))
        .filter(users::email_folded.lt(key.end()))
}

/// The accounts with this address.
fn accounts_of(key: &EmailKey) -> accounts::BoxedQuery<'_, Db> {
    accounts::table
        .into_boxed()
        .filter(accounts::email_folded.ge(key.folded.as_str()))
        .filter(accounts::email_folded.lt(key.end()))
}

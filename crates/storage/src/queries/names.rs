//! Names to numbers and back: first from the cache, then by one query per dictionary for the names that are not cached.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use diesel::prelude::*;
use trailkeeper_domain::address;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::{Error, Result};

use super::{Conn, Tx, dialect};
use crate::columns::{Address, DbTenant, DbUuid};
pub(super) use crate::names::Dictionary;
use crate::names::digest_of;
use crate::schema::{
    dict_kinds, dict_pages, dict_sources, dict_tenants, dict_user_agents, dict_user_names, dict_users,
};

/// A number that no name has, as no negative number has one: names begin with 1, and SQLite gives the system tenant 0.
pub(super) const NO_NUMBER: i32 = -1;

impl Tx<'_> {
    /// The tenant as a value of conditions; `None` if it has no number. Then no row refers to it.
    pub(super) fn tenant_key(&mut self, tenant: TenantId) -> Result<Option<DbTenant>> {
        if let Some(key) = dialect::key_without_number(tenant) {
            return Ok(Some(key));
        }
        Ok(self.number_of(Dictionary::Tenants, &tenant.to_string())?.map(|number| DbTenant::Number(number.into())))
    }

    /// The tenant as a value of a new row. A tenant without a number gets one.
    pub(super) fn tenant_key_assigned(&mut self, tenant: TenantId) -> Result<DbTenant> {
        if let Some(key) = self.tenant_key(tenant)? {
            return Ok(key);
        }
        let name = Arc::from(tenant.to_string());
        self.number_names(Dictionary::Tenants, &[Arc::clone(&name)])?;
        self.new_names
            .id(Dictionary::Tenants, &name)
            .map(|number| DbTenant::Number(number.into()))
            .ok_or_else(|| Error::internal(format!("the tenant {tenant} got no number")))
    }

    /// Tenants as values of conditions, by one query. Tenants without a number are left out: no row refers to them.
    pub(super) fn tenant_keys(
        &mut self,
        tenants: impl IntoIterator<Item = TenantId>,
    ) -> Result<HashMap<TenantId, DbTenant>> {
        let mut found = HashMap::new();
        let mut missing = HashMap::new();
        for tenant in tenants {
            if let Some(key) = dialect::key_without_number(tenant) {
                found.insert(tenant, key);
            } else if !found.contains_key(&tenant) && !missing.contains_key(&tenant) {
                let name: Arc<str> = Arc::from(tenant.to_string());
                let known = self.new_names.id(Dictionary::Tenants, &name);
                match known.or_else(|| self.shared.names.id(Dictionary::Tenants, &name)) {
                    Some(number) => drop(found.insert(tenant, DbTenant::Number(number.into()))),
                    None => drop(missing.insert(tenant, name)),
                }
            }
        }
        let names: Vec<Arc<str>> = missing.values().map(Arc::clone).collect();
        let stored = self.stored_numbers(Dictionary::Tenants, &names)?;
        let numbered = missing.iter().filter_map(|(tenant, name)| Some((*tenant, *stored.get(name)?)));
        found.extend(numbered.map(|(tenant, number)| (tenant, DbTenant::Number(number.into()))));
        Ok(found)
    }

    /// The tenants of these keys, by one query. A number that is not in the dictionary gets a placeholder.
    pub(super) fn tenants_of(&mut self, keys: &[DbTenant]) -> Result<HashMap<DbTenant, TenantId>> {
        let numbers: Vec<i32> = keys
            .iter()
            .filter_map(|key| match key {
                DbTenant::Number(number) => i32::try_from(*number).ok(),
                DbTenant::Id(_) => None,
            })
            .collect();
        let known = self.shared_names(Dictionary::Tenants, &numbers)?;
        keys.iter()
            .map(|key| match key {
                DbTenant::Id(id) => Ok((*key, TenantId(*id))),
                DbTenant::Number(number) => {
                    let tenant = match i32::try_from(*number).ok().and_then(|id| known.get(&id)) {
                        Some(name) => TenantId::parse("tenant_id", name)?,
                        None => TenantId::missing(u32::try_from(*number).map_err(|_| no_tenant(*number))?),
                    };
                    Ok((*key, tenant))
                }
            })
            .collect()
    }

    /// The tenant that a caller asks for, as a value of conditions. A tenant without a number gets one that no row has. See
    /// [`Self::asked_numbers`].
    pub(super) fn asked_tenant(&mut self, tenant: TenantId) -> Result<DbTenant> {
        if let Some(key) = dialect::key_without_number(tenant) {
            return Ok(key);
        }
        if let Some((_, key)) = self.asked_tenant.filter(|(asked, _)| *asked == tenant) {
            return Ok(key);
        }
        let numbers = self.asked_numbers(Dictionary::Tenants, &[&tenant.to_string()])?;
        let key = DbTenant::Number(numbers.first().copied().unwrap_or(NO_NUMBER).into());
        self.asked_tenant = Some((tenant, key));
        Ok(key)
    }

    /// The number of the user that a caller asks for. A user without a number gets one that no row has. See
    /// [`Self::asked_numbers`].
    pub(super) fn asked_user(&mut self, user: &UserId) -> Result<i32> {
        let numbers = self.asked_numbers(Dictionary::Users, &[user.as_str()])?;
        Ok(numbers.first().copied().unwrap_or(NO_NUMBER))
    }

    /// The number of a name; `None` if the dictionary does not have the name.
    pub(super) fn number_of(&mut self, dictionary: Dictionary, name: &str) -> Result<Option<i32>> {
        if let Some(id) = self.new_names.id(dictionary, name).or_else(|| self.shared.names.id(dictionary, name)) {
            return Ok(Some(id));
        }
        Ok(self.stored_numbers(dictionary, &[Arc::from(name)])?.remove(name))
    }

    /// The numbers of the names that a caller asks for, in their order. Each name without a number gets one of its own
    /// that no row has: a negative one.
    ///
    /// The database is asked even for names in the cache. The cache has only names with a number, so that without a
    /// statement for them the time of an answer would show which names exist in other tenants.
    pub(super) fn asked_numbers(&mut self, dictionary: Dictionary, names: &[&str]) -> Result<Vec<i32>> {
        let others: BTreeSet<&str> =
            names.iter().copied().filter(|name| self.new_names.id(dictionary, name).is_none()).collect();
        let others: Vec<Arc<str>> = others.into_iter().map(Arc::from).collect();
        let stored = self.stored_numbers(dictionary, &others)?;
        let unknown = others.iter().filter(|name| !stored.contains_key(*name));
        let unknown: HashMap<&str, i32> = unknown.map(AsRef::as_ref).zip((i32::MIN..=NO_NUMBER).rev()).collect();
        let number = |name: &&str| {
            let known = self.new_names.id(dictionary, name).or_else(|| stored.get(*name).copied());
            known.or_else(|| unknown.get(name).copied()).unwrap_or(NO_NUMBER)
        };
        Ok(names.iter().map(number).collect())
    }

    /// The names of these numbers. Numbers that are not in the dictionary are left out.
    pub(super) fn names_of(&mut self, dictionary: Dictionary, ids: &[i32]) -> Result<HashMap<i32, String>> {
        let names = self.shared_names(dictionary, ids)?;
        Ok(names.into_iter().map(|(id, name)| (id, name.as_ref().to_owned())).collect())
    }

    /// Like [`Self::names_of`], without copying the names.
    pub(super) fn shared_names(&mut self, dictionary: Dictionary, ids: &[i32]) -> Result<HashMap<i32, Arc<str>>> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self
                .new_names
                .name(dictionary, *id)
                .map(Arc::clone)
                .or_else(|| self.shared.names.name(dictionary, *id))
            {
                Some(name) => drop(found.insert(*id, name)),
                None => missing.push(*id),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        for some in missing.chunks(dialect::NAMES_AT_ONCE) {
            let stored = self.run(dictionary.table(), |conn| names(conn, dictionary, some))?;
            let stored: Vec<(i32, Arc<str>)> = stored.into_iter().map(|(id, name)| (id, Arc::from(name))).collect();
            self.shared.names.put(stored.iter().map(|(id, name)| (dictionary, Arc::clone(name), *id)));
            found.extend(stored);
        }
        Ok(found)
    }

    /// The numbers of names in the database, which are then cached. Names without a number are left out.
    ///
    /// Callers look for the names that this transaction numbered before they call this, so the names that it finds were
    /// committed by other transactions and may be cached before the commit of this one.
    pub(super) fn stored_numbers(
        &mut self,
        dictionary: Dictionary,
        names: &[Arc<str>],
    ) -> Result<HashMap<Arc<str>, i32>> {
        let mut found = HashMap::new();
        for some in names.chunks(dialect::NAMES_AT_ONCE) {
            found.extend(numbers(self, dictionary, some)?);
        }
        self.shared.names.put(found.iter().map(|(name, id)| (dictionary, Arc::clone(name), *id)));
        Ok(found)
    }

    /// Gives each of these names the next number. None of them may have a number, and no other transaction may give
    /// numbers in this dictionary at the same time.
    pub(super) fn number_names(&mut self, dictionary: Dictionary, names: &[Arc<str>]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        // It may be one of these.
        self.asked_tenant = None;
        let table = dictionary.table();
        let last = self.run(table, |conn| last_number(conn, dictionary))?.unwrap_or(0);
        let numbered: Vec<(i32, &str)> =
            (1..).map_while(|more| last.checked_add(more)).zip(names.iter().map(AsRef::as_ref)).collect();
        if numbered.len() < names.len() {
            return Err(Error::internal(format!("table {table} is full: no number is left")));
        }
        if dictionary == Dictionary::Sources {
            let addresses =
                numbered.iter().map(|(id, name)| Ok((*id, address_of(name)?))).collect::<Result<Vec<_>>>()?;
            self.run(table, |conn| dialect::insert_sources(conn, &addresses))?;
        } else {
            self.run(table, |conn| dialect::insert_names(conn, dictionary, &numbered))?;
        }
        for (name, (id, _)) in names.iter().zip(&numbered) {
            self.new_names.put(dictionary, name, *id);
        }
        Ok(())
    }
}

fn no_tenant(number: i64) -> Error {
    Error::internal(format!("table dict_tenants has no row {number}"))
}

fn address_of(name: &str) -> Result<Address> {
    address::parse_address("source", name).map(Address)
}

/// Evaluates `$body` with `$of` as the table of `$dictionary`, if that table finds its names by a digest. Sources and
/// tenants are found by their own values.
macro_rules! by_digest {
    ($dictionary:expr, $of:ident => $body:expr, sources: $sources:expr, tenants: $tenants:expr) => {
        match $dictionary {
            Dictionary::Users => {
                use dict_users as $of;
                $body
            }
            Dictionary::Pages => {
                use dict_pages as $of;
                $body
            }
            Dictionary::Kinds => {
                use dict_kinds as $of;
                $body
            }
            Dictionary::UserAgents => {
                use dict_user_agents as $of;
                $body
            }
            Dictionary::UserNames => {
                use dict_user_names as $of;
                $body
            }
            Dictionary::Sources => $sources,
            Dictionary::Tenants => $tenants,
        }
    };
}

/// The names of `$keys` that `$dict` has, with their numbers. `$keys` has the value of `$column` for each name.
macro_rules! lookup {
    ($conn:expr, $keys:expr, $dict:ident, $column:ident) => {{
        let mut found = Vec::new();
        if dialect::ONE_NAME_PER_STATEMENT {
            for (key, name) in $keys {
                let row = $dict::table.filter($dict::$column.eq(*key)).select($dict::id);
                let id: Option<i32> = row.first($conn).optional()?;
                found.extend(id.map(|id| (Arc::clone(name), id)));
            }
        } else {
            let rows = $dict::table.filter($dict::$column.eq_any($keys.keys())).select(($dict::$column, $dict::id));
            for (key, id) in rows.load($conn)? {
                found.extend($keys.get(&key).map(|name| (Arc::clone(name), id)));
            }
        }
        Ok(found)
    }};
}

fn numbers(tx: &mut Tx<'_>, dictionary: Dictionary, names: &[Arc<str>]) -> Result<Vec<(Arc<str>, i32)>> {
    let table = dictionary.table();
    if dictionary == Dictionary::Sources {
        let keys = names.iter().map(|name| Ok((address_of(name)?, name))).collect::<Result<HashMap<_, _>>>()?;
        return tx.run(table, |conn| numbers_of_sources(conn, &keys));
    }
    let keys = names.iter().map(|name| match dictionary {
        Dictionary::Tenants => Ok((DbUuid(TenantId::parse("tenant_id", name)?.0), name)),
        _ => Ok((DbUuid(digest_of(name)), name)),
    });
    let keys = keys.collect::<Result<HashMap<_, _>>>()?;
    tx.run(table, |conn| {
        by_digest!(
            dictionary,
            dict => lookup!(conn, &keys, dict, digest),
            sources: Ok(Vec::new()),
            tenants: lookup!(conn, &keys, dict_tenants, tenant_id)
        )
    })
}

fn numbers_of_sources(conn: &mut Conn, keys: &HashMap<Address, &Arc<str>>) -> QueryResult<Vec<(Arc<str>, i32)>> {
    lookup!(conn, keys, dict_sources, address)
}

fn names(conn: &mut Conn, dictionary: Dictionary, ids: &[i32]) -> QueryResult<Vec<(i32, String)>> {
    by_digest!(
        dictionary,
        dict => dict::table.filter(dict::id.eq_any(ids)).select((dict::id, dict::name)).load(conn),
        sources: {
            let query = dict_sources::table.filter(dict_sources::id.eq_any(ids));
            let rows: Vec<(i32, Address)> = query.select((dict_sources::id, dict_sources::address)).load(conn)?;
            Ok(rows.into_iter().map(|(id, Address(address))| (id, address.to_string())).collect())
        },
        tenants: {
            let query = dict_tenants::table.filter(dict_tenants::id.eq_any(ids));
            let rows: Vec<(i32, DbUuid)> = query.select((dict_tenants::id, dict_tenants::tenant_id)).load(conn)?;
            Ok(rows.into_iter().map(|(id, DbUuid(tenant))| (id, tenant.to_string())).collect())
        }
    )
}

fn last_number(conn: &mut Conn, dictionary: Dictionary) -> QueryResult<Option<i32>> {
    use diesel::dsl::max;

    by_digest!(
        dictionary,
        dict => dict::table.select(max(dict::id)).first(conn),
        sources: dict_sources::table.select(max(dict_sources::id)).first(conn),
        tenants: dict_tenants::table.select(max(dict_tenants::id)).first(conn)
    )
}

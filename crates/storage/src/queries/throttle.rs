//! Reads and writes the counters of login attempts and requests.

use std::collections::HashMap;
use std::net::IpAddr;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{CounterKey, RequestCount, ThrottleReads, ThrottleWrites};
use trailkeeper_domain::throttle::LoginCounter;
use trailkeeper_domain::time::Timestamp;

use super::{Tx, count, dialect};
use crate::columns::{Address, DbTime, Instant};
use crate::rows::LoginCounterRow;
use crate::schema::{known_sources, login_counters, request_counts};

/// The largest number of keys in one statement.
const KEYS_AT_ONCE: usize = 500;

impl ThrottleReads for Tx<'_> {
    fn login_counters(&mut self, keys: &[CounterKey]) -> Result<Vec<Option<LoginCounter>>> {
        let mut found = HashMap::new();
        for some in keys.chunks(KEYS_AT_ONCE) {
            let wanted = some.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>();
            let query =
                login_counters::table.filter(login_counters::key.eq_any(wanted)).select(LoginCounterRow::as_select());
            let rows: Vec<LoginCounterRow> = self.run("login_counters", |conn| query.load(conn))?;
            for row in rows {
                let (key, counter) = row.into_pair()?;
                found.insert(key, counter);
            }
        }
        Ok(keys.iter().map(|key| found.get(key.as_slice()).copied()).collect())
    }

    fn known_source(&mut self, name: &CounterKey, source: IpAddr) -> Result<Option<Timestamp>> {
        let query = known_sources::table.find((name.as_slice(), Address(source))).select(known_sources::logged_in_at);
        let at: Option<DbTime> = self.run("known_sources", |conn| query.first(conn).optional())?;
        Ok(at.map(|DbTime(at)| at))
    }

    fn request_counts(&mut self, starts_at: Timestamp, keys: &[String]) -> Result<Vec<u64>> {
        let mut found: HashMap<String, i64> = HashMap::new();
        for some in keys.chunks(KEYS_AT_ONCE) {
            let query = request_counts::table
                .filter(request_counts::starts_at.eq(DbTime(starts_at)))
                .filter(request_counts::key.eq_any(some))
                .select((request_counts::key, request_counts::requests));
            let rows: Vec<(String, i64)> = self.run("request_counts", |conn| query.load(conn))?;
            found.extend(rows);
        }
        let of = |key: &String| found.get(key).map_or(0, |requests| u64::try_from(*requests).unwrap_or_default());
        Ok(keys.iter().map(of).collect())
    }

    fn request_count_keys(&mut self, prefix: &str, since: Timestamp) -> Result<u64> {
        // By time: the table has the rows of two windows.
        let query = request_counts::table
            .filter(request_counts::starts_at.ge(DbTime(since)))
            .filter(request_counts::key.like(format!("{prefix}%")))
            .select(request_counts::key)
            .distinct();
        let keys: Vec<String> = self.run("request_counts", |conn| query.load(conn))?;
        Ok(keys.len() as u64)
    }
}

impl ThrottleWrites for Tx<'_> {
    fn lock_login_counters(&mut self) -> Result<()> {
        self.run("login_counters", dialect::lock_login_counters)
    }

    fn put_login_counter(&mut self, key: &CounterKey, counter: &LoginCounter) -> Result<()> {
        let row = LoginCounterRow::new(key, counter);
        self.run("login_counters", |conn| {
            diesel::insert_into(login_counters::table)
                .values(&row)
                .on_conflict(login_counters::key)
                .do_update()
                .set(&row)
                .execute(conn)
        })?;
        Ok(())
    }

    fn delete_login_counter(&mut self, key: &CounterKey) -> Result<()> {
        let delete = diesel::delete(login_counters::table.find(key.as_slice()));
        self.run("login_counters", |conn| delete.execute(conn)).map(drop)
    }

    fn put_known_source(&mut self, name: &CounterKey, source: IpAddr, at: Timestamp, most: usize) -> Result<()> {
        let name = name.as_slice();
        self.run("known_sources", |conn| {
            diesel::insert_into(known_sources::table)
                .values((
                    known_sources::name.eq(name),
                    known_sources::source.eq(Address(source)),
                    known_sources::logged_in_at.eq(DbTime(at)),
                ))
                .on_conflict((known_sources::name, known_sources::source))
                .do_update()
                .set(known_sources::logged_in_at.eq(DbTime(at)))
                .execute(conn)
        })?;
        let surplus = known_sources::table
            .filter(known_sources::name.eq(name))
            .order((known_sources::logged_in_at.desc(), known_sources::source.desc()))
            .offset(count(most))
            .limit(count(KEYS_AT_ONCE))
            .select(known_sources::source);
        let surplus: Vec<Address> = self.run("known_sources", |conn| surplus.load(conn))?;
        for source in surplus {
            let delete = diesel::delete(known_sources::table.find((name, source)));
            self.run("known_sources", |conn| delete.execute(conn))?;
        }
        Ok(())
    }

    fn delete_login_counters(&mut self, before: Timestamp, most: usize) -> Result<()> {
        let latest = login_counters::table
            .order(login_counters::counted_at.desc())
            .offset(count(most))
            .select(login_counters::counted_at);
        let surplus: Option<DbTime> = self.run("login_counters", |conn| latest.first(conn).optional())?;
        let old = diesel::delete(login_counters::table.filter(login_counters::counted_at.lt(DbTime(before))));
        self.run("login_counters", |conn| old.execute(conn))?;
        if let Some(newest) = surplus {
            let surplus = diesel::delete(login_counters::table.filter(login_counters::counted_at.le(newest)));
            self.run("login_counters", |conn| surplus.execute(conn))?;
        }
        Ok(())
    }

    fn delete_known_sources(&mut self, before: Timestamp) -> Result<()> {
        let delete = diesel::delete(known_sources::table.filter(known_sources::logged_in_at.lt(DbTime(before))));
        self.run("known_sources", |conn| delete.execute(conn)).map(drop)
    }

    fn add_requests(&mut self, counts: &[RequestCount]) -> Result<()> {
        // Every server uses the same order, so that two of them do not wait for each other in a circle.
        let mut counts: Vec<&RequestCount> = counts.iter().collect();
        counts.sort_unstable_by(|a, b| (a.starts_at, &a.key).cmp(&(b.starts_at, &b.key)));
        for counted in counts {
            let add = sql_query(
                "INSERT INTO request_counts (key, starts_at, requests) VALUES ($1, $2, $3) \
                 ON CONFLICT (key, starts_at) DO UPDATE SET requests = request_counts.requests + excluded.requests",
            )
            .bind::<Text, _>(&counted.key)
            .bind::<Instant, _>(DbTime(counted.starts_at))
            .bind::<BigInt, _>(i64::try_from(counted.requests).unwrap_or(i64::MAX));
            self.run("request_counts", |conn| add.execute(conn))?;
        }
        Ok(())
    }

    fn delete_request_counts(&mut self, before: Timestamp) -> Result<()> {
        let delete = diesel::delete(request_counts::table.filter(request_counts::starts_at.lt(DbTime(before))));
        self.run("request_counts", |conn| delete.execute(conn)).map(drop)
    }
}

//! Portable column types: one SQL type each, declared for both databases.
//!
//! | type | PostgreSQL | SQLite |
//! |---|---|---|
//! | [`Uuid128`] | `uuid` | `BLOB` of 16 bytes |
//! | [`Instant`] | `timestamptz` | `INTEGER`, microseconds since 1970 |
//! | [`Day`] | `date` | `INTEGER`, days since 1970 |
//! | [`Json`] | `jsonb` | `TEXT` |
//! | [`TenantKey`] | `uuid` | `INTEGER`, the number of the tenant in `dict_tenants` |
//! | [`Host`] | `inet` | `BLOB`: 4 or 6, then the address |
//!
//! Both forms of a type sort alike: by bytes, by time, by family and address. Text, numbers, booleans and bytes are
//! diesel's own types, which both databases know.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, NaiveDate};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;
use diesel::sqlite::{Sqlite, SqliteValue};
use trailkeeper_domain::time::{self, Timestamp};
use uuid::Uuid;

/// 128 bits.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Uuid128;

/// A point in time, to the microsecond.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Instant;

/// A UTC day.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1082, array_oid = 1182), sqlite_type(name = "Long"))]
pub struct Day;

/// A JSON document. The database may change its spelling.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct Json;

/// The IP address of a host.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 869, array_oid = 1041), sqlite_type(name = "Binary"))]
pub struct Host;

/// A tenant or a scope: on SQLite its number in `dict_tenants`, on PostgreSQL its UUID.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Long"))]
pub struct TenantKey;

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's time begins.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL's days begin.
const PG_EPOCH_DAYS: i64 = 10_957;
/// The first byte of a binary `jsonb`: its version.
pub const JSONB_VERSION: u8 = 1;
/// The address family IPv4 in PostgreSQL's binary `inet`.
const PGSQL_AF_INET: u8 = 2;
/// The address family IPv6 in PostgreSQL's binary `inet`.
const PGSQL_AF_INET6: u8 = 3;

/// A UUID as a value in queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Uuid128)]
pub struct DbUuid(pub Uuid);

/// A time as a value in queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Instant)]
pub struct DbTime(pub Timestamp);

/// A day as a value in queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Day)]
pub struct DbDay(pub NaiveDate);

impl ToSql<Uuid128, Sqlite> for DbUuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(&self.0.as_bytes()[..]);
        Ok(IsNull::No)
    }
}

impl FromSql<Uuid128, Sqlite> for DbUuid {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.read_blob())?))
    }
}

impl ToSql<Uuid128, Pg> for DbUuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Uuid128, Pg> for DbUuid {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.as_bytes())?))
    }
}

/// A tenant as a value in queries, in the form that the database stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = TenantKey)]
pub enum DbTenant {
    /// The form of PostgreSQL.
    Id(Uuid),
    /// The form of SQLite.
    Number(i64),
}

impl ToSql<TenantKey, Sqlite> for DbTenant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        match self {
            Self::Number(number) => {
                out.set_value(*number);
                Ok(IsNull::No)
            }
            Self::Id(id) => Err(format!("the tenant {id} has no number yet").into()),
        }
    }
}

impl FromSql<TenantKey, Sqlite> for DbTenant {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self::Number(value.read_long()))
    }
}

impl ToSql<TenantKey, Pg> for DbTenant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        match self {
            Self::Id(id) => {
                out.write_all(id.as_bytes())?;
                Ok(IsNull::No)
            }
            Self::Number(number) => Err(format!("{number} is the number of a tenant on SQLite").into()),
        }
    }
}

impl FromSql<TenantKey, Pg> for DbTenant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::Id(Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<Instant, Sqlite> for DbTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.timestamp_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Sqlite> for DbTime {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        from_micros(Some(value.read_long()))
    }
}

impl DbTime {
    /// Microseconds since 2000-01-01, as PostgreSQL counts them.
    pub fn pg_micros(self) -> i64 {
        self.0.timestamp_micros().saturating_sub(PG_EPOCH_MICROS)
    }
}

impl ToSql<Instant, Pg> for DbTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.pg_micros().to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Pg> for DbTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        from_micros(i64::from_be_bytes(value.as_bytes().try_into()?).checked_add(PG_EPOCH_MICROS))
    }
}

fn from_micros(micros: Option<i64>) -> deserialize::Result<DbTime> {
    micros
        .and_then(DateTime::from_timestamp_micros)
        .map(DbTime)
        .ok_or_else(|| format!("{micros:?} microseconds since 1970 are out of the supported range of times").into())
}

impl ToSql<Day, Sqlite> for DbDay {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(time::day_number(self.0));
        Ok(IsNull::No)
    }
}

impl FromSql<Day, Sqlite> for DbDay {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        from_day_number(value.read_long())
    }
}

impl ToSql<Day, Pg> for DbDay {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&i32::try_from(time::day_number(self.0) - PG_EPOCH_DAYS)?.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Day, Pg> for DbDay {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        from_day_number(i64::from(i32::from_be_bytes(value.as_bytes().try_into()?)) + PG_EPOCH_DAYS)
    }
}

fn from_day_number(number: i64) -> deserialize::Result<DbDay> {
    time::day_of_number(number)
        .map(DbDay)
        .ok_or_else(|| format!("{number} days since 1970 are out of the supported range of days").into())
}

/// The text of a JSON document. It is parsed where the row becomes a domain type, so that an error can name the row.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Json)]
pub struct JsonText(pub String);

impl ToSql<Json, Sqlite> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_str());
        Ok(IsNull::No)
    }
}

impl FromSql<Json, Sqlite> for JsonText {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(value.read_text().to_owned()))
    }
}

impl ToSql<Json, Pg> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Json, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((&JSONB_VERSION, text)) => Ok(Self(String::from_utf8(text.to_vec())?)),
            _ => Err("a jsonb of an unknown version".into()),
        }
    }
}

/// An IP address as a value in queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Host)]
pub struct Address(pub IpAddr);

impl Address {
    /// The bytes of the address, after the prefix of its family.
    fn with_prefix(self, v4: &[u8], v6: &[u8]) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(at) => [v4, &at.octets()[..]].concat(),
            IpAddr::V6(at) => [v6, &at.octets()[..]].concat(),
        }
    }

    fn from_octets(octets: &[u8]) -> deserialize::Result<Self> {
        if let Ok(v4) = <[u8; 4]>::try_from(octets) {
            return Ok(Self(IpAddr::V4(Ipv4Addr::from(v4))));
        }
        <[u8; 16]>::try_from(octets)
            .map(|v6| Self(IpAddr::V6(Ipv6Addr::from(v6))))
            .map_err(|_| format!("an address has 4 or 16 bytes, not {}", octets.len()).into())
    }
}

impl ToSql<Host, Sqlite> for Address {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.with_prefix(&[4], &[6]));
        Ok(IsNull::No)
    }
}

impl FromSql<Host, Sqlite> for Address {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        match value.read_blob() {
            [4 | 6, octets @ ..] => Self::from_octets(octets),
            _ => Err("an address without its family".into()),
        }
    }
}

impl ToSql<Host, Pg> for Address {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The family, the bits of the mask (all of them: one host), no CIDR, the number of bytes of the address.
        out.write_all(&self.with_prefix(&[PGSQL_AF_INET, 32, 0, 4], &[PGSQL_AF_INET6, 128, 0, 16]))?;
        Ok(IsNull::No)
    }
}

impl FromSql<Host, Pg> for Address {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [PGSQL_AF_INET | PGSQL_AF_INET6, _bits, _cidr, _length, octets @ ..] => Self::from_octets(octets),
            _ => Err("an address of an unknown family".into()),
        }
    }
}

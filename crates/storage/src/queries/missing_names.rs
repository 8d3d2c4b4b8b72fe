//! Names that events refer to and that their dictionaries do not have.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use trailkeeper_domain::event::NamedField;
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::ports::MissingName;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::names::Dictionary;
use super::text_query::TextQuery;
use super::{Tx, count, dialect};
use crate::columns::{DbTime, DbUuid, Instant, Uuid128};

/// A field, its column in `events`, and its dictionary.
const COLUMNS: [(NamedField, &str, Dictionary); 7] = [
    (NamedField::Tenant, "tenant_id", Dictionary::Tenants),
    (NamedField::User, "user_ref", Dictionary::Users),
    (NamedField::UserName, "user_name_ref", Dictionary::UserNames),
    (NamedField::Kind, "kind_ref", Dictionary::Kinds),
    (NamedField::Source, "source_ref", Dictionary::Sources),
    (NamedField::UserAgent, "user_agent_ref", Dictionary::UserAgents),
    (NamedField::Page, "page_ref", Dictionary::Pages),
];

#[derive(QueryableByName)]
struct MissingRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = Instant)]
    first_at: DbTime,
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = Uuid128)]
    id: DbUuid,
}

impl Tx<'_> {
    /// See `EventReads::missing_names`.
    pub fn missing_names_in(&mut self, range: TimeRange, limit: usize) -> Result<Vec<MissingName>> {
        let mut missing = Vec::new();
        for (field, column, dictionary) in COLUMNS {
            if field == NamedField::Tenant && !dialect::TENANTS_ARE_NUMBERED {
                continue;
            }
            let table = dictionary.table();
            let mut text = TextQuery::new(format!(
                "SELECT CAST(e.{column} AS bigint) AS number, count(*) AS events, min(e.occurred_at) AS first_at \
                 FROM events AS e LEFT JOIN {table} AS d ON d.id = e.{column} WHERE "
            ));
            text.in_bucket("e.bucket").sql(&format!("e.{column} IS NOT NULL AND d.id IS NULL"));
            text.in_range("e.occurred_at", range);
            text.sql(&format!(" GROUP BY e.{column} ORDER BY e.{column} LIMIT ")).bind_number(count(limit));
            let rows: Vec<MissingRow> = self.run(table, |conn| text.query.load(conn))?;
            for row in rows {
                let mut first = TextQuery::new("SELECT id FROM events WHERE ".to_owned());
                first
                    .in_bucket("bucket")
                    .sql("occurred_at = ")
                    .bind_instant(row.first_at.0)
                    .sql(&format!(" AND {column} = "))
                    .bind_number(row.number);
                first.sql(" ORDER BY seq LIMIT 1");
                let id: IdRow = self.run("events", |conn| first.query.get_result(conn))?;
                missing.push(MissingName {
                    field,
                    table,
                    number: row.number,
                    events: u64::try_from(row.events).map_err(Error::internal)?,
                    first: (row.first_at.0, EventId(id.id.0)),
                });
            }
        }
        Ok(missing)
    }
}

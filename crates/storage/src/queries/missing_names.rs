//! Names that events refer to and that their dictionaries do not have.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use trailkeeper_domain::event::NamedField;
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::ports::MissingName;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::names::Dictionary;
use super::text_query::TextQuery;
use super::{Tx, count, dialect};
use crate::columns::{DbTime, DbUuid};
use crate::schema::events;

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
    #[diesel(sql_type = BigInt)]
    first: i64,
}

impl Tx<'_> {
    /// See `EventReads::missing_names`.
    pub fn lost_names(&mut self, limit: usize) -> Result<Vec<MissingName>> {
        let (buckets, mut missing) = (self.buckets_of(Scope::Everyone)?, Vec::new());
        for (field, column, dictionary) in COLUMNS {
            if field == NamedField::Tenant && !dialect::TENANTS_ARE_NUMBERED {
                continue;
            }
            let table = dictionary.table();
            let mut text = TextQuery::new(format!(
                "SELECT CAST(e.{column} AS bigint) AS number, count(*) AS events, min(e.seq) AS first \
                 FROM events AS e LEFT JOIN {table} AS d ON d.id = e.{column} WHERE "
            ));
            text.in_buckets("e.bucket", &buckets).sql(&format!("e.{column} IS NOT NULL AND d.id IS NULL"));
            text.sql(&format!(" GROUP BY e.{column} ORDER BY e.{column} LIMIT ")).bind_number(count(limit));
            let rows: Vec<MissingRow> = self.run(table, |conn| text.query.load(conn))?;
            for row in rows {
                let first = dialect::events(&buckets).filter(events::seq.eq(row.first));
                let first = first.select((events::occurred_at, events::id));
                let (at, id): (DbTime, DbUuid) = self.run("events", |conn| first.first(conn))?;
                missing.push(MissingName {
                    field,
                    table,
                    number: row.number,
                    events: u64::try_from(row.events).map_err(Error::internal)?,
                    first: (at.0, EventId(id.0)),
                });
            }
        }
        Ok(missing)
    }
}

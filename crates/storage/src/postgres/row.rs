//! Values and rows in the binary format of PostgreSQL.

use std::error::Error as StdError;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use diesel::backend::Backend;
use diesel::internal::derives::multiconnection::{PartialRow, RowSealed};
use diesel::pg::{Pg, PgValue};
use diesel::result::{Error, QueryResult};
use diesel::row::{Field, Row, RowIndex};
use tokio_postgres::Statement;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

/// A value that diesel has serialized for the type with which the statement was prepared; `None` is null.
#[derive(Debug, Clone)]
pub struct Bind(pub Option<Vec<u8>>);

impl ToSql for Bind {
    fn to_sql(&self, _ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        Ok(match &self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

/// A row, with the types of its columns.
pub struct PgRow {
    row: tokio_postgres::Row,
    oids: Arc<[NonZeroU32]>,
}

impl PgRow {
    /// The rows of one statement. They share the types of its columns.
    pub fn of_all(statement: &Statement, rows: Vec<tokio_postgres::Row>) -> QueryResult<Vec<Self>> {
        let oids: Arc<[NonZeroU32]> = statement
            .columns()
            .iter()
            .map(|column| NonZeroU32::new(column.type_().oid()))
            .collect::<Option<_>>()
            .ok_or_else(|| Error::DeserializationError("a column of the result has no type".into()))?;
        Ok(rows.into_iter().map(|row| Self { row, oids: Arc::clone(&oids) }).collect())
    }
}

impl RowSealed for PgRow {}

impl<'a> Row<'a, Pg> for PgRow {
    type Field<'b>
        = PgField<'b>
    where
        Self: 'b,
        'a: 'b;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.row.len()
    }

    fn get<'b, I>(&'b self, idx: I) -> Option<Self::Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let at = self.idx(idx)?;
        let oid = self.oids.get(at)?;
        Some(PgField { row: &self.row, at, oid })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self::InnerPartialRow> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for PgRow {
    fn idx(&self, idx: usize) -> Option<usize> {
        (idx < self.row.len()).then_some(idx)
    }
}

impl<'a> RowIndex<&'a str> for PgRow {
    fn idx(&self, idx: &'a str) -> Option<usize> {
        self.row.columns().iter().position(|column| column.name() == idx)
    }
}

/// One value of a row.
pub struct PgField<'a> {
    row: &'a tokio_postgres::Row,
    at: usize,
    oid: &'a NonZeroU32,
}

impl<'a> Field<'a, Pg> for PgField<'a> {
    fn field_name(&self) -> Option<&str> {
        self.row.columns().get(self.at).map(tokio_postgres::Column::name)
    }

    fn value(&self) -> Option<<Pg as Backend>::RawValue<'_>> {
        self.row.try_get::<_, Option<Raw<'_>>>(self.at).ok().flatten().map(|Raw(bytes)| PgValue::new(bytes, self.oid))
    }
}

/// The bytes of a value of any type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }
}

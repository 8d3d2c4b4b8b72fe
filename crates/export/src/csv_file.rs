//! Comma-separated values.

use std::borrow::Cow;

use csv::WriterBuilder;
use serde_json::Value;
use trailkeeper_domain::{Error, Result};

use crate::cell::Cell;
use crate::column::Column;

/// What to do with texts that a spreadsheet would compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Formulas {
    /// A text that begins like a formula gets a `'` in front: spreadsheets then show it. See OWASP's page "CSV Injection".
    #[default]
    Quote,
    /// Texts stay as they are, for programs.
    Keep,
}

impl Formulas {
    /// The text as it is written.
    fn guarded(self, text: Cow<'_, str>) -> Cow<'_, str> {
        if self == Self::Quote && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            return Cow::Owned(format!("'{text}"));
        }
        text
    }
}

/// Writes rows.
pub struct CsvRows {
    writer: csv::Writer<Vec<u8>>,
    formulas: Formulas,
}

impl CsvRows {
    /// No rows yet.
    pub fn new(formulas: Formulas) -> Self {
        Self { writer: WriterBuilder::new().flexible(false).from_writer(Vec::new()), formulas }
    }

    /// Appends the line of names.
    pub fn names(&mut self, names: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<()> {
        self.writer.write_record(names).map_err(Error::internal)
    }

    /// Appends a row.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        for cell in cells {
            self.field(cell)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(Error::internal)
    }

    /// Appends a row of JSON values. Objects and lists are written as JSON.
    pub fn values<'a>(&mut self, values: impl IntoIterator<Item = &'a Value>) -> Result<()> {
        self.row(values.into_iter().map(|value| match value {
            Value::Null => Cell::Empty,
            Value::String(text) => Cell::Text(Cow::Borrowed(text)),
            Value::Bool(truth) => Cell::Boolean(*truth),
            // Not a text: a negative number is no formula.
            Value::Number(_) | Value::Array(_) | Value::Object(_) => Cell::json(value),
        }))
    }

    fn field(&mut self, cell: Cell<'_>) -> Result<()> {
        let written = match cell {
            Cell::Empty => Cow::Borrowed(""),
            Cell::Text(text) => self.formulas.guarded(text),
            Cell::Integer(number) => Cow::Owned(number.to_string()),
            Cell::Boolean(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
            // As JSON has it, without the quotes.
            Cell::Time(time) => match serde_json::to_value(time).map_err(Error::internal)? {
                Value::String(time) => Cow::Owned(time),
                other => Cow::Owned(other.to_string()),
            },
            Cell::Uuid(id) => Cow::Owned(id.to_string()),
            Cell::Json(json) => json,
        };
        self.writer.write_field(written.as_bytes()).map_err(Error::internal)
    }

    /// The lines.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(|error| Error::internal(error.into_error()))
    }
}

/// The lines of some rows, without the line of names.
pub fn lines<T>(columns: &[&Column<T>], rows: &[T], formulas: Formulas) -> Result<Vec<u8>> {
    let mut out = CsvRows::new(formulas);
    for row in rows {
        out.row(columns.iter().map(|column| (column.cell)(row)))?;
    }
    out.finish()
}

/// The line of names.
pub fn names<T>(columns: &[&Column<T>]) -> Result<Vec<u8>> {
    let mut out = CsvRows::new(Formulas::Keep);
    out.names(columns.iter().map(|column| column.flat_name()))?;
    out.finish()
}

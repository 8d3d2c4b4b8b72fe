//! Columns: the fields of a record.

use crate::cell::{Cell, Kind};

/// What can be exported.
pub trait Record: Sized + 'static {
    /// The columns, in their order.
    const COLUMNS: &'static [Column<Self>];
}

/// All columns of a record.
pub fn columns_of<T: Record>() -> Vec<&'static Column<T>> {
    T::COLUMNS.iter().collect()
}

/// A field of a record.
pub struct Column<T: 'static> {
    /// The name of the field.
    pub name: &'static str,
    /// The object of which it is a field in NDJSON. Columns of one object stand side by side.
    pub object: Option<&'static str>,
    /// The type of its values.
    pub kind: Kind,
    /// The value in one row.
    pub cell: fn(&T) -> Cell<'_>,
}

impl<T> Column<T> {
    /// A field.
    pub const fn new(name: &'static str, kind: Kind, cell: fn(&T) -> Cell<'_>) -> Self {
        Self { name, object: None, kind, cell }
    }

    /// A field of the object `object`.
    pub const fn inside(object: &'static str, name: &'static str, kind: Kind, cell: fn(&T) -> Cell<'_>) -> Self {
        Self { name, object: Some(object), kind, cell }
    }

    /// The name where there are no objects.
    pub fn flat_name(&self) -> String {
        self.object.map_or_else(|| self.name.to_owned(), |object| format!("{object}_{}", self.name))
    }
}

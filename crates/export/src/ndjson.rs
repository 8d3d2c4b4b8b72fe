//! NDJSON: one object per row, with the fields that the API shows.

use trailkeeper_domain::Result;

use crate::cell::Cell;
use crate::column::Column;

/// Appends the line of a row.
pub fn write_line<T>(columns: &[&Column<T>], row: &T, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    for (nth, fields) in columns.chunk_by(|one, next| one.object.is_some() && one.object == next.object).enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        match fields {
            [Column { object: None, name, cell, .. }] => write_field(name, &cell(row), out)?,
            [Column { object: Some(object), .. }, ..] => write_object(object, fields, row, out)?,
            _ => {}
        }
    }
    out.extend(b"}\n");
    Ok(())
}

/// Appends an object, which is null if all of its fields are empty.
fn write_object<T>(name: &str, fields: &[&Column<T>], row: &T, out: &mut Vec<u8>) -> Result<()> {
    let cells: Vec<Cell<'_>> = fields.iter().map(|field| (field.cell)(row)).collect();
    write_name(name, out);
    if cells.iter().all(|cell| *cell == Cell::Empty) {
        out.extend(b"null");
        return Ok(());
    }
    out.push(b'{');
    for (nth, (field, cell)) in fields.iter().zip(&cells).enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        write_field(field.name, cell, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_field(name: &str, cell: &Cell<'_>, out: &mut Vec<u8>) -> Result<()> {
    write_name(name, out);
    cell.write_json(out)
}

/// Names of columns need no escapes.
fn write_name(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend(name.as_bytes());
    out.extend(b"\":");
}

//! The value types of this contract as its document describes them.

use utoipa::openapi::schema::{OneOfBuilder, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder};

use super::fields::{MAX_CREDENTIAL_BYTES, MAX_PAGE_NUMBER, MAX_ROWS};
use crate::documented::{formatted, integer, one_of, patterned, values};

values! {
    /// A name or password as typed. The size limit counts bytes, and texts of this many characters always fit into it.
    Credential = ObjectBuilder::new().schema_type(Type::String)
        .min_length(Some(1)).max_length(Some(MAX_CREDENTIAL_BYTES / 4));
    /// A page number, starting with 1.
    PageNumber = OneOfBuilder::new().item(integer(KnownFormat::Int64, 1, MAX_PAGE_NUMBER))
        .item(patterned("^[1-9][0-9]{0,14}$", 1, 15));
    /// A number of rows in a page, from 1 to 1,000.
    RowsInPage = OneOfBuilder::new().item(integer(KnownFormat::Int32, 1, MAX_ROWS))
        .item(patterned("^([1-9][0-9]{0,2}|1000)$", 1, 4));
    /// A role in upper case.
    AuthLevel = one_of(["ADMIN", "ANALYST", "AUDITOR", "INGEST"]);
    /// An instant.
    Instant = formatted(KnownFormat::DateTime);
}

//! The values of this contract as its document describes them.

use utoipa::openapi::schema::{OneOfBuilder, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder};

use super::fields::{MAX_CREDENTIAL_BYTES, MAX_PAGE_NUMBER, MAX_ROWS};
use crate::documented::{formatted, integer, one_of, patterned, values};

values! {
    /// A typed name or password. The limit counts bytes, so that this many characters always fit.
    Credential = ObjectBuilder::new().schema_type(Type::String)
        .min_length(Some(1)).max_length(Some(MAX_CREDENTIAL_BYTES / 4));
    /// From 1.
    PageNumber = OneOfBuilder::new().item(integer(KnownFormat::Int64, 1, MAX_PAGE_NUMBER))
        .item(patterned("^[1-9][0-9]{0,14}$", 1, 15));
    /// From 1 to 1,000.
    RowsInPage = OneOfBuilder::new().item(integer(KnownFormat::Int32, 1, MAX_ROWS))
        .item(patterned("^([1-9][0-9]{0,2}|1000)$", 1, 4));
    /// A role in upper case.
    AuthLevel = one_of(["ADMIN", "ANALYST", "AUDITOR", "INGEST"]);
    /// An instant.
    Instant = formatted(KnownFormat::DateTime);
}

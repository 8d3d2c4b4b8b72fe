//! The value types of this contract as its document describes them.

use utoipa::openapi::schema::Type;
use utoipa::openapi::{KnownFormat, ObjectBuilder};

use super::fields::MAX_CREDENTIAL_BYTES;
use crate::documented::{formatted, one_of, patterned, values};

values! {
    /// A name or password as typed. The size limit counts bytes, and texts of this many characters always fit into it.
    Credential = ObjectBuilder::new().schema_type(Type::String)
        .min_length(Some(1)).max_length(Some(MAX_CREDENTIAL_BYTES / 4));
    /// A page number, starting with 1.
    PageNumber = patterned("^[1-9][0-9]{0,14}$", 1, 15);
    /// A number of rows in a page, from 1 to 1,000.
    RowsInPage = patterned("^([1-9][0-9]{0,2}|1000)$", 1, 4);
    /// A role in upper case.
    AuthLevel = one_of(["ADMIN", "ANALYST", "AUDITOR", "INGEST"]);
    /// An instant.
    Instant = formatted(KnownFormat::DateTime);
}

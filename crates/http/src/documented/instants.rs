//! The schemas of days and instants.

use utoipa::openapi::ObjectBuilder;

use super::{DAY, patterned};

/// The time of an instant after its day: RFC 3339 with an offset.
const TIME: &str = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";

/// The schema of a day or an instant from 1970 to 9999: one text with one pattern.
pub fn day_or_instant() -> ObjectBuilder {
    let day = DAY.trim_end_matches('$');
    let longest = "2026-01-31T12:00:00.123456789+09:00".len();
    patterned(&format!("{day}({TIME})?$"), 10, longest)
}

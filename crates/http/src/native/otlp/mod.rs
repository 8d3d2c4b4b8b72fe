//! OTLP/HTTP: OpenTelemetry's protocol.

mod format;
mod logs;

pub use format::OtlpStatus;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![logs::export_logs]
}

//! Answers in the encoding of the request: `ExportLogsServiceResponse`, and `google.rpc.Status` for errors.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use prost::Message as _;
use prost::encoding::{int32, string};
use serde_json::json;

use crate::otlp::encoding::Encoding;

/// The answer to a request whose records were stored, but for `rejected` of them. `message` explains why, or has a
/// warning; without both, OTLP wants no partial success.
pub fn success(encoding: Encoding, rejected: usize, message: &str) -> Vec<u8> {
    let is_partial = rejected > 0 || !message.is_empty();
    let rejected = i64::try_from(rejected).unwrap_or(i64::MAX);
    match encoding {
        Encoding::Protobuf => {
            let partial =
                ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: message.to_owned() };
            ExportLogsServiceResponse { partial_success: is_partial.then_some(partial) }.encode_to_vec()
        }
        Encoding::Json if is_partial => {
            // In JSON, numbers of 64 bits are texts.
            let partial = json!({"rejectedLogRecords": rejected.to_string(), "errorMessage": message});
            json!({"partialSuccess": partial}).to_string().into_bytes()
        }
        Encoding::Json => b"{}".to_vec(),
    }
}

/// An error: `google.rpc.Status` with its fields 1, the code, and 2, the message.
pub fn status(encoding: Encoding, code: i32, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => {
            let mut bytes = Vec::new();
            int32::encode(1, &code, &mut bytes);
            string::encode(2, &message.to_owned(), &mut bytes);
            bytes
        }
        Encoding::Json => json!({"code": code, "message": message}).to_string().into_bytes(),
    }
}

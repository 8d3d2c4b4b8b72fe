//! `GET /v1/events/export`.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{self, AcceptEncoding, Encoding, Header as _};
use actix_web::web::Data;
use trailkeeper_domain::usecase::{EventExport, ExportRange, RangeFields};
use trailkeeper_export::{Compression, Encoder, ExportedEvent, Format};

use super::body::{Export, ExportBody};
use super::params::ExportParams;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::cursors::FeedCursors;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ExportEvents};
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, ExportProblems, TenantNotFound};
use crate::state::AppState;

/// The cursor behind the last event of the export.
pub const EXPORT_END: &str = "Export-End";

/// Export events: all that match, as one file, in the order in which they were stored.
///
/// The events are those that were stored when the request came, however long it takes. `Accept-Encoding` may ask for gzip
/// or zstd; the columns of Parquet are compressed in any case. An export that fails ends without the end of its body:
/// clients then report a broken transfer, and what they got is a part. With `positions=true`, the `position` of the last
/// event in that part is the `cursor` with which the export goes on, up to the `end` in the header `Export-End`; the feed
/// goes on behind it. Each export is recorded, also for programs.
#[operation(get, "/v1/events/export", tag = "events",
    responses(
        (status = 200, description = "The file: one JSON object per line, comma-separated values with a line of names, or Parquet.",
            content((String = "application/x-ndjson"), (String = "text/csv"), (String = "application/vnd.apache.parquet")),
            headers(("Export-End" = String, description = "The cursor behind the last event of the export."))),
        CommonProblems, TenantNotFound, ExportProblems,
    ))]
pub async fn export_events(
    caller: Caller<ExportEvents, Native>,
    FromQuery(params): FromQuery<ExportParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let format = params.checked_format()?;
    let place = state.export_place()?;
    let compression = compression(format, caller.request());
    let formulas = params.formulas.unwrap_or_default();
    let with_positions = params.positions.unwrap_or_default();
    let filter = params.filter.filter(&caller.principal, &state)?;
    let principal = caller.principal.clone();
    let (cursor, end) = (params.cursor, params.end);
    let (export, export_end) = blocking::run(&state, move |state| {
        let open = |field, sent: Option<String>| {
            sent.map(|sent| FeedCursors::open(state.access(), &principal, field, &sent)).transpose()
        };
        let range = ExportRange { after: open("cursor", cursor)?, until: open("end", end)? };
        let fields = RangeFields { after: "cursor", until: "end" };
        let events = EventExport::begin(state.store(), filter, range, fields)?;
        let export_end = FeedCursors::of(state.access(), &principal)?.cursor(&events.end())?;
        let columns = ExportedEvent::columns(with_positions);
        let encoder = if range.after.is_some() {
            Encoder::resumed(format, compression, formulas, columns)?
        } else {
            Encoder::new(format, compression, formulas, columns)?
        };
        Ok((Export { events, encoder, positions_for: with_positions.then_some(principal), _place: place }, export_end))
    })
    .await?;
    let body = ExportBody::begin(caller.lasting()?, state.clone(), export).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(format.content_type())
        .insert_header((header::CONTENT_DISPOSITION, attachment(format, &state)))
        .insert_header((header::VARY, header::ACCEPT_ENCODING.as_str()))
        .insert_header((EXPORT_END, export_end.as_str()));
    if let Some(coding) = compression.coding() {
        response.insert_header((header::CONTENT_ENCODING, coding));
    }
    Ok(if caller.request().method() == Method::HEAD { response.finish() } else { response.streaming(body.stream()) })
}

/// The compression that the client prefers.
fn compression(format: Format, request: &actix_web::HttpRequest) -> Compression {
    if format == Format::Parquet {
        return Compression::None;
    }
    let offered = [Encoding::zstd(), Encoding::gzip(), Encoding::identity()];
    match AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(offered.iter())) {
        Some(coding) if coding == Encoding::zstd() => Compression::Zstd,
        Some(coding) if coding == Encoding::gzip() => Compression::Gzip,
        _ => Compression::None,
    }
}

/// A name for the file that contains the time of the export.
fn attachment(format: Format, state: &AppState) -> String {
    let time = state.clock().now().format("%Y%m%dT%H%M%SZ");
    format!("attachment; filename=\"events-{time}.{}\"", format.as_str())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_compression_is_the_one_that_the_client_prefers() {
        for (accepted, format, expected) in [
            (None, Format::Csv, Compression::None),
            (Some("gzip, deflate"), Format::Csv, Compression::Gzip),
            (Some("gzip;q=0.5, zstd"), Format::Ndjson, Compression::Zstd),
            (Some("gzip, zstd;q=0.1"), Format::Ndjson, Compression::Gzip),
            (Some("br, identity"), Format::Ndjson, Compression::None),
            (Some("gzip"), Format::Parquet, Compression::None),
        ] {
            let request = TestRequest::default();
            let request = match accepted {
                Some(accepted) => request.insert_header((header::ACCEPT_ENCODING, accepted)),
                None => request,
            };
            assert_eq!(compression(format, &request.to_http_request()), expected, "{accepted:?} {format:?}");
        }
    }
}

//! Views and distinct users per page.

use chrono::{Duration, Months};
use trailkeeper_domain::activity::{PageStatistics, PageViews};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use crate::Source;
use crate::bounds::MAX_YEARS_OF_DAYS;
use crate::engine::read;
use crate::sheet::{CellKey, Facet, Folded};

/// The statistics from `start` to `end`, whole UNIX seconds, both inside: a view at 23:59:59.9 counts
/// when the end is 23:59:59.
pub fn page_statistics(
    source: Source<'_>,
    start: Timestamp,
    end: Timestamp,
    tenant_scoped: Option<TenantId>,
) -> Result<PageStatistics> {
    let range = range_of(start, end)?;
    source.store.reading(|tx| {
        let fold =
            read::fold(tx, source.folds, Scope::of(tenant_scoped), None, range, &[Facet::Views, Facet::AllViews])?;
        let all = fold.cell(CellKey::single(Facet::AllViews));
        let pages = named(tx, &fold.cells(Facet::Views))?;
        Ok(PageStatistics { total_views: all.count, total_users: all.distinct, pages })
    })
}

/// The pages of these cells by views, most first, then by page.
fn named(tx: &mut dyn ReadTx, cells: &[Folded]) -> Result<Vec<PageViews>> {
    let id_of = |cell: &Folded| {
        u32::try_from(cell.id)
            .map_err(|_| Error::internal(format!("{} is no id of a page: rebuild the sheets", cell.id)))
    };
    let ids = cells.iter().map(id_of).collect::<Result<Vec<_>>>()?;
    let mut keys = tx.page_keys(&ids)?;
    let pages = cells.iter().zip(ids).map(|(cell, id)| {
        let page = keys.remove(&id).ok_or_else(|| {
            Error::internal(format!("page {id} is counted, but not in dict_pages: rebuild the sheets"))
        })?;
        Ok(PageViews { page, views: cell.count, users: cell.distinct })
    });
    let mut pages = pages.collect::<Result<Vec<_>>>()?;
    pages.sort_unstable_by(|one, other| other.views.cmp(&one.views).then_with(|| one.page.cmp(&other.page)));
    Ok(pages)
}

fn range_of(start: Timestamp, end: Timestamp) -> Result<TimeRange> {
    let (from, to) = (start.timestamp(), end.timestamp());
    if start > end {
        return Err(Error::invalid("start_timestamp", format!("{from} lies after end_timestamp {to}; swap the two")));
    }
    if start.checked_add_months(Months::new(MAX_YEARS_OF_DAYS * 12)).is_some_and(|latest| end > latest) {
        return Err(Error::invalid(
            "end_timestamp",
            format!(
                "{to} is more than {MAX_YEARS_OF_DAYS} years after start_timestamp {from}; ask for a shorter range"
            ),
        ));
    }
    Ok(TimeRange { start, end: end + Duration::seconds(1) })
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::time::parse_rfc3339;

    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339("at", text).unwrap()
    }

    #[test]
    fn the_last_second_is_inside_to_its_end() {
        let range = range_of(at("2023-12-01T00:00:00Z"), at("2023-12-31T23:59:59Z")).unwrap();
        assert_eq!(range.end, at("2024-01-01T00:00:00Z"));
        let one_second = range_of(at("2023-12-01T00:00:00Z"), at("2023-12-01T00:00:00Z")).unwrap();
        assert_eq!(one_second.end - one_second.start, Duration::seconds(1));
    }

    #[test]
    fn wrong_ranges_name_their_field() {
        for (start, end, field) in [
            ("2024-01-01T00:00:01Z", "2024-01-01T00:00:00Z", "start_timestamp"),
            ("2014-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "end_timestamp"),
        ] {
            let error = range_of(at(start), at(end)).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some(field), "{error}");
        }
        assert!(range_of(at("2014-01-01T00:00:00Z"), at("2024-01-01T00:00:00Z")).is_ok());
    }
}

//! Removes the pages of runs that are not visible.

use std::collections::BTreeSet;

use diesel::result::QueryResult;

use super::super::Conn;
use super::merge::Merge;
use super::rows;
use super::state::Jobs;

/// The most pages that one step removes.
const REMOVED_AT_ONCE: usize = 512;

/// Looks once for pages that a crash left, then removes some pages of a run that is not needed any more.
pub fn sweep(conn: &mut Conn, jobs: &mut Jobs) -> QueryResult<()> {
    if !jobs.swept {
        let visible: BTreeSet<i64> = rows::runs(conn)?.iter().map(|key| key.run).collect();
        let own: BTreeSet<i64> = jobs.merges.iter().filter_map(Merge::output).collect();
        let paged = rows::runs_with_pages(conn)?;
        jobs.garbage = paged.into_iter().filter(|run| !visible.contains(run) && !own.contains(run)).collect();
        jobs.swept = true;
    }
    if let Some(run) = jobs.garbage.last()
        && rows::delete_pages(conn, *run, REMOVED_AT_ONCE)? < REMOVED_AT_ONCE
    {
        jobs.garbage.pop();
    }
    Ok(())
}

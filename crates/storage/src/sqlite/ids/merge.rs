//! Merges adjacent runs into one, in steps.

use std::sync::Arc;
use std::vec::IntoIter;

use diesel::result::QueryResult;

use super::super::Conn;
use super::build::{RunBuilder, Written};
use super::page::Entry;
use super::rows;
use super::run::{Run, RunKey};

/// The least number of runs that become one.
const FACTOR: usize = 4;
/// Runs that have so many times the ids of the smallest are not merged any more: 8 million ids with the default.
const LARGEST: i64 = 256;

/// A merge that is going on. Its pages are invisible until its last step.
#[derive(Debug)]
pub struct Merge {
    inputs: Vec<Input>,
    builder: Option<RunBuilder>,
    /// The number of the new run, once it has pages.
    output: Option<i64>,
    /// The number of entries that it may merge by now.
    pub credit: usize,
}

/// The outcome of a step of a merge.
#[derive(Debug)]
pub enum Merged {
    /// There are more entries.
    InPart,
    /// It is complete: this is the new run.
    Into(Box<Written>),
    /// Others have changed what it read or wrote.
    Void,
}

#[derive(Debug)]
struct Input {
    run: Arc<Run>,
    next_page: usize,
    entries: IntoIter<Entry>,
    first: Option<Entry>,
}

impl Input {
    /// Takes the next entry.
    fn advance(&mut self, conn: &mut Conn) -> QueryResult<()> {
        self.first = self.entries.next();
        if self.first.is_none() && i64::try_from(self.next_page).is_ok_and(|next| next < self.run.key.pages) {
            self.entries = rows::page(conn, self.run.key.run, self.next_page)?.into_iter();
            self.next_page += 1;
            self.first = self.entries.next();
        }
        Ok(())
    }
}

impl Merge {
    /// A merge of these runs, which are adjacent.
    fn new(runs: &[&Arc<Run>]) -> Self {
        let inputs = runs.iter().map(|run| Input {
            run: Arc::clone(run),
            next_page: 0,
            entries: Vec::new().into_iter(),
            first: None,
        });
        Self { inputs: inputs.collect(), builder: None, output: None, credit: 0 }
    }

    /// The runs that it merges.
    pub fn inputs(&self) -> impl Iterator<Item = &RunKey> {
        self.inputs.iter().map(|input| &input.run.key)
    }

    /// The number of the new run, once it has pages.
    pub fn output(&self) -> Option<i64> {
        self.output
    }

    /// Merges at most so many entries. `run` is the number of the new run, if this is the first step. The last step writes
    /// its row and removes those of the inputs.
    pub fn step(&mut self, conn: &mut Conn, run: i64, entries: usize, budget: u64) -> QueryResult<Merged> {
        self.credit = self.credit.saturating_sub(entries);
        let mut builder = if let Some(builder) = self.builder.take() {
            builder
        } else {
            for input in &mut self.inputs {
                input.advance(conn)?;
            }
            let ids: i64 = self.inputs().map(|input| input.ids).sum();
            self.output = Some(run);
            RunBuilder::new(run, ids.cast_unsigned(), budget)
        };
        for _ in 0..entries {
            let least = self.inputs.iter_mut().filter(|input| input.first.is_some()).min_by_key(|input| input.first);
            let Some((input, entry)) = least.and_then(|input| input.first.map(|entry| (input, entry))) else {
                return self.finish(conn, builder);
            };
            builder.push(conn, entry)?;
            input.advance(conn)?;
        }
        self.builder = Some(builder);
        Ok(Merged::InPart)
    }

    fn finish(&self, conn: &mut Conn, builder: RunBuilder) -> QueryResult<Merged> {
        let after = self.inputs().map(|input| input.after_seq).min().unwrap_or(0);
        let last = self.inputs().map(|input| input.last_seq).max().unwrap_or(0);
        let written = builder.finish(conn, after, last)?;
        let inputs: Vec<RunKey> = self.inputs().copied().collect();
        let visible = rows::runs(conn)?;
        let are_visible = inputs.iter().all(|input| visible.contains(input));
        // Another process may have taken the pages for those of a crashed merge, and removed them.
        if !are_visible || rows::count_pages(conn, written.run.key.run)? != written.run.key.pages {
            return Ok(Merged::Void);
        }
        rows::hide(conn, &inputs.iter().map(|input| input.run).collect::<Vec<_>>())?;
        rows::show(conn, written.run.key, &written.header)?;
        Ok(Merged::Into(Box::new(written)))
    }
}

/// The merges that are due: of four or more adjacent runs below a size, which no merge reads, that together reach it.
/// `smallest` is the number of ids of the smallest runs. The sizes are four, sixteen … times that.
pub fn due(runs: &[Arc<Run>], is_busy: impl Fn(&RunKey) -> bool, smallest: i64) -> Vec<Merge> {
    let smallest = smallest.max(1);
    let mut taken = vec![false; runs.len()];
    let mut merges = Vec::new();
    let mut size = smallest.saturating_mul(4);
    while size <= smallest.saturating_mul(LARGEST) {
        let mut adjacent: Vec<&Arc<Run>> = Vec::new();
        let mut ids = 0_i64;
        for (at, run) in runs.iter().enumerate() {
            if is_busy(&run.key) || run.key.ids >= size || taken.get(at).copied().unwrap_or(true) {
                adjacent.clear();
                ids = 0;
                continue;
            }
            adjacent.push(run);
            ids = ids.saturating_add(run.key.ids);
            if adjacent.len() >= FACTOR && ids >= size {
                merges.push(Merge::new(&adjacent));
                let first = (at + 1).saturating_sub(adjacent.len());
                taken.iter_mut().take(at + 1).skip(first).for_each(|taken| *taken = true);
                adjacent.clear();
                ids = 0;
            }
        }
        size = size.saturating_mul(4);
    }
    merges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::ids::run::header_of;

    /// Runs of these numbers of ids, one after the other.
    fn runs(ids: &[i64]) -> Vec<Arc<Run>> {
        let mut last = 0;
        ids.iter()
            .zip(1..)
            .map(|(ids, run)| {
                let header = header_of(&[]);
                let checksum = i64::from(trailkeeper_postings::bits::checksum(&header));
                let key = RunKey { run, after_seq: last, last_seq: last + ids, ids: *ids, pages: 0, checksum };
                last += ids;
                Arc::new(Run::new(key, &header).unwrap())
            })
            .collect()
    }

    fn due_of(ids: &[i64], busy: &[i64]) -> Vec<Vec<i64>> {
        let merges = due(&runs(ids), |key| busy.contains(&key.run), 10);
        merges.iter().map(|merge| merge.inputs().map(|input| input.run).collect()).collect()
    }

    #[test]
    fn four_adjacent_runs_of_a_size_are_merged() {
        let none: [Vec<i64>; 0] = [];
        assert_eq!(due_of(&[10, 10, 10], &[]), none);
        assert_eq!(due_of(&[10, 10, 10, 10], &[]), [[1, 2, 3, 4]]);
        assert_eq!(due_of(&[40, 12, 10, 10, 10, 10], &[]), [[2, 3, 4, 5]]);
        assert_eq!(due_of(&[40, 10, 10, 10, 40], &[]), none, "three and two of another size");
        assert_eq!(due_of(&[40, 41, 42, 43, 10, 10, 10, 10], &[]), [[5, 6, 7, 8], [1, 2, 3, 4]]);
        assert_eq!(due_of(&[10, 10, 10, 10, 10], &[2]), none, "a run in the middle is being merged");
        assert_eq!(due_of(&[160, 40, 10, 10, 10], &[]), none, "a merge would write the larger ones too often");
        assert_eq!(due_of(&[3, 160, 160, 160, 2, 160], &[]), [[1, 2, 3, 4, 5, 6]], "small ones join larger ones");
        assert_eq!(due_of(&[2_560; 8], &[]), none, "the largest stay");
    }
}

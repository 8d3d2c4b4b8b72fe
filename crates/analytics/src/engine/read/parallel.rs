//! Folds many bytes of sheets on the cores that there are.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::{Error, Result};

use super::folding::Folding;
use crate::engine::{in_row, sheet_row};

/// The bytes of payloads that the caller's thread folds before it starts others, some milliseconds of work: below it, they
/// cost more than they save.
const ALONE: usize = 2 << 20;

/// The most threads of one question.
const THREADS: usize = 4;

/// The number of payloads that wait for each thread: bounds memory.
const WAITING: usize = 4;

/// Takes a sheet: the index of its bucket, its key and its payload.
pub type Add<'a> = &'a mut dyn FnMut(usize, SheetKey, &[u8]) -> Result<()>;

/// Adds the sheets that `read` passes on to the folds of their buckets. Sheets may be added in any order, so threads share
/// them. Each thread has folds of its own, which are united at the end. The sheets of one of many buckets all go to the same
/// thread, so that uniting moves its fold.
///
/// # Errors
/// Those of `read`; [`Error::Internal`] with the row for a corrupt sheet.
pub fn fold_all<F: Folding>(folds: &mut [Arc<F>], read: impl FnOnce(Add<'_>) -> Result<()>) -> Result<()> {
    fold_after(ALONE, folds, read)
}

fn fold_after<F: Folding>(alone: usize, folds: &mut [Arc<F>], read: impl FnOnce(Add<'_>) -> Result<()>) -> Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS);
    // All folds have the same choice of cells.
    let Some(empty) = folds.first().map(|fold| fold.emptied()) else { return Ok(()) };
    thread::scope(|scope| {
        let (mut bytes, mut crew) = (0_usize, None);
        let many = folds.len() > 1;
        let outcome = read(&mut |at, key, payload| {
            let Some(fold) = folds.get_mut(at) else { return Ok(()) };
            // One long sheet is no work to share, whatever its length.
            if bytes > alone && threads > 1 && fold.decodes() {
                let crew = crew.get_or_insert_with(|| Crew::start(scope, threads, &empty));
                if crew.has_threads() {
                    return crew.take(many, Work { at, key, payload: payload.to_vec() });
                }
            }
            if fold.decodes() {
                bytes = bytes.saturating_add(payload.len());
            }
            add(Arc::make_mut(fold), key, payload)
        });
        // The error of a thread is the reason for that of passing on.
        let parts = crew.map(Crew::finish).transpose()?.unwrap_or_default();
        outcome?;
        for (at, part) in parts.into_iter().flatten() {
            if let Some(fold) = folds.get_mut(at) {
                Arc::make_mut(fold).unite(part).map_err(Error::internal)?;
            }
        }
        Ok(())
    })
}

fn add(fold: &mut impl Folding, key: SheetKey, payload: &[u8]) -> Result<()> {
    fold.add(payload).map_err(|error| in_row(Error::internal(error), || sheet_row(key)))
}

/// A sheet for a thread.
struct Work {
    /// The index of its bucket.
    at: usize,
    key: SheetKey,
    payload: Vec<u8>,
}

/// The folds of a thread, by the index of their bucket.
type Part<F> = BTreeMap<usize, F>;

/// The threads of a question.
struct Crew<'scope, F> {
    members: Vec<Member<'scope, F>>,
    /// The number of payloads that were taken.
    taken: usize,
}

struct Member<'scope, F> {
    sender: SyncSender<Work>,
    thread: ScopedJoinHandle<'scope, Result<Part<F>>>,
}

impl<'scope, F: Folding> Crew<'scope, F> {
    /// Starts threads; fewer of them, or none, if the system has no more.
    fn start<'env>(scope: &'scope Scope<'scope, 'env>, threads: usize, empty: &F) -> Self
    where
        F: 'scope,
    {
        let started = (0..threads).map_while(|_| {
            let (sender, receiver) = sync_channel(WAITING);
            let empty = empty.emptied();
            let builder = thread::Builder::new().name("fold".to_owned());
            let thread = builder.spawn_scoped(scope, move || fold_received(&receiver, &empty)).ok()?;
            Some(Member { sender, thread })
        });
        Self { members: started.collect(), taken: 0 }
    }

    fn has_threads(&self) -> bool {
        !self.members.is_empty()
    }

    /// Passes a sheet to the thread of its bucket, or to the next thread if there is one bucket.
    fn take(&mut self, many_buckets: bool, work: Work) -> Result<()> {
        let nth = if many_buckets { work.at } else { self.taken };
        self.taken += 1;
        let member = self.members.get(nth % self.members.len().max(1));
        // A thread ends before its sender is dropped only with an error.
        let sent = member.is_some_and(|member| member.sender.send(work).is_ok());
        if sent { Ok(()) } else { Err(Error::internal("a thread that folds sheets has ended")) }
    }

    /// Waits for the threads, and returns their folds.
    fn finish(self) -> Result<Vec<Part<F>>> {
        let (senders, threads): (Vec<_>, Vec<_>) =
            self.members.into_iter().map(|member| (member.sender, member.thread)).unzip();
        drop(senders);
        let joined = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(Error::internal("a thread that folds sheets panicked")))
        });
        // Every thread is joined, whatever the others return.
        let parts: Vec<Result<Part<F>>> = joined.collect();
        parts.into_iter().collect()
    }
}

fn fold_received<F: Folding>(receiver: &Receiver<Work>, empty: &F) -> Result<Part<F>> {
    let mut part = Part::new();
    for Work { at, key, payload } in receiver {
        add(part.entry(at).or_insert_with(|| empty.emptied()), key, &payload)?;
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::scope::{Level, Part as Half, Scope as Subject, ScopeKind};
    use trailkeeper_domain::time::Timestamp;

    use super::*;
    use crate::sheet::{Facet, Fact, Fold, Sheet};

    fn key(run: u32) -> SheetKey {
        let (scope, level, part) = (Subject::Everyone, Level::Day, Half::Totals);
        SheetKey { scope, level, part, start: Timestamp::UNIX_EPOCH, run }
    }

    /// A sheet of everyone: users from `first` on view a few pages.
    fn payload(first: u32) -> Vec<u8> {
        let fact = |user: u32| Fact {
            page: Some(user % 7),
            env: 1,
            kind: 4,
            userinfo: false,
            login: None,
            failed: user.is_multiple_of(5),
            user: Some(first + user * 3),
            source: None,
        };
        Sheet::of(ScopeKind::Everyone, &(0..900).map(fact).collect::<Vec<_>>()).encode()
    }

    const FACETS: [Facet; 3] = [Facet::Views, Facet::AllViews, Facet::ActiveAll];

    #[test]
    fn threads_give_the_fold_that_one_thread_gives() {
        let sheets: Vec<(usize, Vec<u8>)> =
            (0..60_u32).map(|nth| ((nth / 25) as usize, payload(nth * 131 % 4_000))).collect();
        let mut expected = vec![Fold::new(&FACETS); 3];
        for (at, payload) in &sheets {
            expected[*at].add(payload).unwrap();
        }
        for alone in [0, 20 << 10, usize::MAX] {
            let empty = Arc::new(Fold::new(&FACETS));
            let mut folds = vec![empty; 3];
            fold_after(alone, &mut folds, |add| {
                (0..).zip(&sheets).try_for_each(|(run, (at, payload))| add(*at, key(run), payload))
            })
            .unwrap();
            for (fold, expected) in folds.into_iter().zip(&expected) {
                let fold = Arc::unwrap_or_clone(fold);
                assert_eq!(fold.into_sheet(), expected.clone().into_sheet(), "{alone}");
            }
        }
    }

    #[test]
    fn an_unreadable_sheet_is_named_whichever_thread_folds_it() {
        for (alone, damaged) in [(0, 0), (0, 39), (1 << 30, 39)] {
            let mut folds = vec![Arc::new(Fold::new(&FACETS))];
            let read = |add: Add<'_>| {
                (0..40).try_for_each(|run| {
                    let payload = payload(run);
                    let length = if run == damaged { 20 } else { payload.len() };
                    add(0, key(run), &payload[..length])
                })
            };
            let error = fold_after(alone, &mut folds, read).unwrap_err().chain().to_string();
            assert!(error.contains(&format!("run {damaged}")), "{error}");
        }
    }

    #[test]
    fn the_error_of_reading_ends_the_threads() {
        let mut folds = vec![Arc::new(Fold::new(&FACETS))];
        let read = |add: Add<'_>| {
            add(0, key(1), &payload(1))?;
            Err(Error::unavailable("the test wants it so"))
        };
        assert!(matches!(fold_after(0, &mut folds, read), Err(Error::Unavailable { .. })));
        assert!(fold_after::<Fold>(0, &mut [], |_| Ok(())).is_ok());
    }
}

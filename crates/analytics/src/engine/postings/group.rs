//! The runs that a merge adds for a group of scopes.

use std::collections::{BTreeSet, HashMap};

use trailkeeper_domain::ports::{PostingRun, PostingRunKey, Store, WriteTx};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::run::RunBuilder;

use super::made::MadeRun;
use super::merged::{Stored, keys, merged};
use super::tiers::{Place, SizedRun, absorbed_by, next_number};

/// The most bytes of stored runs that the new runs of a group absorb: bounds the transaction that writes the group. A larger
/// merge is a step of its own: see [`compact`](super::compact).
pub const ABSORBED: u64 = 2 << 20;

/// The new runs of a group of scopes, which one transaction makes visible.
#[derive(Debug, Default)]
pub struct NewRuns {
    made: Vec<MadeRun>,
    /// The bytes of the stored runs that they absorb, and the most that they may.
    absorbed: u64,
    most: u64,
    /// The places with runs that a step of its own has to merge.
    pub to_compact: BTreeSet<Place>,
    /// The places with a run that is unreadable, which the text names. New events there have a run that absorbs nothing.
    pub unreadable: Vec<(Place, String)>,
}

impl NewRuns {
    /// Makes the runs of new events, one for each place. `older` has the stored runs of these places in the generation;
    /// none is absorbed in the places of `kept`, and at most `most` bytes in all: [`ABSORBED`].
    ///
    /// # Errors
    /// Those of the store.
    pub fn make(
        store: &dyn Store,
        generation: i64,
        new: Vec<(Place, Vec<RunBuilder>)>,
        older: &HashMap<Place, Vec<SizedRun>>,
        kept: &BTreeSet<Place>,
        most: u64,
    ) -> Result<Self> {
        let mut runs = Self { most, ..Self::default() };
        for (place, builders) in new {
            let mut older = older.get(&place).cloned().unwrap_or_default();
            for builder in builders {
                let key = PostingRunKey { scope: place.0, month: place.1, run: next_number(&older) };
                let made = runs.make_one(store, generation, key, builder, &older, kept.contains(&place))?;
                older.push((key, made.run.events, made.bytes()));
                older.retain(|(key, ..)| !made.replaced.contains(key));
                runs.made.push(made);
            }
        }
        Ok(runs)
    }

    fn make_one(
        &mut self,
        store: &dyn Store,
        generation: i64,
        key: PostingRunKey,
        builder: RunBuilder,
        older: &[SizedRun],
        keeps: bool,
    ) -> Result<MadeRun> {
        let place = (key.scope, key.month);
        let events = u32::try_from(builder.len()).map_err(Error::internal)?;
        let mut absorbed = if keeps { Vec::new() } else { absorbed_by(events, older) };
        let mut total = self.absorbed;
        let fitting = absorbed.iter().take_while(|(_, _, bytes)| {
            total = total.saturating_add(*bytes);
            total <= self.most
        });
        let fitting = fitting.count();
        if fitting < absorbed.len() {
            self.to_compact.insert(place);
        }
        absorbed.truncate(fitting);
        self.absorbed += absorbed.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
        // The run of the new events themselves has to exist even if a stored one is unreadable.
        if !absorbed.is_empty() {
            let stored = Stored { store, generation, keys: &keys(&absorbed) };
            match made(key, builder.clone(), stored) {
                Err(Error::Internal { cause }) => self.unreadable.push((place, cause.to_string())),
                other => return other,
            }
        }
        made(key, builder, Stored { store, generation, keys: &[] })
    }

    /// The number of new runs.
    pub fn len(&self) -> u64 {
        self.made.len() as u64
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// Whether the new runs replace others, whose pages have to be removed afterwards.
    pub fn replace_others(&self) -> bool {
        self.made.iter().any(|made| !made.replaced.is_empty())
    }

    /// The bytes of the new runs.
    pub fn bytes(&self) -> u64 {
        self.made.iter().map(MadeRun::bytes).sum()
    }

    /// Makes the runs visible in place of those that they replace.
    ///
    /// # Errors
    /// Those of the store.
    pub fn write(&self, tx: &mut dyn WriteTx, generation: i64) -> Result<()> {
        if self.is_empty() { Ok(()) } else { MadeRun::write_all(tx, generation, &self.made) }
    }
}

fn made(key: PostingRunKey, new: RunBuilder, stored: Stored<'_>) -> Result<MadeRun> {
    let mut pages = Vec::new();
    let (events, header) = merged(Some(new), stored, &mut |_, page| {
        pages.push(page);
        Ok(())
    })?;
    Ok(MadeRun { run: PostingRun { key, events, header, removed: None }, pages, replaced: stored.keys.to_vec() })
}

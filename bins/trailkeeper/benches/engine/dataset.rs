//! The events of the workload in a SQLite file, merged as a server merges them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use trailkeeper_analytics::engine::merger::{self, Finished};
use trailkeeper_auth::SystemEntropy;
use trailkeeper_domain::clock::SystemClock;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ports::Store;
use trailkeeper_testkit::{DatabaseKind, TempDatabase, Workload};

use crate::store::{BATCH, prepared};

/// Batches between two passes of the merger: about as many as arrive between two passes of a server.
const BATCHES_PER_PASS: usize = 20;

/// Fractions of the events at which the cost of merging is reported: an eighth, a quarter, a half, all.
const POINTS: [u32; 4] = [8, 4, 2, 1];

/// The data of a benchmark. Dropping it deletes its file.
pub struct Dataset {
    pub store: Arc<dyn Store>,
    pub events: u32,
    pub curve: Vec<Point>,
    /// Continues the workload after the stored events.
    pub more: Workload,
    database: TempDatabase,
}

/// The bytes that merging wrote for the first `events` events.
pub struct Point {
    pub events: u32,
    /// Bytes per event since the start.
    pub all: f64,
    /// Bytes per event since the previous point.
    pub part: f64,
}

impl Dataset {
    pub fn build(events: u32) -> Self {
        let database = TempDatabase::new(DatabaseKind::Sqlite);
        let store = prepared(&database);
        let mut workload = Workload::new(1, events);
        let mut building = Building { store: store.as_ref(), stored: 0, written: 0, curve: Vec::new() };
        let began = Instant::now();
        for part in POINTS {
            building.store_until(events / part, &mut workload);
        }
        let curve = building.curve;
        // A server's merger does this every five minutes.
        let finish = || merger::finish_periods(store.as_ref(), &SystemClock, &SystemEntropy::default(), &|| false);
        while finish().unwrap() == Finished::Some {}
        eprintln!("{events} events stored and merged in {:.0} s", began.elapsed().as_secs_f64());
        Self { store, events, curve, more: workload, database }
    }

    pub fn path(&self) -> PathBuf {
        self.database.path()
    }

    pub fn url(&self) -> &str {
        self.database.url()
    }
}

struct Building<'a> {
    store: &'a dyn Store,
    stored: u32,
    written: u64,
    curve: Vec<Point>,
}

impl Building<'_> {
    fn store_until(&mut self, end: u32, workload: &mut Workload) {
        let (stored, written) = (self.stored, self.written);
        let mut batches = 0;
        while self.stored < end {
            let size = BATCH.min((end - self.stored) as usize);
            let batch: Vec<Event> = workload.take(size).collect();
            assert!(self.store.writing(|tx| tx.insert_events(&batch)).unwrap().iter().all(|new| *new));
            self.stored += u32::try_from(size).unwrap();
            batches += 1;
            if batches % BATCHES_PER_PASS == 0 {
                self.merge();
            }
        }
        self.merge();
        let (all, part) = (per(self.written, self.stored), per(self.written - written, self.stored - stored));
        self.curve.push(Point { events: self.stored, all, part });
    }

    fn merge(&mut self) {
        let merged = merger::run_once(self.store, &SystemClock, &SystemEntropy::default()).unwrap().unwrap();
        assert!(merged.finished && merged.unreadable.is_empty());
        self.written += merged.bytes_written;
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes are shown with four digits")]
fn per(bytes: u64, events: u32) -> f64 {
    bytes as f64 / f64::from(events)
}

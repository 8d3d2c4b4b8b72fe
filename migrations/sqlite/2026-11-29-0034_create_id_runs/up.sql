-- Runs of ids: sorted keys (hashes under hash_key) of the ids of adjacent events, with the numbers of these events. A run
-- holds those of the events after after_seq up to last_seq. docs/adr/0029-ids-as-runs.md gives the reasons.
CREATE TABLE id_runs (
    run       INTEGER NOT NULL PRIMARY KEY,
    after_seq INTEGER NOT NULL CHECK (after_seq >= 0),
    last_seq  INTEGER NOT NULL CHECK (last_seq > after_seq),
    ids       INTEGER NOT NULL CHECK (ids > 0),
    pages     INTEGER NOT NULL CHECK (pages > 0),
    checksum  INTEGER NOT NULL,
    header    BLOB    NOT NULL
) STRICT;

-- The pages of a run have the numbers from 16777216 times that of the run on. Pages of a run that has no row in id_runs
-- are those of a merge that is going on or was interrupted.
CREATE TABLE id_pages (
    page    INTEGER NOT NULL PRIMARY KEY,
    payload BLOB    NOT NULL
) STRICT;

-- The unique index events_by_id stays until all ids of older events are in runs. The program drops it, also after these
-- migrations if there are no events, because SQL cannot decide that.

-- The index of events (docs/sheets.md): runs of one scope and one month, and their pages. bytes is the size of the header
-- and the pages. removed has the positions of events that were removed. Both tables have row numbers, because payloads of
-- this size would make the tree of a table WITHOUT ROWID deep.
CREATE TABLE posting_runs (
    bucket     INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    month      INTEGER NOT NULL,
    run        INTEGER NOT NULL CHECK (run >= 0),
    events     INTEGER NOT NULL CHECK (events > 0),
    bytes      INTEGER NOT NULL CHECK (bytes >= 0),
    header     BLOB    NOT NULL,
    removed    BLOB
) STRICT;

CREATE UNIQUE INDEX posting_runs_by_key ON posting_runs (bucket, generation, scope, month, run);

CREATE TABLE posting_pages (
    bucket     INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    month      INTEGER NOT NULL,
    run        INTEGER NOT NULL CHECK (run >= 0),
    page       INTEGER NOT NULL CHECK (page >= 0),
    payload    BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX posting_pages_by_key ON posting_pages (bucket, generation, scope, month, run, page);

-- The runs with pages that are not in posting_runs: a run in the making, or one that was replaced and whose pages are
-- removed next. So nobody has to search the pages for them.
CREATE TABLE hidden_posting_runs (
    bucket     INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    month      INTEGER NOT NULL,
    run        INTEGER NOT NULL,
    replaced   INTEGER NOT NULL CHECK (replaced IN (0, 1)),
    PRIMARY KEY (bucket, generation, scope, month, run)
) STRICT;

-- Whether the runs and the waiting deltas of the current generation contain all events.
ALTER TABLE sheet_generation ADD COLUMN has_postings INTEGER NOT NULL DEFAULT 0 CHECK (has_postings IN (0, 1));

UPDATE sheet_generation SET has_postings = 1 WHERE NOT EXISTS (SELECT 1 FROM events);

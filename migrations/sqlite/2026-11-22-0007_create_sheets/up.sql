-- Summaries of batches that are not merged yet. The scope is the number of a tenant; 0 is everyone.
CREATE TABLE deltas (
    scope   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (scope, seq)
) STRICT, WITHOUT ROWID;

-- Merged summaries. level: 1 hour, 2 day, 3 month; part: 1 totals, 2 pages (docs/sheets.md).
CREATE TABLE sheets (
    generation INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    level      INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),
    part       INTEGER NOT NULL CHECK (part BETWEEN 1 AND 2),
    start      INTEGER NOT NULL,
    run        INTEGER NOT NULL CHECK (run >= 0),
    payload    BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX sheets_by_scope ON sheets (generation, scope, level, part, start, run);
CREATE INDEX sheets_by_start ON sheets (generation, level, part, start);

-- The generation that answers questions, in one row. A rebuild writes the next generation next to it.
CREATE TABLE sheet_generation (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL
) STRICT;

INSERT INTO sheet_generation (id, generation) VALUES (1, 1);

-- Leases: each is a right that one process at a time has.
CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    holder  BLOB    NOT NULL CHECK (length(holder) = 16),
    until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

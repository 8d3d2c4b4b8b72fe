-- Deltas of older programs, until they are merged. The first start of this version merges them.
CREATE TABLE old_deltas (
    scope   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (scope, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO old_deltas SELECT scope, seq, payload FROM deltas;
DROP TABLE deltas;

-- The columns of the events that one transaction stored, until they are merged (docs/sheets.md). seq is the number of the
-- last of these events, and events is their count.
CREATE TABLE deltas (
    bucket  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    events  INTEGER NOT NULL CHECK (events > 0),
    payload BLOB    NOT NULL,
    PRIMARY KEY (bucket, seq)
) STRICT, WITHOUT ROWID;

-- Merges that take several transactions: the deltas that each has claimed, and the scopes whose sheets count them already.
CREATE TABLE merge_passes (
    bucket INTEGER NOT NULL,
    pass   INTEGER NOT NULL,
    deltas BLOB    NOT NULL,
    PRIMARY KEY (bucket, pass)
) STRICT, WITHOUT ROWID;

CREATE TABLE merged_scopes (
    bucket INTEGER NOT NULL,
    pass   INTEGER NOT NULL,
    scope  INTEGER NOT NULL,
    PRIMARY KEY (bucket, pass, scope)
) STRICT, WITHOUT ROWID;

-- A constant default writes no row. The indexes are built again.
ALTER TABLE sheets ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0;
DROP INDEX sheets_by_scope;
DROP INDEX sheets_by_start;
CREATE UNIQUE INDEX sheets_by_scope ON sheets (bucket, generation, scope, level, part, start, run);
CREATE INDEX sheets_by_start ON sheets (bucket, generation, level, part, start);

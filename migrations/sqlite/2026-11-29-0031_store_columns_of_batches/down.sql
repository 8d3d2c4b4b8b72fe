DROP INDEX sheets_by_start;
DROP INDEX sheets_by_scope;
ALTER TABLE sheets DROP COLUMN bucket;
CREATE UNIQUE INDEX sheets_by_scope ON sheets (generation, scope, level, part, start, run);
CREATE INDEX sheets_by_start ON sheets (generation, level, part, start);

-- An older program cannot read the columns of events that are not merged: rebuild its sheets.
DROP TABLE merged_scopes;
DROP TABLE merge_passes;
DROP TABLE deltas;

CREATE TABLE deltas (
    scope   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (scope, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO deltas SELECT scope, seq, payload FROM old_deltas;
DROP TABLE old_deltas;

DO $$ BEGIN
    DROP INDEX sheets_by_start;
    ALTER TABLE sheets DROP COLUMN bucket;
    ALTER TABLE sheets ADD PRIMARY KEY (scope, generation, level, part, start, run);
    CREATE INDEX sheets_by_start ON sheets (generation, level, part, start);
END $$;

-- An older program cannot read the columns of events that are not merged: rebuild its sheets.
DROP TABLE merged_scopes;
DROP TABLE merge_passes;
DROP TABLE deltas;

DO $$ BEGIN
    ALTER TABLE old_deltas RENAME CONSTRAINT old_deltas_pkey TO deltas_pkey;
    ALTER TABLE old_deltas RENAME TO deltas;
END $$;

CREATE SEQUENCE deltas_seq_seq;
SELECT setval('deltas_seq_seq', (SELECT coalesce(max(seq), 0) + 1 FROM deltas), false);

-- Deltas of older programs, until they are merged. The first start of this version merges them.
DO $$ BEGIN
    ALTER TABLE deltas RENAME TO old_deltas;
    ALTER TABLE old_deltas RENAME CONSTRAINT deltas_pkey TO old_deltas_pkey;
END $$;

DROP SEQUENCE deltas_seq_seq;

-- The columns of the events that one transaction stored, until they are merged (docs/sheets.md). seq is the number of the
-- last of these events, and events is their count. Payloads are dense already: compressing them would cost time and save
-- nothing. Every row is deleted soon, so dead rows are removed early and without pauses.
CREATE TABLE deltas (
    bucket  smallint NOT NULL,
    seq     bigint   NOT NULL,
    events  integer  NOT NULL CHECK (events > 0),
    payload bytea    NOT NULL,
    PRIMARY KEY (bucket, seq)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE deltas ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Merges that take several transactions: the deltas that each has claimed, and the scopes whose sheets count them already.
CREATE TABLE merge_passes (
    bucket smallint NOT NULL,
    pass   bigint   NOT NULL,
    deltas bytea    NOT NULL,
    PRIMARY KEY (bucket, pass)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);

CREATE TABLE merged_scopes (
    bucket smallint NOT NULL,
    pass   bigint   NOT NULL,
    scope  uuid     NOT NULL,
    PRIMARY KEY (bucket, pass, scope)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- A constant default writes no row. The indexes are built again.
DO $$ BEGIN
    ALTER TABLE sheets ADD COLUMN bucket smallint NOT NULL DEFAULT 0;
    ALTER TABLE sheets DROP CONSTRAINT sheets_pkey;
    ALTER TABLE sheets ADD PRIMARY KEY (bucket, scope, generation, level, part, start, run);
    DROP INDEX sheets_by_start;
    CREATE INDEX sheets_by_start ON sheets (bucket, generation, level, part, start);
END $$;

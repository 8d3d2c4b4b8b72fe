-- The index of events (docs/sheets.md): runs of one scope and one month, and their pages. bytes is the size of the header
-- and the pages. removed has the positions of events that were removed. Payloads are dense already: compressing them would
-- cost time and save nothing.
CREATE TABLE posting_runs (
    bucket     smallint    NOT NULL,
    generation bigint      NOT NULL,
    scope      uuid        NOT NULL,
    month      timestamptz NOT NULL,
    run        integer     NOT NULL CHECK (run >= 0),
    events     integer     NOT NULL CHECK (events > 0),
    bytes      bigint      NOT NULL CHECK (bytes >= 0),
    header     bytea       NOT NULL,
    removed    bytea,
    PRIMARY KEY (bucket, generation, scope, month, run)
);

CREATE TABLE posting_pages (
    bucket     smallint    NOT NULL,
    generation bigint      NOT NULL,
    scope      uuid        NOT NULL,
    month      timestamptz NOT NULL,
    run        integer     NOT NULL CHECK (run >= 0),
    page       integer     NOT NULL CHECK (page >= 0),
    payload    bytea       NOT NULL,
    PRIMARY KEY (bucket, generation, scope, month, run, page)
);

-- The runs with pages that are not in posting_runs: a run in the making, or one that was replaced and whose pages are
-- removed next. So nobody has to search the pages for them.
CREATE TABLE hidden_posting_runs (
    bucket     smallint    NOT NULL,
    generation bigint      NOT NULL,
    scope      uuid        NOT NULL,
    month      timestamptz NOT NULL,
    run        integer     NOT NULL,
    replaced   boolean     NOT NULL,
    PRIMARY KEY (bucket, generation, scope, month, run)
);

-- Merging replaces rows all the time, so their space must be free again soon. Two rows of 4,080 bytes fit into a page of
-- the table; larger payloads lie outside of it.
DO $$ BEGIN
    ALTER TABLE posting_runs
        ALTER COLUMN header SET STORAGE EXTERNAL,
        ALTER COLUMN removed SET STORAGE EXTERNAL,
        SET (toast_tuple_target = 4080,
            autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
            autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0,
            toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 2000,
            toast.autovacuum_vacuum_cost_delay = 0);
    ALTER TABLE posting_pages
        ALTER COLUMN payload SET STORAGE EXTERNAL,
        SET (toast_tuple_target = 4080,
            autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
            autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0,
            toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 2000,
            toast.autovacuum_vacuum_cost_delay = 0);
END $$;

-- Whether the runs and the waiting deltas of the current generation contain all events.
DO $$ BEGIN
    ALTER TABLE sheet_generation ADD COLUMN has_postings boolean NOT NULL DEFAULT false;
END $$;

UPDATE sheet_generation SET has_postings = true WHERE NOT EXISTS (SELECT FROM events);

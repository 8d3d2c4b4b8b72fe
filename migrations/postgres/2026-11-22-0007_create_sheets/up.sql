-- Summaries of batches that are not merged yet. The scope is a tenant; the all-ones UUID is everyone.
CREATE TABLE deltas (
    scope   uuid   NOT NULL,
    seq     bigint NOT NULL,
    payload bytea  NOT NULL,
    PRIMARY KEY (scope, seq)
);

CREATE SEQUENCE deltas_seq_seq;

-- Merged summaries. level: 1 hour, 2 day, 3 month; part: 1 totals, 2 pages (docs/sheets.md). Payloads are dense already:
-- compressing them would cost time and save nothing.
CREATE TABLE sheets (
    generation bigint      NOT NULL,
    scope      uuid        NOT NULL,
    level      smallint    NOT NULL CHECK (level BETWEEN 1 AND 3),
    part       smallint    NOT NULL CHECK (part BETWEEN 1 AND 2),
    start      timestamptz NOT NULL,
    run        integer     NOT NULL CHECK (run >= 0),
    payload    bytea       NOT NULL,
    PRIMARY KEY (scope, generation, level, part, start, run)
);

ALTER TABLE sheets ALTER COLUMN payload SET STORAGE EXTERNAL;

DO $$ BEGIN
    CREATE INDEX sheets_by_start ON sheets (generation, level, part, start);
END $$;

-- The generation that answers questions, in one row. A rebuild writes the next generation next to it.
CREATE TABLE sheet_generation (
    id         smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    generation bigint   NOT NULL
);

INSERT INTO sheet_generation (id, generation) VALUES (1, 1);

-- Leases: each is a right that one process at a time has.
CREATE TABLE leases (
    name   text        NOT NULL PRIMARY KEY,
    holder uuid        NOT NULL,
    until  timestamptz NOT NULL
);

-- The counts of all tenants in a day or month, in one row (docs/sheets.md): a question about every tenant reads a row per
-- period instead of a sheet per tenant and period. level: 2 day, 3 month. The transaction that changes one of the sheets
-- removes the row.
CREATE TABLE tenant_counts (
    bucket     smallint    NOT NULL,
    generation bigint      NOT NULL,
    level      smallint    NOT NULL CHECK (level BETWEEN 2 AND 3),
    start      timestamptz NOT NULL,
    payload    bytea       NOT NULL,
    PRIMARY KEY (bucket, generation, level, start)
);

DO $$ BEGIN
    ALTER TABLE tenant_counts ALTER COLUMN payload SET STORAGE EXTERNAL;
END $$;

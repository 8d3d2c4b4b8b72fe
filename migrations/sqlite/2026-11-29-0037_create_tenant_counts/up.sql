-- The counts of all tenants in a day or month, in one row (docs/sheets.md): a question about every tenant reads a row per
-- period instead of a sheet per tenant and period. level: 2 day, 3 month. The transaction that changes one of the sheets
-- removes the row.
CREATE TABLE tenant_counts (
    bucket     INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    level      INTEGER NOT NULL CHECK (level BETWEEN 2 AND 3),
    start      INTEGER NOT NULL,
    payload    BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX tenant_counts_by_start ON tenant_counts (bucket, generation, level, start);

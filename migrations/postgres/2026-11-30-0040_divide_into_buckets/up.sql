-- The number of buckets, in one row. It is NULL until the first run of migrations on a new database has chosen it, and
-- never changes afterwards: it decides in which bucket a tenant's events are.
CREATE TABLE buckets (
    id    smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    count smallint CHECK (count BETWEEN 1 AND 256)
);

INSERT INTO buckets (id, count)
SELECT 1, CASE WHEN EXISTS (SELECT FROM events) OR EXISTS (SELECT FROM sheets) THEN 1 END;

-- Each bucket has a generation and a lease of its own: with its sheets, they are in one snapshot.
DO $$ BEGIN
    ALTER TABLE sheet_generation DROP CONSTRAINT sheet_generation_pkey;
    ALTER TABLE sheet_generation DROP COLUMN id;
    ALTER TABLE sheet_generation ADD COLUMN bucket smallint NOT NULL DEFAULT 0;
    ALTER TABLE sheet_generation ALTER COLUMN bucket DROP DEFAULT;
    ALTER TABLE sheet_generation ADD PRIMARY KEY (bucket);
    ALTER TABLE leases DROP CONSTRAINT leases_pkey;
    ALTER TABLE leases ADD COLUMN bucket smallint NOT NULL DEFAULT 0;
    ALTER TABLE leases ALTER COLUMN bucket DROP DEFAULT;
    ALTER TABLE leases ADD PRIMARY KEY (bucket, name);
END $$;

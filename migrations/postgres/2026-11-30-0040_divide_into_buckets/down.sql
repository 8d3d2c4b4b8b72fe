DO $$ BEGIN
    ALTER TABLE leases DROP CONSTRAINT leases_pkey;
    ALTER TABLE leases DROP COLUMN bucket;
    ALTER TABLE leases ADD PRIMARY KEY (name);
    ALTER TABLE sheet_generation DROP CONSTRAINT sheet_generation_pkey;
    ALTER TABLE sheet_generation DROP COLUMN bucket;
    ALTER TABLE sheet_generation ADD COLUMN id smallint NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1);
    ALTER TABLE sheet_generation ALTER COLUMN id DROP DEFAULT;
END $$;

DROP TABLE buckets;

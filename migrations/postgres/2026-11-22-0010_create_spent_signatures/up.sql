CREATE TABLE spent_signatures (
    signature bytea       NOT NULL PRIMARY KEY CHECK (octet_length(signature) = 32),
    until     timestamptz NOT NULL
);

DO $$ BEGIN
    CREATE INDEX spent_signatures_by_end ON spent_signatures (until);
END $$;

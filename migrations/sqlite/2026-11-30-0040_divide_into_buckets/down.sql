ALTER TABLE leases RENAME TO leases_of_buckets;

CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    holder  BLOB    NOT NULL CHECK (length(holder) = 16),
    until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO leases (name, holder, until) SELECT name, holder, until FROM leases_of_buckets;

DROP TABLE leases_of_buckets;

ALTER TABLE sheet_generation RENAME TO generations;

CREATE TABLE sheet_generation (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL
) STRICT;

ALTER TABLE sheet_generation ADD COLUMN has_postings INTEGER NOT NULL DEFAULT 0 CHECK (has_postings IN (0, 1));

INSERT INTO sheet_generation (id, generation, has_postings) SELECT 1, generation, has_postings FROM generations;

DROP TABLE generations;

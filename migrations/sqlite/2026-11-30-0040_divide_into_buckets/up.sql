-- The generation and the leases are those of a bucket, as all sheets are. A file has one bucket.
ALTER TABLE sheet_generation RENAME TO one_generation;

CREATE TABLE sheet_generation (
    bucket       INTEGER NOT NULL PRIMARY KEY,
    generation   INTEGER NOT NULL,
    has_postings INTEGER NOT NULL CHECK (has_postings IN (0, 1))
) STRICT;

INSERT INTO sheet_generation (bucket, generation, has_postings) SELECT 0, generation, has_postings FROM one_generation;

DROP TABLE one_generation;

ALTER TABLE leases RENAME TO leases_by_name;

CREATE TABLE leases (
    bucket  INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    holder  BLOB    NOT NULL CHECK (length(holder) = 16),
    until   INTEGER NOT NULL,
    PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID;

INSERT INTO leases (bucket, name, holder, until) SELECT 0, name, holder, until FROM leases_by_name;

DROP TABLE leases_by_name;

CREATE TABLE spent_signatures (
    signature BLOB    NOT NULL PRIMARY KEY CHECK (length(signature) = 32),
    until     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_signatures_by_end ON spent_signatures (until);

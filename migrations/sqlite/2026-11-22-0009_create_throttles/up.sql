CREATE TABLE login_counters (
    key           BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    failures      INTEGER NOT NULL CHECK (failures > 0),
    counted_at    INTEGER NOT NULL,
    blocked_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX login_counters_by_time ON login_counters (counted_at);

CREATE TABLE known_sources (
    name         BLOB    NOT NULL CHECK (length(name) = 32),
    source       BLOB    NOT NULL CHECK (length(source) IN (5, 17)),
    logged_in_at INTEGER NOT NULL,
    PRIMARY KEY (name, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_sources_by_time ON known_sources (logged_in_at);

CREATE TABLE request_counts (
    key       TEXT    NOT NULL,
    starts_at INTEGER NOT NULL,
    requests  INTEGER NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (key, starts_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_counts_by_time ON request_counts (starts_at);

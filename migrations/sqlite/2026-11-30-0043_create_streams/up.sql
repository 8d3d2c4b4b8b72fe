-- Forwarding streams: what each sends where, its signing secrets, sealed with the master key, and its progress. The position
-- is a number of the feed in a history of the database. pending_until: the last number of a message that the destination
-- did not accept. revision: a change names the revision that it changes.
CREATE TABLE streams (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    revision        INTEGER NOT NULL,
    name            TEXT             CHECK (length(name) BETWEEN 1 AND 128),
    tenant_id       BLOB             CHECK (length(tenant_id) = 16),
    conditions      TEXT    NOT NULL,
    destination     TEXT    NOT NULL CHECK (length(destination) BETWEEN 1 AND 2048),
    format          TEXT    NOT NULL CHECK (format IN ('native', 'cloudevents', 'ocsf')),
    sealed_secret   BLOB    NOT NULL,
    previous_secret BLOB,
    previous_until  INTEGER,
    state           TEXT    NOT NULL CHECK (state IN ('active', 'paused', 'failing')),
    history         BLOB    NOT NULL CHECK (length(history) = 16),
    after_seq       INTEGER NOT NULL CHECK (after_seq >= 0),
    removed         INTEGER NOT NULL CHECK (removed >= 0),
    pending_until   INTEGER,
    failures        INTEGER NOT NULL CHECK (failures >= 0),
    failing_since   INTEGER,
    next_attempt_at INTEGER,
    last_success_at INTEGER,
    last_error      TEXT             CHECK (length(last_error) BETWEEN 1 AND 512),
    last_error_at   INTEGER,
    gap_at          INTEGER,
    created_at      INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL,
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
    CHECK ((last_error IS NULL) = (last_error_at IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL)),
    CHECK ((failures = 0) = (next_attempt_at IS NULL))
) STRICT;

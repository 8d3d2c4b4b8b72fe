-- seq is the order of storage and breaks ties among equal times. Addresses are their family (4 or 6) and their bytes,
-- so that a network is a range.
CREATE TABLE events (
    seq         INTEGER NOT NULL PRIMARY KEY,
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    env_id      INTEGER NOT NULL CHECK (env_id BETWEEN 0 AND 4294967295),
    occurred_at INTEGER NOT NULL CHECK (occurred_at >= 0),
    received_at INTEGER NOT NULL CHECK (received_at >= 0),
    user_id     TEXT             CHECK (length(user_id) BETWEEN 1 AND 128),
    user_name   TEXT             CHECK (length(user_name) BETWEEN 1 AND 256),
    kind        TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    outcome     TEXT    NOT NULL CHECK (outcome IN ('success', 'failure', 'unknown')),
    source      BLOB             CHECK (length(source) IN (5, 17)),
    user_agent  TEXT             CHECK (length(user_agent) BETWEEN 1 AND 1024),
    page        TEXT             CHECK (length(page) BETWEEN 1 AND 2048),
    page_key    TEXT             CHECK (length(page_key) BETWEEN 1 AND 2048),
    session_id  TEXT             CHECK (length(session_id) BETWEEN 1 AND 128),
    trace_id    TEXT             CHECK (length(trace_id) BETWEEN 1 AND 128),
    target_type TEXT             CHECK (length(target_type) BETWEEN 1 AND 64),
    target_id   TEXT             CHECK (length(target_id) BETWEEN 1 AND 256),
    target_name TEXT             CHECK (length(target_name) BETWEEN 1 AND 256),
    metadata    TEXT             CHECK (json_type(metadata) = 'object'),
    UNIQUE (tenant_id, id),
    CHECK ((page IS NULL) = (page_key IS NULL))
) STRICT;

-- One index per condition that finds few among many, each in the order of lists: SQLite ends every index with the
-- row's number, which here is seq. Pages are found by their first 256 characters, as on PostgreSQL, whose index
-- entries are bounded. Environments and outcomes are few: the index of the time or of a tenant serves them.
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_by_time ON events (occurred_at);
CREATE INDEX events_by_tenant ON events (tenant_id, occurred_at);
CREATE INDEX events_by_user ON events (user_id, occurred_at) WHERE user_id IS NOT NULL;
CREATE INDEX events_by_kind ON events (kind, occurred_at);
CREATE INDEX events_by_source ON events (source, occurred_at) WHERE source IS NOT NULL;
CREATE INDEX events_by_page ON events (substr(page_key, 1, 256), occurred_at) WHERE page_key IS NOT NULL;
CREATE INDEX events_by_session ON events (session_id, occurred_at) WHERE session_id IS NOT NULL;

-- seq is the order of storage, and orders events of the same time. user_ref, kind_ref and so on are ids of
-- dictionaries. outcome is 0 (success), 1 (failure) or 2 (unknown).
--
-- page is the page as it was sent, or null if that is the name of page_ref. It is set if the sent page has a query or a
-- fragment, or if page_ref is 1, (other). page_key is the key of the page if page_ref is 1.
CREATE TABLE events (
    seq            INTEGER NOT NULL PRIMARY KEY,
    tenant_id      INTEGER NOT NULL,
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    env_id         INTEGER NOT NULL CHECK (env_id BETWEEN 0 AND 4294967295),
    occurred_at    INTEGER NOT NULL CHECK (occurred_at >= 0),
    received_at    INTEGER NOT NULL CHECK (received_at >= 0),
    user_ref       INTEGER,
    user_name_ref  INTEGER,
    kind_ref       INTEGER NOT NULL,
    outcome        INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 2),
    source_ref     INTEGER,
    user_agent_ref INTEGER,
    page_ref       INTEGER,
    page           TEXT             CHECK (length(page) BETWEEN 1 AND 2048),
    page_key       TEXT             CHECK (length(page_key) BETWEEN 1 AND 2048),
    session_id     TEXT             CHECK (length(session_id) BETWEEN 1 AND 128),
    trace_id       TEXT             CHECK (length(trace_id) BETWEEN 1 AND 128),
    target_type    TEXT             CHECK (length(target_type) BETWEEN 1 AND 64),
    target_id      TEXT             CHECK (length(target_id) BETWEEN 1 AND 256),
    target_name    TEXT             CHECK (length(target_name) BETWEEN 1 AND 256),
    metadata       TEXT             CHECK (json_type(metadata) = 'object'),
    CHECK ((page_key IS NOT NULL) = (page_ref IS 1)),
    CHECK (page IS NULL OR page_ref IS NOT NULL)
) STRICT;

-- One index per condition that matches few events, each in the order of lists: SQLite appends the row number to every
-- index, which here is seq. There are few environments and outcomes, so conditions on them use the index of times or
-- tenants.
CREATE UNIQUE INDEX events_by_id ON events (id, tenant_id);
CREATE INDEX events_by_time ON events (occurred_at);
CREATE INDEX events_by_tenant ON events (tenant_id, occurred_at);
CREATE INDEX events_by_user ON events (user_ref, occurred_at) WHERE user_ref IS NOT NULL;
CREATE INDEX events_by_kind ON events (kind_ref, occurred_at);
CREATE INDEX events_by_source ON events (source_ref, occurred_at) WHERE source_ref IS NOT NULL;
CREATE INDEX events_by_page ON events (page_ref, occurred_at) WHERE page_ref IS NOT NULL;
CREATE INDEX events_by_session ON events (session_id, occurred_at) WHERE session_id IS NOT NULL;

-- Every event in words, for other tools that read the file.
CREATE VIEW event_log AS
SELECT e.seq,
    lower(substr(hex(t.tenant_id), 1, 8) || '-' || substr(hex(t.tenant_id), 9, 4) || '-' || substr(hex(t.tenant_id), 13, 4)
        || '-' || substr(hex(t.tenant_id), 17, 4) || '-' || substr(hex(t.tenant_id), 21)) AS tenant_id,
    lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4)
        || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
    e.env_id,
    strftime('%Y-%m-%dT%H:%M:%S', e.occurred_at / 1000000, 'unixepoch') || printf('.%06dZ', e.occurred_at % 1000000)
        AS occurred_at,
    strftime('%Y-%m-%dT%H:%M:%S', e.received_at / 1000000, 'unixepoch') || printf('.%06dZ', e.received_at % 1000000)
        AS received_at,
    u.name AS user_id,
    n.name AS user_name,
    k.name AS type,
    CASE e.outcome WHEN 0 THEN 'success' WHEN 1 THEN 'failure' ELSE 'unknown' END AS outcome,
    hex(s.address) AS source,
    a.name AS user_agent,
    coalesce(e.page, p.name) AS page,
    coalesce(e.page_key, p.name) AS page_key,
    p.name AS counted_page,
    e.session_id, e.trace_id, e.target_type, e.target_id, e.target_name, e.metadata
FROM events e
JOIN dict_tenants t ON t.id = e.tenant_id
JOIN dict_kinds k ON k.id = e.kind_ref
LEFT JOIN dict_users u ON u.id = e.user_ref
LEFT JOIN dict_user_names n ON n.id = e.user_name_ref
LEFT JOIN dict_sources s ON s.id = e.source_ref
LEFT JOIN dict_user_agents a ON a.id = e.user_agent_ref
LEFT JOIN dict_pages p ON p.id = e.page_ref;

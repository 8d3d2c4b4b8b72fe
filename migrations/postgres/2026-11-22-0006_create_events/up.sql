-- Every stored (tenant, id) and the location of its event. A key of a partitioned table must contain the column of the
-- partitioning, so only this table, which is not partitioned, can keep an event from being stored twice.
CREATE TABLE event_ids (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    seq         bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

DO $$ BEGIN
    CREATE INDEX event_ids_by_id ON event_ids (id);
END $$;

CREATE SEQUENCE events_seq_seq;

-- seq is the order of storage, has gaps, and orders events of the same time. user_ref, kind_ref and so on are ids of
-- dictionaries. outcome is 0 (success), 1 (failure) or 2 (unknown). The view event_log shows all of this in words.
--
-- page is the page as it was sent, or null if that is the name of page_ref. It is set if the sent page has a query or a
-- fragment, or if page_ref is 1, (other). page_key is the key of the page if page_ref is 1.
--
-- The server creates one partition per UTC month before it is needed.
CREATE TABLE events (
    seq            bigint           NOT NULL,
    tenant_id      uuid             NOT NULL,
    id             uuid             NOT NULL,
    env_id         bigint           NOT NULL CHECK (env_id BETWEEN 0 AND 4294967295),
    occurred_at    timestamptz      NOT NULL CHECK (occurred_at >= '1970-01-01T00:00:00Z'),
    received_at    timestamptz      NOT NULL CHECK (received_at >= '1970-01-01T00:00:00Z'),
    user_ref       integer,
    user_name_ref  integer,
    kind_ref       integer          NOT NULL,
    outcome        smallint         NOT NULL CHECK (outcome BETWEEN 0 AND 2),
    source_ref     integer,
    user_agent_ref integer,
    page_ref       integer,
    page           text                      CHECK (char_length(page) BETWEEN 1 AND 2048),
    page_key       text COLLATE "C"          CHECK (char_length(page_key) BETWEEN 1 AND 2048),
    session_id     text COLLATE "C"          CHECK (char_length(session_id) BETWEEN 1 AND 128),
    trace_id       text                      CHECK (char_length(trace_id) BETWEEN 1 AND 128),
    target_type    text                      CHECK (char_length(target_type) BETWEEN 1 AND 64),
    target_id      text                      CHECK (char_length(target_id) BETWEEN 1 AND 256),
    target_name    text                      CHECK (char_length(target_name) BETWEEN 1 AND 256),
    metadata       jsonb                     CHECK (jsonb_typeof(metadata) = 'object'),
    PRIMARY KEY (tenant_id, occurred_at, seq),
    CHECK ((page_key IS NOT NULL) = (page_ref IS NOT DISTINCT FROM 1)),
    CHECK (page IS NULL OR page_ref IS NOT NULL)
) PARTITION BY RANGE (occurred_at);

-- One index per condition that matches few events, each in the order of lists. The index of tenants is the primary key.
-- There are few environments and outcomes, so conditions on them use the index of times or tenants.
DO $$ BEGIN
    CREATE INDEX events_by_time ON events (occurred_at, seq);
    CREATE INDEX events_by_user ON events (user_ref, occurred_at, seq) WHERE user_ref IS NOT NULL;
    CREATE INDEX events_by_kind ON events (kind_ref, occurred_at, seq);
    CREATE INDEX events_by_source ON events (source_ref, occurred_at, seq) WHERE source_ref IS NOT NULL;
    CREATE INDEX events_by_page ON events (page_ref, occurred_at, seq) WHERE page_ref IS NOT NULL;
    CREATE INDEX events_by_session ON events (session_id, occurred_at, seq) WHERE session_id IS NOT NULL;
END $$;

-- Every event in words and native types, for psql and BI tools.
CREATE VIEW event_log AS
SELECT e.seq, e.tenant_id, e.id, e.env_id, e.occurred_at, e.received_at,
    u.name AS user_id,
    n.name AS user_name,
    k.name AS type,
    CASE e.outcome WHEN 0 THEN 'success' WHEN 1 THEN 'failure' ELSE 'unknown' END AS outcome,
    s.address AS source,
    a.name AS user_agent,
    coalesce(e.page, p.name) AS page,
    coalesce(e.page_key, p.name) AS page_key,
    p.name AS counted_page,
    e.session_id, e.trace_id, e.target_type, e.target_id, e.target_name, e.metadata
FROM events e
JOIN dict_kinds k ON k.id = e.kind_ref
LEFT JOIN dict_users u ON u.id = e.user_ref
LEFT JOIN dict_user_names n ON n.id = e.user_name_ref
LEFT JOIN dict_sources s ON s.id = e.source_ref
LEFT JOIN dict_user_agents a ON a.id = e.user_agent_ref
LEFT JOIN dict_pages p ON p.id = e.page_ref;

COMMENT ON VIEW event_log IS 'Every event in words. Analytics leave out those of the system tenant, ffffffff-ffff-ffff-ffff-ffffffffffff.';
COMMENT ON COLUMN event_log.counted_page IS 'The page under which analytics count it: page_key, or (other) beyond the limit of new pages.';
COMMENT ON COLUMN event_log.tenant_id IS 'All zero: outside any tenant.';

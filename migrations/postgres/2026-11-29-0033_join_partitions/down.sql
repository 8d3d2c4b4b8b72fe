-- A partition per month again. It copies all rows in one transaction.
DROP VIEW event_log;
DROP TABLE IF EXISTS event_ids;

DO $$ DECLARE month regclass; BEGIN
    ALTER TABLE events RENAME TO events_plain;
    ALTER INDEX events_pkey RENAME TO events_plain_pkey;
    DROP INDEX IF EXISTS events_by_time, events_by_user, events_by_kind, events_by_source, events_by_page, events_by_session;
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events_plain'::regclass LOOP
        EXECUTE format('ALTER TABLE %s RENAME TO %I', month, 'plain_' || month);
    END LOOP;
END $$;

CREATE TABLE event_ids (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    seq         bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (id, tenant_id)
);

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
    original       jsonb,
    PRIMARY KEY (tenant_id, occurred_at, seq),
    CHECK ((page_key IS NOT NULL) = (page_ref IS NOT DISTINCT FROM 1)),
    CHECK (page IS NULL OR page_ref IS NOT NULL)
) PARTITION BY RANGE (occurred_at);

DO $$ DECLARE month timestamptz; BEGIN
    ALTER TABLE events ADD CONSTRAINT events_original_check CHECK (jsonb_typeof(original) = 'object') NOT VALID;
    CREATE INDEX events_by_time ON events (occurred_at, seq);
    CREATE INDEX events_by_user ON events (user_ref, occurred_at, seq) WHERE user_ref IS NOT NULL;
    CREATE INDEX events_by_kind ON events (kind_ref, occurred_at, seq);
    CREATE INDEX events_by_source ON events (source_ref, occurred_at, seq) WHERE source_ref IS NOT NULL;
    CREATE INDEX events_by_page ON events (page_ref, occurred_at, seq) WHERE page_ref IS NOT NULL;
    CREATE INDEX events_by_session ON events (session_id, occurred_at, seq) WHERE session_id IS NOT NULL;
    FOR month IN SELECT DISTINCT date_trunc('month', occurred_at, 'UTC') FROM events_plain LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
            to_char(month AT TIME ZONE 'UTC', '"events_"YYYY"_"MM'), month,
            (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
END $$;

INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, outcome,
    source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, target_name,
    metadata, original)
SELECT seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, user_name_ref, kind_ref, outcome,
    source_ref, user_agent_ref, page_ref, page, page_key, session_id, trace_id, target_type, target_id, target_name,
    metadata, original
FROM events_plain;

INSERT INTO event_ids (tenant_id, id, seq, occurred_at) SELECT tenant_id, id, seq, occurred_at FROM events;

-- With the months that are its children.
DROP TABLE events_plain CASCADE;

-- Every event in words and native types, for psql and BI tools. A type whose row is lost has the placeholder that the API
-- shows, too.
CREATE VIEW event_log AS
SELECT e.seq, e.tenant_id, e.id, e.env_id, e.occurred_at, e.received_at,
    u.name AS user_id,
    n.name AS user_name,
    coalesce(k.name, 'missing_' || e.kind_ref) AS type,
    CASE e.outcome WHEN 0 THEN 'success' WHEN 1 THEN 'failure' ELSE 'unknown' END AS outcome,
    s.address AS source,
    a.name AS user_agent,
    coalesce(e.page, p.name) AS page,
    coalesce(e.page_key, p.name) AS page_key,
    p.name AS counted_page,
    e.session_id, e.trace_id, e.target_type, e.target_id, e.target_name, e.metadata, e.original
FROM events e
LEFT JOIN dict_kinds k ON k.id = e.kind_ref
LEFT JOIN dict_users u ON u.id = e.user_ref
LEFT JOIN dict_user_names n ON n.id = e.user_name_ref
LEFT JOIN dict_sources s ON s.id = e.source_ref
LEFT JOIN dict_user_agents a ON a.id = e.user_agent_ref
LEFT JOIN dict_pages p ON p.id = e.page_ref;

COMMENT ON VIEW event_log IS 'Every event in words. Analytics leave out those of the system tenant, ffffffff-ffff-ffff-ffff-ffffffffffff.';
COMMENT ON COLUMN event_log.counted_page IS 'The page under which analytics count it: page_key, or (other) beyond the limit of new pages.';
COMMENT ON COLUMN event_log.tenant_id IS 'All zero: outside any tenant.';
COMMENT ON COLUMN event_log.original IS 'The fields that could not be stored as they were sent, by name; they are null in the other columns.';

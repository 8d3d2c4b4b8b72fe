-- One plain table in place of a partition per month: its primary key keeps an event from being stored twice, so no other
-- table has to. The months of an existing database become children of the new table, and a query of `events` reads them
-- too. The server moves their rows in small steps, and then removes them together with event_ids.
DROP VIEW event_log;

DO $$ BEGIN
    ALTER TABLE events RENAME TO events_partitioned;
    ALTER INDEX events_pkey RENAME TO events_partitioned_pkey;
END $$;

-- bucket is the unit of distribution on a cluster, and 0 otherwise. seq is the order of storage, has gaps, and orders
-- events of the same time. user_ref, kind_ref and so on are ids of dictionaries. outcome is 0 (success), 1 (failure) or 2
-- (unknown). The view event_log shows all of this in words.
--
-- page is the page as it was sent, or null if that is the name of page_ref. It is set if the sent page has a query or a
-- fragment, or if page_ref is 1, (other). page_key is the key of the page if page_ref is 1. original has the texts of the
-- fields that could not be stored as they were sent, by name:
-- {"user_id": {"text": "the first 1,024 characters", "sha256": "of the whole, if it is longer"}}.
--
-- Wide columns come first, so that none is padded. In the primary key the id comes before the tenant, so that it also finds
-- an id without a tenant, and so that ids that rise with time are added at one end. The checks are not inherited, because
-- the months of an older version have checks of their own.
CREATE TABLE events (
    seq            bigint           NOT NULL,
    occurred_at    timestamptz      NOT NULL CHECK (occurred_at >= '1970-01-01T00:00:00Z') NO INHERIT,
    received_at    timestamptz      NOT NULL CHECK (received_at >= '1970-01-01T00:00:00Z') NO INHERIT,
    env_id         bigint           NOT NULL CHECK (env_id BETWEEN 0 AND 4294967295) NO INHERIT,
    kind_ref       integer          NOT NULL,
    user_ref       integer,
    user_name_ref  integer,
    source_ref     integer,
    user_agent_ref integer,
    page_ref       integer,
    outcome        smallint         NOT NULL CHECK (outcome BETWEEN 0 AND 2) NO INHERIT,
    bucket         smallint         NOT NULL,
    tenant_id      uuid             NOT NULL,
    id             uuid             NOT NULL,
    page           text                      CHECK (char_length(page) BETWEEN 1 AND 2048) NO INHERIT,
    page_key       text COLLATE "C"          CHECK (char_length(page_key) BETWEEN 1 AND 2048) NO INHERIT,
    session_id     text COLLATE "C"          CHECK (char_length(session_id) BETWEEN 1 AND 128) NO INHERIT,
    trace_id       text                      CHECK (char_length(trace_id) BETWEEN 1 AND 128) NO INHERIT,
    target_type    text                      CHECK (char_length(target_type) BETWEEN 1 AND 64) NO INHERIT,
    target_id      text                      CHECK (char_length(target_id) BETWEEN 1 AND 256) NO INHERIT,
    target_name    text                      CHECK (char_length(target_name) BETWEEN 1 AND 256) NO INHERIT,
    metadata       jsonb                     CHECK (jsonb_typeof(metadata) = 'object') NO INHERIT,
    original       jsonb                     CHECK (jsonb_typeof(original) = 'object') NO INHERIT,
    PRIMARY KEY (bucket, id, tenant_id),
    CHECK ((page_key IS NOT NULL) = (page_ref IS NOT DISTINCT FROM 1)) NO INHERIT,
    CHECK (page IS NULL OR page_ref IS NOT NULL) NO INHERIT
) WITH (
    -- Rows are only added: a vacuum freezes them at once, and no later one reads them again.
    fillfactor = 100, autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

-- A month without rows goes away with the partitioned table. The others keep their rows, their indexes and their names.
DO $$ DECLARE month regclass; filled boolean; old boolean := false; BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events_partitioned'::regclass ORDER BY 1 LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', month) INTO filled;
        IF filled THEN
            EXECUTE format('ALTER TABLE events_partitioned DETACH PARTITION %s', month);
            EXECUTE format('ALTER TABLE %s ADD COLUMN bucket smallint NOT NULL DEFAULT 0', month);
            EXECUTE format('ALTER TABLE %s INHERIT events', month);
            old := true;
        END IF;
    END LOOP;
    DROP TABLE events_partitioned;
    IF NOT old THEN
        DROP TABLE event_ids;
    END IF;
END $$;

-- The order of storage.
DO $$ BEGIN
    CREATE INDEX events_by_seq ON events (bucket, seq);
END $$;

-- One index per condition of a list that matches few events, each in the order of lists. There are few environments and
-- outcomes, so conditions on them use the index of times or tenants.
DO $$ BEGIN
    CREATE INDEX events_by_tenant ON events (tenant_id, occurred_at, seq);
    CREATE INDEX events_by_time ON events (occurred_at, seq);
    CREATE INDEX events_by_user ON events (user_ref, occurred_at, seq) WHERE user_ref IS NOT NULL;
    CREATE INDEX events_by_kind ON events (kind_ref, occurred_at, seq);
    CREATE INDEX events_by_source ON events (source_ref, occurred_at, seq) WHERE source_ref IS NOT NULL;
    CREATE INDEX events_by_page ON events (page_ref, occurred_at, seq) WHERE page_ref IS NOT NULL;
    CREATE INDEX events_by_session ON events (session_id, occurred_at, seq) WHERE session_id IS NOT NULL;
END $$;

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

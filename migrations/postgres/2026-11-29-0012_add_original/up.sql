-- original has the texts of the fields that could not be stored as they were sent, by name:
-- {"user_id": {"text": "the first 1,024 characters", "sha256": "of the whole, if it is longer"}}.
DROP VIEW event_log;

-- Every row there is has null, so NOT VALID spares PostgreSQL from reading all of them.
DO $$ BEGIN
    ALTER TABLE events ADD COLUMN original jsonb;
    ALTER TABLE events ADD CONSTRAINT events_original_check CHECK (jsonb_typeof(original) = 'object') NOT VALID;
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

DROP VIEW event_log;

DO $$ BEGIN
    ALTER TABLE events DROP COLUMN original;
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

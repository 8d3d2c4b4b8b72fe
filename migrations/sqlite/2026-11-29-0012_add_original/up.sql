-- original has the texts of the fields that could not be stored as they were sent, by name:
-- {"user_id": {"text": "the first 1,024 characters", "sha256": "of the whole, if it is longer"}}.
DROP VIEW event_log;

ALTER TABLE events ADD COLUMN original TEXT CHECK (json_type(original) = 'object');

-- Every event in words, for other tools that read the file. Tenants and types whose rows are lost have the placeholders
-- that the API shows, too.
CREATE VIEW event_log AS
SELECT e.seq,
    CASE WHEN t.id IS NULL THEN 'ffffffff-ffff-ffff-fffe-' || printf('%012x', e.tenant_id) ELSE
        lower(substr(hex(t.tenant_id), 1, 8) || '-' || substr(hex(t.tenant_id), 9, 4) || '-' || substr(hex(t.tenant_id), 13, 4)
            || '-' || substr(hex(t.tenant_id), 17, 4) || '-' || substr(hex(t.tenant_id), 21)) END AS tenant_id,
    lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4)
        || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
    e.env_id,
    strftime('%Y-%m-%dT%H:%M:%S', e.occurred_at / 1000000, 'unixepoch') || printf('.%06dZ', e.occurred_at % 1000000)
        AS occurred_at,
    strftime('%Y-%m-%dT%H:%M:%S', e.received_at / 1000000, 'unixepoch') || printf('.%06dZ', e.received_at % 1000000)
        AS received_at,
    u.name AS user_id,
    n.name AS user_name,
    coalesce(k.name, 'missing_' || e.kind_ref) AS type,
    CASE e.outcome WHEN 0 THEN 'success' WHEN 1 THEN 'failure' ELSE 'unknown' END AS outcome,
    hex(s.address) AS source,
    a.name AS user_agent,
    coalesce(e.page, p.name) AS page,
    coalesce(e.page_key, p.name) AS page_key,
    p.name AS counted_page,
    e.session_id, e.trace_id, e.target_type, e.target_id, e.target_name, e.metadata, e.original
FROM events e
LEFT JOIN dict_tenants t ON t.id = e.tenant_id
LEFT JOIN dict_kinds k ON k.id = e.kind_ref
LEFT JOIN dict_users u ON u.id = e.user_ref
LEFT JOIN dict_user_names n ON n.id = e.user_name_ref
LEFT JOIN dict_sources s ON s.id = e.source_ref
LEFT JOIN dict_user_agents a ON a.id = e.user_agent_ref
LEFT JOIN dict_pages p ON p.id = e.page_ref;

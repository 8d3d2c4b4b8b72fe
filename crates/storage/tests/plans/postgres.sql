-- A million events of 500 tenants and 20,000 users over 90 days, and a directory to match.
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
-- Indexes that are built once are ready sooner than indexes that grow row by row.
CREATE TEMPORARY TABLE indexes_of_events AS
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname <> 'events_pkey';
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT * FROM indexes_of_events LOOP EXECUTE 'DROP INDEX ' || one.indexname; END LOOP;
END $$;
INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_id, kind, outcome, source, page, page_key,
                    session_id)
SELECT i + 1, lpad(to_hex(i * 7 % 500), 32, '0')::uuid, lpad(to_hex(i), 32, '0')::uuid, i % 3,
       timestamptz '2026-01-01T00:00:00Z' + i * interval '7.776 s', timestamptz '2026-01-01T00:00:00Z' + i * interval '7.776 s',
       'user-' || (i::bigint * 13 % 20000),
       CASE i % 10 WHEN 0 THEN 'login_success' WHEN 1 THEN 'login_fail' WHEN 2 THEN 'userinfo' WHEN 3 THEN 'logout' ELSE 'page_load' END,
       CASE WHEN i % 10 = 1 THEN 'failure' ELSE 'success' END,
       inet '10.0.0.0' + i % 5000,
       CASE WHEN i % 10 > 3 THEN '/page/' || (i % 300) || '?q' END, CASE WHEN i % 10 > 3 THEN '/page/' || (i % 300) END,
       'session-' || (i / 20)
FROM generate_series(0, 999999) AS i;
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT * FROM indexes_of_events LOOP EXECUTE one.indexdef; END LOOP;
END $$;
INSERT INTO tenants
SELECT lpad(to_hex(i), 32, '0')::uuid, 'Tenant', now(), now(), lpad(to_hex(i), 32, '0')::uuid FROM generate_series(0, 19999) AS i;
INSERT INTO users
SELECT 'user-' || i, 'user-' || i || '@example.org', 'user-' || i || '@example.org', NULL, '{}', 'eu', 'eu_' || (i % 50), 'CONFIRMED', true,
       now(), now(), lpad(to_hex(i), 32, '0')::uuid
FROM generate_series(0, 49999) AS i;
INSERT INTO memberships
SELECT lpad(to_hex(i % 500), 32, '0')::uuid, 'user-' || i, now(), lpad(to_hex(i), 32, '0')::uuid FROM generate_series(0, 49999) AS i;
INSERT INTO creations
SELECT CASE i % 3 WHEN 1 THEN '00000000-0000-0000-0000-000000000000' ELSE lpad(to_hex(i % 500), 32, '0')::uuid END,
       lpad(to_hex(i), 32, '0')::uuid,
       CASE i % 3 WHEN 0 THEN 'create_tenant' WHEN 1 THEN 'create_saas_user' ELSE 'create_tenant_user' END,
       CASE i % 3 WHEN 0 THEN NULL ELSE 'user-' || (i / 3) END, CASE i % 3 WHEN 1 THEN 'eu' END,
       CASE i % 3 WHEN 1 THEN 'eu_' || (i % 50) END, timestamptz '2026-01-01T00:00:00Z' + i * interval '64.8 s'
FROM generate_series(0, 119999) AS i;
INSERT INTO attribute_changes
SELECT i + 1, 'user-' || (i % 20000), timestamptz '2026-01-01T00:00:00Z' + i * interval '1 s', 'admin', 'name', NULL, 'x'
FROM generate_series(0, 99999) AS i;
INSERT INTO reported_active_users
SELECT lpad(to_hex(i % 500), 32, '0')::uuid, 1, 'daily', date '2026-01-01' + i / 500, i FROM generate_series(0, 49999) AS i;
INSERT INTO accounts
SELECT lpad(to_hex(i), 32, '0')::uuid, 'a', 'account-' || i || '@example.org', 'A', 'x', 'admin', NULL, NULL, now(), now()
FROM generate_series(0, 4999) AS i;
INSERT INTO api_tokens
SELECT id, 'token', sha256(id::text::bytea), 'admin', NULL, now(), NULL, NULL, NULL FROM accounts;
INSERT INTO signing_keys SELECT id, 'key', 'saas', 'api-' || id, '\x00', NULL, now(), NULL FROM accounts;
INSERT INTO sessions SELECT id, id, now(), NULL FROM accounts;
INSERT INTO refresh_tokens SELECT sha256(id::text::bytea), id, now(), now(), NULL FROM sessions;
ANALYZE;

-- A million events of 500 tenants and 20,000 users over 90 days, and a directory for them.
SET synchronous_commit = off;
SET TIME ZONE 'UTC';
SET maintenance_work_mem = '256MB';
INSERT INTO dict_users
SELECT i + 1, encode(substr(sha256(convert_to('user-' || i, 'UTF8')), 1, 16), 'hex')::uuid, 'user-' || i
FROM generate_series(0, 19999) AS i;
INSERT INTO dict_pages
SELECT i + 2, encode(substr(sha256(convert_to('/page/' || i, 'UTF8')), 1, 16), 'hex')::uuid, '/page/' || i
FROM generate_series(0, 299) AS i;
INSERT INTO dict_sources SELECT i + 1, inet '10.0.0.0' + i FROM generate_series(0, 49999) AS i;
-- The indexes are built afterwards, because that is faster than letting them grow row by row.
CREATE TEMPORARY TABLE built AS SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'events' AND indexname <> 'events_pkey';
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT indexname FROM built LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
END $$;
INSERT INTO events (bucket, seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, kind_ref, outcome, source_ref,
                    page_ref, page, page_key, session_id)
SELECT 0, i + 1, lpad(to_hex(i * 7 % 500), 32, '0')::uuid, lpad(to_hex(i), 32, '0')::uuid,
       i % 3, timestamptz '2026-01-01T00:00:00Z' + i * interval '7.776 s',
       timestamptz '2026-01-01T00:00:00Z' + i * interval '7.776 s', i::bigint * 13 % 20000 + 1,
       CASE i % 10 WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 5 WHEN 3 THEN 3 ELSE 4 END,
       CASE WHEN i % 10 = 1 THEN 1 ELSE 0 END, i % 5000 + 1,
       -- One page in fifty is beyond the quota of its tenant.
       CASE WHEN i % 10 > 3 THEN CASE WHEN i % 50 = 4 THEN 1 ELSE i % 300 + 2 END END,
       CASE WHEN i % 10 > 3 THEN '/page/' || (i % 300) || '?q' END,
       CASE WHEN i % 50 = 4 THEN '/page/' || (i % 300) END,
       'session-' || (i / 20)
FROM generate_series(0, 999999) AS i;
DO $$ DECLARE definition text; BEGIN
    FOR definition IN SELECT indexdef FROM built LOOP EXECUTE definition; END LOOP;
END $$;
INSERT INTO tenants
SELECT lpad(to_hex(i), 32, '0')::uuid, 'Tenant', now(), now(), lpad(to_hex(i), 32, '0')::uuid FROM generate_series(0, 19999) AS i;
INSERT INTO users
SELECT 'user-' || i, 'user-' || i || '@example.org', 'user-' || i || '@example.org', NULL, '{}', 'eu', 'eu_' || (i % 50), 'CONFIRMED', true,
       now(), now(), lpad(to_hex(i), 32, '0')::uuid
FROM generate_series(0, 49999) AS i;
INSERT INTO memberships
SELECT lpad(to_hex(i % 500), 32, '0')::uuid, 'user-' || i, now(), lpad(to_hex(i), 32, '0')::uuid, 0 FROM generate_series(0, 49999) AS i;
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
INSERT INTO sessions (id, account_id, started_at, refreshed_at, expires_at, ended_at)
SELECT lpad(to_hex(i), 32, '0')::uuid, lpad(to_hex(i % 5000), 32, '0')::uuid, began, began, began + interval '30 days',
       CASE WHEN i % 3 = 0 THEN began + interval '100 s' END
FROM (SELECT i, timestamptz '2026-01-01T00:00:00Z' + i * interval '77 s' AS began FROM generate_series(0, 99999) AS i) AS n;
INSERT INTO refresh_tokens SELECT sha256(id::text::bytea), id, now(), now(), NULL FROM sessions;
INSERT INTO new_pages
SELECT lpad(to_hex(i), 32, '0')::uuid, date '2026-01-01' + i % 90, 7 FROM generate_series(0, 499) AS i;
-- Sheets of the current and of an older generation, of everyone and of every tenant.
INSERT INTO sheets (generation, scope, level, part, start, run, payload)
SELECT i % 2, CASE i % 500 WHEN 0 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE lpad(to_hex(i % 500), 32, '0')::uuid END,
       2, 1 + i / 2 % 2, timestamptz '2026-01-01T00:00:00Z' + i / 1000 * interval '1 day', i / 500 % 2, decode(repeat('00', 50), 'hex')
FROM generate_series(0, 89999) AS i;
INSERT INTO deltas SELECT 0, i, 1, decode(repeat('00', 50), 'hex') FROM generate_series(0, 4999) AS i;
INSERT INTO merge_passes SELECT 1, i, decode(repeat('00', 8), 'hex') FROM generate_series(0, 4999) AS i;
-- Runs of the index of events with pages, in three months of the current and of an older generation.
INSERT INTO posting_runs
SELECT 0, i % 2, CASE i / 2 % 500 WHEN 0 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE lpad(to_hex(i / 2 % 500), 32, '0')::uuid END,
       timestamptz '2026-01-01T00:00:00Z' + i / 1000 % 3 * interval '1 month', i / 3000, 10, 50, decode(repeat('00', 50), 'hex'), NULL
FROM generate_series(0, 8999) AS i;
INSERT INTO posting_pages
SELECT bucket, generation, scope, month, run, page, header FROM posting_runs, generate_series(0, 7) AS page;
-- Counts of all tenants of ten years, in the current and in an older generation.
INSERT INTO tenant_counts (bucket, generation, level, start, payload)
SELECT 0, i % 2, CASE i / 2 % 30 WHEN 0 THEN 3 ELSE 2 END, timestamptz '2026-01-01T00:00:00Z' + i / 2 * interval '1 day', decode(repeat('00', 50), 'hex')
FROM generate_series(0, 7299) AS i;
INSERT INTO leases (name, holder, until, bucket) VALUES ('sheets', '00000000-0000-0000-0000-000000000000', now(), 0);
ANALYZE;

-- These events are in no delta, so rows answer.
UPDATE sheet_generation SET has_postings = false;

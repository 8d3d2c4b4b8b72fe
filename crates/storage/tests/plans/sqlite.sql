-- A million events of 500 tenants and 20,000 users over 90 days, and a directory for them.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -200000;
BEGIN;
-- SQLite has no SHA-256, so these digests are only distinct. The two names that questions look up have their real digests.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
INSERT INTO dict_users SELECT i + 1, unhex(printf('%032x', i)), 'user-' || i FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
INSERT INTO dict_pages SELECT i + 2, unhex(printf('%032x', i)), '/page/' || i FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
INSERT INTO dict_sources SELECT i + 1, unhex(printf('04%08x', 167772160 + i)) FROM n;
UPDATE dict_users SET digest = x'34e03b2cb76430bfa5918f55e8176adc' WHERE name = 'user-777';
UPDATE dict_pages SET digest = x'02a8c2ddeb7725a1c83a58193142a048' WHERE name = '/page/7';
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 499)
INSERT INTO dict_tenants SELECT i + 1, unhex(printf('%032x', i)) FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_ref, kind_ref, outcome, source_ref, page_ref,
                    page, page_key, session_id)
SELECT i + 1, i * 7 % 500 + 1, unhex(printf('%032x', i)), i % 3,
       1767225600000000 + i * 7776000, 1767225600000000 + i * 7776000, i * 13 % 20000 + 1,
       CASE i % 10 WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 5 WHEN 3 THEN 3 ELSE 4 END, i % 10 = 1, i % 5000 + 1,
       -- One page in fifty is beyond the quota of its tenant.
       CASE WHEN i % 10 > 3 THEN iif(i % 50 = 4, 1, i % 300 + 2) END,
       CASE WHEN i % 10 > 3 THEN '/page/' || (i % 300) || '?q' END,
       CASE WHEN i % 50 = 4 THEN '/page/' || (i % 300) END,
       'session-' || (i / 20)
FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
INSERT INTO tenants SELECT unhex(printf('%032x', i)), 'Tenant', 0, 0, unhex(printf('%032x', i)) FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
INSERT INTO users
SELECT 'user-' || i, 'user-' || i || '@example.org', 'user-' || i || '@example.org', NULL, '{}', 'eu', 'eu_' || (i % 50), 'CONFIRMED', 1,
       0, 0, unhex(printf('%032x', i))
FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
INSERT INTO memberships SELECT unhex(printf('%032x', i % 500)), 'user-' || i, 0, unhex(printf('%032x', i)), 0 FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119999)
INSERT INTO creations
SELECT CASE i % 3 WHEN 1 THEN zeroblob(16) ELSE unhex(printf('%032x', i % 500)) END, unhex(printf('%032x', i)),
       CASE i % 3 WHEN 0 THEN 'create_tenant' WHEN 1 THEN 'create_saas_user' ELSE 'create_tenant_user' END,
       CASE i % 3 WHEN 0 THEN NULL ELSE 'user-' || (i / 3) END, CASE i % 3 WHEN 1 THEN 'eu' END,
       CASE i % 3 WHEN 1 THEN 'eu_' || (i % 50) END, 1767225600000000 + i * 64800000
FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
INSERT INTO attribute_changes SELECT i + 1, 'user-' || (i % 20000), i, 'admin', 'name', NULL, 'x' FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
INSERT INTO reported_active_users SELECT unhex(printf('%032x', i % 500)), 1, 'daily', 20454 + i / 500, i FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
INSERT INTO accounts
SELECT unhex(printf('%032x', i)), 'a', 'account-' || i || '@example.org', 'A', 'x', 'admin', NULL, NULL, 0, 0 FROM n;
INSERT INTO api_tokens SELECT id, 'token', unhex(hex(id) || hex(id)), 'admin', NULL, 0, NULL, NULL, NULL FROM accounts;
INSERT INTO signing_keys SELECT id, 'key', 'saas', 'api-' || hex(id), id, NULL, 0, NULL FROM accounts;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
INSERT INTO sessions (id, account_id, started_at, refreshed_at, expires_at, ended_at)
SELECT unhex(printf('%032x', i)), unhex(printf('%032x', i % 5000)), 1767225600000000 + i * 77000000,
       1767225600000000 + i * 77000000, 1769817600000000 + i * 77000000,
       iif(i % 3 = 0, 1767225700000000 + i * 77000000, NULL)
FROM n;
INSERT INTO refresh_tokens SELECT unhex(hex(id) || hex(id)), id, 0, 0, NULL, NULL, NULL, NULL FROM sessions;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499)
INSERT INTO new_pages SELECT i + 1, 20453 + i % 90, 7 FROM n;
-- Sheets of the current and of an older generation, of everyone and of every tenant.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 89999)
INSERT INTO sheets (generation, scope, level, part, start, run, payload)
SELECT i % 2, i % 500, 2, 1 + i / 2 % 2, 1767225600000000 + i / 1000 * 86400000000, i / 500 % 2, zeroblob(50) FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
INSERT INTO deltas SELECT 0, i, 1, zeroblob(50) FROM n;
-- Runs of the index of events, with pages, in three months of the current and of an older generation.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 8999)
INSERT INTO posting_runs
SELECT 0, i % 2, i / 2 % 500, unixepoch('2026-01-01', (i / 1000 % 3) || ' months') * 1000000, i / 3000, 10, 50, zeroblob(50),
       NULL
FROM n;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7)
INSERT INTO posting_pages SELECT bucket, generation, scope, month, run, i, zeroblob(50) FROM posting_runs JOIN n;
-- Counts of all tenants of ten years, in the current and in an older generation.
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7299)
INSERT INTO tenant_counts (bucket, generation, level, start, payload)
SELECT 0, i % 2, iif(i / 2 % 30 = 0, 3, 2), 1767225600000000 + i / 2 * 86400000000, zeroblob(50) FROM n;
INSERT INTO leases (name, holder, until, bucket) VALUES ('sheets', zeroblob(16), 0, 0);
COMMIT;

-- These events are in no delta, so rows answer.
UPDATE sheet_generation SET has_postings = 0;

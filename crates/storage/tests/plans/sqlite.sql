-- A million events of 500 tenants and 20,000 users over 90 days, and a directory to match.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -200000;
BEGIN;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
INSERT INTO events (seq, tenant_id, id, env_id, occurred_at, received_at, user_id, kind, outcome, source, page, page_key,
                    session_id)
SELECT i + 1, unhex(printf('%032x', i * 7 % 500)), unhex(printf('%032x', i)), i % 3,
       1767225600000000 + i * 7776000, 1767225600000000 + i * 7776000, 'user-' || (i * 13 % 20000),
       CASE i % 10 WHEN 0 THEN 'login_success' WHEN 1 THEN 'login_fail' WHEN 2 THEN 'userinfo' WHEN 3 THEN 'logout' ELSE 'page_load' END,
       CASE WHEN i % 10 = 1 THEN 'failure' ELSE 'success' END,
       unhex(printf('04%08x', 167772160 + i % 5000)),
       CASE WHEN i % 10 > 3 THEN '/page/' || (i % 300) || '?q' END, CASE WHEN i % 10 > 3 THEN '/page/' || (i % 300) END,
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
INSERT INTO memberships SELECT unhex(printf('%032x', i % 500)), 'user-' || i, 0, unhex(printf('%032x', i)) FROM n;
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
INSERT INTO sessions SELECT id, id, 0, NULL FROM accounts;
INSERT INTO refresh_tokens SELECT unhex(hex(id) || hex(id)), id, 0, 0, NULL FROM sessions;
COMMIT;

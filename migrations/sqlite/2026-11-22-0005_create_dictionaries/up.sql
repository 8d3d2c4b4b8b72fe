-- Dictionaries, which give names their numbers. Ids are dense from 1 and never change. A digest is the first half of the
-- SHA-256 of the name. The program relies on the inserted rows of dict_kinds and on the first row of dict_pages.
CREATE TABLE dict_users (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    digest BLOB    NOT NULL UNIQUE CHECK (length(digest) = 16),
    name   TEXT    NOT NULL
) STRICT;

CREATE TABLE dict_pages (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    digest BLOB    NOT NULL UNIQUE CHECK (length(digest) = 16),
    name   TEXT    NOT NULL
) STRICT;

CREATE TABLE dict_kinds (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    digest BLOB    NOT NULL UNIQUE CHECK (length(digest) = 16),
    name   TEXT    NOT NULL
) STRICT;

CREATE TABLE dict_user_agents (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    digest BLOB    NOT NULL UNIQUE CHECK (length(digest) = 16),
    name   TEXT    NOT NULL
) STRICT;

CREATE TABLE dict_user_names (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    digest BLOB    NOT NULL UNIQUE CHECK (length(digest) = 16),
    name   TEXT    NOT NULL
) STRICT;

-- An address is its family (4 or 6) and its bytes, so that a network is a range.
CREATE TABLE dict_sources (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
    address BLOB    NOT NULL UNIQUE CHECK (length(address) IN (5, 17))
) STRICT;

-- 0 is the system tenant, which as a scope means everyone. 1 is no tenant.
CREATE TABLE dict_tenants (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 0 AND 2147483647),
    tenant_id BLOB    NOT NULL UNIQUE CHECK (length(tenant_id) = 16)
) STRICT;

INSERT INTO dict_tenants (id, tenant_id) VALUES
    (0, x'ffffffffffffffffffffffffffffffff'),
    (1, x'00000000000000000000000000000000');

-- The number of pages that a tenant added to the dictionary on one UTC day. Pages beyond a limit count as (other).
CREATE TABLE new_pages (
    tenant_id INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    pages     INTEGER NOT NULL CHECK (pages >= 0),
    PRIMARY KEY (tenant_id, day)
) STRICT, WITHOUT ROWID;

INSERT INTO dict_kinds (id, digest, name) VALUES
    (1, x'364e680c2c8975c7b2d6df65c9f8f317', 'login_success'),
    (2, x'62aedc27a715c727542d1c9aff0f2420', 'login_fail'),
    (3, x'00270cf63f93c307e7e9d2cc7e639fa5', 'logout'),
    (4, x'db02bf6478891029ba384bbd6c71afe4', 'page_load'),
    (5, x'1704b0282a3cbea79bd2d2034a2154ed', 'userinfo'),
    (6, x'1f58b9145b24d108d7ac38887338b3ea', 'request');

INSERT INTO dict_pages (id, digest, name) VALUES (1, x'fea5267d7f4b91b7c74d2e4abb947e0d', '(other)');

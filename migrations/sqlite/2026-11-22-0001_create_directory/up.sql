-- Times are microseconds since 1970, UUIDs 16 bytes, days whole days since 1970.

CREATE TABLE tenants (
    tenant_id   BLOB    NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    name        TEXT             CHECK (length(name) BETWEEN 1 AND 256),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    creation_id BLOB    NOT NULL CHECK (length(creation_id) = 16)
) STRICT, WITHOUT ROWID;

-- Ids sort by bytes, on which keyset pages depend.
CREATE TABLE users (
    user_id       TEXT    NOT NULL PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 128),
    email         TEXT,
    email_folded  TEXT,
    username      TEXT             CHECK (length(username) BETWEEN 1 AND 128),
    attributes    TEXT    NOT NULL CHECK (json_type(attributes) = 'object'),
    region        TEXT             CHECK (length(region) BETWEEN 1 AND 55),
    user_pool_id  TEXT             CHECK (length(user_pool_id) BETWEEN 1 AND 55),
    status        TEXT    NOT NULL CHECK (status IN ('UNCONFIRMED', 'CONFIRMED', 'ARCHIVED', 'COMPROMISED', 'UNKNOWN',
                                                     'RESET_REQUIRED', 'FORCE_CHANGE_PASSWORD', 'EXTERNAL_PROVIDER')),
    enabled       INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    registered_at INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    creation_id   BLOB    NOT NULL CHECK (length(creation_id) = 16),
    CHECK ((email IS NULL) = (email_folded IS NULL))
) STRICT;

-- "No pool" is a pool too.
CREATE UNIQUE INDEX users_by_pool_and_email ON users (coalesce(user_pool_id, ''), email_folded);
CREATE INDEX users_by_email ON users (email_folded, user_id) WHERE email_folded IS NOT NULL;
CREATE INDEX users_by_pool ON users (user_pool_id, user_id) WHERE user_pool_id IS NOT NULL;
CREATE INDEX users_by_region ON users (region, user_id) WHERE region IS NOT NULL;

-- Neither the tenant nor the user needs a record, because a backfill may send memberships first.
CREATE TABLE memberships (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    user_id     TEXT    NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    created_at  INTEGER NOT NULL,
    creation_id BLOB    NOT NULL CHECK (length(creation_id) = 16),
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_by_user ON memberships (user_id);

-- The ledger of creations. Its entries stay when records are deleted, because past answers must not change.
CREATE TABLE creations (
    tenant_id    BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    kind         TEXT    NOT NULL CHECK (kind IN ('create_tenant', 'create_saas_user', 'create_tenant_user')),
    user_id      TEXT             CHECK (length(user_id) BETWEEN 1 AND 128),
    region       TEXT             CHECK (length(region) BETWEEN 1 AND 55),
    user_pool_id TEXT             CHECK (length(user_pool_id) BETWEEN 1 AND 55),
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((kind = 'create_tenant') = (user_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX creations_by_time ON creations (kind, created_at);
CREATE INDEX creations_by_tenant ON creations (tenant_id, kind, user_id);
CREATE INDEX creations_by_user ON creations (user_id, kind, tenant_id) WHERE user_id IS NOT NULL;
CREATE INDEX creations_by_pool ON creations (user_pool_id, region, created_at) WHERE user_pool_id IS NOT NULL;

CREATE TABLE attribute_changes (
    seq        INTEGER NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    changed_at INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 32),
    old_value  TEXT             CHECK (length(old_value) <= 2048),
    new_value  TEXT             CHECK (length(new_value) <= 2048)
) STRICT;

-- SQLite appends the row number to every index, which here is seq.
CREATE INDEX attribute_changes_by_user ON attribute_changes (user_id, changed_at);

-- Rules of retention: how long events of a tenant and type are kept, and the sheets that count them. A tenant or a type
-- that is null is any. removed_before: the rule has removed events up to this time, so no older ones are accepted. A rule
-- that was removed stays with keep_days null for that time.
CREATE TABLE retention_rules (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant_id        BLOB             CHECK (length(tenant_id) = 16),
    kind             TEXT             CHECK (length(kind) BETWEEN 1 AND 64),
    keep_days        INTEGER          CHECK (keep_days BETWEEN 1 AND 36500),
    keep_sheets_days INTEGER          CHECK (keep_sheets_days BETWEEN 1 AND 36500),
    removed_before   INTEGER,
    created_at       INTEGER NOT NULL,
    changed_at       INTEGER NOT NULL,
    CHECK (keep_sheets_days IS NULL OR keep_sheets_days > keep_days)
) STRICT;

CREATE UNIQUE INDEX retention_rules_by_subject
    ON retention_rules (coalesce(hex(tenant_id), ''), coalesce(kind, ''));

-- Legal holds: nothing removes the events of this tenant, or of this user, or of this user in this tenant.
CREATE TABLE legal_holds (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    case_name  TEXT    NOT NULL CHECK (length(case_name) BETWEEN 1 AND 128),
    reason     TEXT    NOT NULL CHECK (length(reason) BETWEEN 1 AND 1024),
    tenant_id  BLOB             CHECK (length(tenant_id) = 16),
    user_id    TEXT             CHECK (length(user_id) BETWEEN 1 AND 128),
    created_at INTEGER NOT NULL,
    CHECK (tenant_id IS NOT NULL OR user_id IS NOT NULL)
) STRICT;

CREATE INDEX legal_holds_by_case ON legal_holds (case_name);

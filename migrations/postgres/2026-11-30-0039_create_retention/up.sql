-- Rules of retention: how long events of a tenant and type are kept, and the sheets that count them. A tenant or a type
-- that is null is any. removed_before: the rule has removed events up to this time, so no older ones are accepted. A rule
-- that was removed stays with keep_days null for that time.
CREATE TABLE retention_rules (
    id               uuid        NOT NULL PRIMARY KEY,
    tenant_id        uuid,
    kind             text                 CHECK (length(kind) BETWEEN 1 AND 64),
    keep_days        integer              CHECK (keep_days BETWEEN 1 AND 36500),
    keep_sheets_days integer              CHECK (keep_sheets_days BETWEEN 1 AND 36500),
    removed_before   timestamptz,
    created_at       timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    CHECK (keep_sheets_days IS NULL OR keep_sheets_days > keep_days)
);

DO $$ BEGIN CREATE UNIQUE INDEX retention_rules_by_subject
    ON retention_rules (coalesce(tenant_id::text, ''), coalesce(kind, ''));
END $$;

-- Legal holds: nothing removes the events of this tenant, or of this user, or of this user in this tenant.
CREATE TABLE legal_holds (
    id         uuid        NOT NULL PRIMARY KEY,
    case_name  text        NOT NULL CHECK (length(case_name) BETWEEN 1 AND 128),
    reason     text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 1024),
    tenant_id  uuid,
    user_id    text                 CHECK (length(user_id) BETWEEN 1 AND 128),
    created_at timestamptz NOT NULL,
    CHECK (tenant_id IS NOT NULL OR user_id IS NOT NULL)
);

DO $$ BEGIN CREATE INDEX legal_holds_by_case ON legal_holds (case_name);
END $$;

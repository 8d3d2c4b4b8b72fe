-- first_day is the first day of the period, in days since 1970.
CREATE TABLE reported_active_users (
    tenant_id BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    env_id    INTEGER NOT NULL CHECK (env_id BETWEEN 0 AND 4294967295),
    period    TEXT    NOT NULL CHECK (period IN ('daily', 'monthly')),
    first_day INTEGER NOT NULL,
    users     INTEGER NOT NULL CHECK (users >= 0),
    PRIMARY KEY (tenant_id, env_id, period, first_day)
) STRICT, WITHOUT ROWID;

CREATE INDEX reported_active_users_by_day ON reported_active_users (period, first_day, tenant_id, env_id);

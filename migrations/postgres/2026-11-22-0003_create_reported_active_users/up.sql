CREATE TABLE reported_active_users (
    tenant_id uuid             NOT NULL,
    env_id    bigint           NOT NULL CHECK (env_id BETWEEN 0 AND 4294967295),
    period    text COLLATE "C" NOT NULL CHECK (period IN ('daily', 'monthly')),
    first_day date             NOT NULL,
    users     bigint           NOT NULL CHECK (users >= 0),
    PRIMARY KEY (tenant_id, env_id, period, first_day)
);

DO $$ BEGIN
    CREATE INDEX reported_active_users_by_day ON reported_active_users (period, first_day, tenant_id, env_id);
END $$;

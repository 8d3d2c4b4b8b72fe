-- These rows are written often and live for a short time: on Citus they stay on the coordinator.
CREATE TABLE login_counters (
    key           bytea       NOT NULL PRIMARY KEY CHECK (octet_length(key) = 32),
    failures      bigint      NOT NULL CHECK (failures > 0),
    counted_at    timestamptz NOT NULL,
    blocked_until timestamptz
);

DO $$ BEGIN
    CREATE INDEX login_counters_by_time ON login_counters (counted_at);
END $$;

CREATE TABLE known_sources (
    name         bytea       NOT NULL CHECK (octet_length(name) = 32),
    source       inet        NOT NULL,
    logged_in_at timestamptz NOT NULL,
    PRIMARY KEY (name, source)
);

DO $$ BEGIN
    CREATE INDEX known_sources_by_time ON known_sources (logged_in_at);
END $$;

CREATE TABLE request_counts (
    key       text COLLATE "C" NOT NULL,
    starts_at timestamptz      NOT NULL,
    requests  bigint           NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (key, starts_at)
);

DO $$ BEGIN
    CREATE INDEX request_counts_by_time ON request_counts (starts_at);
END $$;

-- What retention has removed of each tenant: how many events, and the greatest of their numbers. A reader of the feed learns
-- by it that it missed some.
CREATE TABLE removed_events (
    bucket    INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    events    INTEGER NOT NULL CHECK (events > 0),
    until_seq INTEGER NOT NULL,
    PRIMARY KEY (bucket, tenant_id)
) STRICT, WITHOUT ROWID;

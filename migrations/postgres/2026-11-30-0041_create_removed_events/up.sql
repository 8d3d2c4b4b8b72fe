-- What retention has removed of each tenant: how many events, and the greatest of their numbers. A reader of the feed learns
-- by it that it missed some.
CREATE TABLE removed_events (
    bucket    smallint NOT NULL,
    tenant_id uuid     NOT NULL,
    events    bigint   NOT NULL CHECK (events > 0),
    until_seq bigint   NOT NULL,
    PRIMARY KEY (bucket, tenant_id)
);

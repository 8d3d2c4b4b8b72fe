-- One index in place of two: its first column also finds an id without a tenant. The ids of senders are random, or rise
-- with time; then a batch is written to one end of the index. With the tenant as first column, a batch is spread over the
-- index in both cases.
DO $$ BEGIN
    DROP INDEX event_ids_by_id;
    ALTER TABLE event_ids DROP CONSTRAINT event_ids_pkey;
    ALTER TABLE event_ids ADD PRIMARY KEY (id, tenant_id);
END $$;

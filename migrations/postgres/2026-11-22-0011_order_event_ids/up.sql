-- One index where there were two: its first column finds an id alone. Ids of senders are spread at random, or rise with
-- time, so that a batch goes to one end of the index; behind the tenant they were spread in either case.
DO $$ BEGIN
    DROP INDEX event_ids_by_id;
    ALTER TABLE event_ids DROP CONSTRAINT event_ids_pkey;
    ALTER TABLE event_ids ADD PRIMARY KEY (id, tenant_id);
END $$;

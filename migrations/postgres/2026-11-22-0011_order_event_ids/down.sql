DO $$ BEGIN
    ALTER TABLE event_ids DROP CONSTRAINT event_ids_pkey;
    ALTER TABLE event_ids ADD PRIMARY KEY (tenant_id, id);
    CREATE INDEX event_ids_by_id ON event_ids (id);
END $$;

DROP TABLE id_pages;
DROP TABLE id_runs;
CREATE UNIQUE INDEX IF NOT EXISTS events_by_id ON events (id, tenant_id);

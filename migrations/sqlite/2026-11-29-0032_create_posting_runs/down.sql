ALTER TABLE sheet_generation DROP COLUMN has_postings;
DROP TABLE hidden_posting_runs;
DROP TABLE posting_pages;
DROP TABLE posting_runs;

-- By these, rows answer lists.
CREATE INDEX IF NOT EXISTS events_by_time ON events (occurred_at);
CREATE INDEX IF NOT EXISTS events_by_tenant ON events (tenant_id, occurred_at);
CREATE INDEX IF NOT EXISTS events_by_user ON events (user_ref, occurred_at) WHERE user_ref IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_by_kind ON events (kind_ref, occurred_at);
CREATE INDEX IF NOT EXISTS events_by_source ON events (source_ref, occurred_at) WHERE source_ref IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_by_page ON events (page_ref, occurred_at) WHERE page_ref IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_by_session ON events (session_id, occurred_at) WHERE session_id IS NOT NULL;

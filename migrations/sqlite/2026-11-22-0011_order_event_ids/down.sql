-- SQLite has no table event_ids: the index events_by_id is in this order already.
SELECT 1;

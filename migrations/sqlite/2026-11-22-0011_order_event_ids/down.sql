-- SQLite has no table event_ids: its index events_by_id has this order already.
SELECT 1;

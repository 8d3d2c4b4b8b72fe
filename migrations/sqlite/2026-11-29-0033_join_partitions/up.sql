-- SQLite never had partitions: its events are in one table already.
SELECT 1;

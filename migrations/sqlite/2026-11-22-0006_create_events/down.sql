DROP VIEW event_log;
DROP TABLE events;

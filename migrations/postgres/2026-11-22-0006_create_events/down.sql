DROP VIEW event_log;
DROP TABLE events;
DROP SEQUENCE events_seq_seq;
DROP TABLE event_ids;

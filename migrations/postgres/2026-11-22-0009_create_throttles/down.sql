DROP TABLE request_counts;
DROP TABLE known_sources;
DROP TABLE login_counters;

DROP TABLE leases;
DROP TABLE sheet_generation;
DROP TABLE sheets;
DROP SEQUENCE deltas_seq_seq;
DROP TABLE deltas;

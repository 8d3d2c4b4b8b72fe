DROP TABLE leases;
DROP TABLE sheet_generation;
DROP TABLE sheets;
DROP TABLE deltas;

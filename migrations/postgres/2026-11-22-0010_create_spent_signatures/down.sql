DROP TABLE spent_signatures;

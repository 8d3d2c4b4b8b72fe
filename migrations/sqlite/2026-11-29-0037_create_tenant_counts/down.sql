DROP TABLE tenant_counts;

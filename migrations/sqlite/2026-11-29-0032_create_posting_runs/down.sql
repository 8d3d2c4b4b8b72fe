ALTER TABLE sheet_generation DROP COLUMN has_postings;
DROP TABLE hidden_posting_runs;
DROP TABLE posting_pages;
DROP TABLE posting_runs;

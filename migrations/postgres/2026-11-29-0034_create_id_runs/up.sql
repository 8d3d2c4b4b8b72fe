-- PostgreSQL keeps ids unique by a key.
SELECT 1;

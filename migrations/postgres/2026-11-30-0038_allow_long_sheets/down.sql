DO $$ BEGIN
    DELETE FROM sheets WHERE level > 3;
    ALTER TABLE sheets DROP CONSTRAINT sheets_level_check;
    ALTER TABLE sheets ADD CONSTRAINT sheets_level_check CHECK (level BETWEEN 1 AND 3);
END $$;

ALTER TABLE memberships DROP COLUMN changes_after;

-- A superseded token must not become valid again.
UPDATE refresh_tokens SET spent_at = superseded_at, superseded_at = NULL WHERE superseded_at IS NOT NULL;
ALTER TABLE refresh_tokens DROP COLUMN superseded_at;
ALTER TABLE refresh_tokens DROP COLUMN reissued_at;
ALTER TABLE refresh_tokens DROP COLUMN successor_hash;

-- The hash of the latest successor of a spent token; when the token got its second successor; when a token was superseded
-- by the second successor of the same token.
ALTER TABLE refresh_tokens ADD COLUMN successor_hash bytea CHECK (octet_length(successor_hash) = 32);
ALTER TABLE refresh_tokens ADD COLUMN reissued_at timestamptz
    CHECK (reissued_at IS NULL OR (spent_at IS NOT NULL AND successor_hash IS NOT NULL));
ALTER TABLE refresh_tokens ADD COLUMN superseded_at timestamptz CHECK (superseded_at IS NULL OR spent_at IS NULL);

-- The last change of the user's attributes before the membership began: the tenant sees the later ones. A user who never
-- was a member of another tenant has no change of another one.
ALTER TABLE memberships ADD COLUMN changes_after bigint NOT NULL DEFAULT 0;

UPDATE memberships
SET changes_after =
    (SELECT coalesce(max(c.seq), 0) FROM attribute_changes AS c WHERE c.user_id = memberships.user_id)
WHERE EXISTS (SELECT 1 FROM creations AS o
              WHERE o.user_id = memberships.user_id AND o.kind = 'create_tenant_user'
                AND o.tenant_id <> memberships.tenant_id);

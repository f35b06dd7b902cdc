-- The version of what a profile's evidence is read from, and the one before it; none where nothing
-- of it ever changed.
SELECT
    version,
    previous
FROM profiles_evidenceversion
WHERE profile_id = %(profile_id)s

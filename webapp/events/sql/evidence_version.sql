-- The version of what a profile's evidence is read from; none where nothing of it ever changed.
SELECT version
FROM profiles_evidenceversion
WHERE profile_id = %(profile)s

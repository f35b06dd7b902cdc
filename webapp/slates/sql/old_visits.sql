-- Visits that began before a moment, by id, and whose; if asked so, only those of nobody's profile.
SELECT
    id,
    profile_id
FROM events_visit
WHERE
    id > %(after)s
    AND started_at < %(until)s
    AND (NOT %(only_anonymous)s OR profile_id IS NULL)
ORDER BY id
LIMIT %(most)s

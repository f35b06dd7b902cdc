-- Slates made between two moments, the oldest first, and whose; if asked so, only those that
-- answered a keystroke and that no event names.
SELECT
    slate.id,
    slate.created_at,
    visit.profile_id
FROM events_slate AS slate
INNER JOIN events_visit AS visit ON visit.id = slate.visit_id
WHERE
    slate.created_at >= %(since)s
    AND slate.created_at < %(until)s
    AND (
        NOT %(only_unused)s
        OR (
            slate.is_keystroke
            AND NOT EXISTS (SELECT FROM events_event AS event WHERE event.slate_id = slate.id)
        )
    )
ORDER BY slate.created_at
LIMIT %(most)s

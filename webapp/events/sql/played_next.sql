-- Of the newest plays of a title by people's profiles, whose each was and the title that this
-- profile began next; null where it began none.
SELECT
    begun.profile_id,
    (
        SELECT following.title_id
        FROM events_event AS following
        WHERE
            following.kind = 'play'
            AND following.profile_id = begun.profile_id
            AND following.occurred_at > begun.occurred_at
            AND following.title_id IS DISTINCT FROM %(title)s
        ORDER BY following.occurred_at
        LIMIT 1
    ) AS next_title
FROM events_event AS begun
INNER JOIN events_visit AS visit ON begun.visit_id = visit.id
WHERE
    NOT visit.is_bot
    AND NOT visit.is_simulated
    AND begun.kind = 'play'
    AND begun.profile_id IS NOT NULL
    AND begun.title_id = %(title)s
ORDER BY begun.occurred_at DESC
LIMIT %(players)s

-- How far an anonymous browser is in each title that it began in this visit or the one before.
SELECT
    play.title_id,
    latest.visit_id,
    latest.kind,
    latest.occurred_at,
    play.began_at,
    coalesce(latest.position_seconds, 0) AS position_seconds,
    coalesce(play.duration_seconds, 0) AS duration_seconds,
    play.qualified_at
FROM (
    SELECT
        title_id,
        min(began_at) AS began_at,
        max(duration_seconds) AS duration_seconds,
        min(qualified_at) AS qualified_at
    FROM events_play
    WHERE
        profile_id IS NULL
        AND visit_id IN (%(visit)s, %(previous)s)
        AND (%(title)s::bigint IS NULL OR title_id = %(title)s)
    GROUP BY title_id
) AS play
CROSS JOIN LATERAL (
    SELECT
        visit_id,
        kind,
        occurred_at,
        position_seconds
    FROM events_event
    WHERE
        profile_id IS NULL
        AND visit_id IN (%(visit)s, %(previous)s)
        AND title_id = play.title_id
        AND kind IN ('play', 'progress', 'stop', 'finish')
    ORDER BY occurred_at DESC, received_at DESC
    LIMIT 1
) AS latest
ORDER BY latest.occurred_at, play.title_id

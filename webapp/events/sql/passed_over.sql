-- Titles that a visit has seen a card of, the newest first; of its newest events alone.
SELECT title_id
FROM (
    SELECT
        kind,
        title_id,
        occurred_at
    FROM events_event
    WHERE visit_id = %(visit)s
    ORDER BY occurred_at DESC
    LIMIT %(events)s
) AS event
WHERE kind = 'impression'
GROUP BY title_id
ORDER BY max(occurred_at) DESC, title_id
LIMIT %(most)s

-- The newest events of a visit, and before them those of the browser's visit before it.
-- Impressions and progress come by the hundred and are left out.
(
    SELECT
        kind,
        title_id,
        value,
        occurred_at,
        received_at,
        query,
        visit_id,
        subject
    FROM events_event
    WHERE
        profile_id IS NULL
        AND visit_id = %(previous)s
        AND occurred_at >= %(since)s
        AND kind NOT IN ('impression', 'progress')
    ORDER BY occurred_at DESC, received_at DESC
    LIMIT %(earlier_events)s
)
UNION ALL
(
    SELECT
        kind,
        title_id,
        value,
        occurred_at,
        received_at,
        query,
        visit_id,
        subject
    FROM events_event
    WHERE
        visit_id = %(visit)s
        AND kind NOT IN ('impression', 'progress')
    ORDER BY occurred_at DESC, received_at DESC
    LIMIT %(visit_events)s
)

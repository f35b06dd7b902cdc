-- Days to count: something arrived for their visits, or their visits are not those counted.
WITH told AS (
    SELECT visit_id
    FROM events_event
    WHERE received_at >= %(arrived)s
    UNION
    SELECT visit_id
    FROM events_slate
    WHERE created_at >= %(arrived)s
),

news AS (
    SELECT (v.started_at AT TIME ZONE 'UTC')::date AS day
    FROM told
    INNER JOIN events_visit AS v ON v.id = told.visit_id
    UNION
    SELECT coalesce(v.day, c.day) AS day
    FROM (
        SELECT
            (started_at AT TIME ZONE 'UTC')::date AS day,
            count(*) AS visits
        FROM events_visit
        GROUP BY 1
    ) AS v
    FULL JOIN metrics_countedday AS c ON c.day = v.day
    WHERE v.visits IS DISTINCT FROM c.visits AND NOT (v.visits IS NULL AND c.visits = 0)
)

SELECT day
FROM news
WHERE day >= %(first_day)s
ORDER BY day;

-- The last hour of real viewers: responses by surface, and how late events came.
SELECT
    s.surface,
    count(*) AS responses,
    count(*) FILTER (WHERE s.fallback_reason <> '') AS fallbacks,
    percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY s.took_ms) AS took_ms
FROM (
    SELECT
        visit_id,
        fallback_reason,
        took_ms,
        CASE
            WHEN is_keystroke THEN 'typing'
            ELSE surface
        END AS surface
    FROM events_slate
    WHERE created_at >= %(since)s
    ORDER BY created_at DESC
    LIMIT %(most)s
) AS s
INNER JOIN events_visit AS v ON v.id = s.visit_id
WHERE NOT v.is_simulated AND NOT v.is_bot
GROUP BY s.surface
ORDER BY s.surface;

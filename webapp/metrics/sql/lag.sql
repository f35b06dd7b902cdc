-- How late the events of the last hour came, of real viewers.
SELECT
    count(*) AS events,
    percentile_cont(0.95) WITHIN GROUP (
        ORDER BY extract(EPOCH FROM e.received_at - e.occurred_at)::float8
    ) AS lag
FROM events_event AS e
INNER JOIN events_visit AS v ON v.id = e.visit_id
WHERE e.received_at >= %(since)s AND NOT v.is_simulated AND NOT v.is_bot;

-- What became of visits: of those that saw something, and of all.
INSERT INTO day_fact
SELECT
    fact.metric,
    outcome.visit,
    '' AS dimension,
    '' AS slice,
    fact.n::int AS n,
    1 AS d
FROM day_outcome AS outcome
CROSS JOIN LATERAL (
    VALUES
    ('abandonment', outcome.qualified_at IS NULL),
    ('good_abandonment', outcome.qualified_at IS NULL AND outcome.is_pleased)
) AS fact (metric, n)
WHERE outcome.seen_at IS NOT NULL;

INSERT INTO day_fact
SELECT
    'bot_share' AS metric,
    n AS visit,
    '' AS dimension,
    '' AS slice,
    is_bot::int AS n,
    1 AS d
FROM day_visit
WHERE NOT is_on;

INSERT INTO day_fact
SELECT
    'history_size' AS metric,
    last.visit,
    '' AS dimension,
    '' AS slice,
    last.history AS n,
    1 AS d
FROM day_last_slate AS last
INNER JOIN day_visit AS v ON v.n = last.visit
WHERE v.profile_id IS NOT NULL AND last.history IS NOT NULL;

INSERT INTO day_fact
SELECT
    'event_lag_seconds' AS metric,
    visit,
    '' AS dimension,
    '' AS slice,
    sum(extract(EPOCH FROM received_at - occurred_at)) AS n,
    count(*) AS d
FROM day_event
GROUP BY visit;

-- How pages were answered.
INSERT INTO day_fact
SELECT
    fact.metric,
    sums.visit,
    sums.dimension,
    sums.slice,
    fact.n,
    fact.d
FROM (
    SELECT
        s.visit,
        CASE WHEN grouping(s.surface) = 0 THEN 'surface' ELSE '' END AS dimension,
        coalesce(s.surface, '') AS slice,
        count(*) AS slates,
        count(*) FILTER (WHERE s.is_fallback) AS fallbacks,
        coalesce(sum(extract(EPOCH FROM s.created_at - r.created_at) / 3600), 0) AS hours,
        count(r.id) AS released
    FROM day_slate AS s
    LEFT JOIN releases_release AS r ON r.id = s.release_id AND r.created_at <= s.created_at
    GROUP BY GROUPING SETS ((s.visit), (s.visit, s.surface))
) AS sums
CROSS JOIN LATERAL (
    VALUES
    ('fallback_share', sums.fallbacks::float8, sums.slates),
    ('model_age_hours', sums.hours::float8, sums.released)
) AS fact (metric, n, d)
WHERE fact.d > 0;

-- Whether the last page of a visit was made with the newest that the visit had told by then. An
-- arm may be one that does without it on purpose.
INSERT INTO day_fact
SELECT
    'freshness' AS metric,
    last.visit,
    '' AS dimension,
    '' AS slice,
    coalesce(last.newest_at >= told.newest_at - interval '1 millisecond', false)::int AS n,
    1 AS d
FROM day_last_slate AS last
INNER JOIN day_visit AS v ON v.n = last.visit
INNER JOIN (
    SELECT
        e.visit,
        max(e.occurred_at) AS newest_at
    FROM day_event AS e
    INNER JOIN day_last_slate AS l ON l.visit = e.visit
    WHERE e.kind IN ('open', 'choose', 'play', 'finish', 'search') AND e.received_at < l.created_at
    GROUP BY e.visit
) AS told ON told.visit = last.visit
WHERE last.is_personal AND (v.arm IS NULL OR last.newest_at IS NOT NULL);

-- Titles that stand more than once on a home page, and exploration slots, of a fixed sample
-- of the day's pages. An exploration slot that holds another title has a propensity below one half.
INSERT INTO day_fact
SELECT
    fact.metric,
    page.visit,
    '' AS dimension,
    '' AS slice,
    sum(fact.n) AS n,
    sum(page.positions) AS d
FROM (
    SELECT
        sample.visit,
        sample.id,
        count(*) AS positions,
        count(*) - count(DISTINCT shown.title) AS repeated,
        count(*) FILTER (WHERE shown.propensity::float8 < 0.5) AS explored
    FROM (
        SELECT
            s.visit,
            s.id,
            row_number() OVER (PARTITION BY v.is_simulated ORDER BY s.id) AS number
        FROM day_slate AS s
        INNER JOIN day_visit AS v ON v.n = s.visit
        WHERE s.surface = 'home'
    ) AS sample
    INNER JOIN events_slate AS s ON s.id = sample.id
    CROSS JOIN LATERAL jsonb_array_elements(s.rows) AS shelf (told)
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_array_elements_text(shelf.told -> 'titles'),
        jsonb_array_elements_text(shelf.told -> 'propensities')
    ) AS shown (title, propensity)
    WHERE sample.number <= %(slates_sampled)s
    GROUP BY sample.visit, sample.id
) AS page
CROSS JOIN LATERAL (
    VALUES ('row_redundancy', page.repeated), ('exploration_share', page.explored)
) AS fact (metric, n)
GROUP BY fact.metric, page.visit;

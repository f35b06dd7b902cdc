-- What is of a day as a whole: how widely the catalogue was seen, and how long answers took.
-- A percentile is kept times the number it is of, so that days add up to a weighted mean.
INSERT INTO metrics_dailymetric (
    day, is_simulated, metric, dimension, slice, numerator, denominator, viewers,
    sum_nn, sum_nd, sum_dd
)
SELECT
    %(day)s AS day,
    whole.is_simulated,
    whole.metric,
    whole.dimension,
    whole.slice,
    round(whole.numerator::numeric, 6)::float8 AS numerator,
    whole.denominator,
    whole.viewers,
    0 AS sum_nn,
    0 AS sum_nd,
    0 AS sum_dd
FROM (
    WITH available AS (
        SELECT count(*) AS titles
        FROM catalog_title
        WHERE is_available AND added_at < %(until)s
    ),

    seen AS (
        SELECT
            v.is_simulated,
            p.title_id,
            count(*) AS times,
            row_number() OVER (PARTITION BY v.is_simulated ORDER BY count(*)) AS rank
        FROM day_position AS p
        INNER JOIN day_visit AS v ON v.n = p.visit
        INNER JOIN catalog_title AS t ON t.id = p.title_id
        WHERE t.is_available AND t.added_at < %(until)s
        GROUP BY v.is_simulated, p.title_id
    ),

    watching AS (
        SELECT
            v.is_simulated,
            count(DISTINCT v.viewer) AS viewers
        FROM day_position AS p
        INNER JOIN day_visit AS v ON v.n = p.visit
        GROUP BY v.is_simulated
    ),

    spread AS (
        SELECT
            s.is_simulated,
            count(*) AS titles,
            sum(s.times) AS times,
            sum(s.times * (2 * (a.titles - n.titles + s.rank) - a.titles - 1)) AS lean,
            max(a.titles) AS available
        FROM seen AS s
        CROSS JOIN available AS a
        INNER JOIN (
            SELECT
                is_simulated,
                count(*) AS titles
            FROM seen
            GROUP BY is_simulated
        ) AS n ON n.is_simulated = s.is_simulated
        GROUP BY s.is_simulated
    ),

    answered AS (
        SELECT
            v.is_simulated,
            CASE WHEN grouping(s.surface) = 0 THEN 'surface' ELSE 'all' END AS dimension,
            coalesce(s.surface, '') AS slice,
            count(*) AS slates,
            count(DISTINCT v.viewer) AS viewers,
            percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY s.took_ms) AS took
        FROM day_slate AS s
        INNER JOIN day_visit AS v ON v.n = s.visit
        GROUP BY GROUPING SETS ((v.is_simulated), (v.is_simulated, s.surface))
    ),

    late AS (
        SELECT
            v.is_simulated,
            count(*) AS events,
            count(DISTINCT v.viewer) AS viewers,
            percentile_cont(0.95) WITHIN GROUP (
                ORDER BY extract(EPOCH FROM e.received_at - e.occurred_at)::float8
            ) AS lag
        FROM day_event AS e
        INNER JOIN day_visit AS v ON v.n = e.visit
        GROUP BY v.is_simulated
    )

    SELECT
        s.is_simulated,
        fact.metric,
        'all' AS dimension,
        '' AS slice,
        fact.numerator,
        fact.denominator,
        w.viewers
    FROM spread AS s
    INNER JOIN watching AS w ON w.is_simulated = s.is_simulated
    CROSS JOIN LATERAL (
        VALUES
        ('coverage', s.titles::float8, s.available::float8),
        ('gini', s.lean::float8, (s.available * s.times)::float8)
    ) AS fact (metric, numerator, denominator)
    UNION ALL
    SELECT
        a.is_simulated,
        fact.metric,
        a.dimension,
        a.slice,
        fact.ms * a.slates AS numerator,
        a.slates AS denominator,
        a.viewers
    FROM answered AS a
    CROSS JOIN LATERAL (
        VALUES
        ('response_p50_ms', a.took[1]), ('response_p95_ms', a.took[2]),
        ('response_p99_ms', a.took[3])
    ) AS fact (metric, ms)
    UNION ALL
    SELECT
        is_simulated,
        'event_lag_p95_seconds' AS metric,
        'all' AS dimension,
        '' AS slice,
        lag * events AS numerator,
        events AS denominator,
        viewers
    FROM late
) AS whole;

-- Times from the first impression to a play, or to the visit's end without one, in bins.
INSERT INTO metrics_dailytimes (day, is_simulated, dimension, slice, played, "left")
WITH timed AS (
    SELECT
        v.is_simulated,
        s.dimension,
        s.slice,
        width_bucket(
            extract(EPOCH FROM coalesce(o.qualified_at, o.last_at) - o.seen_at)::float8,
            %(bin_edges)s::float8[]
        ) AS bin,
        count(o.qualified_at) AS played,
        count(*) - count(o.qualified_at) AS gone
    FROM day_outcome AS o
    INNER JOIN day_visit AS v ON v.n = o.visit
    INNER JOIN day_slice AS s ON s.visit = o.visit
    WHERE o.seen_at IS NOT NULL AND coalesce(o.qualified_at >= o.seen_at, true)
    GROUP BY v.is_simulated, s.dimension, s.slice, bin
)

SELECT
    %(day)s AS day,
    slices.is_simulated,
    slices.dimension,
    slices.slice,
    array_agg(coalesce(timed.played, 0) ORDER BY bins.bin) AS played,
    array_agg(coalesce(timed.gone, 0) ORDER BY bins.bin) AS gone
FROM (SELECT DISTINCT is_simulated, dimension, slice FROM timed) AS slices
CROSS JOIN generate_series(0, array_length(%(bin_edges)s::float8[], 1)) AS bins (bin)
LEFT JOIN timed
    ON
        timed.is_simulated = slices.is_simulated
        AND timed.dimension = slices.dimension
        AND timed.slice = slices.slice
        AND timed.bin = bins.bin
GROUP BY slices.is_simulated, slices.dimension, slices.slice;

-- What was searched for: the texts most searches ended with, and those that failed most.
INSERT INTO metrics_dailyquery (day, is_simulated, query, intents, failed, empty)
SELECT
    %(day)s AS day,
    is_simulated,
    query,
    intents,
    failed,
    empty
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY is_simulated ORDER BY intents DESC, query) AS by_use,
        row_number() OVER (PARTITION BY is_simulated ORDER BY failed DESC, query) AS by_failure
    FROM (
        SELECT
            v.is_simulated,
            i.query,
            count(*) AS intents,
            count(*) FILTER (WHERE NOT i.is_success) AS failed,
            count(*) FILTER (WHERE i.is_empty) AS empty
        FROM day_intent AS i
        INNER JOIN day_visit AS v ON v.n = i.visit
        WHERE i.query IS NOT NULL
        GROUP BY v.is_simulated, i.query
    ) AS counted
) AS ranked
WHERE by_use <= %(queries_kept)s OR by_failure <= %(queries_kept)s;

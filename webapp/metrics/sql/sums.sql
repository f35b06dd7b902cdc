-- Facts of visits, summed up by viewer and then by slice, with the moments of the viewers' sums.
INSERT INTO metrics_dailymetric (
    day, is_simulated, metric, dimension, slice, numerator, denominator, viewers,
    sum_nn, sum_nd, sum_dd
)
SELECT
    %(day)s AS day,
    is_simulated,
    metric,
    dimension,
    slice,
    round(sum(n)::numeric, 6)::float8 AS numerator,
    sum(d) AS denominator,
    count(*) AS viewers,
    round(sum(n * n)::numeric, 6)::float8 AS sum_nn,
    round(sum(n * d)::numeric, 6)::float8 AS sum_nd,
    sum(d * d) AS sum_dd
FROM (
    SELECT
        v.is_simulated,
        f.metric,
        s.dimension,
        s.slice,
        v.viewer,
        sum(f.n) AS n,
        sum(f.d) AS d
    FROM day_fact AS f
    INNER JOIN day_visit AS v ON v.n = f.visit
    INNER JOIN day_slice AS s ON s.visit = f.visit
    WHERE f.dimension = ''
    GROUP BY v.is_simulated, f.metric, s.dimension, s.slice, v.viewer
    UNION ALL
    SELECT
        v.is_simulated,
        f.metric,
        f.dimension,
        f.slice,
        v.viewer,
        sum(f.n) AS n,
        sum(f.d) AS d
    FROM day_fact AS f
    INNER JOIN day_visit AS v ON v.n = f.visit
    WHERE f.dimension <> ''
    GROUP BY v.is_simulated, f.metric, f.dimension, f.slice, v.viewer
) AS of_viewer
GROUP BY is_simulated, metric, dimension, slice;

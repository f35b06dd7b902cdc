-- What was seen, and what was opened or watched of it.
INSERT INTO day_fact
SELECT
    fact.metric,
    sums.visit,
    sums.dimension,
    sums.slice,
    fact.n,
    sums.d
FROM (
    SELECT
        position.visit,
        CASE
            WHEN grouping(position.surface) = 0 THEN 'surface'
            WHEN grouping(position.row) = 0 THEN 'row'
            WHEN grouping(position.slot) = 0 THEN 'slot'
            ELSE ''
        END AS dimension,
        coalesce(position.surface, position.row, position.slot, '') AS slice,
        count(*) AS d,
        count(*) FILTER (WHERE position.is_clicked) AS clicked,
        count(*) FILTER (WHERE position.is_converted) AS converted
    FROM (
        SELECT
            p.visit,
            p.surface,
            coalesce(nullif(p.row, ''), 'none') AS row,
            CASE
                WHEN p.slot IS NULL THEN 'none'
                WHEN p.slot >= 20 THEN '20 on'
                ELSE p.slot::text
            END AS slot,
            p.is_clicked OR c.visit IS NOT NULL AS is_clicked,
            coalesce(c.is_qualified, false) AS is_converted
        FROM day_position AS p
        LEFT JOIN day_credit AS c
            ON c.visit = p.visit AND c.slate_id = p.slate_id AND c.title_id = p.title_id
    ) AS position
    GROUP BY GROUPING SETS (
        (position.visit), (position.visit, position.surface), (position.visit, position.row),
        (position.visit, position.slot)
    )
) AS sums
CROSS JOIN LATERAL (
    VALUES ('ctr', sums.clicked), ('conversion_rate', sums.converted)
) AS fact (metric, n);

-- Suggestions before a query, once for each page of them that was seen.
INSERT INTO day_fact
SELECT
    'prequery_acceptance' AS metric,
    visit,
    '' AS dimension,
    '' AS slice,
    sum(is_accepted::int) AS n,
    count(*) AS d
FROM (
    SELECT
        p.visit,
        p.slate_id,
        bool_or(p.is_clicked OR c.visit IS NOT NULL) AS is_accepted
    FROM day_position AS p
    LEFT JOIN day_credit AS c
        ON c.visit = p.visit AND c.slate_id = p.slate_id AND c.title_id = p.title_id
    WHERE p.surface = 'prequery'
    GROUP BY p.visit, p.slate_id
) AS page
GROUP BY visit;

-- How rare it is that a viewer sees a title: -log2 of the share of the day's viewers who saw it.
INSERT INTO day_fact
SELECT
    'novelty' AS metric,
    seen.visit,
    '' AS dimension,
    '' AS slice,
    sum(rarity.bits) AS n,
    count(*) AS d
FROM (SELECT DISTINCT visit, title_id FROM day_position) AS seen
INNER JOIN day_visit AS v ON v.n = seen.visit
INNER JOIN (
    SELECT
        v.is_simulated,
        p.title_id,
        -log(2, count(DISTINCT v.viewer)::numeric / max(a.viewers))::float8 AS bits
    FROM day_position AS p
    INNER JOIN day_visit AS v ON v.n = p.visit
    INNER JOIN (
        SELECT
            v.is_simulated,
            count(DISTINCT v.viewer) AS viewers
        FROM day_position AS p
        INNER JOIN day_visit AS v ON v.n = p.visit
        GROUP BY v.is_simulated
    ) AS a ON a.is_simulated = v.is_simulated
    GROUP BY v.is_simulated, p.title_id
) AS rarity ON rarity.is_simulated = v.is_simulated AND rarity.title_id = seen.title_id
GROUP BY seen.visit;

-- One less the mean cosine of the genres of two titles seen on one slate, over its pairs. With
-- each title a vector of length 1, the sum over pairs follows from the sum of the vectors.
INSERT INTO day_fact
SELECT
    'diversity' AS metric,
    visit,
    '' AS dimension,
    '' AS slice,
    sum(1 - (squared - titles) / (titles * (titles - 1))) AS n,
    count(*) AS d
FROM (
    SELECT
        g.visit,
        g.slate_id,
        sum(g.together ^ 2) AS squared,
        max(t.titles) AS titles
    FROM (
        SELECT
            p.visit,
            p.slate_id,
            tg.genre_id,
            sum(told.weight) AS together
        FROM day_position AS p
        INNER JOIN catalog_title_genres AS tg ON tg.title_id = p.title_id
        INNER JOIN (
            SELECT
                title_id,
                1 / sqrt(count(*)) AS weight
            FROM catalog_title_genres
            GROUP BY title_id
        ) AS told ON told.title_id = p.title_id
        GROUP BY p.visit, p.slate_id, tg.genre_id
    ) AS g
    INNER JOIN (
        SELECT
            p.visit,
            p.slate_id,
            count(*) AS titles
        FROM day_position AS p
        WHERE EXISTS (SELECT 1 FROM catalog_title_genres AS tg WHERE tg.title_id = p.title_id)
        GROUP BY p.visit, p.slate_id
    ) AS t ON t.visit = g.visit AND t.slate_id = g.slate_id
    WHERE t.titles > 1
    GROUP BY g.visit, g.slate_id
) AS slate
GROUP BY visit;

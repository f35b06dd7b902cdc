-- A search intent: one run of typing, to a choice or to giving up. It begins with a search that
-- follows none, or one that led to a person, a genre or another page, or one by over five minutes,
-- and with a choice that follows no search.
CREATE TEMP TABLE day_intent ON COMMIT DROP AS
WITH step AS (
    SELECT
        e.visit,
        e.kind,
        e.occurred_at,
        e.received_at,
        lower(btrim(e.query)) AS query,
        e.slate_id,
        e.kind = 'choose' OR (e.kind = 'search' AND e.value IN ('person', 'genre', 'redirect'))
        OR (e.kind IN ('open', 'play') AND coalesce(s.surface = 'search', false)) AS is_success
    FROM day_event AS e
    LEFT JOIN day_slate AS s ON s.id = e.slate_id
    WHERE e.kind IN ('search', 'choose', 'open', 'play')
),

ordered AS (
    SELECT
        *,
        lag(kind) OVER run AS kind_before,
        lag(is_success) OVER run AS was_success,
        lag(query) OVER run AS query_before,
        lag(occurred_at) OVER run AS at_before
    FROM step
    WINDOW run AS (PARTITION BY visit ORDER BY occurred_at, received_at, kind)
),

marked AS (
    SELECT
        *,
        CASE kind
            WHEN 'search'
                THEN coalesce(
                    kind_before <> 'search' OR was_success
                    OR occurred_at - at_before > interval '5 minutes',
                    true
                )
            WHEN 'choose'
                THEN coalesce(
                    kind_before <> 'search' OR was_success
                    OR occurred_at - at_before > interval '5 minutes',
                    true
                )
            ELSE is_success AND NOT coalesce(kind_before = 'search' OR was_success, false)
        END AS is_start
    FROM ordered
),

numbered AS (
    SELECT
        *,
        sum(is_start::int) OVER (
            PARTITION BY visit ORDER BY occurred_at, received_at, kind ROWS UNBOUNDED PRECEDING
        ) AS intent
    FROM marked
),

gathered AS (
    SELECT
        visit,
        intent,
        bool_or(is_success) AS is_success,
        bool_or(
            kind = 'search' AND NOT is_start AND kind_before = 'search'
            AND NOT starts_with(query, query_before) AND NOT starts_with(query_before, query)
        ) AS is_reformulated,
        (array_agg(query ORDER BY occurred_at, received_at) FILTER (WHERE kind = 'choose'))[1]
            AS chosen_query,
        (array_agg(query ORDER BY occurred_at DESC, received_at DESC)
            FILTER (WHERE kind = 'search'))[1] AS last_query,
        (array_agg(slate_id ORDER BY occurred_at DESC, received_at DESC)
            FILTER (WHERE kind = 'search'))[1] AS last_slate,
        max(occurred_at) FILTER (WHERE kind = 'search') AS searched_at
    FROM numbered
    WHERE intent > 0
    GROUP BY visit, intent
)

SELECT
    g.visit,
    g.intent,
    g.is_success,
    g.is_reformulated,
    nullif(g.chosen_query, '') AS chosen_query,
    coalesce(nullif(g.last_query, ''), nullif(g.chosen_query, '')) AS query,
    answer.is_empty
FROM gathered AS g
LEFT JOIN LATERAL (
    SELECT
        NOT EXISTS (
            SELECT 1
            FROM jsonb_array_elements(s.rows) AS shelf (told)
            WHERE shelf.told ->> 'kind' = 'results'
        ) AS is_empty
    FROM day_slate AS d
    INNER JOIN events_slate AS s ON s.id = d.id
    WHERE
        d.visit = g.visit AND d.surface = 'search'
        AND (
            d.id = g.last_slate
            OR (
                g.last_slate IS NULL
                AND d.created_at <= g.searched_at + interval '5 seconds'
                AND lower(btrim(s.snapshot ->> 'text')) = g.last_query
            )
        )
    ORDER BY d.created_at DESC
    LIMIT 1
) AS answer ON g.last_query <> '';

INSERT INTO day_fact
SELECT
    fact.metric,
    intent.visit,
    '' AS dimension,
    '' AS slice,
    sum(fact.n) AS n,
    count(*) AS d
FROM day_intent AS intent
CROSS JOIN LATERAL (
    VALUES
    ('search_success', intent.is_success::int),
    ('zero_results', intent.is_empty::int),
    ('reformulation', coalesce(intent.is_reformulated, false)::int),
    ('characters_to_success', length(intent.chosen_query))
) AS fact (metric, n)
WHERE fact.n IS NOT NULL
GROUP BY fact.metric, intent.visit;

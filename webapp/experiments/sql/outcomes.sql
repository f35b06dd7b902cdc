-- What became of each of these visits: when it first saw something on home, before a query or in
-- search, when it ended, its positions seen, its first qualified play and its conversions.
-- Abandonment and conversion as in webapp/metrics/sql/gather.sql (docs/metrics.md).
SELECT
    visit.id,
    seen.first_seen_at,
    seen.last_at,
    seen.events,
    seen.positions,
    played.qualified_at,
    played.conversions
FROM events_visit AS visit
CROSS JOIN LATERAL (
    SELECT
        min(occurred_at) FILTER (
            WHERE kind = 'impression' AND surface IN ('home', 'prequery', 'search')
        ) AS first_seen_at,
        max(occurred_at) AS last_at,
        count(*) AS events,
        count(DISTINCT (slate_id, title_id)) FILTER (
            WHERE kind IN ('impression', 'open', 'choose', 'play')
            AND slate_id IS NOT NULL AND title_id IS NOT NULL
        ) AS positions
    FROM events_event
    WHERE visit_id = visit.id
) AS seen
CROSS JOIN LATERAL (
    SELECT
        min(play.qualified_at) AS qualified_at,
        count(play.qualified_at) FILTER (
            WHERE EXISTS (
                SELECT FROM events_event AS position
                WHERE
                    position.visit_id = visit.id
                    AND position.title_id = play.title_id
                    AND position.slate_id IS NOT NULL
                    AND position.kind IN ('impression', 'open', 'choose', 'play')
                    AND position.occurred_at <= play.began_at
            )
        ) AS conversions
    -- OFFSET keeps the visit a constant below the view's grouping, so that an index is used.
    FROM (SELECT * FROM events_play WHERE visit_id = visit.id OFFSET 0) AS play
) AS played
WHERE visit.id = ANY(%(visits)s)

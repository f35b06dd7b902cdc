-- A day's visits and what belongs to them, in tables that go with the transaction.
-- A visit is of the day it began on; all its events are that day's, whenever they came.
DROP TABLE IF EXISTS day_visit, day_event, day_slate, day_last_slate, day_position, day_play,
    day_credit, day_outcome, day_slice, day_intent, day_fact;

CREATE TEMP TABLE day_visit ON COMMIT DROP AS
SELECT
    row_number() OVER () AS n,
    id,
    is_simulated,
    profile_id,
    coalesce(profile_id, -row_number() OVER ()) AS viewer,
    CASE WHEN experiment <> '' THEN experiment || '/' || arm END AS arm,
    is_bot AND NOT is_simulated AS is_bot,
    false AS is_on
FROM events_visit
WHERE started_at >= %(since)s AND started_at < %(until)s;
CREATE UNIQUE INDEX ON day_visit (id);
ANALYZE day_visit;

CREATE TEMP TABLE day_event ON COMMIT DROP AS
SELECT
    v.n AS visit,
    e.kind,
    e.title_id,
    e.occurred_at,
    e.received_at,
    e.surface,
    e.slate_id,
    e.row,
    e.slot,
    e.position_seconds,
    e.duration_seconds,
    e.value,
    e.query
FROM day_visit AS v
INNER JOIN events_event AS e ON e.visit_id = v.id
WHERE NOT v.is_bot;

-- Answers to keystrokes are left out: they are deleted after a day, and a day counted again is to
-- give the same.
CREATE TEMP TABLE day_slate ON COMMIT DROP AS
SELECT
    v.n AS visit,
    s.id,
    s.surface,
    s.created_at,
    s.took_ms,
    s.fallback_reason <> '' AS is_fallback,
    s.release_id
FROM day_visit AS v
INNER JOIN events_slate AS s ON s.visit_id = v.id
WHERE NOT v.is_bot AND NOT s.is_keystroke;

-- A program that does not say so gives itself away by how much it does. A visit that may still go
-- on is not counted yet.
UPDATE day_visit
SET
    is_bot = NOT is_simulated AND told.events > %(bot_events)s,
    is_on = greatest(told.last_event_at, told.last_slate_at) > %(settled)s
FROM (
    SELECT
        visit,
        sum(events) AS events,
        max(last_event_at) AS last_event_at,
        max(last_slate_at) AS last_slate_at
    FROM (
        SELECT
            visit,
            count(*) AS events,
            max(occurred_at) AS last_event_at,
            NULL::timestamptz AS last_slate_at
        FROM day_event
        GROUP BY visit
        UNION ALL
        SELECT
            visit,
            0 AS events,
            NULL::timestamptz AS last_event_at,
            max(created_at) AS last_slate_at
        FROM day_slate
        GROUP BY visit
    ) AS parts
    GROUP BY visit
) AS told
WHERE
    told.visit = day_visit.n
    AND (
        told.events > %(bot_events)s
        OR greatest(told.last_event_at, told.last_slate_at) > %(settled)s
    );
DELETE FROM day_event USING day_visit
WHERE day_visit.n = day_event.visit AND (day_visit.is_bot OR day_visit.is_on);
DELETE FROM day_slate USING day_visit
WHERE day_visit.n = day_slate.visit AND (day_visit.is_bot OR day_visit.is_on);
CREATE INDEX ON day_slate (visit);
ANALYZE day_event;
ANALYZE day_slate;

-- The last whole page of each visit tells its history and the newest evidence that was used.
CREATE TEMP TABLE day_last_slate ON COMMIT DROP AS
SELECT
    last.visit,
    last.created_at,
    s.history_size AS history,
    coalesce((s.snapshot #>> '{switches,is_personal}')::boolean, true)
    AND NOT coalesce((s.snapshot #>> '{switches,is_paused}')::boolean, false) AS is_personal,
    CASE
        WHEN (s.snapshot #>> '{viewer,events,-1,is_this_visit}')::boolean
            THEN to_timestamp((s.snapshot #>> '{viewer,events,-1,at}')::float8)
    END AS newest_at
FROM (
    SELECT DISTINCT ON (visit) visit, id, created_at
    FROM day_slate
    WHERE surface IN ('home', 'title', 'prequery')
    ORDER BY visit, created_at DESC, id
) AS last
INNER JOIN events_slate AS s ON s.id = last.id;

-- A position is a title on a slate. It was seen if an impression names it, or a click there.
CREATE TEMP TABLE day_position ON COMMIT DROP AS
SELECT
    e.visit,
    e.slate_id,
    e.title_id,
    min(s.surface) AS surface,
    max(e.row) AS row,
    min(e.slot) AS slot,
    min(e.occurred_at) AS seen_at,
    bool_or(e.kind <> 'impression') AS is_clicked
FROM day_event AS e
INNER JOIN events_slate AS s ON s.id = e.slate_id
WHERE e.kind IN ('impression', 'open', 'choose', 'play') AND e.title_id IS NOT NULL
GROUP BY e.visit, e.slate_id, e.title_id;
ANALYZE day_position;

-- What a visit watched, and when that became a qualified play. OFFSET keeps the visit a constant
-- below the view's grouping, so that an index is used.
CREATE TEMP TABLE day_play ON COMMIT DROP AS
SELECT
    v.n AS visit,
    play.title_id,
    play.began_at,
    play.qualified_at
FROM day_visit AS v
CROSS JOIN LATERAL (SELECT * FROM events_play WHERE visit_id = v.id OFFSET 0) AS play
WHERE NOT v.is_bot AND NOT v.is_on;

-- A play is credited to the position of the visit where its title was last seen before it began.
CREATE TEMP TABLE day_credit ON COMMIT DROP AS
SELECT DISTINCT ON (play.visit, play.title_id)
    play.visit,
    position.slate_id,
    play.title_id,
    play.qualified_at IS NOT NULL AS is_qualified
FROM day_play AS play
INNER JOIN day_position AS position
    ON position.visit = play.visit AND position.title_id = play.title_id
WHERE position.seen_at <= play.began_at
ORDER BY play.visit, play.title_id, position.seen_at DESC, position.slate_id;

-- What became of each visit.
CREATE TEMP TABLE day_outcome ON COMMIT DROP AS
SELECT
    v.n AS visit,
    told.seen_at,
    told.last_at,
    played.qualified_at,
    coalesce(told.is_pleased, false) AS is_pleased
FROM day_visit AS v
LEFT JOIN (
    SELECT
        visit,
        min(occurred_at) FILTER (
            WHERE kind = 'impression' AND surface IN ('home', 'prequery', 'search')
        ) AS seen_at,
        max(occurred_at) AS last_at,
        bool_or(
            (kind = 'list' AND value = 'add') OR (kind = 'thumb' AND value <> 'clear')
        ) AS is_pleased
    FROM day_event
    GROUP BY visit
) AS told ON told.visit = v.n
LEFT JOIN (
    SELECT
        visit,
        min(qualified_at) AS qualified_at
    FROM day_play
    GROUP BY visit
) AS played ON played.visit = v.n
WHERE NOT v.is_bot AND NOT v.is_on;
ANALYZE day_outcome;

-- The parts of the day that visits fall into; ties in history stand in one tenth.
CREATE TEMP TABLE day_slice ON COMMIT DROP AS
SELECT
    n AS visit,
    'all' AS dimension,
    '' AS slice
FROM day_visit
UNION ALL
SELECT
    n AS visit,
    'arm' AS dimension,
    arm AS slice
FROM day_visit
WHERE arm IS NOT NULL
UNION ALL
SELECT
    visit,
    'decile' AS dimension,
    least(10, 1 + floor(10 * size_rank))::int::text AS slice
FROM (
    SELECT
        v.n AS visit,
        percent_rank() OVER (PARTITION BY v.is_simulated ORDER BY last.history) AS size_rank
    FROM day_visit AS v
    INNER JOIN day_last_slate AS last ON last.visit = v.n
    WHERE v.profile_id IS NOT NULL AND last.history IS NOT NULL
) AS ranked;
ANALYZE day_slice;

CREATE TEMP TABLE day_fact (
    metric text NOT NULL,
    visit bigint NOT NULL,
    dimension text NOT NULL,
    slice text NOT NULL,
    n float8 NOT NULL,
    d float8 NOT NULL
) ON COMMIT DROP;

-- Write a visit's events that are not there yet, before them the visit's row if it has none; return
-- the ids of the events that were written. Locks are taken in the order of `webapp/profiles/locks.py`:
-- what the events name, the profile, the visit, and the events in the order of their arrays.
WITH title AS (
    SELECT id
    FROM catalog_title
    WHERE id = ANY(%(title_id)s::bigint[])
    ORDER BY id
    FOR KEY SHARE
),

person AS (
    SELECT id
    FROM catalog_person
    WHERE id = ANY(%(people)s::bigint[]) AND (SELECT count(*) FROM title) >= 0
    ORDER BY id
    FOR KEY SHARE
),

genre AS (
    SELECT id
    FROM catalog_genre
    WHERE id = ANY(%(genres)s::bigint[]) AND (SELECT count(*) FROM person) >= 0
    ORDER BY id
    FOR KEY SHARE
),

profile AS (
    SELECT id
    FROM profiles_profile
    WHERE id = %(profile_id)s AND (SELECT count(*) FROM genre) >= 0
    FOR NO KEY UPDATE
),

visit AS (
    INSERT INTO events_visit (id, profile_id, started_at, is_bot, is_simulated, experiment, arm)
    SELECT
        %(visit_id)s::uuid,
        %(profile_id)s::bigint,
        %(started_at)s::timestamptz,
        %(is_bot)s,
        %(is_simulated)s,
        %(experiment)s,
        %(arm)s
    WHERE (SELECT count(*) FROM genre) + (SELECT count(*) FROM profile) >= 0
    ON CONFLICT DO NOTHING
    RETURNING id
)

INSERT INTO events_event (
    id,
    visit_id,
    profile_id,
    received_at,
    kind,
    title_id,
    occurred_at,
    surface,
    slate_id,
    row,
    slot,
    position_seconds,
    duration_seconds,
    value,
    query,
    subject
)
SELECT
    event.id,
    %(visit_id)s::uuid,
    %(profile_id)s::bigint,
    %(received_at)s::timestamptz,
    event.kind,
    event.title_id,
    event.occurred_at,
    event.surface,
    event.slate_id,
    event.row_kind,
    event.slot,
    event.position_seconds,
    event.duration_seconds,
    event.value,
    event.query,
    event.subject
FROM unnest(
    %(id)s::uuid[],
    %(kind)s::text[],
    %(title_id)s::bigint[],
    %(occurred_at)s::timestamptz[],
    %(surface)s::text[],
    %(slate_id)s::uuid[],
    %(row)s::text[],
    %(slot)s::smallint[],
    %(position_seconds)s::integer[],
    %(duration_seconds)s::integer[],
    %(value)s::text[],
    %(query)s::text[],
    %(subject)s::bigint[]
) AS event (
    id,
    kind,
    title_id,
    occurred_at,
    surface,
    slate_id,
    row_kind,
    slot,
    position_seconds,
    duration_seconds,
    value,
    query,
    subject
)
WHERE (SELECT count(*) FROM visit) >= 0
ON CONFLICT DO NOTHING
RETURNING id

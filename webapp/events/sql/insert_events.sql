-- Write a visit's events that are not there yet, before them the visit's row if it has none; return
-- the ids of the events that were written.
WITH visit AS (
    INSERT INTO events_visit (id, profile_id, started_at, is_bot, is_simulated, experiment, arm)
    VALUES (
        %(visit_id)s,
        %(profile_id)s,
        %(started_at)s,
        %(is_bot)s,
        %(is_simulated)s,
        %(experiment)s,
        %(arm)s
    )
    ON CONFLICT DO NOTHING
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
ON CONFLICT DO NOTHING
RETURNING id

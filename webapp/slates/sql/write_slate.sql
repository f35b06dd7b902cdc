-- Write a slate, and before it its visit's row where there is none.
WITH visit AS (
    INSERT INTO events_visit (id, profile_id, started_at, is_bot, is_simulated, experiment, arm)
    SELECT
        %(visit_id)s::uuid,
        %(profile_id)s::bigint,
        %(started_at)s::timestamptz,
        %(is_bot)s,
        %(is_simulated)s,
        %(experiment)s,
        %(arm)s
    WHERE NOT %(is_visit_recorded)s
    ON CONFLICT DO NOTHING
)

INSERT INTO events_slate (
    id,
    visit_id,
    surface,
    release_id,
    ranker_id,
    created_at,
    is_keystroke,
    history_size,
    exploration,
    rows,
    snapshot,
    features,
    visit_share,
    continues_id,
    took_ms,
    fallback_reason
)
VALUES (
    %(id)s,
    %(visit_id)s,
    %(surface)s,
    %(release_id)s,
    %(ranker_id)s,
    %(created_at)s,
    %(is_keystroke)s,
    %(history_size)s,
    %(exploration)s,
    %(rows)s,
    %(snapshot)s,
    %(features)s,
    %(visit_share)s,
    %(continues_id)s,
    %(took_ms)s,
    %(fallback_reason)s
)

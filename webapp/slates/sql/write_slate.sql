-- Write a slate, and before it its visit's row where there is none. A release, ranker or slate that
-- was deleted since the page read it is left out; so is all of a profile that was.
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
    WHERE
        NOT %(is_visit_recorded)s
        AND (
            %(profile_id)s::bigint IS NULL
            OR EXISTS (SELECT FROM profiles_profile WHERE id = %(profile_id)s::bigint)
        )
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
SELECT
    %(id)s,
    %(visit_id)s,
    %(surface)s,
    (SELECT id FROM releases_release WHERE id = %(release_id)s::bigint),
    (SELECT id FROM releases_rankerversion WHERE id = %(ranker_id)s::bigint),
    %(created_at)s,
    %(is_keystroke)s,
    %(history_size)s,
    %(exploration)s,
    %(rows)s,
    %(snapshot)s,
    %(features)s,
    %(visit_share)s,
    (SELECT id FROM events_slate WHERE id = %(continues_id)s::uuid),
    %(took_ms)s,
    %(fallback_reason)s
WHERE
    %(profile_id)s::bigint IS NULL
    OR EXISTS (SELECT FROM profiles_profile WHERE id = %(profile_id)s::bigint)

-- The visit's last home page, or the one that is continued below: its rows, those above it, the page
-- it continues, and the positions that an event of either names. Pages from before a switch of the
-- profile changed do not count, nor, as the last one, do those of the fallback.
SELECT
    slate.rows,
    slate.snapshot -> 'on_screen' AS above,
    slate.continues_id,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(event.row, event.title_id)), '[]')
        FROM events_event AS event
        WHERE event.slate_id = slate.id OR event.slate_id = slate.continues_id
    ) AS named
FROM events_slate AS slate
WHERE
    slate.visit_id = %(visit)s
    AND slate.surface = 'home'
    AND slate.snapshot -> 'switches' = %(switches)s::jsonb
    AND CASE
        WHEN %(continued)s::uuid IS NULL THEN slate.fallback_reason = ''
        ELSE slate.id = %(continued)s::uuid
    END
ORDER BY slate.created_at DESC
LIMIT 1

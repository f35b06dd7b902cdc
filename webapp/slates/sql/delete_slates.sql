-- Delete some slates; events and pages below them stay, and name them no more.
WITH event AS (
    UPDATE events_event SET slate_id = NULL
    WHERE slate_id = ANY(%(slates)s::uuid[])
),

below AS (
    UPDATE events_slate SET continues_id = NULL
    WHERE continues_id = ANY(%(slates)s::uuid[]) AND id <> ALL(%(slates)s::uuid[])
)

DELETE FROM events_slate
WHERE id = ANY(%(slates)s::uuid[])

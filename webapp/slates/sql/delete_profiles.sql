-- Delete the events, slates and visits of some profiles.
WITH event AS (
    DELETE FROM events_event
    WHERE profile_id = ANY(%(profiles)s::bigint[])
),

slate AS (
    DELETE FROM events_slate AS slate
    USING events_visit AS visit
    WHERE slate.visit_id = visit.id AND visit.profile_id = ANY(%(profiles)s::bigint[])
)

DELETE FROM events_visit
WHERE profile_id = ANY(%(profiles)s::bigint[])

-- Delete some visits with their slates and events; events of other visits name their slates no more.
WITH slate AS (
    SELECT id
    FROM events_slate
    WHERE visit_id = ANY(%(visits)s::uuid[])
),

later_event AS (
    UPDATE events_event SET slate_id = NULL
    WHERE slate_id IN (SELECT id FROM slate) AND visit_id <> ALL(%(visits)s::uuid[])
),

event AS (
    DELETE FROM events_event
    WHERE visit_id = ANY(%(visits)s::uuid[])
),

shown AS (
    DELETE FROM events_slate
    WHERE visit_id = ANY(%(visits)s::uuid[])
)

DELETE FROM events_visit
WHERE id = ANY(%(visits)s::uuid[])

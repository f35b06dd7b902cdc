-- Delete the events of some visits that happened before a moment; return how many.
WITH deleted AS (
    DELETE FROM events_event
    WHERE visit_id = ANY(%(visits)s::uuid[]) AND occurred_at < %(until)s
    RETURNING id
)

SELECT count(*)
FROM deleted

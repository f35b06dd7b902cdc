-- Delete those of some visits that have neither events nor slates.
DELETE FROM events_visit AS visit
WHERE
    visit.id = ANY(%(visits)s::uuid[])
    AND NOT EXISTS (SELECT FROM events_event AS event WHERE event.visit_id = visit.id)
    AND NOT EXISTS (SELECT FROM events_slate AS slate WHERE slate.visit_id = visit.id)

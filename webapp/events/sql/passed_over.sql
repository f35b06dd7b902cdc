-- Titles that a visit has seen a card of, the newest first.
SELECT title_id
FROM events_event
WHERE visit_id = %(visit)s AND kind = 'impression'
GROUP BY title_id
ORDER BY max(occurred_at) DESC, title_id
LIMIT %(most)s

-- Lock the visits of some profiles, so that nothing is added to them; return how many there are.
SELECT count(*)
FROM (
    SELECT id
    FROM events_visit
    WHERE profile_id = ANY(%(profiles)s::bigint[])
    ORDER BY id
    FOR UPDATE
) AS locked

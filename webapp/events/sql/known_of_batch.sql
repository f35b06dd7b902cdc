-- What of a batch's ids there is: events, slates shown to this viewer (a profile's, or a browser's
-- last two visits'), titles within the maturity limit with the moment at which the profile forgot
-- them, people and genres, the profile itself, and how many events the visit has, as far as it is
-- worth knowing.
SELECT 'event' AS kind, id::text AS id, NULL::timestamptz AS forgotten_at
FROM events_event
WHERE id = ANY(%(events)s::uuid[])
UNION ALL
SELECT 'slate', slate.id::text, NULL
FROM events_slate AS slate
INNER JOIN events_visit AS visit ON visit.id = slate.visit_id
WHERE
    slate.id = ANY(%(slates)s::uuid[])
    AND (
        visit.profile_id = %(profile)s::bigint
        OR (
            %(profile)s::bigint IS NULL
            AND visit.profile_id IS NULL
            AND visit.id = ANY(%(visits)s::uuid[])
        )
    )
UNION ALL
SELECT 'title', title.id::text, forgotten.forgotten_at
FROM catalog_title AS title
LEFT JOIN events_forgottentitle AS forgotten
    ON forgotten.title_id = title.id AND forgotten.profile_id = %(profile)s::bigint
WHERE
    title.id = ANY(%(titles)s::bigint[])
    AND (%(limit)s::integer IS NULL OR title.maturity <= %(limit)s::integer)
UNION ALL
SELECT 'person', id::text, NULL
FROM catalog_person
WHERE id = ANY(%(people)s::bigint[])
UNION ALL
SELECT 'genre', id::text, NULL
FROM catalog_genre
WHERE id = ANY(%(genres)s::bigint[])
UNION ALL
SELECT 'profile', id::text, NULL
FROM profiles_profile
WHERE id = %(profile)s::bigint
UNION ALL
SELECT 'visit', count(*)::text, NULL
FROM (
    SELECT id
    FROM events_event
    WHERE visit_id = %(visit)s
    LIMIT %(most_events)s
) AS event

-- All that a profile marked by hand, oldest first: source, title (of a genre its number), stars, time.
SELECT 'rating' AS source, title_id AS subject, stars, rated_at AS at
FROM profiles_rating
WHERE profile_id = %(profile)s
UNION ALL
SELECT 'list', title_id, 0.0, at
FROM profiles_listentry
WHERE profile_id = %(profile)s
UNION ALL
SELECT 'hidden', title_id, 0.0, at
FROM profiles_hiddentitle
WHERE profile_id = %(profile)s
UNION ALL
SELECT 'dropped', title_id, 0.0, at
FROM profiles_droppedtitle
WHERE profile_id = %(profile)s
UNION ALL
SELECT 'genre', genre_id, 0.0, at
FROM profiles_refusedgenre
WHERE profile_id = %(profile)s
UNION ALL
SELECT 'refused', credit.title_id, 0.0, refused.at
FROM profiles_refusedperson AS refused
INNER JOIN catalog_credit AS credit ON credit.person_id = refused.person_id
WHERE refused.profile_id = %(profile)s
ORDER BY at, subject

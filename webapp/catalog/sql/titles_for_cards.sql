-- Titles without their plots, and the genres of each by name. The columns stand in their model's
-- order.
SELECT
    title.id,
    title.external_id,
    title.kind,
    title.name,
    title.year,
    title.runtime_minutes,
    title.language,
    title.country,
    title.imdb_id,
    title.poster_url,
    title.playback_url,
    title.alternative_names,
    title.characters,
    title.is_available,
    title.maturity,
    title.votes,
    title.reviews,
    title.added_at,
    title.updated_at,
    (
        SELECT json_agg(json_build_array(genre.id, genre.name, genre.slug) ORDER BY genre.name)
        FROM catalog_title_genres AS has
        INNER JOIN catalog_genre AS genre ON genre.id = has.genre_id
        WHERE has.title_id = title.id
    ) AS genres
FROM catalog_title AS title
WHERE title.id = ANY(%(titles)s)

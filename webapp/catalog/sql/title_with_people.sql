-- A title within a maturity limit, its genres by name, and its credits with their people in order.
-- The columns of the title stand in their model's order.
SELECT
    title.id,
    title.external_id,
    title.kind,
    title.name,
    title.year,
    title.runtime_minutes,
    title.plot,
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
    ) AS genres,
    (
        SELECT
            json_agg(
                json_build_array(credit.role, person.id, person.name)
                ORDER BY credit.role, credit.position, credit.id
            )
        FROM catalog_credit AS credit
        INNER JOIN catalog_person AS person ON person.id = credit.person_id
        WHERE credit.title_id = title.id
    ) AS credits
FROM catalog_title AS title
WHERE
    title.id = %(title)s
    AND (%(limit)s::integer IS NULL OR title.maturity <= %(limit)s::integer)

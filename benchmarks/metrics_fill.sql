-- Synthetic visits: who, when and what is drawn at random, from one seed.
SELECT setseed(0.5);

INSERT INTO catalog_genre (name, slug) SELECT 'Genre ' || n, 'genre-' || n FROM generate_series(1, 20) AS n;
INSERT INTO catalog_title (
    external_id, kind, name, plot, language, country, imdb_id, poster_url, playback_url,
    alternative_names, characters, is_available, added_at, updated_at
)
SELECT 't' || n, 'film', 'Title ' || n, '', '', '', '', '', '', '{}', '{}', true,
    '2020-01-01', '2020-01-01'
FROM generate_series(1, 17000) AS n;
CREATE TEMP TABLE known_title AS SELECT id, row_number() OVER (ORDER BY id) AS n FROM catalog_title;
CREATE UNIQUE INDEX ON known_title (n);
INSERT INTO catalog_title_genres (title_id, genre_id)
SELECT t.id, g.id FROM catalog_title AS t
CROSS JOIN LATERAL (SELECT id FROM catalog_genre ORDER BY md5(t.id || '-' || id) LIMIT 2) AS g;
INSERT INTO profiles_profile (name, created_at, is_history_paused, is_personalized)
SELECT 'Synthetic ' || n, '2020-01-01', false, true FROM generate_series(1, 4000) AS n;
CREATE TEMP TABLE known_profile AS
SELECT id, row_number() OVER (ORDER BY id) AS n, (exp(random() * 5.5))::int AS liked FROM profiles_profile;
CREATE UNIQUE INDEX ON known_profile (n);

CREATE TEMP TABLE new_visit AS
SELECT
    gen_random_uuid() AS id,
    gen_random_uuid() AS home,
    gen_random_uuid() AS title_page,
    gen_random_uuid() AS search,
    p.id AS profile_id,
    p.liked,
    d.started_at,
    d.arm,
    d.is_searching,
    d.is_playing,
    d.seen
FROM (
    SELECT
        1 + floor(random() * 4000)::int AS profile,
        %(until)s::timestamptz - random() * %(days)s * interval '1 day' AS started_at,
        CASE WHEN random() < 0.5 THEN 'usual' ELSE 'other' END AS arm,
        random() < 0.3 AS is_searching,
        random() < 0.6 AS is_playing,
        (4 + random() * 10)::int AS seen
    FROM generate_series(1, %(visits)s)
) AS d
INNER JOIN known_profile AS p ON p.n = d.profile;

INSERT INTO events_visit (id, profile_id, started_at, experiment, arm)
SELECT id, profile_id, started_at, 'synthetic', arm FROM new_visit;

CREATE TEMP TABLE page_of_rows AS
SELECT
    n,
    (
        SELECT jsonb_agg(jsonb_build_object(
            'kind', k.kind, 'key', NULL, 'heading', 'A heading of some length', 'pinned', 0,
            'titles', (SELECT jsonb_agg(1 + (n * 7919 + i * 1047 + length(k.kind) * 313) %% 17000) FROM generate_series(1, 20) AS i),
            'scores', (SELECT jsonb_agg(((n * 7919 + i * 1047) %% 99991) / 99991.0) FROM generate_series(1, 20) AS i)
        ))
        FROM unnest(ARRAY['continue_watching', 'this_visit', 'top_picks', 'trending',
            'because_watched', 'from_likes', 'genre', 'new']) AS k (kind)
    ) AS rows
FROM generate_series(0, 199) AS n;
CREATE TEMP TABLE history AS
SELECT n, (SELECT coalesce(jsonb_agg(jsonb_build_array(m * 37 + n, 1.0)), '[]') FROM generate_series(1, n) AS m) AS liked
FROM generate_series(0, 300) AS n;
CREATE UNIQUE INDEX ON history (n);

INSERT INTO events_slate (id, visit_id, surface, created_at, rows, snapshot, history_size, exploration, took_ms,
    fallback_reason)
SELECT
    s.id, v.id, s.surface, v.started_at + s.after,
    CASE s.surface WHEN 'home' THEN r.rows ELSE jsonb_build_array(r.rows -> 3 || jsonb_build_object(
        'kind', CASE s.surface WHEN 'search' THEN 'results' ELSE 'more_like' END)) END,
    jsonb_build_object('text', CASE s.surface WHEN 'search' THEN 'text ' || (hashtext(v.id::text) & 511) ELSE '' END,
        'viewer', jsonb_build_object('liked_before', h.liked, 'liked', h.liked, 'events', jsonb_build_array(
            jsonb_build_object('kind', 'open', 'title_id', 1, 'query', '', 'is_this_visit', true,
                'at', extract(epoch FROM v.started_at + interval '20 seconds'))))),
    h.n, 0.1,
    8 + 20 * random() ^ 4, CASE WHEN random() < 0.01 THEN 'synthetic' ELSE '' END
FROM new_visit AS v
INNER JOIN history AS h ON h.n = least(v.liked, 300)
INNER JOIN page_of_rows AS r ON r.n = (hashtext(v.id::text) & 127)
CROSS JOIN LATERAL (
    VALUES (v.home, 'home', interval '0'), (v.title_page, 'title', interval '21 seconds'),
    (v.search, 'search', interval '40 seconds')
) AS s (id, surface, after)
WHERE s.surface <> 'search' OR v.is_searching;

INSERT INTO events_event (
    id, visit_id, profile_id, kind, title_id, occurred_at, received_at, surface, slate_id, row, slot,
    position_seconds, duration_seconds, value, query
)
SELECT
    gen_random_uuid(), v.id, v.profile_id, e.kind, t.id, v.started_at + e.after,
    v.started_at + e.after + random() * interval '3 seconds', e.surface, e.slate, e.row, e.slot,
    e.position, CASE WHEN e.position IS NOT NULL THEN 5400 END, '', e.query
FROM new_visit AS v
CROSS JOIN LATERAL (
    SELECT 1 + floor(17000 * (((hashtext(v.id::text) & 65535) / 65536.0) ^ 3))::int AS n
) AS first
CROSS JOIN LATERAL (
    SELECT 'impression' AS kind, 1 + (first.n + place * 7) %% 17000 AS title, place * interval '1 second' AS after,
        'home' AS surface, v.home AS slate,
        (ARRAY['continue_watching', 'this_visit', 'top_picks', 'trending'])[1 + place / 5] AS row,
        place %% 5 AS slot, NULL::int AS position, '' AS query
    FROM generate_series(0, v.seen) AS place
    UNION ALL
    SELECT 'open', 1 + (first.n + 7) %% 17000, interval '20 seconds', 'title', v.home, 'continue_watching', 1, NULL, ''
    WHERE v.seen %% 3 < 2
    UNION ALL
    SELECT 'search', NULL, interval '42 seconds', 'search', NULL, '', NULL, NULL, 'text ' || (hashtext(v.id::text) & 511)
    WHERE v.is_searching
    UNION ALL
    SELECT 'choose', 1 + (first.n + 3) %% 17000, interval '45 seconds', 'search', v.search, 'results', 0, NULL, 'text ' || (hashtext(v.id::text) & 511)
    WHERE v.is_searching AND v.is_playing
    UNION ALL
    SELECT CASE step WHEN 0 THEN 'play' ELSE 'progress' END, 1 + (first.n + 7) %% 17000,
        interval '60 seconds' + step * interval '20 seconds', 'watch', NULL, '', NULL, step * 20, ''
    FROM generate_series(0, 8) AS step
    WHERE v.is_playing
) AS e
LEFT JOIN known_title AS t ON t.n = e.title;

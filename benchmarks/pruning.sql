-- So many slates of 100 days ago, ten a visit, half of the visits of one profile, with rows, a
-- snapshot and features of a usual size; two events of every tenth slate.
INSERT INTO events_visit (id, profile_id, started_at)
SELECT
    ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    CASE WHEN n %% 2 = 0 THEN (SELECT min(id) FROM profiles_profile) END,
    now() - interval '100 days' + n * interval '1 second'
FROM generate_series(1, %(slates)s / 10 + 1) AS n;
INSERT INTO events_slate (
    id, visit_id, surface, created_at, rows, snapshot, features, took_ms, fallback_reason
)
SELECT
    gen_random_uuid(),
    ('00000000-0000-4000-8000-' || lpad(to_hex(1 + n / 10), 12, '0'))::uuid,
    'home',
    now() - interval '100 days' + n * interval '100 milliseconds',
    jsonb_build_array(jsonb_build_object('kind', 'top_picks', 'titles', padding.numbers)),
    jsonb_build_object('version', 2, 'liked', padding.numbers),
    decode(repeat(md5(n::text), 16), 'hex'),
    20,
    ''
FROM generate_series(0, %(slates)s - 1) AS n
CROSS JOIN (SELECT jsonb_agg(i) AS numbers FROM generate_series(1, 100) AS i) AS padding;
INSERT INTO events_event (
    id, visit_id, profile_id, kind, title_id, occurred_at, received_at, surface, slate_id, row, value, query
)
SELECT
    gen_random_uuid(),
    slate.visit_id,
    visit.profile_id,
    'impression',
    (SELECT min(id) FROM catalog_title),
    slate.created_at,
    slate.created_at,
    'home',
    slate.id,
    'top_picks',
    '',
    ''
FROM (SELECT *, row_number() OVER (ORDER BY created_at) AS n FROM events_slate) AS slate
INNER JOIN events_visit AS visit ON visit.id = slate.visit_id
CROSS JOIN generate_series(1, 2)
WHERE slate.n %% 10 = 0;

"""Plays of visits become a table that triggers keep; the rule stays a view, by another name."""

from django.db import migrations, models
from django.db.models import deletion

COUNTED = """
CREATE OR REPLACE VIEW events_play_counted AS
SELECT
    visit_id,
    profile_id,
    title_id,
    min(occurred_at) AS began_at,
    max(duration_seconds) AS duration_seconds,
    min(occurred_at) FILTER (
        WHERE kind = 'finish'
        OR coalesce(position_seconds, 0) - began_position >= enough_seconds(longest)
    ) AS qualified_at,
    max(occurred_at) AS last_at,
    (array_agg(kind ORDER BY occurred_at DESC, received_at DESC, id))[1] AS last_kind,
    (array_agg(position_seconds ORDER BY occurred_at DESC, received_at DESC, id))[1]
        AS position_seconds
FROM (
    SELECT
        id,
        visit_id,
        profile_id,
        title_id,
        kind,
        occurred_at,
        received_at,
        position_seconds,
        duration_seconds,
        coalesce(min(position_seconds) FILTER (WHERE kind = 'play') OVER play, 0) AS began_position,
        max(duration_seconds) OVER play AS longest
    FROM events_event
    WHERE kind IN ('play', 'progress', 'stop', 'finish')
    WINDOW play AS (PARTITION BY profile_id, title_id, visit_id)
) AS playback
GROUP BY profile_id, title_id, visit_id;
COMMENT ON VIEW events_play_counted IS
    'The rule: the play of a visit from its events; the table events_play keeps what it returns.';
"""
NOT_COUNTED = """
DROP VIEW events_play_counted;
CREATE VIEW events_play AS
SELECT
    visit_id,
    profile_id,
    title_id,
    min(occurred_at) AS began_at,
    max(duration_seconds) AS duration_seconds,
    min(occurred_at) FILTER (
        WHERE kind = 'finish'
        OR coalesce(position_seconds, 0) - began_position >= enough_seconds(longest)
    ) AS qualified_at
FROM (
    SELECT
        visit_id,
        profile_id,
        title_id,
        kind,
        occurred_at,
        position_seconds,
        duration_seconds,
        coalesce(min(position_seconds) FILTER (WHERE kind = 'play') OVER play, 0) AS began_position,
        max(duration_seconds) OVER play AS longest
    FROM events_event
    WHERE kind IN ('play', 'progress', 'stop', 'finish')
    WINDOW play AS (PARTITION BY profile_id, title_id, visit_id)
) AS playback
GROUP BY profile_id, title_id, visit_id;
"""

TRIGGERS = """
CREATE FUNCTION recount_plays(visits uuid[], titles bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM events_play AS play
    USING unnest(visits, titles) AS pair (visit_id, title_id)
    WHERE
        play.visit_id = pair.visit_id
        AND play.title_id = pair.title_id
        AND NOT EXISTS (
            SELECT FROM events_event AS event
            WHERE
                event.visit_id = pair.visit_id
                AND event.title_id = pair.title_id
                AND event.kind IN ('play', 'progress', 'stop', 'finish')
        );
    INSERT INTO events_play (
        visit_id, profile_id, title_id, began_at, duration_seconds, qualified_at, last_at, last_kind,
        position_seconds
    )
    SELECT
        play.visit_id, play.profile_id, play.title_id, play.began_at, play.duration_seconds,
        play.qualified_at, play.last_at, play.last_kind, play.position_seconds
    FROM unnest(visits, titles) AS pair (visit_id, title_id)
    CROSS JOIN LATERAL (
        SELECT * FROM events_play_counted
        WHERE visit_id = pair.visit_id AND title_id = pair.title_id
        OFFSET 0
    ) AS play
    ON CONFLICT (visit_id, title_id) DO UPDATE SET
        profile_id = excluded.profile_id,
        began_at = excluded.began_at,
        duration_seconds = excluded.duration_seconds,
        qualified_at = excluded.qualified_at,
        last_at = excluded.last_at,
        last_kind = excluded.last_kind,
        position_seconds = excluded.position_seconds;
END $$;

CREATE FUNCTION recount_plays_of_events() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    visits uuid[];
    titles bigint[];
BEGIN
    SELECT array_agg(visit_id), array_agg(title_id)
    INTO visits, titles
    FROM (
        SELECT DISTINCT visit_id, title_id
        FROM changed
        WHERE kind IN ('play', 'progress', 'stop', 'finish')
        ORDER BY visit_id, title_id
    ) AS pair;
    IF visits IS NOT NULL THEN
        PERFORM recount_plays(visits, titles);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION recount_plays_of_changed_events() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    visits uuid[];
    titles bigint[];
BEGIN
    SELECT array_agg(visit_id), array_agg(title_id)
    INTO visits, titles
    FROM (
        SELECT DISTINCT visit_id, title_id
        FROM (
            SELECT * FROM (
                SELECT id, visit_id, title_id, profile_id, kind, occurred_at, received_at,
                    position_seconds, duration_seconds
                FROM changed
                EXCEPT
                SELECT id, visit_id, title_id, profile_id, kind, occurred_at, received_at,
                    position_seconds, duration_seconds
                FROM before
            ) AS new
            UNION ALL
            SELECT * FROM (
                SELECT id, visit_id, title_id, profile_id, kind, occurred_at, received_at,
                    position_seconds, duration_seconds
                FROM before
                EXCEPT
                SELECT id, visit_id, title_id, profile_id, kind, occurred_at, received_at,
                    position_seconds, duration_seconds
                FROM changed
            ) AS old
        ) AS differing
        WHERE kind IN ('play', 'progress', 'stop', 'finish')
        ORDER BY visit_id, title_id
    ) AS pair;
    IF visits IS NOT NULL THEN
        PERFORM recount_plays(visits, titles);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER plays_inserted AFTER INSERT ON events_event
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION recount_plays_of_events();
CREATE TRIGGER plays_deleted AFTER DELETE ON events_event
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION recount_plays_of_events();
CREATE TRIGGER plays_updated AFTER UPDATE ON events_event
    REFERENCING NEW TABLE AS changed OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION recount_plays_of_changed_events();
"""
NO_TRIGGERS = """
DROP TRIGGER plays_inserted ON events_event;
DROP TRIGGER plays_deleted ON events_event;
DROP TRIGGER plays_updated ON events_event;
DROP FUNCTION recount_plays_of_changed_events;
DROP FUNCTION recount_plays_of_events;
DROP FUNCTION recount_plays;
"""
FILL = """
INSERT INTO events_play (
    visit_id, profile_id, title_id, began_at, duration_seconds, qualified_at, last_at, last_kind,
    position_seconds
)
SELECT
    visit_id, profile_id, title_id, began_at, duration_seconds, qualified_at, last_at, last_kind,
    position_seconds
FROM events_play_counted;
"""


def loose(to: str, **options: bool) -> models.ForeignKey:
    """A key without a constraint: what it names cannot go before the events of the play."""
    return models.ForeignKey(
        to=to,
        on_delete=deletion.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("events", "0011_evidence_versions")]

    operations = [
        migrations.DeleteModel(name="Play"),
        migrations.RunSQL(
            "ALTER VIEW events_play RENAME TO events_play_counted", migrations.RunSQL.noop
        ),
        migrations.RunSQL(COUNTED, NOT_COUNTED),
        migrations.CreateModel(
            name="Play",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "visit_id",
                        "title_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("visit", loose("events.visit")),
                ("profile", loose("profiles.profile", null=True)),
                ("title", loose("catalog.title")),
                ("began_at", models.DateTimeField()),
                (
                    "duration_seconds",
                    models.PositiveIntegerField(
                        help_text="The longest that its events tell; 0 or null is unknown.",
                        null=True,
                    ),
                ),
                (
                    "qualified_at",
                    models.DateTimeField(
                        help_text="The first moment at which enough was watched; null where it was not.",
                        null=True,
                    ),
                ),
                ("last_at", models.DateTimeField(help_text="Its latest event's time,")),
                ("last_kind", models.CharField(help_text="kind", max_length=10)),
                (
                    "position_seconds",
                    models.PositiveIntegerField(help_text="and position.", null=True),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["profile", "-last_at"], name="play_of_profile"),
                    models.Index(fields=["profile", "title"], name="play_of_title"),
                    models.Index(fields=["visit", "-last_at"], name="play_of_visit"),
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.RemoveIndex(model_name="event", name="event_playback"),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["visit", "title"],
                condition=models.Q(kind__in=["play", "progress", "stop", "finish"]),
                name="event_of_play",
            ),
        ),
    ]

"""The rule of a qualified play, once in the database: a function, and the plays of each visit."""

import django.db.models.deletion
from django.db import migrations, models

ENOUGH_SECONDS = """
CREATE FUNCTION enough_seconds(duration integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN duration > 0 THEN least(120, greatest(1, duration::bigint * 70 / 100))::integer
    ELSE 120
END;
COMMENT ON FUNCTION enough_seconds(integer) IS
    'Seconds to watch for a qualified play of a title of so many seconds; 0 and null are unknown.';
"""

EVENTS_PLAY = """
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
COMMENT ON VIEW events_play IS
    'The play of a visit: one title in one visit, when it began and when it qualified.';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_maturity"),
        ("profiles", "0004_refusals"),
        ("events", "0009_slate_leaves"),
    ]

    operations = [
        migrations.RunSQL(ENOUGH_SECONDS, "DROP FUNCTION enough_seconds(integer)"),
        migrations.RunSQL(EVENTS_PLAY, "DROP VIEW events_play"),
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
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="events.visit",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="profiles.profile",
                    ),
                ),
                (
                    "title",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.title",
                    ),
                ),
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
            ],
            options={"db_table": "events_play", "managed": False},
        ),
    ]

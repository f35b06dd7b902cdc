"""Take `Slate` over from `events`: only Django's state changes, the table keeps its name."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("events", "0008_continued"),
        ("releases", "0003_ranker_is_simulated"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Slate",
                    fields=[
                        (
                            "id",
                            models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False),
                        ),
                        (
                            "surface",
                            models.CharField(
                                choices=[
                                    ("home", "Home"),
                                    ("title", "Title"),
                                    ("watch", "Watch"),
                                    ("prequery", "Prequery"),
                                    ("search", "Search"),
                                    ("list", "List"),
                                    ("genre", "Genre"),
                                    ("person", "Person"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        (
                            "rows",
                            models.JSONField(
                                help_text="Rows in order: kind, heading, titles by slot, scores."
                            ),
                        ),
                        (
                            "snapshot",
                            models.JSONField(
                                default=dict, help_text="The evidence the page was built from."
                            ),
                        ),
                        (
                            "features",
                            models.BinaryField(
                                help_text="What a ranker is told of each place; safetensors, compressed.",
                                null=True,
                            ),
                        ),
                        (
                            "visit_share",
                            models.FloatField(
                                help_text="How much of the taste was this visit: the gate, 0 to 1.",
                                null=True,
                            ),
                        ),
                        ("took_ms", models.FloatField()),
                        (
                            "fallback_reason",
                            models.CharField(
                                blank=True,
                                help_text="Why popular titles were served instead; else empty.",
                                max_length=200,
                            ),
                        ),
                        (
                            "continues",
                            models.ForeignKey(
                                blank=True,
                                help_text="The slate whose page these rows go on with, below what it shows.",
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="continued_by",
                                to="slates.slate",
                            ),
                        ),
                        (
                            "ranker",
                            models.ForeignKey(
                                blank=True,
                                help_text="What had the last word.",
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="releases.rankerversion",
                            ),
                        ),
                        (
                            "release",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="releases.release",
                            ),
                        ),
                        (
                            "visit",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="slates",
                                to="events.visit",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "events_slate",
                        "indexes": [
                            models.Index(
                                fields=["visit", "-created_at"], name="slate_visit_recent"
                            ),
                            models.Index(fields=["created_at"], name="slate_created"),
                        ],
                    },
                ),
            ]
        ),
    ]

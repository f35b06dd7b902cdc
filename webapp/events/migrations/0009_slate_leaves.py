"""Let `slates` have `Slate`: only Django's state changes, no table does."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0008_continued"),
        ("slates", "0001_from_events"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="event",
                    name="slate",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to="slates.slate",
                    ),
                ),
                migrations.DeleteModel(name="Slate"),
            ]
        ),
    ]

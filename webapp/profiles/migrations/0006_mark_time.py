"""One name for the time of a mark: list entry, hidden or dropped title, refused person or genre."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("profiles", "0005_help_texts")]

    operations = [
        migrations.AlterModelOptions(
            name="listentry", options={"verbose_name_plural": "list entries"}
        ),
        migrations.RenameField("listentry", "added_at", "at"),
        migrations.AlterModelOptions(
            name="listentry",
            options={"ordering": ["-at"], "verbose_name_plural": "list entries"},
        ),
        migrations.RenameField("hiddentitle", "hidden_at", "at"),
        migrations.RenameField("droppedtitle", "dropped_at", "at"),
        migrations.RenameField("refusedperson", "refused_at", "at"),
        migrations.RenameField("refusedgenre", "refused_at", "at"),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("slates", "0001_from_events")]

    operations = [
        migrations.AddField(
            model_name="slate",
            name="is_keystroke",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Answered a keystroke in the search box; its snapshot holds the text alone.",
            ),
        ),
        migrations.AddField(
            model_name="slate",
            name="history_size",
            field=models.PositiveIntegerField(
                help_text="Titles liked before the visit; null for a keystroke.", null=True
            ),
        ),
        migrations.AddField(
            model_name="slate",
            name="exploration",
            field=models.FloatField(
                help_text="ε, the probability that a slot explores; null for a keystroke.",
                null=True,
            ),
        ),
    ]

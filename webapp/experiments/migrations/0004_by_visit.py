"""Say whether a profile or each visit is in an arm as a whole."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0003_conversion_rate"),
    ]

    operations = [
        migrations.AddField(
            model_name="experiment",
            name="unit",
            field=models.CharField(
                choices=[("profile", "Profile"), ("visit", "Visit")],
                db_default="profile",
                default="profile",
                help_text="What is in one arm as a whole: a profile, or each visit by itself.",
                max_length=7,
            ),
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.CheckConstraint(
                condition=models.Q(("unit__in", ["profile", "visit"])), name="experiment_unit_known"
            ),
        ),
    ]

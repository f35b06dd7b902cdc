"""Call the take rate what it is: the conversion rate."""

from django.db import migrations


def renamed(old, new):
    def rename(apps, schema_editor):
        apps.get_model("metrics", "DailyMetric").objects.filter(metric=old).update(metric=new)

    return rename


class Migration(migrations.Migration):
    dependencies = [("metrics", "0004_count_anew")]

    operations = [
        migrations.RunPython(
            renamed("take_rate", "conversion_rate"), renamed("conversion_rate", "take_rate")
        )
    ]

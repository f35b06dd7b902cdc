"""Count anew each day whose slates are still there: the rule of a qualified play has one owner."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import migrations


def forget_counted_days(apps, schema_editor):
    """Without its row, the next `manage.py metrics` (each hour in the worker) counts a day."""
    first = (datetime.now(UTC) - timedelta(days=settings.SLATE_DAYS)).date() + timedelta(days=1)
    apps.get_model("metrics", "CountedDay").objects.filter(day__gte=first).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0003_health_snapshot"),
        ("events", "0010_qualified_play"),
    ]

    operations = [migrations.RunPython(forget_counted_days, migrations.RunPython.noop)]

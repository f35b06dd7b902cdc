"""Names of fields and models say what they hold; beat's entry follows the renamed task."""

from django.db import migrations, models

OLD = {"name": "take the pulse and watch it", "task": "webapp.jobs.tasks.watch"}
NEW = {"name": "check health and alerts", "task": "webapp.jobs.tasks.check_alerts"}


def rename_task(apps, schema_editor, old=OLD, new=NEW):
    """Rename beat's entry: one that stayed would send a task that no worker has."""
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    if PeriodicTask.objects.filter(name=new["name"]).exists():
        PeriodicTask.objects.filter(name=old["name"]).delete()
    else:
        PeriodicTask.objects.filter(name=old["name"]).update(**new)


def rename_task_back(apps, schema_editor):
    rename_task(apps, schema_editor, old=NEW, new=OLD)


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0002_pulse"),
        ("django_celery_beat", "0001_initial"),
    ]

    operations = [
        migrations.RenameModel("Pulse", "HealthSnapshot"),
        migrations.RenameField("HealthSnapshot", "told", "values"),
        migrations.RenameField("Alert", "told_at", "notified_at"),
        migrations.AlterField(
            "HealthSnapshot",
            "values",
            models.JSONField(help_text="`webapp.metrics.health_snapshot.Health` without its time."),
        ),
        migrations.AlterField(
            "Alert",
            "notified_at",
            models.DateTimeField(
                null=True, blank=True, help_text="When operators were last notified."
            ),
        ),
        migrations.RunPython(rename_task, rename_task_back),
    ]

"""Name conversion rate and clicks in the reports that experiments keep."""

from django.db import migrations

NEW = {"take_rate": "conversion_rate", "taken_of": "clicked"}


def renamed(value, names):
    """The same JSON with its keys renamed."""
    if isinstance(value, dict):
        return {names.get(key, key): renamed(part, names) for key, part in value.items()}
    return [renamed(part, names) for part in value] if isinstance(value, list) else value


def rename(names):
    def rename_reports(apps, schema_editor):
        for experiment in apps.get_model("experiments", "Experiment").objects.all():
            experiment.report = renamed(experiment.report, names)
            experiment.save(update_fields=["report"])

    return rename_reports


class Migration(migrations.Migration):
    dependencies = [("experiments", "0002_audience")]

    operations = [
        migrations.RunPython(rename(NEW), rename({new: old for old, new in NEW.items()})),
    ]

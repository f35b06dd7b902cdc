"""Store the verdicts of releases and rankers in one form, `recommender.verdict.Verdict`."""

from django.db import migrations, models


def convert(apps, schema_editor):
    for name in ("Release", "RankerVersion"):
        for row in apps.get_model("releases", name).objects.exclude(gate={}):
            if "words" in row.gate:
                row.gate = converted(row.gate)
                row.save(update_fields=["gate"])


def converted(gate):
    """Earlier, a release's numbers were iALS's alone, and a ranker's had names."""
    return {
        "passed": gate["passed"],
        "reason": gate["words"],
        "candidate": by_name(gate.get("new")),
        "live": by_name(gate.get("live")),
        "required": by_name(gate.get("needed")),
        "examples": gate.get("examples", 0),
    }


def by_name(value):
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"ials": value}


class Migration(migrations.Migration):
    dependencies = [("releases", "0003_ranker_is_simulated")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="gate",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="The gate's verdict; empty before it is reached.",
            ),
        )
        for name in ("release", "rankerversion")
    ] + [migrations.RunPython(convert, migrations.RunPython.noop)]

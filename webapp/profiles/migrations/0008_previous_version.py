"""A version of evidence notes the one before, so that who raised it knows that nobody else did."""

from django.db import migrations, models

RAISE = """
CREATE OR REPLACE FUNCTION raise_evidence_version(profiles bigint[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO profiles_evidenceversion AS known (profile_id, version)
    SELECT profile.id, nextval('profiles_evidence_versions')
    FROM profiles_profile AS profile
    WHERE profile.id = ANY (profiles)
    ORDER BY profile.id
    ON CONFLICT (profile_id) DO UPDATE SET version = excluded.version{previous};
END;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0011_evidence_versions"),
        ("profiles", "0007_sessions_and_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="evidenceversion",
            name="previous",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(
            RAISE.format(previous=", previous = known.version"), RAISE.format(previous="")
        ),
    ]

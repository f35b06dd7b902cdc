"""Sessions with their account and profile; versions of a profile's evidence, raised by its marks."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models

VERSIONS = """
CREATE SEQUENCE profiles_evidence_versions;
ALTER TABLE profiles_evidenceversion
    ADD CONSTRAINT profiles_evidenceversion_profile
    FOREIGN KEY (profile_id) REFERENCES profiles_profile ON DELETE CASCADE
    DEFERRABLE INITIALLY DEFERRED;
COMMENT ON TABLE profiles_evidenceversion IS
    'A number never used before for whatever the evidence of a profile is read from.';

CREATE FUNCTION raise_evidence_version(profiles bigint[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO profiles_evidenceversion AS known (profile_id, version)
    SELECT profile.id, nextval('profiles_evidence_versions')
    FROM profiles_profile AS profile
    WHERE profile.id = ANY (profiles)
    ORDER BY profile.id
    ON CONFLICT (profile_id) DO UPDATE SET version = excluded.version;
END;

CREATE FUNCTION raise_evidence_version_of_rows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_evidence_version(ARRAY(SELECT DISTINCT profile_id FROM changed));
    RETURN NULL;
END $$;

CREATE FUNCTION raise_evidence_version_of_both() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_evidence_version(
        ARRAY(SELECT profile_id FROM changed UNION SELECT profile_id FROM before)
    );
    RETURN NULL;
END $$;
"""
NO_VERSIONS = """
DROP FUNCTION raise_evidence_version_of_both, raise_evidence_version_of_rows;
DROP FUNCTION raise_evidence_version;
DROP SEQUENCE profiles_evidence_versions;
"""

TRIGGERS = """
CREATE TRIGGER evidence_inserted AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_rows();
CREATE TRIGGER evidence_deleted AFTER DELETE ON {table}
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_rows();
CREATE TRIGGER evidence_updated AFTER UPDATE ON {table}
    REFERENCING NEW TABLE AS changed OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_both();
"""
NO_TRIGGERS = """
DROP TRIGGER evidence_inserted ON {table};
DROP TRIGGER evidence_deleted ON {table};
DROP TRIGGER evidence_updated ON {table};
"""
MARKS = (
    "profiles_rating",
    "profiles_listentry",
    "profiles_hiddentitle",
    "profiles_droppedtitle",
    "profiles_refusedperson",
    "profiles_refusedgenre",
)


def copy_sessions(apps: Any, schema_editor: Any) -> None:
    """Let who is logged in stay so."""
    old, new = apps.get_model("sessions", "Session"), apps.get_model("profiles", "Session")
    for session in old.objects.iterator():
        data = SessionStore().decode(session.session_data)
        account_id = data.get("_auth_user_id")
        new.objects.create(
            session_key=session.session_key,
            session_data=session.session_data,
            expire_date=session.expire_date,
            account_id=None if account_id is None else int(account_id),
            profile_id=data.get("profile_id"),
        )
    old.objects.all().delete()


def put_sessions_back(apps: Any, schema_editor: Any) -> None:
    old, new = apps.get_model("sessions", "Session"), apps.get_model("profiles", "Session")
    names = ("session_key", "session_data", "expire_date")
    old.objects.bulk_create(old(**row) for row in new.objects.values(*names))


class Migration(migrations.Migration):
    dependencies = [
        ("sessions", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("profiles", "0006_mark_time"),
    ]

    operations = [
        migrations.CreateModel(
            name="EvidenceVersion",
            fields=[
                (
                    "profile",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="evidence_version",
                        serialize=False,
                        to="profiles.profile",
                    ),
                ),
                ("version", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="profiles.profile",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.RunPython(copy_sessions, put_sessions_back),
        migrations.RunSQL(VERSIONS, NO_VERSIONS),
        *(
            migrations.RunSQL(TRIGGERS.format(table=table), NO_TRIGGERS.format(table=table))
            for table in MARKS
        ),
    ]

"""Events raise the version of their profile's evidence; so do credits of whom a profile refused."""

from django.db import migrations

EVENTS = """
CREATE FUNCTION raise_evidence_version_of_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_evidence_version(
        ARRAY(SELECT DISTINCT profile_id FROM changed WHERE kind <> 'impression')
    );
    RETURN NULL;
END $$;
COMMENT ON FUNCTION raise_evidence_version_of_events() IS
    'Evidence holds no impressions, which come with every row that is scrolled into view.';

CREATE TRIGGER evidence_inserted AFTER INSERT ON events_event
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_events();
CREATE TRIGGER evidence_deleted AFTER DELETE ON events_event
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_events();
CREATE TRIGGER evidence_updated AFTER UPDATE ON events_event
    REFERENCING NEW TABLE AS changed OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_both();
"""
NO_EVENTS = """
DROP TRIGGER evidence_inserted ON events_event;
DROP TRIGGER evidence_deleted ON events_event;
DROP TRIGGER evidence_updated ON events_event;
DROP FUNCTION raise_evidence_version_of_events;
"""

CREDITS = """
CREATE FUNCTION raise_evidence_version_of_credits() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_evidence_version(ARRAY(
        SELECT DISTINCT refused.profile_id
        FROM profiles_refusedperson AS refused
        WHERE refused.person_id IN (SELECT person_id FROM changed)
    ));
    RETURN NULL;
END $$;

CREATE TRIGGER evidence_inserted AFTER INSERT ON catalog_credit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_credits();
CREATE TRIGGER evidence_deleted AFTER DELETE ON catalog_credit
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_credits();
CREATE TRIGGER evidence_updated AFTER UPDATE ON catalog_credit
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_credits();
CREATE TRIGGER evidence_updated_from AFTER UPDATE ON catalog_credit
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_evidence_version_of_credits();
"""
NO_CREDITS = """
DROP TRIGGER evidence_inserted ON catalog_credit;
DROP TRIGGER evidence_deleted ON catalog_credit;
DROP TRIGGER evidence_updated ON catalog_credit;
DROP TRIGGER evidence_updated_from ON catalog_credit;
DROP FUNCTION raise_evidence_version_of_credits;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_help_texts"),
        ("profiles", "0007_sessions_and_versions"),
        ("events", "0010_qualified_play"),
    ]

    operations = [
        migrations.RunSQL(EVENTS, NO_EVENTS),
        migrations.RunSQL(CREDITS, NO_CREDITS),
    ]

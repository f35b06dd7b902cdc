"""Copy what queries ask for out of the snapshots of earlier slates, into columns."""

from django.db import migrations

FILL = [
    """
    UPDATE events_slate SET is_keystroke = true, snapshot = snapshot - 'is_typed'
    WHERE snapshot ? 'is_typed'
    """,
    """
    UPDATE events_slate
    SET
        history_size = jsonb_array_length(snapshot #> '{viewer,liked_before}'),
        exploration = (snapshot #>> '{page,exploration}')::float8
    WHERE snapshot #> '{viewer,liked_before}' IS NOT NULL OR snapshot #> '{page,exploration}' IS NOT NULL
    """,
]
PUT_BACK = """
    UPDATE events_slate SET snapshot = snapshot || '{"is_typed": true}'::jsonb WHERE is_keystroke
    """


class Migration(migrations.Migration):
    dependencies = [("slates", "0002_facts")]

    operations = [migrations.RunSQL(FILL, [PUT_BACK])]

"""Write a slate and, where it is the visit's first, the visit's row: one statement, one commit."""

from pathlib import Path

from django.db import IntegrityError
from psycopg.types.json import Jsonb

from webapp.events.visits import CurrentVisit
from webapp.postgresql.retries import retried
from webapp.queries import Query
from webapp.slates.models import Slate

COLUMNS = [field.attname for field in Slate._meta.concrete_fields]


def write_slate(visit: CurrentVisit, slate: Slate, *, is_visit_recorded: bool) -> None:
    """Insert the slate, unless its profile was deleted since or a bot looks. One query, as a rule.

    Args:
        visit: whose; a row of it that is there already stays as it is.
        slate: not saved yet.
        is_visit_recorded: whether an event or an earlier page shows that the visit has its row.
    """
    if visit.is_unrecorded:
        return
    values = {name: getattr(slate, name) for name in COLUMNS}
    values |= {"rows": Jsonb(slate.rows), "snapshot": Jsonb(slate.snapshot)}
    values |= visit.columns
    try:
        _WRITE.execute(**values, is_visit_recorded=is_visit_recorded)
    except IntegrityError:  # what it refers to, the visit's row perhaps, was deleted meanwhile
        retried(lambda: _WRITE.execute(**values, is_visit_recorded=False))


_WRITE = Query(Path(__file__).parent / "sql" / "write_slate.sql")

"""Write a slate and, where it is the visit's first, the visit's row: one statement, one commit."""

from pathlib import Path

from psycopg.types.json import Jsonb

from webapp.events.visits import CurrentVisit
from webapp.queries import Query
from webapp.slates.models import Slate

COLUMNS = [field.attname for field in Slate._meta.concrete_fields]


def write_slate(visit: CurrentVisit, slate: Slate, *, is_visit_recorded: bool) -> None:
    """Insert the slate. One query.

    Args:
        visit: whose; a row of it that is there already stays as it is.
        slate: not saved yet.
        is_visit_recorded: whether an event or an earlier page shows that the visit has its row.
    """
    values = {name: getattr(slate, name) for name in COLUMNS}
    values |= {"rows": Jsonb(slate.rows), "snapshot": Jsonb(slate.snapshot)}
    _WRITE.execute(**values, **visit.columns, is_visit_recorded=is_visit_recorded)


_WRITE = Query(Path(__file__).parent / "sql" / "write_slate.sql")

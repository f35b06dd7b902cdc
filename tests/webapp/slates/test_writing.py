"""A slate is written as Django would write it, with its visit's row before it."""

import uuid

import pytest

from webapp.events.models import Visit
from webapp.events.visits import CurrentVisit
from webapp.slates.models import Slate
from webapp.slates.writing import write_slate

pytestmark = pytest.mark.django_db


def slate_of(visit, now, **fields):
    rows = [{"kind": "new", "titles": [1], "heading": "With ’ and \\ and %", "scores": [0.1]}]
    return Slate(
        visit_id=visit.id, surface="home", created_at=now, rows=rows, took_ms=1.5, **fields
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"is_keystroke": True, "snapshot": {"text": "it's 100 %s"}},
        {"history_size": 3, "exploration": 0.2, "features": b"\x00\xff'", "visit_share": 0.1},
        {"fallback_reason": "O'Hara: %"},
    ],
)
def test_every_column_is_written_as_django_writes_it(fields, cast, now, django_assert_num_queries):
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now, is_bot=True, experiment="e", arm="a")
    slate, twin = slate_of(visit, now, **fields), slate_of(visit, now, **fields)
    with django_assert_num_queries(1):
        write_slate(visit, slate, is_visit_recorded=False)
    twin.save(force_insert=True)
    names = [f.attname for f in Slate._meta.concrete_fields if not f.primary_key]
    [written, stored] = (Slate.objects.filter(pk=s.pk).values(*names).get() for s in (slate, twin))
    assert written == stored
    assert all(written[name] == value for name, value in fields.items() if name != "features")
    row = Visit.objects.values().get()
    assert row == Visit.objects.values().get() | {
        "id": visit.id, "profile_id": cast.owner.pk, "started_at": now, "is_bot": True,
        "is_simulated": False, "experiment": "e", "arm": "a",
    }  # fmt: skip


def test_a_visit_that_has_its_row_keeps_it(cast, now):
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now)
    Visit.objects.get_or_create(id=visit.id, defaults=visit.columns)
    before = Visit.objects.values().get()
    write_slate(visit, slate_of(visit, now), is_visit_recorded=True)
    write_slate(visit, slate_of(visit, now), is_visit_recorded=False)
    assert Visit.objects.values().get() == before
    assert Slate.objects.count() == 2

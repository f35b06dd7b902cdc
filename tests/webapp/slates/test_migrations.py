"""Slates written before columns took over facts of the snapshot."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from webapp.events.models import Visit
from webapp.slates.models import Slate

NOW = timezone.now()


def slate_of(visit, surface, snapshot):
    return Slate.objects.create(
        visit=visit, surface=surface, created_at=NOW, rows=[], took_ms=1, snapshot=snapshot
    )


@pytest.mark.django_db
def test_earlier_slates_get_their_columns_and_keep_their_snapshots():
    visit = Visit.objects.create(started_at=NOW)
    whole = {"viewer": {"liked_before": [[1, 1.0], [4, 0.5]]}, "page": {"exploration": 0.1}}
    home = slate_of(visit, "home", whole)
    search = slate_of(visit, "search", {"viewer": {"liked_before": []}, "page": {"row_size": 20}})
    keystroke = slate_of(visit, "search", {"text": "no", "is_typed": True})
    oldest = slate_of(visit, "home", {})
    with connection.cursor() as cursor:
        for statement in import_module("webapp.slates.migrations.0003_fill_facts").FILL:
            cursor.execute(statement)
    facts = {
        slate.pk: (slate.is_keystroke, slate.history_size, slate.exploration, slate.snapshot)
        for slate in Slate.objects.all()
    }
    assert facts == {
        home.pk: (False, 2, 0.1, whole),
        search.pk: (False, 0, None, search.snapshot),
        keystroke.pk: (True, None, None, {"text": "no"}),
        oldest.pk: (False, None, None, {}),
    }

"""What search learns from what was chosen."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from webapp.engine.catalogue import export_documents
from webapp.events.models import Event, Visit
from webapp.events.search_choices import choices_after_searches

NOW = timezone.now()
pytestmark = pytest.mark.django_db


def choose(title, query, *, times=1, days_ago=1.0, kind="choose", visit=None, **of_visit):
    """In each of so many visits, or so often in one, a title is chosen after a query."""
    at = NOW - timedelta(days=days_ago)
    for _ in range(times):
        Event.objects.create(
            id=uuid.uuid4(), kind=kind, title=title, query=query, occurred_at=at, received_at=at,
            visit=visit or Visit.objects.create(started_at=at, **of_visit), surface="search",
        )  # fmt: skip


def test_texts_are_counted_by_visits_in_any_case(films):
    choose(films[0], "spaghetti western", times=2)
    choose(films[0], "Spaghetti Western")
    choose(films[1], "spaghetti western", times=2)
    assert choices_after_searches(NOW) == {
        films[0].pk: [("spaghetti western", 3)],
        films[1].pk: [("spaghetti western", 2)],
    }


def test_one_visit_is_an_accident_however_often_it_chooses(films):
    choose(films[0], "duel", times=5, visit=Visit.objects.create(started_at=NOW))
    assert choices_after_searches(NOW) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"query": ""},
        {"kind": "open"},
        {"days_ago": 366.0},
        {"days_ago": -1.0},
        {"is_simulated": True},
        {"is_bot": True},
    ],
)
def test_nothing_else_counts(films, other):
    choose(films[0], **{"query": "duel", "times": 3, **other})
    assert choices_after_searches(NOW) == {}


def test_search_reads_them_with_the_titles(films):
    choose(films[5], "duel at noon", times=2)
    told = {document.id: document.chosen_after for document in export_documents(None, NOW)}
    assert told[films[5].pk] == (("duel at noon", 2),)
    assert told[films[6].pk] == ()
    assert all(not document.chosen_after for document in export_documents())

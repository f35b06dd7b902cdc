"""Queries written once: the same rows as Django's own, for whatever values."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import Q

from webapp.events.models import Event, Visit
from webapp.events.prepared import Prepared

pytestmark = pytest.mark.django_db


def of_visit(visit, kind="open"):
    return Event.objects.filter(visit=visit, kind=kind).order_by("occurred_at").values_list("pk")


@pytest.fixture
def events(films, now):
    visits = [Visit.objects.create(id=uuid4(), started_at=now) for _ in range(2)]
    return [
        Event.objects.create(
            id=uuid4(), visit=visits[n % 2], kind="open", title=films[n],
            occurred_at=now + timedelta(seconds=n), received_at=now,
        )
        for n in range(6)
    ]  # fmt: skip


def test_each_asking_gets_the_rows_of_its_own_values(events, django_assert_num_queries):
    prepared = Prepared(of_visit, visit=UUID)
    for event in events[:2]:
        with django_assert_num_queries(1):
            rows = prepared.rows(visit=event.visit_id)
        assert rows == list(of_visit(event.visit_id))
        assert len(rows) == 3
    assert prepared.rows(visit=None) == []


def test_values_come_to_their_places_however_often_they_are_asked_for(events, now):
    def build(title, since, until):
        first = Event.objects.filter(title=title, occurred_at__gte=since).values_list("title")
        others = Event.objects.filter(~Q(title=title), occurred_at__lt=until).values_list("title")
        return first.union(others, all=True)

    prepared = Prepared(build, title=int, since=datetime, until=datetime)
    title = events[3].title_id
    rows = prepared.rows(title=title, since=now, until=now + timedelta(seconds=2))
    assert sorted(rows) == sorted((pk,) for pk in [title, *(e.title_id for e in events[:2])])
    assert prepared.rows(title=title, since=now + timedelta(days=1), until=now) == []


def test_a_value_that_is_not_asked_for_is_refused(db):
    prepared = Prepared(lambda visit, other: of_visit(visit), visit=UUID, other=int)
    with pytest.raises(TypeError, match="does not ask for other"):
        prepared.rows(visit=uuid4(), other=1)

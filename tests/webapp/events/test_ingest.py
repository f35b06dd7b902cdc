"""Batches in two statements: what is known as the ORM finds it, and writes safe to repeat."""

import threading
import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from webapp.catalog.models import Genre, Person, Title
from webapp.events.ingest import SUBJECTS, EventDraft, _Known, record_events
from webapp.events.models import Event, ForgottenTitle, Visit
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import ListEntry
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


def draft(kind, title_id, now, **fields):
    return EventDraft(uuid.uuid4(), kind, title_id, now, **fields)


def known_by_the_orm(visit, drafts):
    """The twin of `sql/known_of_batch.sql`."""
    visits = Visit.objects.filter(slates__in={d.slate_id for d in drafts if d.slate_id})
    forgotten = ForgottenTitle.objects.filter(profile=visit.profile, title=OuterRef("pk"))
    if visit.profile:
        visits = visits.filter(profile=visit.profile)
    else:
        own = [id_ for id_ in (visit.id, visit.previous_id) if id_]
        visits = visits.filter(pk__in=own, profile=None)
    titles = Title.objects.allowed_for(visit.maturity_limit)
    titles = titles.filter(pk__in={d.title_id for d in drafts if d.title_id})
    subjects = {
        (kind, pk)
        for kind, model in zip(SUBJECTS, (Person, Genre), strict=True)
        for pk in model.objects.filter(  # type: ignore[attr-defined]
            pk__in=[d.subject for d in drafts if d.kind == kind and d.subject]
        ).values_list("pk", flat=True)
    }
    return _Known(
        set(Event.objects.filter(pk__in=[d.id for d in drafts]).values_list("pk", flat=True)),
        dict(titles.values_list("pk", Subquery(forgotten.values("forgotten_at")))),
        set(visits.values_list("slates", flat=True)) & {d.slate_id for d in drafts},
        subjects,  # type: ignore[arg-type]
        visit.profile is not None,
        Event.objects.filter(visit=visit.id).count(),
    )


@pytest.mark.parametrize("limit", [None, 12])
@pytest.mark.parametrize("who", ["owner", "sibling", None])
def test_what_is_known_is_what_the_orm_finds(who, limit, films, cast, now):
    rng = np.random.default_rng(3)
    for n, film in enumerate(films):
        Title.objects.filter(pk=film.pk).update(maturity=[None, 6, 12, 16][n % 4])
    ForgottenTitle.objects.create(profile=cast.owner, title=films[1], forgotten_at=now, kept={})
    slates, own = [], None
    for profile in (cast.owner, cast.sibling, None, None):
        visit = Visit.objects.create(profile=profile, started_at=now)
        slates.append(
            Slate.objects.create(visit=visit, surface="home", created_at=now, rows=[], took_ms=1)
        )
        own = visit.pk
    profile = getattr(cast, who) if who else None
    if profile:
        profile.maturity_limit = limit
    visit = CurrentVisit(own, profile, now, previous_id=slates[2].visit_id)  # type: ignore[arg-type, assignment]
    drafts = [
        draft("open", int(rng.choice([film.pk for film in films] + [1])), now, slate_id=s)
        for s in [*(slate.pk for slate in slates), uuid.uuid4(), None] * 4
    ]
    drafts += [draft("person", None, now, subject=n) for n in (Person.objects.get().pk, 1, None)]
    drafts += [draft("genre", None, now, subject=Genre.objects.first().pk)]
    record_events(visit, drafts[::3], now)  # type: ignore[arg-type]
    assert _Known.of(visit, drafts) == known_by_the_orm(visit, drafts)  # type: ignore[arg-type]


def test_every_column_is_written(films, cast, now):
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now, is_bot=True, experiment="e", arm="a")
    Visit.objects.get_or_create(id=visit.id, defaults=visit.columns)
    slate = Slate.objects.create(
        visit_id=visit.id, surface="home", created_at=now, rows=[], took_ms=1
    )
    late = now + timedelta(minutes=1)
    full = draft(
        "play", films[0].pk, late, surface="home", slate_id=slate.pk, row="new", slot=3,
        position_seconds=1, duration_seconds=2, value="x", query="a 'query' {1,2} \\ NULL",
        subject=9,
    )  # fmt: skip
    bare = draft("open", films[1].pk, now - timedelta(hours=1))
    assert record_events(visit, [full, bare], now).accepted == 2
    assert Event.objects.filter(pk=full.id).values().get() == {
        "id": full.id, "visit_id": visit.id, "profile_id": cast.owner.pk, "kind": "play",
        "title_id": films[0].pk, "occurred_at": now, "received_at": now, "surface": "home",
        "slate_id": slate.pk, "row": "new", "slot": 3, "position_seconds": 1,
        "duration_seconds": 2, "value": "x", "query": "a 'query' {1,2} \\ NULL", "subject": 9,
    }  # fmt: skip
    stored = Event.objects.get(pk=bare.id)
    assert (stored.occurred_at, stored.received_at) == (now - timedelta(hours=1), now)
    assert (stored.slate_id, stored.slot, stored.surface, stored.query) == (None, None, "", "")


def test_a_batch_is_two_statements(films, cast, now, django_assert_num_queries):
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now)
    with django_assert_num_queries(2):
        record_events(visit, [draft("impression", film.pk, now) for film in films], now)
    assert Event.objects.count() == len(films)
    assert Visit.objects.get().profile == cast.owner


@pytest.mark.django_db(transaction=True)
def test_a_batch_sent_twice_at_once_is_written_once(films, cast, now):
    """Another process writes the same event after this one has looked, and before it writes."""
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now)
    mark = draft("list", films[0].pk, now, value="add")
    looked, reports = threading.Barrier(2, timeout=20), []
    known_of = _Known.of.__func__  # type: ignore[attr-defined]

    def of(cls, visit, drafts):
        known = known_of(cls, visit, drafts)
        looked.wait()
        return known

    def send():
        reports.append(record_events(visit, [mark], now))
        connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Known, "of", classmethod(of))
        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted((r.accepted, r.repeated) for r in reports) == [(0, 1), (1, 0)]
    assert Event.objects.count() == ListEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_counted_is_committed(films, cast, now):
    """Another connection sees it as soon as the call returns."""
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now)
    seen = []

    def look():
        seen.append(Event.objects.count())
        connection.close()

    for mark in (draft("open", films[0].pk, now), draft("list", films[0].pk, now, value="add")):
        record_events(visit, [mark], now)
        assert not transaction.get_connection().in_atomic_block
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(20)
    assert seen == [1, 2]


def test_a_visit_holds_so_many_events(films, cast, now, settings):
    """Cards seen and progress are refused first; what the viewer does goes on for as long again."""
    settings.VISIT_EVENTS = 100
    visit = CurrentVisit(uuid.uuid4(), cast.owner, now)
    cards = [draft("impression", films[n % 60].pk, now) for n in range(120)]
    report = record_events(visit, cards, now)
    assert (report.accepted, len(report.errors)) == (100, 20)
    assert report.errors[0].index == 100
    assert report.errors[0].reason == "this visit has 100 events, the most that it may"
    report = record_events(visit, [draft("progress", films[0].pk, now)], now)
    assert (report.accepted, len(report.errors)) == (0, 1)
    opened = [draft("open", films[n % 60].pk, now) for n in range(110)]
    assert record_events(visit, opened, now).accepted == 100
    again = record_events(visit, cards[:1], now)
    assert (again.repeated, again.errors) == (1, [])
    next_visit = CurrentVisit(uuid.uuid4(), cast.owner, now)
    assert record_events(next_visit, cards[100:], now).accepted == 20


def test_a_made_up_row_is_left_out_and_its_event_kept(cast, films, now):
    """A row's name is a slice of the metrics, and a cell of the operators' files."""
    visit = CurrentVisit(uuid.uuid4(), None, now)
    made_up = '=HYPERLINK("http://evil","x")'
    drafts = [
        draft("open", films[n].pk, now, row=row)
        for n, row in enumerate(["trending", made_up, "genre", "search", "row 7", ""])
    ]
    assert record_events(visit, drafts, now).accepted == 6
    rows = dict(Event.objects.values_list("title_id", "row"))
    assert [rows[films[n].pk] for n in range(6)] == ["trending", "", "genre", "search", "", ""]

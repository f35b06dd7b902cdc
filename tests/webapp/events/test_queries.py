"""Queries kept as SQL: each gives the rows of its twin in the ORM."""

from dataclasses import astuple
from datetime import timedelta
from itertools import groupby
from uuid import UUID

import numpy as np
import pytest
from django.db import ProgrammingError
from django.db.models import Max, OuterRef, Subquery

from webapp.catalog.models import Credit, Genre, Person
from webapp.events import evidence, passed_over, playback, popular_plays
from webapp.events.models import Event, Visit
from webapp.events.playback import enough_seconds
from webapp.profiles.models import (
    DroppedTitle,
    HiddenTitle,
    ListEntry,
    Rating,
    RefusedGenre,
    RefusedPerson,
)

pytestmark = pytest.mark.django_db

KINDS = [kind.value for kind in Event.Kind]
RECENT = (
    "kind", "title_id", "value", "occurred_at", "received_at", "query", "visit_id", "subject",
)  # fmt: skip


@pytest.fixture
def visits(films, cast, now):
    """Three visits of the owner, three of anonymous browsers and one of another profile."""
    rng = np.random.default_rng(11)
    profiles = [cast.owner] * 3 + [None] * 3 + [cast.sibling]
    visits = [
        Visit(id=UUID(bytes=rng.bytes(16)), profile=profile, started_at=now - timedelta(hours=n))
        for n, profile in enumerate(profiles)
    ]
    Visit.objects.bulk_create(visits)
    seconds = iter(rng.permutation(100_000))
    events = []
    for visit in visits:
        for _ in range(60):
            kind = KINDS[rng.integers(len(KINDS))]
            at = now - timedelta(seconds=int(next(seconds)))
            events.append(
                Event(
                    id=UUID(bytes=rng.bytes(16)), visit=visit, profile=visit.profile, kind=kind,
                    title=None if kind in Event.WITHOUT_TITLE else films[rng.integers(4)],
                    occurred_at=at, received_at=at, query="a text" * (kind == "search"),
                    subject=4 if kind in ("person", "genre") else None,
                    position_seconds=[None, 0, 60, 900, 1020][rng.integers(5)],
                    duration_seconds=[None, 0, 100, 6000][rng.integers(4)],
                )
            )  # fmt: skip
    Event.objects.bulk_create(events)
    return visits


def playbacks(events):
    """The slow twin: the rule of docs/metrics.md in Python, over an ORM query."""
    rows = []
    by_title = sorted(events.filter(kind__in=Event.PLAYBACK), key=lambda e: e.title_id)
    for title_id, group in groupby(by_title, lambda e: e.title_id):
        played = sorted(group, key=lambda e: (e.occurred_at, e.received_at))
        latest = played[-1]
        qualified = [
            at for visit in {e.visit_id for e in played}
            if (at := qualified_at([e for e in played if e.visit_id == visit]))
        ]  # fmt: skip
        rows.append((
            title_id, latest.visit_id, latest.kind, latest.occurred_at, played[0].occurred_at,
            latest.position_seconds or 0, max(e.duration_seconds or 0 for e in played),
            min(qualified, default=None),
        ))  # fmt: skip
    return sorted(rows, key=lambda row: (row[3], row[0]))


def qualified_at(play):
    """When the play of one visit qualified; its events in their order."""
    begun = [e.position_seconds for e in play if e.kind == "play"]
    began_at = min((position for position in begun if position is not None), default=0)
    enough = enough_seconds(max(e.duration_seconds or 0 for e in play))
    moments = [
        e.occurred_at for e in play
        if e.kind == "finish" or (e.position_seconds or 0) - began_at >= enough
    ]  # fmt: skip
    return min(moments, default=None)


def test_playbacks_of_a_profile(visits, films, cast):
    twin = playbacks(Event.objects.filter(profile=cast.owner))
    assert len(twin) == 4
    assert {row[-1] is None for row in twin} <= {True, False}
    query = playback.PLAYBACKS_OF_PROFILE
    assert read(query, profile=cast.owner.pk) == twin
    for title in films[:5]:
        rows = read(query, profile=cast.owner.pk, title=title.pk)
        assert rows == [row for row in twin if row[0] == title.pk]
    assert read(query, profile=-1) == []


def read(query, title=None, plays=1000, **viewer):
    rows = query.rows(title=title, plays=plays, **viewer)
    return [astuple(playback.read_playback(row)) for row in rows]


def test_playbacks_of_a_browser(visits, django_assert_num_queries):
    query = playback.PLAYBACKS_OF_BROWSER
    for visit, previous in ((visits[3], visits[4]), (visits[5], None)):
        ids = [v.pk for v in (visit, previous) if v]
        with django_assert_num_queries(1):
            rows = read(query, visit=ids[0], previous=previous and previous.pk)
        assert rows == playbacks(Event.objects.filter(profile=None, visit__in=ids))
        assert rows
    assert read(query, visit=visits[0].pk, previous=None) == [], "a profile's"


def test_only_the_newest_plays_are_read(visits, cast):
    newest = Event.objects.filter(profile=cast.owner, kind__in=Event.PLAYBACK).latest("occurred_at")
    rows = read(playback.PLAYBACKS_OF_PROFILE, profile=cast.owner.pk, plays=1)
    assert [row[0] for row in rows] == [newest.title_id]


@pytest.mark.parametrize("has_profile", [True, False])
def test_recent_events(visits, cast, now, has_profile):
    since = now - timedelta(seconds=60_000)
    newest = (
        Event.objects.exclude(kind__in=Event.TOO_MANY)
        .order_by("-occurred_at", "-received_at")
        .values_list(*RECENT)
    )
    limits = {"visit_events": 20, "earlier_events": 10}
    if has_profile:
        visit, earlier = visits[0], newest.filter(profile=cast.owner).exclude(visit=visits[0])
        rows = evidence._RECENT_OF_PROFILE.rows(
            visit=visit.pk, since=since, profile=cast.owner.pk, **limits
        )
    else:
        visit, earlier = visits[3], newest.filter(profile=None, visit=visits[4])
        rows = evidence._RECENT_OF_BROWSER.rows(
            visit=visit.pk, since=since, previous=visits[4].pk, **limits
        )
    twin = [*earlier.filter(occurred_at__gte=since)[:10], *newest.filter(visit=visit)[:20]]
    assert len(twin) == 30
    assert rows == twin


def test_titles_seen(visits):
    for visit in (visits[0].pk, visits[3].pk):
        twin = (
            Event.objects.filter(visit=visit, kind="impression")
            .values("title_id")
            .annotate(seen_at=Max("occurred_at"))
            .order_by("-seen_at", "title_id")
            .values_list("title_id")
        )
        assert passed_over._SEEN.rows(visit=visit, most=1000, events=1000) == list(twin)
        assert passed_over._SEEN.rows(visit=visit, most=3, events=1000) == list(twin[:3])
        assert twin


def test_verdicts(films, cast, now):
    person, genre = Person.objects.create(name="Someone"), Genre.objects.get(slug="western")
    Credit.objects.create(title=films[7], person=person, role=Credit.Role.CAST)
    Credit.objects.create(title=films[8], person=person, role=Credit.Role.DIRECTOR)
    moments = iter(now - timedelta(minutes=n) for n in range(100))
    for profile in (cast.owner, cast.sibling):
        Rating.objects.create(profile=profile, title=films[0], stars=4.5, rated_at=next(moments))
        ListEntry.objects.create(profile=profile, title=films[1], at=next(moments))
        HiddenTitle.objects.create(profile=profile, title=films[2], at=next(moments))
        DroppedTitle.objects.create(profile=profile, title=films[3], at=next(moments))
        RefusedGenre.objects.create(profile=profile, genre=genre, at=next(moments))
        RefusedPerson.objects.create(profile=profile, person=person, at=next(moments))
    mine = {"profile": cast.owner}
    twin = [
        *(("rating", r.title_id, r.stars, r.rated_at) for r in Rating.objects.filter(**mine)),
        *(("list", e.title_id, 0.0, e.at) for e in ListEntry.objects.filter(**mine)),
        *(("hidden", h.title_id, 0.0, h.at) for h in HiddenTitle.objects.filter(**mine)),
        *(("dropped", d.title_id, 0.0, d.at) for d in DroppedTitle.objects.filter(**mine)),
        *(("genre", g.genre_id, 0.0, g.at) for g in RefusedGenre.objects.filter(**mine)),
        *(
            ("refused", credit.title_id, 0.0, refused.at)
            for refused in RefusedPerson.objects.filter(**mine)
            for credit in Credit.objects.filter(person=refused.person)
        ),
    ]
    twin.sort(key=lambda row: (row[3], row[1]))
    assert len(twin) == 7
    assert evidence._VERDICTS.rows(profile=cast.owner.pk) == twin


def test_a_parameter_without_a_value_is_refused():
    with pytest.raises(ProgrammingError, match="parameter missing: profile"):
        evidence._VERDICTS.rows()


@pytest.mark.parametrize("players", [3, 300])
def test_what_is_played_next(visits, films, players):
    Visit.objects.filter(pk=visits[1].pk).update(is_simulated=True)
    Event.objects.filter(kind__in=("progress", "stop")).update(kind="play")
    num_pairs = 0
    for film in films[:4]:
        begun = Event.objects.of_people().filter(
            kind=Event.Kind.PLAY, profile__isnull=False, title=film
        )
        twin = begun.order_by("-occurred_at").annotate(
            following=Subquery(
                Event.objects.filter(
                    kind=Event.Kind.PLAY,
                    profile=OuterRef("profile"),
                    occurred_at__gt=OuterRef("occurred_at"),
                )
                .exclude(title=film)
                .order_by("occurred_at")
                .values("title")[:1]
            )
        )
        expected = list(twin.values_list("profile_id", "following")[:players])
        rows = popular_plays._PLAYED_NEXT.rows(title=film.pk, players=players)
        assert rows == expected
        num_pairs += len({pair for pair in rows if pair[1] is not None})
    assert num_pairs > 4, "or the test compares nothing"

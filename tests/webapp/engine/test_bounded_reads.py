"""However much a viewer played, a page reads, and its slate holds, no more than the newest."""

import uuid
from datetime import timedelta

import pytest

from webapp.catalog.models import Title
from webapp.engine import responses
from webapp.events import playback
from webapp.events.evidence import read_evidence
from webapp.events.models import Event, Visit
from webapp.events.visits import CurrentVisit
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db
PLAYS = 2000


@pytest.fixture(params=["profile", "visit"])
def visit(request, films, cast, now):
    """A viewer who finished two thousand titles, a browser all in one visit."""
    profile = cast.owner if request.param == "profile" else None
    titles = Title.objects.bulk_create(
        Title(external_id=f"played-{n}", name=f"Played {n}", runtime_minutes=90, added_at=now)
        for n in range(PLAYS)
    )
    before = Visit.objects.create(profile=profile, started_at=now - timedelta(hours=1))
    Event.objects.bulk_create(
        Event(
            id=uuid.uuid4(), visit=before, profile=profile, title=title, kind="finish",
            occurred_at=now - timedelta(minutes=30, seconds=PLAYS - n), received_at=now,
            position_seconds=5400, duration_seconds=5400,
        )
        for n, title in enumerate(titles)
    )  # fmt: skip
    own = uuid.uuid4() if profile else before.pk
    return CurrentVisit(own, profile, before.started_at), [title.pk for title in titles]


def test_a_page_reads_the_newest_plays(visit):
    visit, titles = visit
    evidence = read_evidence(visit)
    newest = titles[-playback.MAX_PLAYS :]
    assert [p.title_id for p in evidence.playbacks] == newest
    assert evidence.seen == set(newest)
    assert len(evidence.recent) <= 200 + 50


def test_a_slate_holds_the_newest_plays(visit, release, now):
    visit, _ = visit
    responses.home(visit, now)
    viewer = Slate.objects.get().snapshot["viewer"]
    sizes = {name: len(value) for name, value in viewer.items() if isinstance(value, list)}
    assert sizes["liked"] == sizes["seen"] == playback.MAX_PLAYS
    assert max(sizes.values()) == playback.MAX_PLAYS


def test_one_title_is_found_however_long_ago(visit):
    visit, titles = visit
    [found] = playback.playbacks_of(visit, titles[0])
    assert found.is_qualified

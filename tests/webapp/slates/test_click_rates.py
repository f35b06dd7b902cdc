"""Click rates by history size, over slates of our own making."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from webapp.events.models import Event, Visit
from webapp.slates.click_rates import clicks_by_history_size
from webapp.slates.models import Slate

NOW = timezone.now()
pytestmark = pytest.mark.django_db


def slate_of(liked, seen, *, days_ago=1, row="from_likes"):
    """A slate for a viewer of so many liked titles, with (title, was opened) seen in a row."""
    at = NOW - timedelta(days=days_ago)
    visit = Visit.objects.create(started_at=at)
    slate = Slate.objects.create(
        visit=visit, surface="home", created_at=at, took_ms=1, rows=[],
        history_size=liked,
    )  # fmt: skip
    for title, was_opened in seen:
        for kind in ("impression", *(["open"] * (2 if was_opened else 0))):
            Event.objects.create(
                id=uuid.uuid4(), visit=visit, kind=kind, title=title, slate=slate, row=row,
                occurred_at=at, received_at=at, surface="home",
            )  # fmt: skip


def test_a_position_clicked_twice_counts_once_and_rows_are_told_apart(films):
    slate_of(3, [(films[0], True), (films[1], False), (films[2], False)])
    slate_of(3, [(films[0], False)], row="trending")
    (bucket,) = clicks_by_history_size(NOW - timedelta(days=30))
    assert (bucket.smallest, bucket.largest) == (3, 3)
    assert (bucket.seen, bucket.clicked) == ((3, 1), (1, 0))
    assert bucket.rates == [pytest.approx(1 / 3), 0.0]


def test_viewers_are_parted_by_how_much_they_liked_before(films):
    for liked in range(20):
        slate_of(liked, [(films[0], liked >= 10)])
    buckets = clicks_by_history_size(NOW - timedelta(days=30))
    assert [(b.smallest, b.largest) for b in buckets] == [(n, n + 1) for n in range(0, 20, 2)]
    assert [b.rates[0] for b in buckets] == [0.0] * 5 + [1.0] * 5
    assert all(b.rates[1] is None for b in buckets)


def test_old_slates_and_events_without_a_row_count_nothing(films):
    slate_of(1, [(films[0], True)], days_ago=31)
    slate_of(1, [(films[0], True)], row="")
    assert clicks_by_history_size(NOW - timedelta(days=30)) == []


@pytest.mark.parametrize("mark", ["is_simulated", "is_bot"])
def test_what_simulated_viewers_and_bots_saw_is_left_out(films, mark):
    slate_of(1, [(films[0], True)])
    Visit.objects.update(**{mark: True})
    assert clicks_by_history_size(NOW - timedelta(days=30)) == []

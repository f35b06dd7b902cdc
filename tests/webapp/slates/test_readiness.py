"""Which slates a ranker may learn from, by hand-made visits."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from webapp.events.models import Event, Visit
from webapp.slates.models import Slate
from webapp.slates.readiness import Readiness, outcome_known_before, readiness, seen_slates

NOW = datetime(2026, 5, 1, 20, tzinfo=UTC)


def slate_of(visit, *, hours_ago=5.0, is_seen=True, features=b"fields"):
    at = NOW - timedelta(hours=hours_ago)
    slate = Slate.objects.create(
        visit=visit, surface="home", created_at=at, rows=[], took_ms=1, features=features
    )
    if is_seen:
        Event.objects.create(
            id=uuid.uuid4(), visit=visit, kind="search", slate=slate, occurred_at=at, received_at=at
        )
    return slate


@pytest.fixture
def visits(db):
    """A visit of a person, a simulated viewer and a bot."""
    kinds = [{}, {"is_simulated": True}, {"is_bot": True}]
    return [Visit.objects.create(started_at=NOW - timedelta(days=40), **kind) for kind in kinds]


def test_people_and_simulated_viewers_are_apart_and_bots_are_neither(visits):
    person, simulated, bot = (slate_of(visit) for visit in visits)
    assert list(Slate.objects.of_people()) == [person]
    assert list(Slate.objects.of_simulated()) == [simulated]
    between = NOW - timedelta(days=1), NOW
    assert list(seen_slates(*between)) == [person]
    assert list(seen_slates(*between, is_simulated=True)) == [simulated]
    assert bot in Slate.objects.seen()


def test_a_slate_counts_once_it_was_seen_with_its_fields_and_its_visit_has_ended(visits, settings):
    settings.RANKER_LEARNS_FROM_SIMULATED = False
    settings.RANKER_MIN_SLATES = 2
    person, simulated, _ = visits
    counted = slate_of(person)
    slate_of(person, is_seen=False)
    slate_of(person, features=None)
    slate_of(person, hours_ago=0.1)
    slate_of(person, hours_ago=31 * 24)
    slate_of(simulated)
    assert readiness(NOW) == Readiness(slates=1, simulated=0, needed=2)
    assert list(seen_slates(NOW - timedelta(days=30), outcome_known_before(NOW))) == [counted]
    settings.RANKER_LEARNS_FROM_SIMULATED = True
    assert readiness(NOW).simulated == 1


def test_unseen_and_seen_are_each_others_complement(visits):
    seen, unseen = slate_of(visits[0]), slate_of(visits[0], is_seen=False)
    assert (list(Slate.objects.seen()), list(Slate.objects.unseen())) == ([seen], [unseen])


@pytest.mark.parametrize(
    ("slates", "simulated", "is_ready", "only_simulated"),
    [(9, 9, False, False), (10, 99, True, False), (9, 10, True, True), (10, 0, True, False)],
)
def test_simulated_slates_count_only_where_those_of_people_are_too_few(
    slates, simulated, is_ready, only_simulated
):
    ready = Readiness(slates, simulated, needed=10)
    assert (ready.is_ready, ready.only_simulated_ready) == (is_ready, only_simulated)

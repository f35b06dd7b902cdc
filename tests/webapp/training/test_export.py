"""What training reads: ratings are history, recorded visits are visits."""

import uuid
from datetime import timedelta

import pytest

from recommender.vocabulary import Vocabulary
from webapp.events.models import Event, Visit
from webapp.releases.models import TrainingRun
from webapp.training import export
from webapp.training.export import export_visits, liked_pairs, stored_events


@pytest.fixture
def open_in_turn(cast, films, now):
    """A function that records a visit of the owner which opens some films, a minute apart."""

    def record(*opened, is_simulated=False):
        visit = Visit.objects.create(profile=cast.owner, started_at=now, is_simulated=is_simulated)
        for minutes, n in enumerate(opened):
            at = now + timedelta(minutes=minutes)
            Event.objects.create(
                id=uuid.uuid4(), visit=visit, profile=cast.owner, kind="open", title=films[n],
                occurred_at=at, received_at=at,
            )  # fmt: skip

    return record


def opened_in(visits, films):
    return [films[item].pk for item in visits.sessions.items]


def test_imported_ratings_are_history_and_no_events(people):
    assert len(list(liked_pairs())) > 100
    assert list(stored_events()) == []


def test_a_catalogue_with_ratings_alone_trains_no_session_encoder(release):
    run = TrainingRun.objects.get()
    assert run.metrics["session_encoder"] == {
        "skipped": "fewer than 2000 events follow another in their visit"
    }


@pytest.mark.parametrize(
    ("allows_simulated", "real", "expected", "is_simulated"),
    [
        (False, (0,), [0], False),
        (True, (0,), [1, 2, 3], True),
        (True, (0, 4, 5), [0, 4, 5], False),
    ],
    ids=["not allowed", "people's too few", "people's enough"],
)
def test_real_and_simulated_visits_are_never_mixed(
    allows_simulated, real, expected, is_simulated, open_in_turn, films, settings, monkeypatch
):
    settings.RANKER_LEARNS_FROM_SIMULATED = allows_simulated
    monkeypatch.setattr(export, "MIN_TARGETS", 2)
    open_in_turn(*real)
    open_in_turn(1, 2, 3, is_simulated=True)
    visits = export_visits(Vocabulary([film.pk for film in films]))
    assert opened_in(visits, films) == [films[n].pk for n in expected]
    assert visits.is_simulated == is_simulated


def test_too_few_simulated_visits_leave_peoples(open_in_turn, films, settings, monkeypatch):
    settings.RANKER_LEARNS_FROM_SIMULATED = True
    monkeypatch.setattr(export, "MIN_TARGETS", 3)
    open_in_turn(0)
    open_in_turn(1, 2, 3, is_simulated=True)
    visits = export_visits(Vocabulary([film.pk for film in films]))
    assert (opened_in(visits, films), visits.is_simulated) == ([films[0].pk], False)

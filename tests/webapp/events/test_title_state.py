"""A title's state: as the evidence has it, and as read by itself."""

import uuid
from datetime import timedelta

import numpy as np
import pytest

from webapp.catalog.models import Credit
from webapp.events.evidence import read_evidence
from webapp.events.ingest import EventDraft, record_events
from webapp.events.title_state import title_state, title_state_of
from webapp.events.visits import CurrentVisit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["owner", None])
@pytest.mark.parametrize("seed", range(4))
def test_both_ways_to_read_it_agree(who, seed, films, cast, now):
    rng = np.random.default_rng(seed)
    person = Credit.objects.get().person
    Credit.objects.create(title=films[2], person=person, role=Credit.Role.CAST)
    visit = CurrentVisit(uuid.uuid4(), getattr(cast, who) if who else None, now)
    events = [
        ("thumb", ("up", "down", "love", "clear", "2.5")), ("list", ("add", "remove")),
        ("hide", ("hide", "show")), ("resume", ("remove", "restore")), ("play", ("",)),
        ("progress", ("",)), ("person", ("refuse",)), ("genre", ("refuse",)),
    ]  # fmt: skip
    for n in range(40):
        kind, values = events[rng.integers(len(events))]
        subject = {"person": person.pk, "genre": films[0].genres.get().pk}.get(kind)
        draft = EventDraft(
            uuid.uuid4(), kind, None if subject else films[rng.integers(4)].pk,
            now - timedelta(minutes=40 - n), value=str(rng.choice(values)), subject=subject,
            position_seconds=60 * n, duration_seconds=6000,
        )  # fmt: skip
        record_events(visit, [draft], now)
    evidence = read_evidence(visit)
    states = [title_state(visit, film) for film in films[:5]]
    for film, state in zip(films, states, strict=False):
        read = title_state_of(visit, film, evidence)
        assert (read.thumb, read.playback) == (state.thumb, state.playback)
        for name in (
            "is_listed", "is_hidden", "is_dropped", "refused_people", "refused_genres",
            "can_resume", "is_in_history",
        ):  # fmt: skip
            assert getattr(read, name) == getattr(state, name), name
    assert len({str(state) for state in states}) > 1

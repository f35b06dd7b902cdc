"""Events on plain types: each is read, or refused in the same words, as the serializer would."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.api.event_drafts import (
    EventSerializer,
    read_by_serializer,
    read_event,
    read_plain,
)
from webapp.events.ingest import EventDraft

USUAL = {
    "id": "0b0c7f3e-5a34-4d3d-9d86-3a8f3f0f3f10",
    "kind": "impression",
    "title": 7,
    "occurred_at": "2026-03-10T12:00:00.123Z",
    "surface": "home",
    "slate": "1b0c7f3e-5a34-4d3d-9d86-3a8f3f0f3f10",
    "row": "top_picks",
    "slot": 3,
    "position_seconds": None,
    "duration_seconds": 6000,
    "value": "",
    "query": "le fabuleux destin d’Amélie",
    "subject": None,
}
NUMBERS = st.one_of(
    st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.integers(-2, 20_000),
    st.sampled_from([0, 1, 10_000, 10_001, 86_400, 86_401, 2**63 - 1, 2**63, "7", "7.0", 7.0, [1]]),
)  # fmt: skip
TEXTS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=12),
    st.text(min_size=38, max_size=42),
    st.text(min_size=198, max_size=202),
    st.sampled_from([" a", "a\n", "a\0b", "\u00a0a", "a\u200b", "up", "\ud800", {}, [], "a b"]),
)  # fmt: skip
IDS = st.one_of(
    st.none(), st.integers(), st.text(max_size=40), st.uuids().map(str),
    st.uuids().map(lambda id_: id_.hex), st.uuids().map(lambda id_: f"{{{id_}}}"),
)  # fmt: skip
TIMES = st.one_of(
    st.none(), st.integers(), st.text(max_size=30), st.datetimes().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-12:00", "2026-03-10"]),
)  # fmt: skip
VALUES = {
    "id": IDS, "slate": IDS, "occurred_at": TIMES,
    "kind": st.one_of(TEXTS, st.sampled_from(["open", "search", "nap"])),
    "surface": st.one_of(TEXTS, st.sampled_from(["search", "nowhere"])),
    **dict.fromkeys(("title", "slot", "position_seconds", "duration_seconds", "subject"), NUMBERS),
    **dict.fromkeys(("row", "value", "query"), TEXTS),
    "unknown": TEXTS,
}  # fmt: skip


@st.composite
def events(draw):
    """The usual event with up to three fields changed, up to two of them left out."""
    event = dict(USUAL)
    for name in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=3)):
        event[name] = draw(VALUES[name])
    for name in draw(st.lists(st.sampled_from(sorted(USUAL)), max_size=2)):
        event.pop(name, None)
    return event


@given(events())
@settings(max_examples=600, deadline=None)
def test_every_event_is_read_as_by_its_slow_twin(event):
    assert read_event(event) == read_by_serializer(event)


@given(events())
@settings(max_examples=300, deadline=None)
def test_plain_types_accept_nothing_that_the_serializer_refuses(event):
    draft = read_plain(event)
    assert draft is None or draft == read_by_serializer(event)


def test_the_usual_event_needs_no_serializer():
    assert read_plain(USUAL) == EventDraft(
        uuid.UUID(USUAL["id"]), "impression", 7, datetime(2026, 3, 10, 12, 0, 0, 123_000, UTC),  # type: ignore[arg-type]
        "home", uuid.UUID(USUAL["slate"]), "top_picks", 3, None, 6000, "",  # type: ignore[arg-type]
        "le fabuleux destin d’Amélie", None,
    )  # fmt: skip
    least = {name: USUAL[name] for name in ("id", "kind", "occurred_at")}
    assert read_plain(least) is not None
    assert read_plain(json.loads(json.dumps(USUAL))) is not None


@pytest.mark.parametrize("name", EventSerializer().fields)
def test_every_field_is_read(name):
    """A field that the serializer gains is missing here, and in `read_plain`."""
    wrong = {**USUAL, name: {"no": "such value"}}
    assert read_plain(wrong) is None
    assert read_event(wrong).startswith(f"{name}: ")

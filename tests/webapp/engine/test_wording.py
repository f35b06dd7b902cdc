"""Headings and reasons: every kind has one, and no sentence says more than its evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking.features import CATEGORIES
from recommender.ranking.page import CandidateRow, Row
from recommender.ranking.reasons import EXPLORED, NO_REASON, Because, Reason
from recommender.ranking.row_kinds import ROW_KINDS, RowKind
from recommender.serving.interest_rows import pair_key
from recommender.serving.recommender import Recommender
from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.ranker_fields import unpack_fields
from webapp.engine import responses
from webapp.engine.wording import HEADINGS, OF_KIND, Subjects, Wording
from webapp.events.evidence import Evidence, RecentEvent, Verdict
from webapp.events.ingest import EventDraft, record_events
from webapp.events.playback import Playback
from webapp.events.visits import CurrentVisit, current_visit
from webapp.slates.models import Slate

NOW = datetime(2026, 5, 3, 20, tzinfo=UTC)
NAMES = {1: "Alien", 2: "Heat", 3: "Ran"}
SUBJECTS = Subjects(
    {id_: Title(pk=id_, name=name, added_at=NOW) for id_, name in NAMES.items()},
    {1: Genre(pk=1, name="Drama"), 2: Genre(pk=2, name="Crime")},
    {1: Person(pk=1, name="Ann Lee")},
)
NOTHING_DONE = Evidence([], [], [], NOW)
REASONS = st.builds(
    Reason,
    st.sampled_from(Because),
    st.lists(st.sampled_from([1, 2, 3]), unique=True).map(tuple),
    st.lists(st.sampled_from([1, 2, 3]), unique=True).map(tuple),
    st.floats(0, 9),
    st.integers(0, 9),
)


def words_for(evidence=NOTHING_DONE, *, is_personal=True, profile=None):
    visit = SimpleNamespace(profile=profile, is_personal=is_personal)
    return Wording(SUBJECTS, evidence, cast("CurrentVisit", visit))


def row_of(kind, reason=NO_REASON, key=None):
    subject = ROW_KINDS[kind].subject if kind in ROW_KINDS else None
    if subject == "genre_pair":
        key = pair_key(1, 2)
    elif subject is not None:
        key = 1
    return Row(kind, np.arange(3), np.ones(3, dtype=np.float32), key, reason=reason)


def test_every_kind_has_a_heading_and_none_is_left_from_a_kind_that_is_gone():
    assert HEADINGS.keys() == ROW_KINDS.keys()
    assert OF_KIND.keys() <= ROW_KINDS.keys()


@pytest.mark.parametrize("kind", ROW_KINDS)
@given(reason=REASONS)
def test_every_sentence_is_short(kind, reason):
    words = words_for()
    row = row_of(kind, reason)
    title = SUBJECTS.titles[2]
    for sentence in (words.reason(row), words.why(reason, row, title, 4, ""), words.heading(row)):
        assert len(sentence.split()) <= 12
        assert "{" not in sentence
        assert not sentence.endswith(".")


@pytest.mark.parametrize("kind", ROW_KINDS.keys() - OF_KIND.keys())
def test_without_evidence_a_row_gives_no_reason(kind):
    assert words_for().reason(row_of(kind)) == ""


@pytest.mark.parametrize(
    ("kind", "reason", "sentence"),
    [
        ("genre", Reason(Because.LIFT, (1, 2), lift=2.0),
         "You choose this genre more often than most viewers"),
        ("genre_pair", Reason(Because.LIFT, (1, 2), lift=2.0),
         "You choose these genres together more often than most viewers"),
        ("person", Reason(Because.LIFT, (1, 2, 3), lift=2.0), "You chose 3 of their titles"),
        ("top_picks", Reason(Because.TASTE, (1, 2)),
         "Based on 2 titles you liked, saved or watched"),
        ("top_picks", Reason(Because.TASTE, (1, 2), (3,)),
         "Based on 2 titles you liked, saved or watched, plus this visit"),
        ("suggestions", Reason(Because.TASTE, (), (3,)), "Based on what you’re looking at now"),
        ("this_visit", Reason(Because.VISIT, (), (3,)), "Based on 1 title you chose just now"),
        ("from_likes", Reason(Because.SIMILAR, (1, 2)),
         "Similar to 2 titles you liked, saved or watched before"),
        ("more_like", Reason(Because.LIKERS, likers=12), "Liked by people who liked this title"),
        ("more_like", Reason(Because.GENRES), "Shares genres with this title"),
        ("trending", Reason(Because.TRENDING, likers=3), "Most liked recently"),
        ("popular", Reason(Because.POPULAR, likers=3), "Most liked by viewers"),
    ],
)  # fmt: skip
def test_the_reasons_of_rows_by_hand(kind, reason, sentence):
    assert words_for().reason(row_of(kind, reason)) == sentence


def test_titles_that_stay_from_before_are_not_said_to_come_of_this_visit():
    for reason, sentence in (
        (Reason(Because.TASTE, (1,), (3,)), "Based on 1 title you liked, saved or watched"),
        (Reason(Because.TASTE, (), (3,)), ""),
    ):
        pinned = replace(row_of("top_picks", reason), num_pinned=2)
        assert words_for().reason(pinned) == sentence


def test_the_reasons_of_titles_by_hand():
    words, title = words_for(), SUBJECTS.titles[2]
    plain = row_of("top_picks")
    assert words.why(EXPLORED, plain, title, 5, "") == "Something different to try"
    assert words.why(Reason(Because.SIMILAR, (1,)), plain, title, 0, "") == "Similar to Alien"
    assert words.why(NO_REASON, row_of("top_10"), title, 2, "") == "Number 3 today"
    assert words.why(NO_REASON, row_of("new"), title, 0, "") == "Added on 3 May 2026"
    assert words.why(NO_REASON, plain, title, 0, "The row's") == "The row's"


def test_headings_claim_no_more_than_their_evidence():
    words = words_for()
    assert words.heading(row_of("suggestions")) == "Popular right now"
    assert words.heading(row_of("because_watched")) == "Similar to Alien"
    assert words.heading(row_of("this_visit")) == "For this visit"
    taste = Reason(Because.TASTE, (1,))
    assert words.heading(row_of("suggestions", taste)) == "For you, now"
    near = Row("near", np.arange(3), np.ones(3, dtype=np.float32), 7)
    assert words.heading(near) == "Similar titles"


def test_without_personal_picks_the_row_says_so():
    words = words_for(is_personal=False)
    assert words.reason(row_of("genre")) == "Personal picks are off."
    assert words.reason(row_of("new")) == "Newest first. Personal picks are off."
    assert words.reason(row_of("my_list")) == "Titles you saved for later"


playbacks = st.builds(
    lambda id_, qualified_at: Playback(id_, uuid4(), "progress", NOW, NOW, 900, 6000, qualified_at),
    st.sampled_from([1, 2]),
    st.sampled_from([None, NOW]),
)
verdicts = st.builds(
    lambda source, id_, stars: Verdict(source, id_, stars if source == "rating" else 0.0, NOW),
    st.sampled_from(["rating", "list", "hidden"]),
    st.sampled_from([1, 2]),
    st.sampled_from([1.0, 5.0]),
)
recent = st.builds(
    lambda kind, id_, is_now: RecentEvent(kind, id_, "", NOW, "", is_now),
    st.sampled_from(["open", "choose", "impression", "play", "search"]),
    st.sampled_from([1, 2]),
    st.booleans(),
)


@given(
    st.lists(verdicts, max_size=3), st.lists(playbacks, max_size=3), st.lists(recent, max_size=3)
)
def test_what_the_viewer_did_with_a_title_is_what_happened(rated, played, happened):
    words = words_for(Evidence(rated, played, happened, NOW - timedelta(hours=1)))
    verb = words.verb(1)
    of_title = [p for p in played if p.title_id == 1]
    stars = [v.stars for v in rated if v.title_id == 1 and v.source == "rating"]
    is_true = {
        "watched": any(p.qualified_at for p in of_title),
        "liked": max(stars, default=0) >= 4,
        "started": bool(of_title),
        "saved": any(v.title_id == 1 and v.source == "list" for v in rated),
        "opened": any(
            e.title_id == 1 and e.is_this_visit and e.kind in ("open", "choose", "play")
            for e in happened
        ),
    }
    assert verb == next((name for name, holds in is_true.items() if holds), "")
    heading = words.heading(row_of("because_watched"))
    assert heading == (f"Because you {verb} Alien" if verb else "Similar to Alien")


@pytest.mark.django_db
def test_a_new_kind_appears_with_heading_ranking_and_reason_by_one_entry(
    release, cast, films, now, monkeypatch, settings
):
    """What proposes its titles is code; all that is said and done with them is the one entry."""
    settings.ROW_SIZE = 6
    monkeypatch.setitem(
        ROW_KINDS, "late_night", RowKind("late_night", 22, weight=100.0, is_personal=True)
    )
    proposed = Recommender._candidate_rows

    def with_late_night(self, viewer, context, taste, *others):
        yield from proposed(self, viewer, context, taste, *others)
        if taste is None:
            return
        items = np.arange(len(self.catalogue))
        scores = self.affinity(taste).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        yield CandidateRow("late_night", items[order], scores[order])

    monkeypatch.setattr(Recommender, "_candidate_rows", with_late_night)
    visit = current_visit(None, cast.owner, now)
    play = EventDraft(uuid4(), "play", films[0].pk, now, position_seconds=900)
    assert record_events(visit, [play], now).accepted
    page = responses.home(visit, now, is_whole=True)
    row = next(row for row in page.rows if row.kind == "late_night")
    assert row.heading == "Late night"
    assert {slot.why for slot in row.slots} >= {
        "Matches what you’re browsing now",
        "Similar to The Good, the Bad and the Ugly, which you started",
    }
    before_all = ("continue_watching", "because_watched", "this_visit")
    assert next(r.kind for r in page.rows if r.kind not in before_all) == "late_night"
    stored = Slate.objects.get(pk=page.slate_id).features
    assert stored is not None
    features = unpack_fields(stored)
    assert 22 in features.categories[:, CATEGORIES.index("row")]

"""What a viewer's events and ratings say, worked by hand."""

from datetime import timedelta
from uuid import uuid4

import pytest

from webapp.events.ingest import EventDraft, record_events
from webapp.events.sessions import evidence_of, liked_pairs
from webapp.events.visits import current_visit
from webapp.profiles.models import HiddenTitle, ListEntry, Rating

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(cast, now):
    return current_visit(None, cast.owner, now)


def tell(visit, now, kind, title, minutes_ago=0, **fields):
    at = now - timedelta(minutes=minutes_ago)
    report = record_events(visit, [EventDraft(uuid4(), kind, title.pk, at, **fields)], now)
    assert not report.errors


def test_nothing_is_known_of_a_newcomer(visit, django_assert_num_queries):
    with django_assert_num_queries(3):
        evidence = evidence_of(visit)
    assert evidence.liked() == {}
    assert evidence.recent_reasons() == []


def test_likes_are_ratings_of_four_stars_list_entries_and_qualified_plays(visit, films, cast, now):
    for film, stars in zip(films, (5.0, 4.0, 3.5, 1.0), strict=False):
        Rating.objects.create(profile=cast.owner, title=film, stars=stars, rated_at=now)
    ListEntry.objects.create(profile=cast.owner, title=films[4], added_at=now)
    HiddenTitle.objects.create(profile=cast.owner, title=films[1], hidden_at=now)
    earlier = current_visit(None, cast.owner, now)
    tell(earlier, now, "progress", films[5], position_seconds=120, duration_seconds=6000)
    tell(earlier, now, "progress", films[6], position_seconds=119, duration_seconds=6000)
    tell(earlier, now, "progress", films[7], position_seconds=70, duration_seconds=100)
    evidence = evidence_of(visit)
    assert evidence.liked() == {films[n].pk: 1.0 for n in (0, 4, 5, 7)}
    assert evidence.disliked() == {films[3].pk}
    assert evidence.hidden() == {films[1].pk}
    exported = {title for profile, title, _ in liked_pairs() if profile == cast.owner.pk}
    assert exported == {films[n].pk for n in (0, 1, 4, 5, 7)}


def test_this_visit_weighs_more_than_the_past_and_a_thumb_down_ends_it(visit, films, cast, now):
    Rating.objects.create(profile=cast.owner, title=films[0], stars=5, rated_at=now)
    tell(visit, now, "open", films[0], 3)
    tell(visit, now, "play", films[1], 2)
    tell(visit, now, "thumb", films[2], 1, value="love")
    tell(visit, now, "open", films[3], 1)
    tell(visit, now, "thumb", films[3], 0, value="down")
    tell(visit, now, "impression", films[4], 0)
    assert evidence_of(visit).liked() == {films[0].pk: 1.0, films[1].pk: 2.0, films[2].pk: 3.0}


def test_what_was_played_last_can_be_continued_first_and_a_finished_title_cannot(visit, films, now):
    tell(visit, now, "progress", films[0], 9, position_seconds=600, duration_seconds=6000)
    tell(visit, now, "progress", films[1], 8, position_seconds=5900, duration_seconds=6000)
    tell(visit, now, "progress", films[2], 7, position_seconds=3000, duration_seconds=6000)
    tell(visit, now, "stop", films[0], 1, position_seconds=1500, duration_seconds=6000)
    unfinished = evidence_of(visit).unfinished()
    assert [(p.title_id, p.progress) for p in unfinished] == [
        (films[0].pk, 0.25),
        (films[2].pk, 0.5),
    ]


def test_starting_again_keeps_a_play_qualified(visit, films, now):
    tell(visit, now, "progress", films[0], 9, position_seconds=600, duration_seconds=6000)
    tell(visit, now, "play", films[0], 1, position_seconds=0, duration_seconds=6000)
    [playback] = evidence_of(visit).playbacks
    assert (playback.position_seconds, playback.is_qualified) == (0, True)


def test_reasons_name_what_was_played_before_what_was_opened(visit, films, cast, now):
    Rating.objects.create(profile=cast.owner, title=films[9], stars=5, rated_at=now)
    tell(visit, now, "play", films[0], 5)
    tell(visit, now, "open", films[1], 1)
    assert evidence_of(visit).recent_reasons() == [films[0].pk, films[1].pk, films[9].pk]


def test_a_strangers_evidence_is_the_visit_alone(films, now):
    visit = current_visit(None, None, now)
    tell(visit, now, "play", films[0])
    assert evidence_of(visit).liked() == {films[0].pk: 2.0}
    assert evidence_of(current_visit(None, None, now)).liked() == {}

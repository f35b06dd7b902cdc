"""What a viewer's events and ratings say, worked by hand."""

from datetime import timedelta, timezone
from timeit import repeat
from uuid import uuid4

import pytest
from django.db import connection

from recommender.data.sessions import EventKind
from webapp.events.evidence import EARLIER_EVENTS, VISIT_EVENTS, evidence_of
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.playback import playbacks_of
from webapp.events.visits import CurrentVisit, current_visit
from webapp.profiles.models import HiddenTitle, ListEntry, Rating
from webapp.training.export import liked_pairs

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(cast, now):
    return current_visit(None, cast.owner, now)


def tell(visit, now, kind, title, minutes_ago=0, **fields):
    at = now - timedelta(minutes=minutes_ago)
    draft = EventDraft(uuid4(), kind, title.pk if title else None, at, **fields)
    assert not record_events(visit, [draft], now).errors


def anonymous_visit(now, previous=None):
    return CurrentVisit(uuid4(), None, now, previous_id=previous.id if previous else None)


def told(visit):
    """What the evidence says: kind, title and whether it was in this visit."""
    return [(e.encoder_kind(), e.title_id, e.is_this_visit) for e in evidence_of(visit).recent]


def fill(visit, kind, titles, count, now, seconds_apart=1):
    """Store so many events at once, the newest now."""
    Visit.objects.get_or_create(id=visit.id, defaults=visit.columns)
    Event.objects.bulk_create(
        Event(
            id=uuid4(),
            visit_id=visit.id,
            profile=visit.profile,
            kind=kind,
            title=titles[n % len(titles)],
            occurred_at=now - timedelta(seconds=seconds_apart * n),
            received_at=now,
            position_seconds=n % 6000,
            duration_seconds=6000,
        )
        for n in range(count)
    )


def test_nothing_is_known_of_a_newcomer(visit, django_assert_num_queries):
    with django_assert_num_queries(1):
        evidence = evidence_of(visit)
    assert evidence.liked == {}
    assert evidence.recent_reasons == []


def test_likes_are_ratings_of_four_stars_list_entries_and_qualified_plays(visit, films, cast, now):
    for film, stars in zip(films, (5.0, 4.0, 3.5, 1.0), strict=False):
        Rating.objects.create(profile=cast.owner, title=film, stars=stars, rated_at=now)
    ListEntry.objects.create(profile=cast.owner, title=films[4], at=now)
    HiddenTitle.objects.create(profile=cast.owner, title=films[1], at=now)
    earlier = current_visit(None, cast.owner, now)
    tell(earlier, now, "progress", films[5], position_seconds=120, duration_seconds=6000)
    tell(earlier, now, "progress", films[6], position_seconds=119, duration_seconds=6000)
    tell(earlier, now, "progress", films[7], position_seconds=70, duration_seconds=100)
    evidence = evidence_of(visit)
    assert evidence.liked == {films[n].pk: 1.0 for n in (0, 4, 5, 7)}
    assert evidence.disliked == {films[3].pk}
    assert evidence.hidden == {films[1].pk}
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
    assert evidence_of(visit).liked == {films[0].pk: 1.0, films[1].pk: 2.0, films[2].pk: 3.0}


def test_what_was_played_last_can_be_continued_first_and_a_finished_title_cannot(visit, films, now):
    tell(visit, now, "progress", films[0], 9, position_seconds=600, duration_seconds=6000)
    tell(visit, now, "progress", films[1], 8, position_seconds=5900, duration_seconds=6000)
    tell(visit, now, "progress", films[2], 7, position_seconds=3000, duration_seconds=6000)
    tell(visit, now, "stop", films[0], 1, position_seconds=1500, duration_seconds=6000)
    unfinished = evidence_of(visit).unfinished
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
    assert evidence_of(visit).recent_reasons == [films[0].pk, films[1].pk, films[9].pk]


def test_a_strangers_evidence_is_the_visit_alone(films, now):
    visit = current_visit(None, None, now)
    tell(visit, now, "play", films[0])
    assert evidence_of(visit).liked == {films[0].pk: 2.0}
    assert evidence_of(current_visit(None, None, now)).liked == {}


def test_each_stored_event_has_its_meaning_oldest_first(visit, films, now):
    story = [
        ("open", films[0], {}, EventKind.OPEN),
        ("choose", films[1], {"query": "noon"}, EventKind.CHOOSE),
        ("play", films[0], {"position_seconds": 0}, EventKind.PLAY),
        ("stop", films[0], {"position_seconds": 30}, EventKind.STOP),
        ("play", films[1], {"position_seconds": 0}, EventKind.PLAY),
        ("stop", films[1], {"position_seconds": 3000}, EventKind.PROGRESS),
        ("progress", films[2], {"position_seconds": 600}, EventKind.PROGRESS),
        ("finish", films[3], {"position_seconds": 6000}, EventKind.FINISH),
        ("thumb", films[4], {"value": "up"}, EventKind.LIKE),
        ("thumb", films[5], {"value": "love"}, EventKind.LIKE),
        ("thumb", films[6], {"value": "down"}, EventKind.DISLIKE),
        ("list", films[7], {"value": "add"}, EventKind.LIST),
        ("list", films[8], {"value": "remove"}, EventKind.UNLIST),
        ("hide", films[9], {"value": "hide"}, EventKind.HIDE),
        ("search", None, {"query": "red river"}, EventKind.SEARCH),
    ]
    for minutes, (kind, title, fields, _) in enumerate(reversed(story)):
        tell(visit, now, kind, title, minutes, **fields)
    tell(visit, now, "impression", films[10])
    tell(visit, now, "thumb", films[11], value="clear")
    tell(visit, now, "hide", films[12], value="show")
    expected = [(means, title.pk if title else None, True) for _, title, _, means in story]
    assert told(visit) == [*expected, (None, films[11].pk, True), (None, films[12].pk, True)]
    queries = {event.query for event in evidence_of(visit).recent}
    assert queries == {"", "noon", "red river"}


def test_what_was_taken_back_is_not_there(visit, films, now):
    tell(visit, now, "thumb", films[0], 3, value="up")
    tell(visit, now, "thumb", films[0], 2, value="clear")
    tell(visit, now, "list", films[1], 3, value="add")
    tell(visit, now, "list", films[1], 2, value="remove")
    tell(visit, now, "hide", films[2], 3, value="hide")
    tell(visit, now, "hide", films[2], 2, value="show")
    assert {meaning for meaning, *_ in told(visit)} == {None, EventKind.UNLIST}
    assert evidence_of(visit).liked == {}


def test_to_stop_early_sets_a_title_back_to_opened(visit, films, now):
    tell(visit, now, "play", films[0], 3, position_seconds=0, duration_seconds=6000)
    tell(visit, now, "stop", films[0], 2, position_seconds=20, duration_seconds=6000)
    tell(visit, now, "play", films[1], 3, position_seconds=0, duration_seconds=6000)
    tell(visit, now, "stop", films[1], 2, position_seconds=900, duration_seconds=6000)
    assert evidence_of(visit).liked == {films[0].pk: 1.0, films[1].pk: 2.0}


def test_the_visits_before_come_first_and_are_marked(visit, films, cast, now):
    earlier = current_visit(None, cast.owner, now - timedelta(days=2))
    tell(earlier, now, "open", films[0], 2 * 24 * 60)
    tell(earlier, now, "progress", films[1], 2 * 24 * 60 - 1, position_seconds=9)
    tell(current_visit(None, cast.sibling, now), now, "open", films[5])
    tell(current_visit(None, None, now), now, "open", films[6])
    tell(visit, now, "open", films[2])
    assert told(visit) == [
        (EventKind.OPEN, films[0].pk, False),
        (EventKind.PROGRESS, films[1].pk, False),
        (EventKind.OPEN, films[2].pk, True),
    ]


def test_what_was_done_over_thirty_days_ago_is_history_alone(visit, films, cast, now):
    earlier = current_visit(None, cast.owner, now)
    for days, film in ((29, films[0]), (31, films[1])):
        fill(earlier, "open", [film], 1, now - timedelta(days=days))
    assert told(visit) == [(EventKind.OPEN, films[0].pk, False)]


def test_an_anonymous_browser_is_remembered_over_one_visit(films, now):
    first = anonymous_visit(now)
    tell(first, now, "progress", films[0], 2, position_seconds=600, duration_seconds=6000)
    second = anonymous_visit(now, first)
    tell(second, now, "open", films[1], 1)
    third = anonymous_visit(now, second)
    assert told(second) == [
        (EventKind.PROGRESS, films[0].pk, False),
        (EventKind.OPEN, films[1].pk, True),
    ]
    assert [p.title_id for p in playbacks_of(second)] == [films[0].pk]
    assert told(third) == [(EventKind.OPEN, films[1].pk, False)]


def test_long_term_taste_is_what_was_liked_before_this_visit(films, cast, now):
    visit = current_visit(None, cast.owner, now)
    before, later = now - timedelta(days=1), now + timedelta(minutes=10)
    for film, at in ((films[0], before), (films[1], later)):
        Rating.objects.create(profile=cast.owner, title=film, stars=5, rated_at=at)
    earlier = current_visit(None, cast.owner, before)
    fill(earlier, "progress", [films[2]], 200, before)
    fill(visit, "progress", [films[2], films[3]], 400, later)
    evidence = evidence_of(visit)
    assert evidence.liked_before == {films[0].pk: 1.0, films[2].pk: 1.0}
    assert evidence.liked.keys() == {films[n].pk for n in (0, 1, 2, 3)}


def test_events_are_in_the_order_of_real_time_whatever_the_clock_on_the_wall(visit, films, now):
    for hours, minutes, film in ((2, 3, films[0]), (1, 2, films[1]), (13, 1, films[2])):
        zone = timezone(timedelta(hours=hours))
        at = (now - timedelta(minutes=minutes)).astimezone(zone)
        assert record_events(visit, [EventDraft(uuid4(), "open", film.pk, at)], now).accepted
    assert [title for _, title, _ in told(visit)] == [film.pk for film in films[:3]]
    ats = [event.at for event in evidence_of(visit).recent]
    assert {at.utcoffset() for at in ats} == {timedelta(0)}


@pytest.mark.parametrize("has_profile", [True, False])
def test_the_events_are_read_by_indexes(films, cast, now, has_profile, django_assert_num_queries):
    before = current_visit(None, cast.owner if has_profile else None, now)
    visit = CurrentVisit(uuid4(), before.profile, now, previous_id=before.id)
    for other in (before, visit, current_visit(None, cast.stranger, now), anonymous_visit(now)):
        fill(other, "impression", films, 1000, now)
        fill(other, "open", films, 1000, now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")
    with django_assert_num_queries(1) as asked:
        evidence_of(visit)
    [queries] = asked.captured_queries
    [query] = [part for part in queries["sql"].split(";\n") if "'impression'" in part]
    with connection.cursor() as cursor:
        # Whether indexes can answer it: what the planner prefers in so small a table varies.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "event_of_visit" in plan, plan
    assert ("event_of_profile" in plan) == has_profile, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("kind", ["open", "progress", "impression"])
def test_ten_thousand_events_in_a_visit_are_read_quickly(visit, films, cast, now, kind):
    fill(current_visit(None, cast.owner, now), "open", films, 500, now - timedelta(days=1))
    tell(visit, now, "search", None, 60 * 24, query="the first thing done")
    fill(visit, kind, films, 10_000, now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")
    assert min(repeat(lambda: evidence_of(visit), number=1, repeat=5)) < 0.25
    evidence = evidence_of(visit)
    ours = [event for event in evidence.recent if event.is_this_visit]
    assert len(evidence.recent) - len(ours) == EARLIER_EVENTS
    expected = {"open": VISIT_EVENTS, "progress": len(films) + 1, "impression": 1}
    assert len(ours) == expected[kind]
    assert evidence.recent == sorted(evidence.recent, key=lambda e: (e.is_this_visit, e.at))

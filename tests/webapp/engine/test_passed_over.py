"""What a visit was shown and did not open speaks gently against what is like it."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from webapp.engine import responses
from webapp.engine.replay import replay
from webapp.events.evidence import evidence_of
from webapp.events.ingest import EventDraft, record_events
from webapp.events.passed_over import passed_over
from webapp.events.visits import current_visit
from webapp.profiles.models import Rating
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(cast, now):
    return current_visit(None, cast.owner, now)


def record(visit, now, kind, films, **fields):
    drafts = [EventDraft(uuid4(), kind, film.pk, now, **fields) for film in films]
    assert record_events(visit, drafts, now).accepted == len(films)


def passed(visit, *, is_scrolled=False):
    return passed_over(visit, evidence_of(visit), is_scrolled=is_scrolled)


def test_a_page_that_was_just_opened_passes_nothing_over(visit, films, now):
    record(visit, now, "impression", films[:12])
    assert passed(visit) == []
    assert len(passed(visit, is_scrolled=True)) == 12


def test_seen_once_or_often_a_title_is_passed_over_once_and_not_if_it_was_opened(
    visit, films, now, django_assert_num_queries
):
    record(visit, now, "impression", films[:4])
    record(visit, now + timedelta(seconds=1), "impression", films[2:4])
    record(visit, now, "open", films[3:4])
    evidence = evidence_of(visit)
    with django_assert_num_queries(1):
        titles = passed_over(visit, evidence, is_scrolled=False)
    assert titles == [films[2].pk, films[0].pk, films[1].pk]


def test_a_visit_that_saw_more_than_the_fold_has_scrolled(visit, films, now):
    record(visit, now, "impression", films[:13])
    assert len(passed(visit)) == 13


def test_the_first_page_asks_for_nothing_and_the_next_holds_it_for_a_replay(
    release, visit, films, now
):
    first = responses.home(visit, now)
    assert Slate.objects.get(pk=first.slate_id).snapshot["viewer"]["passed_over"] == []
    record(visit, now, "impression", films[:5])
    record(visit, now, "open", films[40:41])
    again = Slate.objects.get(pk=responses.home(visit, now + timedelta(seconds=1)).slate_id)
    assert sorted(again.snapshot["viewer"]["passed_over"]) == [film.pk for film in films[:5]]
    assert replay(again).differences == []


@pytest.mark.parametrize("count", [6, 18])
def test_a_genre_passed_over_many_times_falls_and_still_appears(
    release, visit, films, now, cast, settings, count
):
    """The viewer liked westerns and science fiction alike, and passes every western over."""
    settings.ROW_SIZE = 6
    for film in (*films[:2], *films[40:42]):
        Rating.objects.create(
            profile=cast.owner, title=film, stars=5, rated_at=now - timedelta(days=1)
        )
    before = responses.home(visit, now, is_whole=True)
    record(visit, now, "impression", films[2 : 2 + count])
    record(visit, now, "open", films[20:21])
    after = responses.home(visit, now + timedelta(seconds=1), is_whole=True)

    def westerns(page):
        """Their share: the later page has a row more, that of the visit."""
        genres = Counter(slot.title.genres.get().name for r in page.rows for slot in r.slots)
        return genres["Western"] / genres.total()

    assert 0 < westerns(after) < westerns(before)


def row_of_this_visit(visit, at):
    """Return the ids of the spotlight and of the row below it; replayed, they are the same."""
    page = responses.home(visit, at)
    assert replay(Slate.objects.get(pk=page.slate_id)).differences == []
    [row] = [row for row in page.rows if row.kind == "this_visit"]
    return [slot.title.pk for slot in (*page.spotlight.slots, *row.slots)]


def test_the_row_of_this_visit_repeats_nothing_that_was_passed_over_elsewhere(
    release, films, now, settings
):
    settings.ROW_SIZE = 6
    unseen, seen = (current_visit(None, None, now) for _ in range(2))
    record(unseen, now, "open", films[:1])
    best = row_of_this_visit(unseen, now)[:4]
    record(seen, now, "impression", [film for film in films if film.pk in best], surface="title")
    record(seen, now, "open", films[:1])
    assert not set(best) & set(row_of_this_visit(seen, now))


def test_what_the_row_of_this_visit_showed_may_stay_and_its_spotlight_makes_room(
    release, visit, films, now, settings
):
    settings.ROW_SIZE = 6
    record(visit, now, "open", films[:1])
    spotlight, *row = row_of_this_visit(visit, now)
    shown = [film for film in films if film.pk in (spotlight, *row)]
    record(visit, now, "impression", shown, surface="home")
    later = row_of_this_visit(visit, now + timedelta(seconds=1))
    assert spotlight not in later
    assert set(row) & set(later)

"""What a search asks for counts for the visit, and "films like" asks what a title's page asks."""

from uuid import uuid4

import pytest

from webapp.engine import responses
from webapp.engine.live import holder
from webapp.engine.replay import replay
from webapp.engine.search_subjects import SubjectIds
from webapp.events.ingest import EventDraft, record_events
from webapp.events.visits import current_visit
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(now):
    return current_visit(None, None, now)


def search_for(text, visit, now):
    assert record_events(
        visit, [EventDraft(uuid4(), "search", None, now, query=text)], now
    ).accepted


def genres_of(row):
    return {slot.title.genres.all()[0].name for slot in row.slots}


def test_a_text_names_genres_and_people_by_id(release, films):
    genre = films[0].genres.all()[0].pk
    director = films[0].credits.all()[0].person_id
    subjects = holder.get().subjects
    assert subjects.of("western") == SubjectIds((genre,), ())
    assert subjects.of("westerns with sergio leone") == SubjectIds((genre,), (director,))
    assert subjects.of("no westerns") == SubjectIds()
    assert subjects.of("qqqq") == SubjectIds()
    assert subjects.of("w" * 10_000) == SubjectIds()


def test_after_a_search_for_a_genre_the_next_page_is_about_it(release, visit, now, settings):
    settings.ROW_SIZE = 6
    search_for("westerns", visit, now)
    page = responses.home(visit, now, is_whole=True)
    row = next(row for row in page.rows if row.kind == "this_visit")
    assert genres_of(row) == {"Western"}
    slate = Slate.objects.get(pk=page.slate_id)
    [event] = slate.snapshot["viewer"]["events"]
    assert len(event["genre_ids"]) == 1
    assert replay(slate).differences == []


def test_words_that_name_nothing_make_no_row(release, visit, now):
    search_for("qqqqqqqq", visit, now)
    assert "this_visit" not in {row.kind for row in responses.home(visit, now).rows}


def test_films_like_a_title_are_those_of_its_page(release, visit, films, now):
    similar = responses.title_page(visit, films[4], now).more_like
    found = responses.search(visit, f"films like {films[4].name}", now)
    on_page = [slot.title.pk for slot in similar.slots]
    assert {slot.title.pk for slot in found.slots} >= set(on_page)
    assert found.slots[0].title.pk in on_page[:6]

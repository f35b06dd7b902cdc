"""Pages of people and genres in the viewer's own order, and what a title's page says besides."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from webapp.catalog.models import Credit, Person
from webapp.engine import responses
from webapp.engine.replay import replay
from webapp.events.ingest import EventDraft, record_events
from webapp.events.popular_plays import most_played, played_next
from webapp.events.visits import current_visit
from webapp.profiles.models import HiddenTitle, ListEntry
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


@pytest.fixture
def star(films):
    """Plays in every sixth film, and wrote one more."""
    star = Person.objects.create(name="Ann Ött")
    for film in films[::6]:
        Credit.objects.create(title=film, person=star, role=Credit.Role.CAST)
    Credit.objects.create(title=films[1], person=star, role=Credit.Role.WRITER)
    return star


def tell(visit, at, kind, *films, **fields):
    drafts = [EventDraft(uuid4(), kind, film.pk, at, **fields) for film in films]
    assert record_events(visit, drafts, at).accepted == len(films)


def shown_on(response):
    return [int(pk) for pk in re.findall(r'data-title="(\d+)"', response.content.decode())]


def test_a_persons_page_has_all_they_are_credited_with(client, release, films, star):
    page = client.get(star.get_absolute_url())
    assert star.get_absolute_url() == f"/person/{star.pk}/ann-ott/"
    assert set(shown_on(page)) == {film.pk for film in (*films[::6], films[1])}
    assert "11 titles" in page.content.decode()
    assert client.get(f"/person/{star.pk}/").url == star.get_absolute_url()
    assert client.get("/person/999999/").status_code == 404


def test_what_fits_the_viewer_stands_first_and_the_slate_is_replayed(
    release, films, star, cast, now
):
    visit = current_visit(None, cast.owner, now)
    tell(visit, now, "play", *films[41:44])
    page = responses.person_page(visit, star, 1, now + timedelta(seconds=1))
    kinds = [slot.title.genres.all()[0].name for slot in page.row.slots]
    assert kinds[0] == "Science Fiction"
    assert page.order == "what fits you best first"
    slate = Slate.objects.get(pk=page.slate_id)
    assert (slate.surface, slate.rows[0]["kind"], slate.rows[0]["key"]) == (
        "person", "person", star.pk,
    )  # fmt: skip
    assert replay(slate).differences == []
    other = responses.person_page(current_visit(None, None, now), star, 1, now)
    assert other.order == "what most people like first"


def test_a_genres_pages_hold_each_title_once(client, release, films, monkeypatch):
    monkeypatch.setattr(responses, "LISTED", 8)
    pages = [shown_on(client.get(f"/genre/western/?page={n}")) for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [8, 8, 4]
    assert {pk for page in pages for pk in page} == {film.pk for film in films[:20]}
    for odd in ("0", "x", "-1", "99999999", ""):
        assert client.get(f"/genre/western/?page={odd}").status_code == 200
    assert shown_on(client.get("/genre/western/?page=7")) == pages[2]
    assert "Page 3 of 3" in client.get("/genre/western/?page=7").content.decode()


def test_a_genres_page_is_narrowed_sorted_and_paged_by_its_address(
    client, release, films, monkeypatch
):
    monkeypatch.setattr(responses, "LISTED", 4)
    address = "/genre/western/?decade=1950s&sort=year"
    page = client.get(address)
    assert shown_on(page) == [film.pk for film in reversed(films[6:10])]
    text = page.content.decode()
    assert "10 titles, latest year first." in text
    assert '<a href="?sort=year" rel="nofollow" aria-label="Without 1950s">' in text
    assert 'href="?decade=1950s&amp;sort=year&amp;page=2">Next</a>' in text
    last = client.get(f"{address}&page=3")
    assert shown_on(last) == [films[1].pk, films[0].pk]
    assert 'href="?decade=1950s&amp;decade=1960s&amp;sort=year"' in text
    assert '<span>1960s</span> <span class="count">10<' in text


def test_a_bars_address_that_cannot_be_read_leads_to_the_whole_list(client, films):
    response = client.get("/genre/western/?decade=soon")
    assert (response.status_code, response.url) == (302, "/genre/western/")
    assert "No title is left" in client.get("/genre/western/?decade=1920s").content.decode()


def test_a_persons_page_is_narrowed_too(client, release, films, star):
    page = client.get(f"{star.get_absolute_url()}?genre=Romance")
    assert set(shown_on(page)) == {film.pk for film in films[24:40:6]}
    assert "<span>Western</span>" not in page.content.decode()


def test_what_is_hidden_stands_on_neither(owner_client, cast, release, films, star, now):
    HiddenTitle.objects.create(profile=cast.owner, title=films[0], at=now)
    for address in (star.get_absolute_url(), "/genre/western/"):
        assert films[0].pk not in shown_on(owner_client.get(address))


def test_without_a_release_they_are_there_all_the_same(client, films, star):
    for address in (star.get_absolute_url(), "/genre/western/"):
        assert len(shown_on(client.get(address))) >= 11


def test_a_titles_page_links_its_people_and_says_its_place_on_the_list(
    owner_client, cast, release, films, star, now
):
    for n, film in enumerate((films[3], films[0], films[9])):
        at = now + timedelta(seconds=n)
        ListEntry.objects.create(profile=cast.owner, title=film, at=at)
    text = owner_client.get(films[0].get_absolute_url()).content.decode()
    assert f'<a href="{star.get_absolute_url()}">Ann Ött</a>' in text
    assert "Sergio Leone</a>" in text
    assert 'Number 2 on <a href="/my-list/">your list</a>' in text
    assert "your list" not in owner_client.get(films[5].get_absolute_url()).content.decode()


@pytest.fixture
def evenings(films, people, now):
    """Eight people play film 0, and then each the same six; another plays film 30 before it."""
    for n, person in enumerate(people[:8]):
        visit = current_visit(None, person, now - timedelta(hours=3))
        for m, film in enumerate((films[30 + n % 6], films[0], films[40 + n % 4])):
            tell(visit, now - timedelta(minutes=100 - 20 * m), "play", film)


def test_what_people_play_next_counts_people(films, evenings):
    assert played_next(films[0].pk) == tuple(film.pk for film in films[40:44])
    assert played_next(films[40].pk) == ()


def test_what_is_played_most_today(films, evenings, now):
    assert most_played(now)[0] == films[0].pk
    assert most_played(now + timedelta(days=2)) == ()


def test_too_few_to_be_a_row_are_none(release, films, evenings, cast, now):
    page = responses.title_page(current_visit(None, cast.owner, now), films[0], now)
    assert page.played_next is None
    slate = Slate.objects.get(pk=page.slate_id)
    assert slate.snapshot["played_next"] == [film.pk for film in films[40:44]]


def test_six_are_a_row_that_says_what_it_is(release, films, people, cast, now):
    for n, person in enumerate(people[:14]):
        visit = current_visit(None, person, now - timedelta(hours=3))
        tell(visit, now - timedelta(minutes=50), "play", films[0])
        tell(visit, now - timedelta(minutes=10), "play", films[40 + n % 7])
    page = responses.title_page(current_visit(None, cast.owner, now), films[0], now)
    assert page.played_next.heading == "What viewers played next"
    assert [slot.title for slot in page.played_next.slots] == films[40:47]
    assert replay(Slate.objects.get(pk=page.slate_id)).differences == []

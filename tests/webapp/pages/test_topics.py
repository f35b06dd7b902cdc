"""What a visit is taken to be about, in words on the home page, and "not that" of each part."""

import re

import pytest

from webapp.catalog.models import Genre
from webapp.engine.live import holder
from webapp.engine.replay import replay
from webapp.events.models import Event
from webapp.profiles.models import RefusedGenre
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

BLOCK = r'<section class="topics".*?</section>'


@pytest.fixture(autouse=True)
def _small_rows(settings):
    settings.ROW_SIZE = 6


def words_on(client):
    block = re.search(BLOCK, client.get("/").content.decode(), re.DOTALL)
    if block is None:
        return []
    return [words.strip() for words in re.findall(r"<li>(.*?)<form", block[0], re.DOTALL)]


def led_by(films):
    """The titles of the spotlight and of the row of this visit, on the newest page."""
    rows = Slate.objects.latest("created_at").rows
    ids = [
        id_ for row in rows if row["kind"] in ("spotlight", "this_visit") for id_ in row["titles"]
    ]
    return [film for film in films if film.pk in ids]


@pytest.fixture
def western(films):
    return Genre.objects.get(slug="western")


@pytest.mark.parametrize("who", ["owner_client", "client"])
def test_the_page_says_what_the_visit_is_about_and_obeys_not_that(
    request, who, release, films, western
):
    client = request.getfixturevalue(who)
    assert words_on(client) == []
    for film in (films[1], films[2], films[40], films[41]):
        client.get(film.get_absolute_url())
    assert words_on(client) == ["Western", "Science Fiction"]
    answer = client.post(f"/not-now/genre/{western.pk}/", {"value": "not_now"}, follow=True)
    assert "Western is left out for this visit." in answer.content.decode()
    assert words_on(client) == ["Science Fiction"]
    leading = led_by(films)
    assert leading
    assert western not in {film.genres.get() for film in leading}
    assert not RefusedGenre.objects.exists()
    event = Event.objects.get(kind="genre")
    assert (event.value, event.subject) == ("not_now", western.pk)
    assert replay(Slate.objects.latest("created_at")).differences == []
    client.post(f"/not-now/genre/{western.pk}/", {"value": "allow_now"})
    assert "Western" in words_on(client)


def test_the_message_of_not_that_holds_its_undo(client, release, films, western):
    client.get(films[1].get_absolute_url())
    page = client.post(f"/not-now/genre/{western.pk}/", {"value": "not_now"}, follow=True)
    form = re.search(r'<div class="notice">.*?</form>', page.content.decode(), re.DOTALL)[0]
    assert f'action="/not-now/genre/{western.pk}/"' in form
    assert 'name="value" value="allow_now"' in form


def test_a_person_that_two_opened_titles_share_is_named_and_can_be_left_out(
    client, release, films, western
):
    leone = films[0].people.get()
    leone.credits.create(title=films[3], role="cast")
    holder.refresh()
    for film in (films[0], films[3]):
        client.get(film.get_absolute_url())
    assert words_on(client) == ["titles with Sergio Leone", "Western"]
    client.post(f"/not-now/person/{leone.pk}/", {"value": "not_now"})
    assert words_on(client) == ["Western"]


@pytest.mark.parametrize("value", ["refuse", "allow", "", "never"])
def test_the_address_takes_no_lasting_refusal(client, release, western, value):
    assert client.post(f"/not-now/genre/{western.pk}/", {"value": value}).status_code == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize("value", ["not_now", "allow_now"])
def test_a_lasting_refusal_takes_no_value_of_a_visit_and_stays_through_one(
    owner_client, cast, release, western, value
):
    address = f"/refuse/genre/{western.pk}/"
    assert owner_client.post(address, {"value": value}).status_code == 400
    owner_client.post(address, {"value": "refuse"})
    owner_client.post(f"/not-now/genre/{western.pk}/", {"value": value})
    assert RefusedGenre.objects.filter(profile=cast.owner, genre=western).exists()


def test_another_visit_begins_without_what_was_left_out(owner_client, release, films, western):
    owner_client.get(films[1].get_absolute_url())
    owner_client.post(f"/not-now/genre/{western.pk}/", {"value": "not_now"})
    assert words_on(owner_client) == []
    del owner_client.cookies["marquee_visit"]
    owner_client.get(films[1].get_absolute_url())
    assert words_on(owner_client) == ["Western"]

"""Each control by its form and by htmx: told, undone, and safe to send twice."""

import re
from uuid import uuid4

import pytest

from webapp.catalog.models import Genre, Person
from webapp.events.models import Event, ForgottenTitle
from webapp.profiles.models import (
    DroppedTitle,
    HiddenTitle,
    ListEntry,
    Profile,
    Rating,
    RefusedGenre,
    RefusedPerson,
)

pytestmark = pytest.mark.django_db

UNDO = re.compile(
    r'<form method="post" action="([^"]+)".*?name="id" value="([^"]+)">'
    r'((?:<input type="hidden" name="\w+" value="[^"]*">)+)<button class="small" type="submit">Undo'
)


def undo_in(text):
    """The address and the fields of the one way back that a page offers."""
    [(address, event_id, inputs)] = UNDO.findall(text)
    return address, {"id": event_id, **dict(re.findall(r'name="(\w+)" value="([^"]*)"', inputs))}


@pytest.fixture
def begun(owner_client, films):
    owner_client.post(f"/watch/{films[0].pk}/stopped/", {"minutes": "30"})


TITLE_CONTROLS = [
    ("thumb", "up", Rating),
    ("thumb", "love", Rating),
    ("thumb", "down", Rating),
    ("list", "add", ListEntry),
    ("hide", "hide", HiddenTitle),
    ("resume", "remove", DroppedTitle),
    ("forget", "remove", ForgottenTitle),
]


@pytest.mark.parametrize(("control", "value", "model"), TITLE_CONTROLS)
@pytest.mark.parametrize("is_htmx", [False, True])
def test_each_control_of_a_title_is_told_and_can_be_undone(
    owner_client, films, begun, control, value, model, is_htmx
):
    headers = {"HX-Request": "true"} if is_htmx else {}
    told = owner_client.post(
        f"/{control}/{films[0].pk}/", {"value": value, "id": uuid4()}, headers=headers, follow=True
    )
    text = told.content.decode()
    assert ("<html" in text) is not is_htmx
    assert ("feedback" in told.headers.get("HX-Trigger-After-Swap", "")) is is_htmx
    assert "The Good, the Bad and the Ugly" in text
    assert model.objects.count() == 1
    address, fields = undo_in(text)
    undone = owner_client.post(address, fields, headers=headers, follow=True)
    assert undone.status_code == 200
    assert model.objects.count() == 0


@pytest.mark.parametrize(
    ("view", "model", "subject", "refused"),
    [("person", RefusedPerson, Person, "Sergio Leone"), ("genre", RefusedGenre, Genre, "Western")],
)
def test_people_and_genres_are_refused_on_a_titles_page(
    owner_client, films, view, model, subject, refused
):
    page = films[0].get_absolute_url()
    about = subject.objects.get(name=refused)
    address = f"/refuse/{view}/{about.pk}/"
    assert f'action="{address}"' in owner_client.get(page).content.decode()
    told = owner_client.post(address, {"value": "refuse", "next": page}, follow=True)
    text = told.content.decode()
    assert model.objects.count() == 1
    assert f'id="refuse-{view}-{about.pk}" name="value" value="allow" aria-pressed="true"' in text
    owner_client.post(*undo_in(text))
    assert model.objects.count() == 0
    assert owner_client.post(f"/refuse/{view}/{2**40}/", {"value": "refuse"}).status_code == 404


def test_a_form_sent_twice_is_one_event_and_another_word_of_it_is_another(owner_client, films):
    form = str(uuid4())
    for value in ("up", "up", "love"):
        owner_client.post(f"/thumb/{films[0].pk}/", {"value": value, "id": form})
    assert list(Event.objects.order_by("received_at").values_list("value", flat=True)) == [
        "up",
        "love",
    ]
    assert Rating.objects.get().stars == 5


def test_the_undo_of_a_thumb_brings_the_stars_back_that_stood_there(owner_client, cast, films, now):
    Rating.objects.create(profile=cast.owner, title=films[0], stars=3.5, rated_at=now)
    told = owner_client.post(f"/thumb/{films[0].pk}/", {"value": "down"}, follow=True)
    back = owner_client.post(*undo_in(told.content.decode()), follow=True)
    assert Rating.objects.get().stars == 3.5
    assert "Your rating of" in back.content.decode()


def test_switches_can_be_undone(owner_client, cast):
    address = f"/profiles/{cast.owner.pk}/switches/"
    told = owner_client.post(address, {"hides_watched": "on"}, follow=True)
    saved = Profile.objects.get(pk=cast.owner.pk)
    assert (saved.hides_watched, saved.is_personalized) == (True, False)
    owner_client.post(*undo_in(told.content.decode()))
    saved.refresh_from_db()
    assert (saved.hides_watched, saved.is_personalized) == (False, True)


@pytest.mark.parametrize("control", ["thumb", "list", "hide", "resume", "forget"])
@pytest.mark.parametrize("given", [{"value": "perhaps"}, {}, {"value": "up", "id": "no uuid"}])
def test_a_form_that_makes_no_sense_is_refused_in_words(owner_client, films, control, given):
    response = owner_client.post(f"/{control}/{films[0].pk}/", given)
    assert response.status_code == 400
    assert "must be one of" in response.content.decode()


def test_the_controls_are_a_fragment_that_reads_itself_again(
    owner_client, films, begun, django_assert_max_num_queries
):
    owner_client.post(f"/list/{films[0].pk}/", {"value": "add"})
    with django_assert_max_num_queries(4):  # session, user and profile 1, title 1, standing 2
        text = owner_client.get(f"/controls/{films[0].pk}/").content.decode()
    assert 'hx-trigger="feedback from:body"' in text
    assert "On my list" in text
    assert "Remove from Continue watching" in text
    assert "Remove from history" in text


def test_a_stranger_sees_no_controls_and_htmx_leads_to_the_login(client, films):
    assert "Log in" in client.get(f"/controls/{films[0].pk}/").content.decode()
    address = f"/thumb/{films[0].pk}/"
    answer = client.post(address, {"value": "up"}, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/login/?next=")


def test_while_paused_only_forgetting_is_offered_and_done(owner_client, cast, films, begun):
    owner_client.post(f"/profiles/{cast.owner.pk}/switches/", {"is_history_paused": "on"})
    text = owner_client.get(films[0].get_absolute_url()).content.decode()
    assert "/forget/" in text
    assert not re.search(r'action="/(thumb|list|hide|resume|refuse)/', text)
    owner_client.post(f"/forget/{films[0].pk}/", {"value": "remove"})
    assert not Event.objects.exclude(kind="forget").exists()


def shown(client):
    """The titles on the whole home page, those kept by hand left out."""
    text = client.get("/?rows=all").content.decode()
    rows = re.split(r'<section class="row" data-row="', text)[1:]
    free = [row for row in rows if not row.startswith(("continue_watching", "my_list"))]
    return {int(pk) for row in free for pk in re.findall(r'data-title="(\d+)"', row)}


def test_what_was_watched_is_hidden_from_the_very_next_page_and_back(
    owner_client, cast, films, release, now
):
    before = shown(owner_client)
    watched = [film for film in films if film.pk in before][:5]
    for film in watched:
        Rating.objects.create(profile=cast.owner, title=film, stars=3, rated_at=now)
    seen = {film.pk for film in watched}
    assert seen & shown(owner_client)
    address = f"/profiles/{cast.owner.pk}/switches/"
    switches = {"is_personalized": "on", "hides_watched": "on"}
    told = owner_client.post(address, switches, follow=True)
    assert not seen & shown(owner_client)
    owner_client.post(*undo_in(told.content.decode()))
    assert seen & shown(owner_client)


def test_each_refusal_is_obeyed_by_the_very_next_page(owner_client, films, release):
    western = Genre.objects.get(slug="western")
    of_genre = {film.pk for film in films[:20]}
    assert of_genre & shown(owner_client)
    told = owner_client.post(f"/refuse/genre/{western.pk}/", {"value": "refuse"}, follow=True)
    assert not of_genre & shown(owner_client)
    owner_client.post(*undo_in(told.content.decode()))
    assert of_genre & shown(owner_client)
    one = next(iter(shown(owner_client)))
    told = owner_client.post(f"/hide/{one}/", {"value": "hide", "next": "/"}, follow=True)
    assert one not in shown(owner_client)
    owner_client.post(*undo_in(told.content.decode()))
    assert one in shown(owner_client)

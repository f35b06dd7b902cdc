"""Search and suggestions by the API: what an answer holds, and what a troublemaker gets."""

from datetime import timedelta

import pytest

from webapp.catalog.models import Credit, Person, Title
from webapp.engine.live import holder
from webapp.events.models import Event
from webapp.jobs.tasks import prune_slates
from webapp.profiles.models import HiddenTitle
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

BOTH = ["/api/v1/search", "/api/v1/suggest"]
TROUBLE = [
    "🎬🍿",
    "שלום עולם",
    "مرحبا",
    "<script>alert(1)</script>",
    "'; DROP TABLE catalog_title; --",
    "%00",
    "no\0on",
    "\u202eevil",
    "((((",
    "\\",
    "a" * 300,
]


def ask(client, address, text, **more):
    return client.get(address, {"q": text, **more})


@pytest.mark.parametrize("address", BOTH)
def test_an_answer_names_its_slate_and_says_what_it_took(client, release, films, address):
    body = ask(client, address, "high noon").json()
    assert body["titles"][0] | {"poster": ""} == {
        "id": films[1].pk,
        "name": "High Noon",
        "year": 1951,
        "genre": "Western",
        "url": films[1].get_absolute_url(),
        "poster": "",
        "row": Slate.objects.get().rows[0]["kind"],
        "slot": 0,
    }
    slate = Slate.objects.get(pk=body["slate"])
    assert (slate.surface, slate.rows[0]["titles"][0]) == ("search", films[1].pk)
    assert 0 < body["took_ms"] < 10_000


def test_both_answer_in_one_order(client, release):
    found, typed = (ask(client, address, "number").json()["titles"] for address in BOTH)
    assert len(found) > len(typed) >= 6
    assert [title["id"] for title in found][: len(typed)] == [title["id"] for title in typed]
    assert {title["row"] for title in typed} == {"typed"}


@pytest.mark.parametrize("address", BOTH)
def test_every_part_of_a_score_is_told_on_request(client, release, address):
    assert "score" not in ask(client, address, "casablanca").json()["titles"][0]
    [title] = ask(client, address, "casablanca", explain="1").json()["titles"][:1]
    assert title["score"]["evidence"] in ("written", "exact")
    assert set(title["score"]["parts"]) >= {"popularity"}


@pytest.mark.parametrize("address", BOTH)
def test_people_and_genres_stand_beside_the_titles(client, release, address):
    body = ask(client, address, "sergio").json()
    leone = Person.objects.get(name="Sergio Leone")
    assert body["people"] == [{"name": "Sergio Leone", "url": leone.get_absolute_url()}]
    assert ask(client, address, "wester").json()["genres"] == [
        {"name": "Western", "url": "/genre/western/"}
    ]


def test_what_was_understood_can_be_taken_away(client, release):
    [first, second] = ask(client, BOTH[0], "westerns 1950s").json()["filters"]
    assert (first["kind"], first["value"], first["without"]) == ("genre", "Western", "1950s")
    assert (second["kind"], second["value"], second["is_negated"]) == ("decade", "1950s", False)


def test_a_search_is_narrowed_sorted_and_paged(client, release, films):
    body = ask(client, BOTH[0], "number", decade=["1950s", "1960s"], sort="year").json()
    assert (body["total"], body["page"], body["pages"]) == (18, 1, 1)
    assert [title["year"] for title in body["titles"]] == list(range(1969, 1951, -1))
    [decade] = [f for f in body["facets"] if f["facet"] == "decade" and f["value"] == "1970s"]
    assert decade == {
        "facet": "decade", "value": "1970s", "words": "1970s", "count": 9, "is_chosen": False,
    }  # fmt: skip
    whole = [ask(client, BOTH[0], "number", page=n).json() for n in (1, 2, 9)]
    assert [(len(b["titles"]), b["page"], b["pages"]) for b in whole] == [
        (40, 1, 2), (15, 2, 2), (15, 2, 2),
    ]  # fmt: skip
    assert ask(client, BOTH[1], "number").json()["facets"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("genre", ""), ("decade", "1994"), ("length", "long"), ("age", "5"), ("kind", "x"),
     ("seen", "1"), ("sort", "name"), ("page", "0x1"), ("page", ""), ("page", "9" * 9),
     ("page", "0")],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused_by_its_name(client, films, name, value):
    for text in ("number", ""):
        response = ask(client, BOTH[0], text, **{name: value})
        assert response.status_code == 400
        [words] = response.json()[name]
        assert words.endswith(".")


def test_a_mistake_is_corrected_aloud(client, release):
    assert ask(client, BOTH[1], "casablnca").json()["corrected"] == "Casablanca"


def test_a_title_that_is_not_to_be_had_is_named(client, release, films):
    Title.objects.filter(pk=films[20].pk).update(is_available=False, updated_at=films[20].added_at)
    holder.forget()
    body = ask(client, BOTH[0], "casablanca").json()
    assert body["unavailable"] == ["Casablanca"]
    assert films[20].pk not in {title["id"] for title in body["titles"] + body["near"]}
    assert body["near"] or body["suggestions"]


@pytest.mark.parametrize("address", BOTH)
def test_a_hidden_title_is_not_found(owner_client, cast, release, films, now, address):
    HiddenTitle.objects.create(profile=cast.owner, title=films[1], at=now)
    body = ask(owner_client, address, "high noon").json()
    shown = body["titles"] + body["near"] + body["suggestions"]
    assert films[1].pk not in {title["id"] for title in shown}


@pytest.mark.parametrize("address", BOTH)
@pytest.mark.parametrize("text", ["", "   ", "\t\n"])
def test_blank_is_answered_with_what_to_suggest_now(client, release, address, text):
    body = ask(client, address, text).json()
    assert (body["surface"], body["titles"]) == ("prequery", [])
    assert len(body["suggestions"]) >= 6


@pytest.mark.parametrize("address", BOTH)
@pytest.mark.parametrize("text", TROUBLE)
def test_trouble_is_text_like_any_other(client, release, address, text):
    response = ask(client, address, text)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    assert response.json()["query"] == text.replace("\0", "")
    assert Title.objects.exists()


@pytest.mark.parametrize("address", BOTH)
def test_what_is_too_long_is_refused_in_words(client, release, address):
    response = ask(client, address, "x" * 10_000)
    assert response.status_code == 400
    [words] = response.json()["q"]
    assert "10000" in words
    assert not Slate.objects.exists()


def test_the_slate_of_a_keystroke_is_light_and_goes_soon(client, release, now):
    kept, lost = (ask(client, BOTH[1], text).json()["slate"] for text in ("noon", "casa"))
    slate = Slate.objects.get(pk=kept)
    assert (slate.features, slate.snapshot) == (None, {"text": "noon"})
    assert (slate.is_keystroke, slate.history_size, slate.exploration) == (True, None, None)
    Event.objects.create(
        id=kept, visit=slate.visit, kind="search", slate=slate, occurred_at=now, received_at=now
    )
    ask(client, BOTH[0], "noon")
    Slate.objects.update(created_at=now - timedelta(days=2))
    prune_slates()
    assert {str(pk) for pk in Slate.objects.values_list("pk", flat=True)} >= {kept}
    assert not Slate.objects.filter(pk=lost).exists()
    assert Slate.objects.count() == 2


def test_the_best_known_person_of_a_name_comes_with_titles(client, release, films):
    Credit.objects.create(
        title=films[20], person=Person.objects.create(name="Ingrid Bergman"), role="cast"
    )
    Title.objects.filter(pk=films[20].pk).update(updated_at=films[20].added_at)
    holder.forget()
    body = ask(client, BOTH[1], "ingrid bergman").json()
    assert [title["name"] for title in body["titles"]] == ["Casablanca"]
    assert body["people"][0]["name"] == "Ingrid Bergman"


def test_a_renamed_title_is_answered_by_its_new_name(client, release, films):
    """What is answered of a title is kept for one state of the catalogue, and no longer."""
    first, again = (ask(client, BOTH[0], "high noon").json()["titles"] for _ in range(2))
    assert first == again
    film = Title.objects.get(pk=films[1].pk)
    film.name = "High Noon Revisited"
    film.save()
    holder.refresh()
    title = ask(client, BOTH[0], "high noon").json()["titles"][0]
    assert title["name"] == "High Noon Revisited"
    assert title["url"] == film.get_absolute_url() != first[0]["url"]

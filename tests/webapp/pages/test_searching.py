"""The search page: groups, chips, what is recorded, what is forgotten, and trouble."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from webapp.catalog.models import Person, Title
from webapp.engine.live import holder
from webapp.events.models import Event, Visit
from webapp.events.searches import trending, trending_searches
from webapp.events.visits import current_visit
from webapp.profiles.models import HiddenTitle, Profile, Rating
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

TROUBLE = [
    "🎬🍿",
    "שלום עולם",
    "مرحبا بالعالم",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE catalog_title; --",
    "((((",
    "%",
    "x" * 300,
]


def page_of(client, text, **more):
    response = client.get("/search/", {"q": text, **more})
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def searches():
    return list(Event.objects.filter(kind="search").order_by("occurred_at"))


def make_searches(text, now, people, profile=None, *, with_account=True, **visit):
    """So many people, or one profile as often, send a text off."""
    for _ in range(people):
        who = profile
        if with_account and profile is None:
            account = User.objects.create_user(f"searcher {uuid4()}")
            who = Profile.objects.create(account=account, name="Searcher")
        made = Visit.objects.create(id=uuid4(), started_at=now, profile=who, **visit)
        Event.objects.create(
            id=uuid4(), visit=made, profile=who, kind="search", query=text, value="submit",
            occurred_at=now, received_at=now,
        )  # fmt: skip


def test_a_mistake_is_named_and_what_was_meant_is_offered(client, release, films):
    page = page_of(client, "solrais")
    assert "Titles for “Solaris”" in page
    assert 'Did you mean <a href="/search/?q=Solaris">Solaris</a>?' in page
    assert re.search(r'<li class="result">.*?Solaris', page)


def test_people_and_genres_lead_on(client, release):
    leone = Person.objects.get(name="Sergio Leone")
    assert f'href="{leone.get_absolute_url()}"' in page_of(client, "sergio")
    assert 'href="/genre/western/"' in page_of(client, "wester")


def test_each_thing_understood_is_a_chip_that_can_be_taken_away(client, release):
    page = page_of(client, "westerns 1950s")
    assert '<a href="/search/?q=1950s" aria-label="Without Western">' in page
    assert '<a href="/search/?q=westerns" aria-label="Without 1950s">' in page
    assert 'aria-label="Without no Western"' in page_of(client, "1970s no westerns")
    assert '<a href="/search/" aria-label="Without Western">' in page_of(client, "westerns")


def shown_in(page):
    """Ids of the results, in their order."""
    results = page.partition('data-row="results"')[2].partition("</ul>")[0]
    return [int(pk) for pk in re.findall(r'data-title="(\d+)"', results)]


def test_counts_are_of_all_matches_and_lead_to_as_many(client, release, films):
    page = page_of(client, "number")
    assert "55 titles." in page
    assert "Page 1 of 2" in page
    counts = dict(re.findall(r'<span>(\w+)</span> <span class="count">(\d+)<', page))
    assert counts["Western"] == "18"
    narrowed = page_of(client, "number", genre="Western")
    assert "18 titles." in narrowed
    assert set(shown_in(narrowed)) == {film.pk for film in films[2:20]}
    assert "Page 1" not in narrowed


def test_each_match_stands_on_one_page(client, release, films):
    pages = [shown_in(page_of(client, "number", page=n)) for n in (1, 2)]
    assert [len(page) for page in pages] == [40, 15]
    assert len({pk for page in pages for pk in page}) == 55
    assert 'href="?q=number&amp;page=2">Next</a>' in page_of(client, "number")


def test_what_is_chosen_is_a_chip_and_goes_on_in_every_address_of_the_page(client, release):
    page = page_of(client, "westerns number", decade="1950s", sort="year")
    without_decade = "?q=westerns+number&amp;sort=year"
    assert f'<a href="{without_decade}" rel="nofollow" aria-label="Without 1950s">' in page
    without_genre = "/search/?q=number&amp;decade=1950s&amp;sort=year"
    assert f'<a href="{without_genre}" aria-label="Without Western">' in page
    more = "?q=westerns+number&amp;decade=1950s&amp;decade=1960s&amp;sort=year"
    assert f'<a href="{more}" rel="nofollow"><span>1960s</span>' in page
    both = page_of(client, "number", decade=["1950s", "1960s"])
    assert '<a class="all" href="?q=number" rel="nofollow">Clear all filters</a>' in both


def test_results_are_sorted_by_what_the_address_says(client, release, films):
    newest = shown_in(page_of(client, "number", sort="year"))
    assert newest == [film.pk for film in reversed(films) if "Number" in film.name][:40]
    assert "Sort: Year" in page_of(client, "number", sort="year")


def test_seen_or_not_is_offered_to_those_who_saw_something(owner_client, cast, release, films, now):
    assert "Not seen yet" not in page_of(owner_client, "number")
    Rating.objects.create(profile=cast.owner, title=films[5], stars=4, rated_at=now)
    assert '<span>Not seen yet</span> <span class="count">54<' in page_of(owner_client, "number")
    assert shown_in(page_of(owner_client, "number", seen="yes")) == [films[5].pk]
    assert films[5].pk not in shown_in(page_of(owner_client, "number", seen="no", sort="year"))


def test_nothing_left_says_so_and_how_to_go_back(client, release):
    page = page_of(client, "number", genre="Opera")
    assert "No title is left for “number”" in page
    assert '<a href="?q=number" rel="nofollow" aria-label="Without Opera">' in page


@pytest.mark.parametrize("parameters", [{"decade": "soon"}, {"sort": "name"}, {"age": "-1"}])
def test_what_cannot_be_chosen_is_refused_in_words(client, films, parameters):
    response = client.get("/search/", {"q": "number", **parameters})
    assert response.status_code == 400
    assert re.search("Give one of|Sort by one of|Write a decade", response.content.decode())


def test_names_of_a_catalogue_stay_text_in_the_bar(client, films):
    genre = films[3].genres.get()
    genre.name = '<b>"War" & Peace</b>'
    genre.save()
    films[3].save()
    page = page_of(client, "number", genre=genre.name)
    assert "<b>" not in page
    assert 'aria-label="Without &lt;b&gt;&#34;War&#34; &amp; Peace&lt;/b&gt;"' in page


def test_a_narrowed_look_at_a_query_is_no_other_search(owner_client, cast, release):
    for more in ({}, {"genre": "Western"}, {"page": 2}, {"sort": "year"}):
        page_of(owner_client, "number", **more)
    assert [event.query for event in searches()] == ["number"]


@pytest.mark.parametrize("text", ["zzqqxxy", *TROUBLE])
def test_a_page_is_never_empty_whatever_is_typed(client, release, text):
    page = page_of(client, text)
    assert f"“{text}”" in unescape(page)
    assert page.count("data-title=") >= 6
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("text", ["", " ", "\t \n"])
def test_blank_is_answered_with_what_to_look_for(client, release, text):
    page = page_of(client, text)
    assert "What would you like to see?" in page
    assert "/genre/western/" in page
    assert page.count("data-title=") >= 6
    assert not Event.objects.exists()


def test_a_search_that_is_too_long_is_refused_in_words(client, films):
    response = client.get("/search/", {"q": "x" * 10_000})
    assert response.status_code == 400
    assert "this one has 10000" in response.content.decode()
    assert not Event.objects.exists()


def test_a_title_that_cannot_be_watched_is_named_and_others_offered(client, release, films):
    Title.objects.filter(pk=films[20].pk).update(is_available=False)
    films[21].save()
    holder.forget()
    page = page_of(client, "casablanca")
    assert "“Casablanca” is not available here" in page
    assert f'data-title="{films[20].pk}"' not in page
    assert page.count("data-title=") >= 6


def test_a_search_is_recorded_once_with_what_it_found(owner_client, cast, release):
    for _ in range(2):
        page_of(owner_client, "high noon")
    owner_client.head("/search/?q=solaris")
    owner_client.get("/search/?q=solaris", headers={"Sec-Purpose": "prefetch"})
    [made] = searches()
    assert (made.query, made.value, made.surface, made.profile) == (
        "high noon", "submit", "search", cast.owner,
    )  # fmt: skip
    assert made.slate.rows[0]["kind"] == "results"
    page_of(owner_client, "solaris")
    page_of(owner_client, "high noon")
    assert [event.query for event in searches()] == ["high noon", "solaris", "high noon"]


def test_a_paused_history_keeps_no_search(owner_client, cast, release):
    Profile.objects.filter(pk=cast.owner.pk).update(is_history_paused=True)
    page_of(owner_client, "high noon")
    assert searches() == []


def recent(client):
    return client.get("/api/v1/suggest").json()["recent"]


def test_recent_searches_are_ones_own_newest_first_and_each_once(
    client, cast, release, log_in, now
):
    log_in(client, cast.owner)
    for text in ("high noon", "solaris", "High  Noon"):
        page_of(client, text)
    made = searches()[0]
    for value in ("quit", "person"):
        Event.objects.create(
            id=uuid4(), visit=made.visit, profile=cast.owner, kind="search", query=value,
            value=value, occurred_at=now, received_at=now,
        )  # fmt: skip
    assert recent(client) == ["High  Noon", "solaris"]
    assert recent(log_in(client, cast.sibling)) == []
    assert recent(log_in(client, cast.stranger)) == []
    assert recent(Client()) == []


def test_an_anonymous_browser_has_its_own_recent_searches(client, release):
    page_of(client, "solaris")
    assert recent(client) == ["solaris"]
    assert "Forget the search solaris" in client.get("/search/").content.decode()


@pytest.mark.parametrize("way", ["form", "api"])
def test_a_search_is_forgotten_by_its_owner_alone(client, cast, release, log_in, way):
    def forget(text):
        if way == "form":
            return client.post("/search/forget/", {"q": text})
        return client.delete(f"/api/v1/searches?q={text}")

    page_of(log_in(client, cast.owner), "solaris")
    for other in (cast.sibling, cast.stranger):
        log_in(client, other)
        assert forget("solaris").status_code in (204, 302)
    log_in(client, cast.owner)
    assert recent(client) == ["solaris"]
    for _ in range(2):
        assert forget("SOLARIS").status_code in (204, 302)
    assert recent(client) == []
    assert [event.query for event in searches()] == [""]


def test_forgetting_nothing_is_refused_and_from_elsewhere_too(client, release):
    assert client.delete("/api/v1/searches?q=+").status_code == 400
    strict = Client(enforce_csrf_checks=True)
    assert strict.delete("/api/v1/searches?q=solaris").status_code == 403
    assert strict.post("/search/forget/", {"q": "solaris"}).status_code == 403


def test_what_few_search_for_is_shown_to_nobody(client, cast, release, now, settings):
    settings.TRENDING_SEARCH_VIEWERS = 3
    make_searches("Space", now, 2)
    make_searches("space ", now, 1)
    make_searches("my secret", now, 1)
    make_searches("my secret", now, 5, profile=cast.stranger)  # one person, again and again
    make_searches("robots", now, 5, is_simulated=True)
    make_searches("crawlers", now, 5, is_bot=True)
    make_searches("old news", now - timedelta(days=8), 5)
    trending.forget()
    assert client.get("/api/v1/suggest").json()["trending"] == ["space"]


def test_visits_without_an_account_and_profiles_of_one_make_nothing_trend(
    client, cast, release, now, settings
):
    """A visit costs one request without a cookie; six of them once reached everyone's box."""
    settings.TRENDING_SEARCH_VIEWERS = 2
    make_searches("visit us for free movies", now, 50, with_account=False)
    for profile in (cast.owner, cast.sibling):
        make_searches("a family's own", now, 1, profile=profile)
    make_searches("space", now, 2)
    trending.forget()
    assert client.get("/api/v1/suggest").json()["trending"] == ["space"]


@pytest.mark.parametrize(
    "text",
    ["evil.example", "visit https://evil.example now", "www evil", "me@evil.example",
     "free films at Evil.Example/path"],
)  # fmt: skip
def test_a_text_that_leads_elsewhere_is_not_shown_to_others(client, release, now, settings, text):
    settings.TRENDING_SEARCH_VIEWERS = 2
    make_searches(text, now, 9)
    make_searches("e.t. the extra-terrestrial", now, 3)
    trending.forget()
    assert client.get("/api/v1/suggest").json()["trending"] == ["e.t. the extra-terrestrial"]


def test_trending_searches_can_be_turned_off(client, release, now, settings):
    settings.TRENDING_SEARCH_VIEWERS = 2
    settings.TRENDING_SEARCHES = False
    make_searches("space", now, 9)
    trending.forget()
    assert client.get("/api/v1/suggest").json()["trending"] == []


def test_a_child_is_told_no_trending_search(cast, release, now, settings):
    settings.TRENDING_SEARCH_VIEWERS = 2
    make_searches("space", now, 2)
    assert trending_searches(current_visit(None, cast.owner, now)) == ["space"]
    cast.owner.maturity_limit = 12
    assert trending_searches(current_visit(None, cast.owner, now)) == []


def test_what_is_above_the_limit_of_a_child_is_found_by_no_way(owner_client, cast, release, films):
    Title.objects.update(maturity=0)
    Title.objects.filter(pk=films[1].pk).update(maturity=18)
    Title.objects.filter(pk=films[20].pk).update(maturity=18, is_available=False)
    films[2].save()
    Profile.objects.filter(pk=cast.owner.pk).update(maturity_limit=12)
    holder.forget()
    for text in ("high noon", "hihg noon", "noon western", "westerns", "casablanca", ""):
        for address in ("/api/v1/search", "/api/v1/suggest"):
            body = owner_client.get(address, {"q": text}).json()
            shown = body["titles"] + body["near"] + body["suggestions"]
            assert films[1].pk not in {title["id"] for title in shown}, (address, text)
            assert body["unavailable"] == []
    assert Slate.objects.filter(fallback_reason="").count() == Slate.objects.count()


def test_what_is_hidden_is_near_to_nothing(owner_client, cast, release, films, now):
    HiddenTitle.objects.bulk_create(
        HiddenTitle(profile=cast.owner, title=film, at=now) for film in films[:20]
    )
    body = owner_client.get("/api/v1/search", {"q": "western plot of a film qqq"}).json()
    shown = body["titles"] + body["near"] + body["suggestions"]
    assert shown
    assert not {title["id"] for title in shown} & {film.pk for film in films[:20]}


def test_the_page_of_a_title_that_cannot_be_watched_says_so_and_shows_what_is_close(
    client, release, films
):
    Title.objects.filter(pk=films[20].pk).update(is_available=False, plot="A bar in Morocco, 1942.")
    Title.objects.filter(pk=films[45].pk).update(plot="A bar on the moon, not in Morocco.")
    films[21].save()
    holder.forget()
    page = client.get(films[20].get_absolute_url()).content.decode()
    assert "it is not available here" in page
    assert f"/watch/{films[20].pk}/" not in page
    row = re.search(r'<section class="row" data-row="near".*?</section>', page, re.DOTALL)[0]
    assert "Similar titles" in row
    assert f'data-title="{films[45].pk}"' in row
    assert f'data-title="{films[20].pk}"' not in row
    assert client.get(f"/watch/{films[20].pk}/").url == films[20].get_absolute_url()

"""Profiles: made, limited, left by password, downloaded whole and deleted."""

import json
import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from webapp.catalog.models import Genre, Title
from webapp.engine.starters import STARTERS, starters
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.visits import current_visit
from webapp.profiles.export import export_of, owned_rows
from webapp.profiles.models import ListEntry, Profile, Rating, RefusedGenre
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"


def choose(client, profile, **fields):
    return client.post(f"/profiles/{profile.pk}/choose/", fields)


def watches(answer):
    """Return the profile that a page is for."""
    return int(re.search(r'data-viewer="(\d+)"', answer.content.decode())[1])


@pytest.fixture
def child(cast):
    return Profile.objects.create(account=cast.owner.account, name="Lu", maturity_limit=6)


@pytest.fixture
def child_client(client, child, log_in, films):
    Title.objects.filter(pk__in=[film.pk for film in films[::2]]).update(maturity=6)
    Title.objects.filter(pk__in=[film.pk for film in films[1:20:2]]).update(maturity=16)
    return log_in(client, child)


def test_someone_new_watches_at_once_and_picks_titles(client, cast):
    client.force_login(cast.owner.account)
    answer = client.post("/profiles/", {"name": "Noor"})
    assert answer.url == "/welcome/"
    assert "What do you like, Noor?" in client.get("/welcome/").content.decode()


def test_a_child_gets_a_limit_and_does_not_take_over(owner_client, cast):
    answer = owner_client.post("/profiles/", {"name": "Lu", "is_child": "on"}, follow=True)
    assert "Lu sees titles for up to age 6." in answer.content.decode()
    assert Profile.objects.get(name="Lu").maturity_limit == 6
    assert "Ana" in owner_client.get("/my-list/").content.decode()


def test_a_profile_is_renamed_and_limited_with_a_way_back(owner_client, cast):
    address = f"/profiles/{cast.sibling.pk}/"
    told = owner_client.post(address, {"name": "Kimberley", "maturity_limit": "12"}, follow=True)
    assert "Undo" in told.content.decode()
    saved = Profile.objects.get(pk=cast.sibling.pk)
    assert (saved.name, saved.maturity_limit) == ("Kimberley", 12)
    owner_client.post(address, {"name": "Kim", "maturity_limit": ""})
    saved.refresh_from_db()
    assert (saved.name, saved.maturity_limit) == ("Kim", None)
    assert owner_client.post(address, {"name": "", "maturity_limit": "13"}).status_code == 200
    saved.refresh_from_db()
    assert (saved.name, saved.maturity_limit) == ("Kim", None)


def test_to_leave_a_limited_profile_asks_the_password(child_client, child, cast):
    assert choose(child_client, cast.owner).status_code == 403
    assert "not the account" in choose(child_client, cast.owner, password="guess").content.decode()
    assert watches(child_client.get("/my-list/")) == child.pk
    page = choose(child_client, cast.owner, next="/history/").content.decode()
    assert '<input type="hidden" name="next" value="/history/">' in page
    answer = choose(child_client, cast.owner, next="/history/", password=PASSWORD)
    assert answer.url == "/history/"
    assert watches(child_client.get("/my-list/")) == cast.owner.pk


def test_a_limited_profile_may_go_to_one_with_no_higher_limit(child_client, cast):
    younger = Profile.objects.create(account=cast.owner.account, name="Mo", maturity_limit=0)
    older = Profile.objects.create(account=cast.owner.account, name="Jo", maturity_limit=12)
    assert choose(child_client, older).status_code == 403
    assert choose(child_client, younger).status_code == 302


def test_a_limited_profile_changes_no_profile_without_the_password(child_client, child, cast):
    raised = {"name": "Lu", "maturity_limit": "18"}
    for address, fields in (
        (f"/profiles/{child.pk}/", raised),
        ("/profiles/", {"name": "Everything"}),
        (f"/profiles/{cast.owner.pk}/switches/", {}),
        (f"/profiles/{child.pk}/delete/", {"confirmed": "yes"}),
        (f"/profiles/{cast.owner.pk}/delete/", {"confirmed": "yes"}),
        (f"/profiles/{cast.owner.pk}/data/", {}),
        ("/account/delete/", {"confirmed": "yes"}),
    ):
        assert child_client.post(address, fields).status_code == 403, address
    child.refresh_from_db()
    assert child.maturity_limit == 6
    assert Profile.objects.filter(account=cast.owner.account).count() == 3
    answer = child_client.post(f"/profiles/{child.pk}/", {**raised, "password": PASSWORD})
    assert answer.status_code == 302
    child.refresh_from_db()
    assert child.maturity_limit == 18


def test_a_password_is_not_guessed_for_long(child_client, cast):
    codes = [choose(child_client, cast.owner, password=f"guess {n}").status_code for n in range(11)]
    assert codes == [403] * 10 + [429]


def test_what_is_above_the_limit_is_at_no_address(child_client, child, films, release, now):
    above, fit = films[1], films[0]
    ListEntry.objects.create(profile=child, title=above, at=now)
    Rating.objects.create(profile=child, title=above, stars=5, rated_at=now)
    for film, status in ((fit, 200), (above, 404)):
        for address in (
            film.get_absolute_url(),
            f"/watch/{film.pk}/",
            f"/posters/{film.pk}.svg",
            f"/backdrops/{film.pk}.svg",
            f"/controls/{film.pk}/",
        ):
            assert child_client.get(address).status_code == status, address
    for control in ("thumb", "list", "hide", "resume", "forget"):
        assert child_client.post(f"/{control}/{above.pk}/", {"value": "up"}).status_code == 404
    assert child_client.post(f"/watch/{above.pk}/stopped/", {"minutes": "9"}).status_code == 404
    for address in ("/", "/my-list/", "/history/", "/genre/western/", "/welcome/"):
        assert "High Noon" not in child_client.get(address).content.decode(), address
    assert "High Noon" not in child_client.get("/search/?q=high+no").content.decode()
    assert above.pk not in [
        title["id"] for title in child_client.get("/api/v1/search?q=high+noon").json()["titles"]
    ]
    event = {"id": str(uuid4()), "kind": "open", "title": above.pk, "occurred_at": now.isoformat()}
    body = {"events": [event]}
    told = child_client.post("/api/v1/events", body, content_type="application/json").json()
    assert told["errors"][0]["reason"] == f"there is no title {above.pk}"


def test_guests_have_a_limit_of_their_own(client, films, release, settings):
    assert client.get(films[1].get_absolute_url()).status_code == 200
    settings.GUEST_MATURITY_LIMIT = 12
    assert client.get(films[1].get_absolute_url()).status_code == 404
    assert client.get(f"/posters/{films[1].pk}.svg").status_code == 404


def test_a_browser_keeps_posters_whoever_is_logged_in(owner_client, films):
    answer = owner_client.get(f"/posters/{films[0].pk}.svg")
    assert answer["Cache-Control"].startswith("private")
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies


def everything_of(profile, films, now):
    visit = current_visit(None, profile, now)
    drafts = [
        EventDraft(uuid4(), "progress", films[0].pk, now, position_seconds=1800),
        EventDraft(uuid4(), "thumb", films[1].pk, now, value="love"),
        EventDraft(uuid4(), "list", films[2].pk, now, value="add"),
        EventDraft(uuid4(), "hide", films[3].pk, now, value="hide"),
        EventDraft(uuid4(), "resume", films[0].pk, now, value="remove"),
        EventDraft(uuid4(), "open", films[4].pk, now),
        EventDraft(uuid4(), "forget", films[4].pk, now, value="remove"),
        EventDraft(uuid4(), "genre", None, now, value="refuse", subject=Genre.objects.first().pk),
        EventDraft(
            uuid4(), "person", None, now, value="refuse", subject=films[0].people.first().pk
        ),
    ]
    assert record_events(visit, drafts, now).accepted == len(drafts)
    Slate.objects.create(
        visit_id=visit.id, surface="home", created_at=now, rows=[], took_ms=1, features=b"\0\1"
    )


def test_the_data_is_whole_and_of_one_profile(owner_client, cast, films, now):
    everything_of(cast.owner, films, now)
    everything_of(cast.sibling, films, now)
    answer = owner_client.post(f"/profiles/{cast.owner.pk}/data/")
    assert answer["Content-Disposition"] == 'attachment; filename="marquee-ana.json"'
    told = json.loads(answer.getvalue())
    assert told["profile"]["name"] == "Ana"
    assert {name for name, rows in owned_rows(cast.owner).items() if rows.exists()} == {
        "ratings", "list_entries", "hidden_titles", "dropped_titles", "refused_people",
        "refused_genres", "forgotten_titles", "visits", "events", "slates",
    }  # fmt: skip
    for name, rows in owned_rows(cast.owner).items():
        assert len(told[name]) == rows.count(), name
    assert told["title_names"][str(films[1].pk)] == "High Noon (1951)"
    assert told["person_names"] == {str(films[0].people.first().pk): "Sergio Leone"}
    assert told["slates"][0]["features"] == "AAE="
    assert {"added_at", "profile_id"} <= told["list_entries"][0].keys()
    assert "at" not in told["list_entries"][0], "an export keeps its names"
    assert "refused_at" in told["refused_people"][0]
    assert {
        row["profile_id"] for name in told if name.endswith("ratings") for row in told[name]
    } == {cast.owner.pk}


def test_the_data_of_nobody_is_json_too(cast):
    assert json.loads("".join(export_of(cast.stranger)))["events"] == []


def test_another_profiles_data_asks_the_password(owner_client, cast, films, now):
    everything_of(cast.sibling, films, now)
    address = f"/profiles/{cast.sibling.pk}/data/"
    assert owner_client.post(address).status_code == 403
    answer = owner_client.post(address, {"password": PASSWORD})
    assert json.loads(answer.getvalue())["profile"]["name"] == "Kim"
    for method, path in (("post", "data"), ("get", ""), ("post", "delete"), ("post", "")):
        stranger = f"/profiles/{cast.stranger.pk}/{path}{'/' if path else ''}"
        assert getattr(owner_client, method)(stranger, {"confirmed": "yes"}).status_code == 404


def test_a_profile_is_deleted_with_all_that_was_kept_once_confirmed(owner_client, cast, films, now):
    everything_of(cast.owner, films, now)
    everything_of(cast.sibling, films, now)
    address = f"/profiles/{cast.owner.pk}/delete/"
    assert "Delete Ana?" in owner_client.post(address).content.decode()
    answer = owner_client.post(address, {"confirmed": "yes"}, follow=True)
    assert "Ana and all that was kept of Ana is deleted." in answer.content.decode()
    assert set(Event.objects.values_list("profile", flat=True)) == {cast.sibling.pk}
    assert Visit.objects.count() == Slate.objects.count() == Rating.objects.count() == 1
    assert RefusedGenre.objects.get().profile == cast.sibling
    assert owner_client.get("/my-list/").url == "/profiles/"


def test_the_account_is_deleted_by_its_password_with_its_profiles(owner_client, cast, films, now):
    everything_of(cast.owner, films, now)
    page = owner_client.get("/account/delete/").content.decode()
    assert "Ana, Kim" in page
    confirmed = {"confirmed": "yes"}
    assert owner_client.post("/account/delete/", confirmed).status_code == 403
    answer = owner_client.post("/account/delete/", {**confirmed, "password": PASSWORD}, follow=True)
    assert "is deleted" in answer.content.decode()
    assert list(Profile.objects.all()) == [cast.stranger]
    assert not User.objects.filter(username="ana").exists()
    assert not Event.objects.exists()
    assert "Log in" in answer.content.decode()


def test_an_operator_is_not_deleted_here(client):
    client.force_login(User.objects.create_user("op", password=PASSWORD, is_staff=True))
    answer = client.post("/account/delete/", {"confirmed": "yes", "password": PASSWORD})
    assert answer.status_code == 403
    assert User.objects.filter(username="op").exists()


def test_starters_are_the_best_liked_of_each_kind_within_the_limit(release, films):
    Title.objects.filter(pk=films[0].pk).update(maturity=6)
    offered = starters(None)
    assert len(offered) == STARTERS
    assert starters(6) == [films[0]]
    genres = [title.genres.all()[0].name for title in offered]
    assert [genres.count(name) for name in ("Western", "Romance", "Science Fiction")] == [12] * 3


def test_what_a_newcomer_picks_is_liked_once(owner_client, cast, films, release):
    page = owner_client.get("/welcome/").content.decode()
    assert page.count('type="checkbox"') == STARTERS
    form = {"id": uuid4(), "title": [films[0].pk, films[21].pk, films[0].pk, "x", "9" * 30]}
    searched = owner_client.post("/welcome/", {**form, "q": "solaris", "search": "yes"})
    text = searched.content.decode()
    assert text.count(" checked") == 2
    assert "Solaris" in text
    assert not Rating.objects.filter(profile=cast.owner).exists()
    for _ in range(2):
        assert owner_client.post("/welcome/", {**form, "save": "yes"}).url == "/"
    liked = Rating.objects.filter(profile=cast.owner).values_list("title", "stars")
    assert set(liked) == {(films[0].pk, 4.0), (films[21].pk, 4.0)}
    assert Event.objects.filter(kind="thumb").count() == 2
    assert "Because you liked" in owner_client.get("/").content.decode()


@pytest.mark.parametrize("text", ["zzqqxxy", "x" * 300])
def test_a_search_for_picks_that_finds_nothing_says_so(owner_client, films, release, text):
    answer = owner_client.post("/welcome/", {"q": text, "search": "yes"})
    assert 'role="alert"' in answer.content.decode()


def test_picks_may_be_skipped_and_home_is_useful_before(owner_client, films, release):
    assert owner_client.post("/welcome/", {"save": "yes", "next": "/history/"}).url == "/history/"
    assert owner_client.post("/welcome/", {"next": "https://elsewhere.example/"}).url == "/"
    text = owner_client.get("/").content.decode()
    assert text.count('<section class="row"') >= 2
    assert "This page does not know you yet" in text
    owner_client.post(f"/thumb/{films[0].pk}/", {"value": "up"})
    assert "This page does not know you yet" not in owner_client.get("/").content.decode()


def test_the_history_page_lists_and_takes_back(
    owner_client, cast, films, now, django_assert_max_num_queries
):
    everything_of(cast.owner, films, now)
    with django_assert_max_num_queries(12):
        text = owner_client.get("/history/").content.decode()
    for words in ("Removed from history", "Hidden", "Not for me", "Sergio Leone", "High Noon"):
        assert words in text
    owner_client.post(f"/forget/{films[1].pk}/", {"value": "remove"})
    assert f"/forget/{films[1].pk}/" in owner_client.get("/history/").content.decode()
    assert not Rating.objects.filter(title=films[1]).exists()
    owner_client.post(f"/forget/{films[1].pk}/", {"value": "restore"})
    assert Rating.objects.get(title=films[1]).stars == 5

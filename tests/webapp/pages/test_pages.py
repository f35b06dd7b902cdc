"""Every page, as its owner, another profile, a stranger and a troublemaker see it."""

import re
import uuid
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db.utils import OperationalError
from django.test import Client
from django.utils.html import escape

from webapp.engine import respond
from webapp.events.models import Event
from webapp.pages import staff
from webapp.pages.navigation import FROM_COOKIE
from webapp.profiles.models import HiddenTitle, ListEntry, Profile, Rating
from webapp.releases.models import TrainingRun
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


def rows_of(response):
    return re.findall(r'<section class="row" data-row="(\w+)"', response.content.decode())


def test_a_stranger_may_look_around(client, release, films, settings):
    settings.ROW_SIZE = 6
    for address in ("/", films[0].get_absolute_url(), f"/watch/{films[0].pk}/", "/search/?q=noon"):
        assert client.get(address).status_code == 200, address
    assert client.get("/genre/western/").status_code == 200
    assert {"because_watched", "top_picks"} & set(rows_of(client.get("/")))


@pytest.mark.parametrize("address", ["/my-list/", "/profiles/", "/staff/training/"])
def test_what_is_personal_asks_a_stranger_to_log_in(client, address):
    response = client.get(address)
    assert (response.status_code, response.url) == (302, f"/login/?next={address}")


def test_a_row_links_its_titles_and_says_why(owner_client, cast, release, films, now, settings):
    settings.ROW_SIZE = 6
    Rating.objects.create(profile=cast.owner, title=films[0], stars=5, rated_at=now)
    text = owner_client.get("/").content.decode()
    assert "Because you liked The Good, the Bad and the Ugly" in text
    assert re.search(
        r'<a class="card" href="/title/\d+/[\w-]+/" data-title="\d+" data-slot="0"', text
    )
    assert re.search(r'data-surface="home" data-slate="[0-9a-f-]{36}"', text)


def test_opening_a_title_is_an_event_and_changes_the_next_page(owner_client, release, films):
    owner_client.get(films[0].get_absolute_url())
    event = Event.objects.get()
    assert (event.kind, event.title, event.slate) == ("open", films[0], None)
    assert "Because you opened The Good" in owner_client.get("/").content.decode()


def leading_row(response):
    return re.search(r'<section class="hero" data-of-row="(\w+)"', response.content.decode())[1]


def test_what_this_visit_is_about_leads_the_page_and_rows_that_were_seen_stay(
    owner_client, cast, visit_release, films, now, settings
):
    settings.ROW_SIZE = 6
    Rating.objects.create(profile=cast.owner, title=films[3], stars=5, rated_at=now)
    before = owner_client.get("/")
    assert leading_row(before) == "top_picks"
    owner_client.get(films[45].get_absolute_url())
    after = owner_client.get("/")
    assert leading_row(after) == "spotlight"
    for page in (before, after):  # the titles that stay were not chosen by this visit
        assert "Based on 1 title you liked, saved or watched<" in page.content.decode()
    assert rows_of(after)[0] == "this_visit"
    assert rows_of(after)[1:3] == rows_of(before)[:2]


def test_an_open_names_the_place_of_the_card_that_led_to_it(owner_client, release):
    page = owner_client.get("/").content.decode()
    slate = re.search(r'data-slate="([^"]+)"', page)[1]
    row = Slate.objects.get(pk=slate).rows[0]
    owner_client.cookies[FROM_COOKIE] = f"{row['titles'][2]}:{slate}:{row['kind']}:2"
    text = owner_client.get(f"/title/{row['titles'][2]}/", follow=True).content.decode()
    event = Event.objects.get(kind="open")
    assert (str(event.slate_id), event.row, event.slot) == (slate, row["kind"], 2)
    assert f"You found it in “{escape(row['heading'])}”" in text


@pytest.mark.parametrize(
    "told",
    ["", "1", "{pk}:{slate}:new:-1", "{pk}:nonsense:new:1", "{pk}:{slate}:new:1", "7:8:9:10:11"],
)
def test_an_open_from_a_place_told_wrongly_is_an_open_all_the_same(owner_client, films, told):
    told = told.format(pk=films[0].pk, slate=uuid.uuid4())
    owner_client.cookies[FROM_COOKIE] = told
    assert owner_client.get(films[0].get_absolute_url()).status_code == 200
    assert Event.objects.get(kind="open").slate is None


def test_a_page_fetched_just_in_case_was_not_opened(owner_client, films):
    owner_client.get(films[0].get_absolute_url(), headers={"Sec-Purpose": "prefetch;prerender"})
    owner_client.head(films[0].get_absolute_url())
    assert not Event.objects.exists()


def test_an_old_name_in_the_address_leads_to_the_new_one(client, films):
    for address in (f"/title/{films[0].pk}/", f"/title/{films[0].pk}/old-name/"):
        response = client.get(address)
        assert (response.status_code, response.url) == (301, films[0].get_absolute_url())


@pytest.mark.parametrize("address", ["/title/99999/x/", "/watch/99999/", "/genre/none/", "/none"])
def test_what_is_not_there_is_said_to_be_not_there(client, db, address):
    response = client.get(address)
    assert response.status_code == 404
    assert "Nothing plays here" in response.content.decode()


def test_a_profile_is_chosen_by_its_own_account_only(client, cast):
    client.force_login(cast.owner.account)
    assert client.post(f"/profiles/{cast.stranger.pk}/choose/").status_code == 404
    assert client.get(f"/profiles/{cast.owner.pk}/choose/").status_code == 405
    assert client.post(f"/profiles/{cast.sibling.pk}/choose/").status_code == 302
    assert "Kim" in client.get("/my-list/").content.decode()


def test_a_profile_that_was_chosen_before_another_login_is_not_kept(client, cast, log_in):
    log_in(client, cast.owner)
    client.force_login(cast.stranger.account)
    assert client.get("/my-list/").url == "/profiles/"


def test_a_profile_is_added_up_to_the_limit(client, cast):
    client.force_login(cast.owner.account)
    for n in range(8):
        client.post("/profiles/", {"name": f"Number {n}"})
    assert Profile.objects.filter(account=cast.owner.account).count() == 8
    assert client.post("/profiles/", {"name": ""}).status_code == 200


def test_forms_tell_of_a_title_without_any_script(owner_client, cast, films):
    pk = films[0].pk
    assert owner_client.post(f"/thumb/{pk}/", {"value": "up"}).status_code == 302
    assert owner_client.post(f"/list/{pk}/", {"value": "add"}).status_code == 302
    assert owner_client.post(f"/hide/{pk}/", {"value": "hide"}).status_code == 302
    assert Rating.objects.get().profile == cast.owner
    assert ListEntry.objects.get().profile == cast.owner
    assert HiddenTitle.objects.get().profile == cast.owner
    text = owner_client.get(films[0].get_absolute_url()).content.decode()
    assert text.count('aria-pressed="true"') == 3


def test_each_profile_keeps_its_own(client, cast, films, log_in):
    log_in(client, cast.owner).post(f"/list/{films[0].pk}/", {"value": "add"})
    for other in (cast.sibling, cast.stranger):
        assert films[0].name not in log_in(client, other).get("/my-list/").content.decode()
    assert "the Bad" in log_in(client, cast.owner).get("/my-list/").content.decode()


def test_a_form_leads_back_to_our_own_pages_only(owner_client, films):
    for way, expected in (
        ("/my-list/", "/my-list/"),
        ("//evil.example/", films[0].get_absolute_url()),
    ):
        response = owner_client.post(f"/list/{films[0].pk}/", {"value": "add", "next": way})
        assert response.url == expected


def test_a_form_that_makes_no_sense_is_refused(owner_client, films):
    assert owner_client.post(f"/thumb/{films[0].pk}/", {"value": "?"}).status_code == 400
    assert owner_client.post(f"/watch/{films[0].pk}/stopped/", {"minutes": "-1"}).status_code == 400
    assert owner_client.get(f"/thumb/{films[0].pk}/").status_code == 405


def test_a_stranger_who_rates_is_asked_to_log_in(client, films):
    response = client.post(f"/thumb/{films[0].pk}/", {"value": "up"})
    assert response.url.startswith("/login/?next=/title/")


def test_logging_in_leads_by_who_watches_to_where_one_was_going(client, cast, films):
    aim = films[0].get_absolute_url()
    words = {"username": "ana", "password": "a long password"}
    after = client.post("/login/", {**words, "next": aim}).url
    assert after == f"/profiles/?next={quote(aim, safe='')}"
    assert f'name="next" value="{aim}"' in client.get(after).content.decode()
    chosen = client.post(f"/profiles/{cast.owner.pk}/choose/", {"next": aim})
    assert chosen.url == aim


@pytest.mark.parametrize("way", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_choosing_who_watches_leads_to_our_own_pages_only(client, cast, way):
    client.force_login(cast.owner.account)
    assert client.post(f"/profiles/{cast.owner.pk}/choose/", {"next": way}).url == "/"


def test_an_account_without_profiles_goes_straight_on(client, cast):
    User.objects.create_user("op", password="a long password", is_staff=True, is_superuser=True)
    words = {"username": "op", "password": "a long password", "next": "/staff/training/"}
    assert client.post("/login/", words).url == "/staff/training/"
    assert client.get("/staff/training/").status_code == 200


def test_rating_before_choosing_who_watches_asks_who(client, cast, films):
    client.force_login(cast.owner.account)
    response = client.post(f"/thumb/{films[0].pk}/", {"value": "up"})
    assert response.url.startswith("/profiles/?next=%2Ftitle%2F")


def test_a_form_from_elsewhere_is_refused(cast, films):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner.account)
    response = client.post(f"/thumb/{films[0].pk}/", {"value": "up"})
    assert response.status_code == 403
    assert "Reload it" in response.content.decode()


def test_watching_without_script_is_continued_where_it_stopped(owner_client, release, films):
    owner_client.post(f"/watch/{films[0].pk}/stopped/", {"minutes": "30"})
    home = owner_client.get("/")
    assert rows_of(home)[0] == "continue_watching"
    assert "30 % played" in home.content.decode()
    assert 'data-start="1800"' in owner_client.get(f"/watch/{films[0].pk}/").content.decode()
    owner_client.post(f"/watch/{films[0].pk}/stopped/", {"minutes": "1440"})
    assert Event.objects.filter(kind="finish").count() == 1
    assert "continue_watching" not in rows_of(owner_client.get("/"))


def test_an_empty_search_offers_the_genres(client, films):
    assert "/genre/western/" in client.get("/search/").content.decode()


def test_before_typing_titles_are_suggested_on_the_page_and_by_the_api(client, release):
    page = client.get("/search/").content.decode()
    slate = Slate.objects.get(surface="prequery")
    assert f'data-surface="prequery" data-slate="{slate.pk}"' in page
    assert page.count("data-title=") == len(slate.rows[0]["titles"]) >= 6
    body = client.get("/api/v1/search?q=+").json()
    assert body["titles"] == []
    assert [title["id"] for title in body["suggestions"]] == slate.rows[0]["titles"]


def test_many_wrong_logins_are_stopped(client, cast):
    codes = [
        client.post("/login/", {"username": f"user {n}", "password": "a guess"}).status_code
        for n in range(21)
    ]
    assert codes == [200] * 20 + [429]


def test_staff_read_the_curves_and_others_do_not(client, owner_client, release):
    assert owner_client.get("/staff/training/").status_code == 403
    client.force_login(
        User.objects.create_user("op", password="a long password", is_staff=True, is_superuser=True)
    )
    text = client.get("/staff/training/").content.decode()
    assert "observed_loss" in text
    assert "<polyline" in text
    assert "Nothing was live to compare with" in text


def test_staff_read_whom_the_neighbours_serve(client, release):
    told = {
        "larm": {
            "ndcg@100": 0.31, "recall@20": 0.4, "recall@50": 0.5,
            "curve": [{"epoch": 1, "ndcg@100": 0.3, "training_ndcg": 0.7, "effective_share": 1.0}],
            "systems": {"EASE": {"ndcg@100": 0.3, "recall@20": 0.4, "recall@50": 0.5}},
            "by_history_size": [
                {"smallest": 5, "largest": 9, "profiles": 7, "ease": 0.1234, "larm": 0.2345}
            ],
        }
    }  # fmt: skip
    TrainingRun.objects.create(status="succeeded", metrics=told)
    client.force_login(
        User.objects.create_user("op", password="a long password", is_staff=True, is_superuser=True)
    )
    text = " ".join(client.get("/staff/training/").content.decode().split())
    assert '<th scope="row">5 to 9</th><td>7</td><td>0.1234</td><td>0.2345</td>' in text
    assert "larm, as published" in text
    assert "Nothing was seen yet." in text


def test_a_curve_runs_from_its_lowest_to_its_highest_value():
    assert staff.Curve("loss", [3.0, 1.0]).points == "0.0,0.0 320.0,90.0"
    assert staff.Curve("loss", [3.0]).points == "0.0,90.0"


def test_a_database_that_is_away_is_told_in_words_and_later_is_back(
    client, release, monkeypatch, settings
):
    def away(*args):
        raise OperationalError("the connection is closed")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(respond, "evidence_of", away)
        page, api = client.get("/"), client.get("/api/v1/search?q=noon")
        assert (page.status_code, page["Retry-After"]) == (503, "10")
        assert "taking a break" in page.content.decode()
        assert "taking a break" in api.json()["detail"]
    assert client.get("/").status_code == 200


def test_a_fault_of_ours_is_told_in_words(client, release, monkeypatch):
    monkeypatch.setattr(respond, "evidence_of", lambda visit: 1 / 0)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert "The film tore" in response.content.decode()


def test_health_and_readiness(client, films, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok"
    unready = client.get("/readyz")
    assert (unready.status_code, unready["Retry-After"]) == (503, "2")
    assert "no release" in unready.content.decode()


def test_ready_with_a_release(client, release):
    assert client.get("/readyz").status_code == 200


def test_a_probe_that_is_told_to_wait_is_no_error_in_the_log(client, films, caplog):
    assert client.get("/readyz").status_code == 503
    assert client.get("/title/0/").status_code == 404
    assert [record.status_code for record in caplog.records if record.name == "django.request"] == [
        404
    ]


def test_no_page_allows_inline_code_or_strangers(client, release):
    policy = client.get("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = client.get("/").content.decode()
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", page)


def test_the_whole_home_page_costs_few_queries(
    owner_client, release, films, django_assert_max_num_queries
):
    owner_client.get(films[0].get_absolute_url())
    owner_client.get("/")
    with django_assert_max_num_queries(15):
        owner_client.get("/")


def test_a_poster_is_kept_by_the_browser(client, films):
    address = re.search(
        r'src="(/posters/[^"]+)"', client.get(films[0].get_absolute_url()).content.decode()
    )[1]
    poster = client.get(address)
    assert poster["Content-Type"].startswith("image/svg+xml")
    assert "immutable" in poster["Cache-Control"]
    assert client.get(address, headers={"If-None-Match": poster["ETag"]}).status_code == 304
    assert "immutable" not in client.get(f"/posters/{films[0].pk}.svg?v=old")["Cache-Control"]


def test_the_schema_names_the_calls(client, db):
    text = client.get("/api/v1/schema").content.decode()
    assert "/api/v1/events" in text
    assert "/api/v1/search" in text

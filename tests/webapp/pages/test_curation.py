"""What operators decide for a search, as viewers meet it, and the pages where they decide it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from search.facets import Facet, FacetValue
from search.retrieve import Band
from webapp.catalog.models import Maturity, Title
from webapp.discovery.selection import Selection
from webapp.engine import responses
from webapp.engine.live import holder
from webapp.engine.replay import replay
from webapp.events.models import Event
from webapp.events.visits import current_visit
from webapp.metrics.models import AuditEntry, DailyQuery
from webapp.profiles.models import HiddenTitle
from webapp.rules.models import ReviewedQuery, Rule, Synonym
from webapp.rules.search_rules import search_rules
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


def rule(act, title=None, queries="number", **fields):
    made = Rule.objects.create(act=act, title=title, queries=queries, **fields)
    search_rules.forget()
    return made


def shown_in(client, text="number", **more):
    """Ids of the results, in their order."""
    page = client.get("/search/", {"q": text, **more}).content.decode()
    results = page.partition('data-row="results"')[2].partition("</ul>")[0]
    return [int(pk) for pk in re.findall(r'data-title="(\d+)"', results)]


@pytest.mark.parametrize("position", [1, 3, 20])
def test_a_pinned_title_stands_where_it_was_pinned_whatever_it_matches(
    client, release, films, position
):
    before = shown_in(client)
    rule("pin", films[0], position=position)
    after = shown_in(client)
    assert after[position - 1] == films[0].pk
    assert [pk for pk in after if pk != films[0].pk] == before[:39]
    assert shown_in(client, "numbe") == shown_in(client, "numbe", sort="match")
    assert films[0].pk not in shown_in(client, "western number")


def test_pages_hold_each_title_once_and_counts_are_true_with_pins(client, release, films):
    rule("pin", films[0], position=2)
    rule("pin", films[30], position=1)
    pages = [shown_in(client, page=n) for n in (1, 2)]
    assert pages[0][:2] == [films[30].pk, films[0].pk]
    assert [len(page) for page in pages] == [40, 16]
    assert len({pk for page in pages for pk in page}) == 56
    assert shown_in(client, page=9) == pages[1]
    assert "56 titles." in client.get("/search/?q=number").content.decode()


def test_a_pinned_title_is_narrowed_like_others_and_sorted_like_them(client, release, films):
    rule("pin", films[0])
    assert shown_in(client, genre="Romance")[0] != films[0].pk
    assert shown_in(client, genre="Western")[0] == films[0].pk
    assert films[0].pk not in shown_in(client, sort="year")


def test_a_pin_is_the_only_result_where_nothing_matches(client, release, films):
    rule("pin", films[0], queries="qqzz")
    assert shown_in(client, "qqzz") == [films[0].pk]
    page = client.get("/search/?q=qqzz").content.decode()
    assert 'data-why="Featured for this search"' in page
    assert "1 title." in page
    body = client.get("/api/v1/suggest?q=qqzz").json()
    assert [title["id"] for title in body["titles"]] == [films[0].pk]


def test_limits_and_refusals_stand_above_pins(owner_client, cast, release, films, now):
    rule("pin", films[0])
    anyone = Client()
    HiddenTitle.objects.create(profile=cast.owner, title=films[0], at=now)
    assert films[0].pk not in shown_in(owner_client)
    Title.objects.filter(pk=films[0].pk).update(maturity=Maturity.SIXTEEN, updated_at=now)
    HiddenTitle.objects.all().delete()
    cast.owner.maturity_limit = 12
    cast.owner.save()
    holder.forget()
    assert films[0].pk not in shown_in(owner_client)
    assert shown_in(anyone)[0] == films[0].pk
    Title.objects.filter(pk=films[0].pk).update(is_available=False, updated_at=timezone.now())
    holder.forget()
    assert films[0].pk not in shown_in(anyone)


def test_a_hidden_title_is_found_by_other_searches_alone(client, release, films):
    rule("hide", films[1], queries="high noon\nnoon")
    rule("pin", films[1], queries="noon")
    assert films[1].pk not in shown_in(client, "High Noon")
    assert films[1].pk not in shown_in(client, "noon")
    assert shown_in(client, "high noo")[0] == films[1].pk


def test_a_redirect_leads_elsewhere_and_is_a_search_that_led_somewhere(client, release):
    rule("redirect", queries="cowboys", address="/genre/western/")
    for _ in range(2):
        response = client.get("/search/?q=Cowboys")
        assert (response.status_code, response.url) == (302, "/genre/western/")
    [made] = Event.objects.filter(kind="search")
    assert (made.query, made.value, made.slate) == ("Cowboys", "redirect", None)
    body = client.get("/api/v1/search?q=cowboys").json()
    assert body["redirect"] == "/genre/western/"
    assert client.get("/api/v1/search?q=noon").json()["redirect"] is None
    assert client.get("/api/v1/suggest").json()["recent"] == ["Cowboys"]


def test_a_synonym_is_in_effect_at_once(client, release, films):
    assert shown_in(client, "cowboys of noon") == []
    Synonym.objects.create(phrases="cowboys of noon\nhigh noon")
    search_rules.forget()
    assert shown_in(client, "cowboys of noon")[0] == films[1].pk


def test_a_rule_ends_by_the_clock(client, release, films, now):
    rule("pin", films[0], ends_at=now + timedelta(hours=1))
    visit = current_visit(None, None, now)
    first, later = (
        responses.search(visit, "number", now + timedelta(hours=hours)) for hours in (0, 2)
    )
    assert first.slots[0].title == films[0]
    assert later.slots[0].title != films[0]


def test_the_slate_keeps_the_rules_and_replay_obeys_them(release, films, cast, now):
    pin = rule("pin", films[0], position=2, queries="2 number")
    hide = rule("hide", films[30], queries="2 number")
    visit = current_visit(None, cast.owner, now).in_arm("x", "lists", "interleaved")
    western = Selection((FacetValue(Facet.GENRE, "Western"),))
    pages = [
        responses.search(visit, "2 number", now),
        responses.search(visit, "2 number", now, western),
    ]
    Rule.objects.all().delete()
    Synonym.objects.all().delete()
    search_rules.forget()
    for page in pages:
        slate = Slate.objects.get(pk=page.slate_id)
        assert slate.snapshot["curation"]["rules"] == [pin.pk, hide.pk]
        assert slate.rows[0]["titles"][1] == films[0].pk
        assert slate.rows[0]["evidence"][1] == Band.PINNED
        assert films[30].pk not in slate.rows[0]["titles"]
        again = replay(slate)
        assert again.differences == []
        assert again.feature_skew == 0


@pytest.fixture
def curator(client):
    account = User.objects.create_user("curator", is_staff=True)
    names = ("curate_search", "view_dashboards")
    account.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(account)
    return client


ADMIN = ["/admin/rules/rule/", "/admin/rules/rule/add/", "/admin/rules/synonym/",
         "/admin/rules/synonym/add/"]  # fmt: skip


def test_one_permission_opens_rules_and_synonyms_and_nothing_else(curator):
    assert {curator.get(address).status_code for address in ADMIN} == {200}
    assert curator.get("/admin/catalog/title/").status_code == 403
    other = Client()
    other.force_login(User.objects.create_user("other", is_staff=True))
    assert {other.get(address).status_code for address in ADMIN} == {403}
    assert other.post("/staff/search/reviewed/", {"query": "x"}).status_code == 403
    assert "rules" not in other.get("/admin/").content.decode()


def test_every_change_stands_in_the_audit_log(curator, films):
    form = {"act": "pin", "queries": "batman", "title": films[0].pk, "position": 1}
    assert curator.post("/admin/rules/rule/add/", form).status_code == 302
    made = Rule.objects.get()
    form["position"] = 2
    curator.post(f"/admin/rules/rule/{made.pk}/change/", form)
    curator.post(f"/admin/rules/rule/{made.pk}/delete/", {"post": "yes"})
    curator.post("/admin/rules/synonym/add/", {"phrases": "telly\r\nseries", "is_active": "on"})
    chosen = {"action": "delete_selected", "_selected_action": Synonym.objects.latest("pk").pk}
    curator.post("/admin/rules/synonym/", {**chosen, "post": "yes"})
    entries = AuditEntry.objects.order_by("pk")
    assert {(entry.operator_name, entry.act) for entry in entries} == {
        ("curator", "search_curated")
    }
    words = [re.sub(r" \d+:", ":", entry.what) for entry in entries]
    pinned = "Pin a title: The Good, the Bad and the Ugly (1950) for “batman”"
    assert words == [
        f"added rule: {pinned}", f"changed rule: {pinned}", f"removed rule: {pinned}",
        "added synonym: telly = series", "removed synonym: telly = series",
    ]  # fmt: skip


def test_a_form_that_is_refused_says_why(curator):
    form = {"act": "redirect", "queries": "scary", "position": 1, "address": "https://x.example/"}
    page = curator.post("/admin/rules/rule/add/", form).content.decode()
    assert "Give the path of a page of this site" in page
    assert not Rule.objects.exists()


@pytest.mark.parametrize("title", ["dc399ae1", "", "9" * 30, "-1", "\u0660", "1.5"])
@pytest.mark.parametrize("model", ["rules/rule", "profiles/profile", "catalog/title"])
def test_what_is_no_id_is_refused_in_words(admin_client, title, model):
    """Django's own field for names asked the database for it, and failed."""
    inline = {
        f"credits-{name}_FORMS": number for name, number in {"TOTAL": 1, "INITIAL": 0}.items()
    }
    form = {"title": title, "account": title, "credits-0-person": title, "queries": "x"} | inline
    response = admin_client.post(f"/admin/{model}/add/", form)
    assert response.status_code == 200
    assert "correct the error" in response.content.decode()


@pytest.fixture
def failing():
    day = timezone.now().date() - timedelta(days=1)
    for query, intents, failed, empty in (
        ("xyzzy", 5, 5, 5), ("good", 9, 0, 0), ("boring", 8, 3, 0), ("mixed", 4, 3, 1),
    ):  # fmt: skip
        DailyQuery.objects.create(
            day=day, is_simulated=False, query=query, intents=intents, failed=failed, empty=empty
        )
        DailyQuery.objects.create(
            day=day, is_simulated=True, query=query, intents=0, failed=0, empty=0
        )


def test_what_fails_is_a_list_to_work_through(curator, failing, films):
    address = "/staff/search/?traffic=real"
    page = curator.get(address).content.decode()
    assert "/admin/rules/rule/add/?queries=xyzzy" in page

    def work():
        text = curator.get(address).content.decode().partition('id="work"')[2]
        panels = text.partition("</section>")[0].split("<h3")[1:]
        found = r'<th scope="row"><a [^>]*>([^<]*)</a></th><td>(\d+)</td>'
        return [re.findall(found, panel) for panel in panels]

    assert work() == [[("xyzzy", "5"), ("mixed", "1")], [("boring", "3"), ("mixed", "2")]]
    response = curator.post("/staff/search/reviewed/", {"query": "boring", "next": address})
    assert response.url == address
    rule("pin", films[0], queries="Xyzzy!")
    assert work() == [[("mixed", "1")], [("mixed", "2")]]
    [entry] = AuditEntry.objects.all()
    assert entry.what == "dealt with “boring”"
    ReviewedQuery.objects.update(at=timezone.now() - timedelta(days=31))
    assert work()[1] == [("boring", "3"), ("mixed", "2")]


def test_who_reads_dashboards_alone_sees_the_list_and_changes_nothing(client, failing):
    account = User.objects.create_user("reader", is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename="view_dashboards"))
    client.force_login(account)
    page = client.get("/staff/search/?traffic=real").content.decode()
    assert "xyzzy" in page
    assert "/admin/rules/" not in page
    assert "reviewed" not in page
    assert client.get("/admin/rules/rule/").status_code == 403

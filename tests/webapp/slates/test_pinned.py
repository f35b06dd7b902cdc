"""What a visit has seen of its home page does not jump, whatever the viewer does elsewhere."""

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from psycopg.types.json import Jsonb

from recommender.serving.recommender import Recommender
from tests.churn import seen_position_churn
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import Rating
from webapp.slates.models import Slate
from webapp.slates.pinned import _LAST_HOME_PAGE, FOLD_ROWS, FOLD_SLOTS, pinned_rows

pytestmark = pytest.mark.django_db


def look(client):
    """Ask for the home page and return its slate."""
    page = client.get("/").content.decode()
    return Slate.objects.get(pk=re.search(r'data-slate="([^"]+)"', page)[1])


def tell(client, kind, *titles, **fields):
    at = datetime.now(UTC).isoformat()
    body = {
        "events": [
            {"id": str(uuid4()), "kind": kind, "title": title, "occurred_at": at, **fields}
            for title in titles
        ]
    }
    answer = client.post("/api/v1/events", body, content_type="application/json").json()
    assert answer["accepted"] == len(titles), answer


def see(client, slate, row, slots):
    """Send the impressions of a row's first slots."""
    shown = slate.rows[row]
    tell(client, "impression", *shown["titles"][:slots], slate=str(slate.pk), row=shown["kind"])


def seen_on(slate, by_row):
    """The titles seen, row by row from the top: at least what stands above the fold."""
    depth = max([FOLD_ROWS, *(n + 1 for n in by_row)])
    return [
        ((row["kind"], row["key"]), row["titles"][: max(FOLD_SLOTS, by_row.get(n, 0))])
        for n, row in enumerate(slate.rows[:depth])
    ]


def as_titles(slate):
    return [((row["kind"], row["key"]), row["titles"]) for row in slate.rows]


@pytest.fixture
def viewer(owner_client, cast, films, now, release, settings):
    """The owner, who has liked some westerns before."""
    settings.ROW_SIZE = 12
    for film in films[:4]:
        Rating.objects.create(profile=cast.owner, title=film, stars=5, rated_at=now)
    return owner_client


@pytest.mark.parametrize("who", ["viewer", "client"])
@pytest.mark.parametrize("by_row", [{}, {0: 9}, {3: 7}, {0: 12, 1: 12, 2: 12, 3: 3}])
def test_seen_positions_never_change_while_a_visit_goes_on(
    request, films, release, who, by_row, settings
):
    """With an account and a history, and with neither."""
    settings.ROW_SIZE = 12
    client = request.getfixturevalue(who)
    first = look(client)
    for row, slots in by_row.items():
        see(client, first, row, slots)
    seen, before = seen_on(first, by_row), as_titles(first)
    for genre in (40, 20):
        for film in films[genre : genre + 3]:
            client.get(film.get_absolute_url())
            tell(client, "search", None, query=film.name)
        after = as_titles(look(client))
        assert seen_position_churn(seen, after) == 0.0
        assert after[0][0] == ("spotlight", None)
        assert [name for name, _ in after][2 : len(seen) + 2] == [name for name, _ in seen]
        assert after != before
        before = after


def test_the_slots_behind_those_seen_know_of_this_visit_at_once(viewer, films):
    first = look(viewer)
    picks = next(row for row in first.rows if row["kind"] == "top_picks")
    tell(viewer, "open", *(film.pk for film in films[40:44]))
    after = next(row for row in look(viewer).rows if row["kind"] == "top_picks")
    assert after["titles"][:FOLD_SLOTS] == picks["titles"][:FOLD_SLOTS]
    assert after["titles"][FOLD_SLOTS:] != picks["titles"][FOLD_SLOTS:]
    assert after["pinned"] == FOLD_SLOTS


def test_what_was_seen_stays_over_many_pages_without_being_seen_again(viewer, films):
    first = look(viewer)
    see(viewer, first, 2, 8)
    seen = seen_on(first, {2: 8})
    for film in films[40:45]:
        viewer.get(film.get_absolute_url())
        assert seen_position_churn(seen, as_titles(look(viewer))) == 0.0


def test_a_title_hidden_leaves_and_the_rest_closes_up(viewer):
    first = look(viewer)
    see(viewer, first, 0, 8)
    gone = first.rows[0]["titles"][1]
    tell(viewer, "hide", gone, value="hide")
    after = look(viewer)
    expected = [title for title in first.rows[0]["titles"][:8] if title != gone]
    assert after.rows[0]["titles"][:7] == expected
    assert seen_position_churn(seen_on(first, {0: 8}), as_titles(after), {gone}) == 0.0


def test_a_title_begun_goes_on_in_its_own_row_and_leaves_the_recommended(viewer):
    first = look(viewer)
    number = next(n for n, row in enumerate(first.rows) if row["kind"] == "top_picks")
    begun = first.rows[number]["titles"][0]
    tell(viewer, "progress", begun, position_seconds=600, duration_seconds=6000)
    after = look(viewer)
    assert after.rows[0]["kind"] == "continue_watching"
    assert after.rows[0]["titles"] == [begun]
    picks = next(row for row in after.rows if row["kind"] == "top_picks")
    assert begun not in picks["titles"]
    assert seen_position_churn(seen_on(first, {}), as_titles(after), {begun}) == 0.0


def test_a_row_because_of_a_title_goes_when_that_title_is_refused(viewer, films):
    reason = films[40].pk
    viewer.get(films[40].get_absolute_url())
    first = look(viewer)
    assert ("because_watched", reason) in [name for name, _ in as_titles(first)]
    see(viewer, first, 3, 8)
    tell(viewer, "hide", reason, value="hide")
    after = look(viewer)
    assert ("because_watched", reason) not in [name for name, _ in as_titles(after)]
    assert seen_position_churn(seen_on(first, {3: 8}), as_titles(after), {reason}) == 0.0


def test_another_visit_begins_with_the_best_page_again(viewer, films, monkeypatch):
    first = look(viewer)
    tell(viewer, "play", *(film.pk for film in films[40:44]))
    in_visit = look(viewer)
    assert as_titles(in_visit)[3][0] == as_titles(first)[0][0]
    idle = datetime.now(UTC) + timedelta(minutes=31)
    monkeypatch.setattr(timezone, "now", lambda: idle)
    later = look(viewer)
    assert later.visit_id != first.visit_id
    assert later.snapshot["on_screen"] == []


def test_what_a_switched_profile_saw_before_does_not_stay(viewer, cast, films):
    before = look(viewer)
    assert "top_picks" in [row["kind"] for row in before.rows]
    viewer.post(f"/profiles/{cast.owner.pk}/switches/", {})
    after = look(viewer)
    assert not {"top_picks", "because_watched"} & {row["kind"] for row in after.rows}
    assert after.snapshot["on_screen"] == []


def test_pages_of_the_fallback_are_not_kept(viewer, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Recommender, "home", lambda *_: 1 / 0)
        assert look(viewer).fallback_reason
    assert look(viewer).snapshot["on_screen"] == []


def test_what_was_seen_stays_when_the_recommender_fails(viewer, monkeypatch):
    first = look(viewer)
    monkeypatch.setattr(Recommender, "home", lambda *_: 1 / 0)
    after = look(viewer)
    assert after.fallback_reason
    assert seen_position_churn(seen_on(first, {}), as_titles(after)) == 0.0


def last_home_page_by_the_orm(visit, continued=None):
    """The twin of `sql/last_home_page.sql`."""
    slates = Slate.objects.filter(visit=visit.id, surface="home", snapshot__switches=visit.switches)
    slates = slates.filter(pk=continued) if continued else slates.filter(fallback_reason="")
    slate = slates.order_by("-created_at").first()
    if slate is None:
        return None
    pages = [page for page in (slate.pk, slate.continues_id) if page]
    named = Event.objects.filter(slate__in=pages).values_list("row", "title_id")
    return slate.rows, slate.snapshot.get("on_screen"), slate.continues_id, sorted(named)


def test_the_last_home_page_is_the_one_that_the_orm_finds(viewer, cast):
    first = look(viewer)
    see(viewer, first, 3, 2)
    viewer.get(f"/rows/{first.pk}/")
    below = Slate.objects.exclude(continues=None).get()
    visit = CurrentVisit(first.visit_id, cast.owner, first.created_at)
    cast.sibling.is_personalized = False
    others = [CurrentVisit(first.visit_id, cast.sibling, first.created_at)]
    for of_visit in (visit, *others):
        for continued in (None, first.pk, below.pk, uuid4()):
            rows = _LAST_HOME_PAGE.rows(
                visit=of_visit.id, switches=Jsonb(of_visit.switches), continued=continued
            )
            twin = last_home_page_by_the_orm(of_visit, continued)
            assert (twin is None) == (rows == [])
            if twin:
                [(shown, above, continues, named)] = rows
                found = [tuple(each) for each in json.loads(named)]
                assert (json.loads(shown), continues, sorted(found)) == (twin[0], twin[2], twin[3])
                assert json.loads(above or "null") == twin[1]
    assert last_home_page_by_the_orm(visit, first.pk) is not None


def test_what_is_on_screen_costs_one_query(viewer, cast, django_assert_num_queries):
    first = look(viewer)
    see(viewer, first, 3, 2)
    visit = CurrentVisit(first.visit_id, cast.owner, first.created_at)
    with django_assert_num_queries(1):
        rows = pinned_rows(visit)
    assert [row.num_seen for row in rows] == [6, 6, 6, 6]
    assert [row.kind for row in rows] == [row["kind"] for row in first.rows[:4]]
    assert pinned_rows(CurrentVisit(uuid4(), cast.owner, first.created_at)) == []

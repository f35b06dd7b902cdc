"""Visits replayed for support: by staff alone, one profile at a time, and never unseen."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.webapp.metrics.conftest import Sitting
from webapp.metrics.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_user("operator", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def evening(cast, films):
    """A visit of the owner: a home page of ten titles, one seen, one opened and watched late."""
    sitting = Sitting(cast.owner, timezone.now() - timedelta(hours=2), is_simulated=True)
    home = sitting.slate(rows=[("trending", films[:10])], took_ms=12.4)
    sitting.see(films[0], 2, home)
    sitting.event("open", films[1], 5, home, lag=600)
    for at in range(10, 60, 5):
        sitting.event("progress", films[1], at, position_seconds=at, duration_seconds=6000)
    sitting.event("search", at=70, surface="search", query="solaris")
    return sitting.visit


def test_a_profile_is_found_by_name_account_and_number(staff, cast):
    for text in ("Ana", "ana", str(cast.owner.pk)):
        assert (
            f"/staff/people/{cast.owner.pk}/"
            in staff.get("/staff/people/", {"q": text}).content.decode()
        )
    assert "No profile has" in staff.get("/staff/people/", {"q": "nobody\0"}).content.decode()


def test_a_visit_is_told_as_it_went(staff, cast, evening, films):
    page = staff.get(f"/staff/people/{cast.owner.pk}/visits/{evening.pk}/").content.decode()
    assert "12 ms" in page
    assert f"{films[0].name} (seen)" in page
    assert f"{films[1].name} (opened)" in page
    assert "and 2 more" in page
    assert "came 10 min late" in page
    assert page.count("Watched on") == 1
    assert "at 0 min 55 s" in page
    assert "“solaris”" in page
    order = [page.index(words) for words in ("was shown", "Opened", "Watched on", "Searched")]
    assert order == sorted(order)
    assert 'class="badge simulated"' in page


def test_a_profiles_visits_stand_with_what_is_kept_of_them(staff, cast, evening):
    page = staff.get(f"/staff/people/{cast.owner.pk}/").content.decode()
    assert f"/visits/{evening.pk}/" in page
    assert "<td>1</td><td>13</td>" in page
    other = staff.get(f"/staff/people/{cast.sibling.pk}/").content.decode()
    assert str(evening.pk) not in other


def test_every_look_at_a_person_is_written_down_with_who_looked(staff, cast, evening):
    staff.get("/staff/people/", {"q": "Ana"})
    assert not AuditEntry.objects.exists()
    staff.get(f"/staff/people/{cast.owner.pk}/")
    staff.get(f"/staff/people/{cast.owner.pk}/visits/{evening.pk}/")
    entries = AuditEntry.objects.order_by("pk")
    assert [(e.operator_name, e.act, e.what) for e in entries] == [
        ("operator", "visits_read", f"profile {cast.owner.pk}"),
        ("operator", "visits_read", f"profile {cast.owner.pk}, visit {evening.pk}"),
    ]
    User.objects.get(username="operator").delete()
    assert AuditEntry.objects.filter(operator_name="operator").count() == 2


def test_a_visit_is_reached_through_its_own_profile_alone(staff, cast, evening):
    assert staff.get(f"/staff/people/{cast.sibling.pk}/visits/{evening.pk}/").status_code == 404
    assert staff.get("/staff/people/999999/").status_code == 404


@pytest.mark.parametrize("place", ["", "visits/"])
def test_viewers_are_refused_even_their_own_and_strangers_log_in(client, cast, evening, place):
    address = f"/staff/people/{cast.owner.pk}/" + (place and f"{place}{evening.pk}/")
    assert client.get(address).status_code == 302
    client.force_login(cast.owner.account)
    assert client.get(address).status_code == 403
    assert not AuditEntry.objects.exists()


def test_a_deleted_title_is_told_by_its_number(staff, cast, evening, films):
    number = films[0].pk
    films[0].delete()
    page = staff.get(f"/staff/people/{cast.owner.pk}/visits/{evening.pk}/").content.decode()
    assert f"title {number}, deleted" in page


def test_the_queries_do_not_grow_with_the_visit(
    staff, cast, evening, films, django_assert_max_num_queries
):
    with django_assert_max_num_queries(12):
        staff.get(f"/staff/people/{cast.owner.pk}/visits/{evening.pk}/")
    with django_assert_max_num_queries(12):
        staff.get(f"/staff/people/{cast.owner.pk}/")

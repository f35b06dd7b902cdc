"""What a card shows when it is looked at longer, to its viewer and to others."""

import pytest

from webapp.catalog.models import Title
from webapp.events.models import Event
from webapp.profiles.models import ListEntry

pytestmark = pytest.mark.django_db


def test_a_preview_tells_facts_and_is_no_event(client, films):
    page = client.get(f"/preview/{films[0].pk}/").content.decode()
    assert "The Good, the Bad and the Ugly" in page
    assert f'href="/watch/{films[0].pk}/"' in page
    assert "<html" not in page
    assert not Event.objects.exists()


def test_a_preview_shows_each_viewer_their_own_marks(client, cast, log_in, films, now):
    ListEntry.objects.create(profile=cast.owner, title=films[0], at=now)
    address = f"/preview/{films[0].pk}/"
    assert "On my list" in log_in(client, cast.owner).get(address).content.decode()
    for other in (cast.sibling, cast.stranger):
        page = log_in(client, other).get(address).content.decode()
        assert "On my list" not in page
        assert "My list" in page


def test_a_stranger_is_asked_to_log_in(client, films):
    page = client.get(f"/preview/{films[0].pk}/").content.decode()
    assert f"/login/?next={films[0].get_absolute_url()}" in page
    assert "<button" not in page


def test_a_preview_of_what_is_not_there_or_not_fit_is_not_there(owner_client, cast, films):
    assert owner_client.get("/preview/99999/").status_code == 404
    Title.objects.filter(pk=films[0].pk).update(maturity=18)
    type(cast.owner).objects.filter(pk=cast.owner.pk).update(maturity_limit=12)
    assert owner_client.get(f"/preview/{films[0].pk}/").status_code == 404


def test_a_preview_costs_few_queries(owner_client, films, django_assert_max_num_queries):
    owner_client.get(f"/preview/{films[0].pk}/")
    with django_assert_max_num_queries(4):
        owner_client.get(f"/preview/{films[0].pk}/")

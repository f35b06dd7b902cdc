"""A profile with a maturity limit: nothing above it is shown, found or opened, whoever asks."""

import pytest

from webapp.catalog.models import Title
from webapp.engine import responses
from webapp.engine.catalogue import export_catalogue
from webapp.events.visits import current_visit
from webapp.profiles.models import ListEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(films):
    """Every other film for all, of the rest one in three not known, the others from 16."""
    for n, film in enumerate(films):
        film.maturity = 0 if n % 2 == 0 else (None if n % 3 == 0 else 16)
    Title.objects.bulk_update(films, ["maturity"])
    return films


@pytest.fixture
def child(cast):
    cast.owner.maturity_limit = 12
    cast.owner.save()
    return cast.owner


def titles_of(*rows):
    return {slot.title for row in rows if row for slot in row.slots}


def test_a_title_whose_age_nobody_told_counts_as_for_adults(rated):
    ages = export_catalogue().maturity
    assert [rated[n].maturity for n in (1, 2, 3)] == [16, 0, None]
    assert ages[1:4].tolist() == [16, 0, 18]


def test_rows_hits_and_what_is_like_a_title_are_within_the_limit(rated, release, child, now):
    visit = current_visit(None, child, now)
    home = responses.home(visit, now).rows
    like = responses.title_page(visit, rated[0], now).more_like
    typed = responses.prequery(visit, now).suggestions
    found = responses.search(visit, "number", now).slots
    for shown in (titles_of(*home), titles_of(like), titles_of(typed), {s.title for s in found}):
        assert len(shown) >= 6
        assert {title.maturity for title in shown} == {0}
    assert rated[1] not in {slot.title for slot in responses.search(visit, "high noon", now).slots}


def test_no_address_opens_what_is_above_the_limit(rated, child, owner_client, now):
    ListEntry.objects.create(profile=child, title=rated[1], at=now)
    for film, status in ((rated[0], 200), (rated[1], 404), (rated[3], 404)):
        assert owner_client.get(film.get_absolute_url()).status_code == status
        assert owner_client.get(f"/watch/{film.pk}/").status_code == status
    assert rated[1].name not in owner_client.get("/my-list/").content.decode()
    genre = owner_client.get("/genre/western/").content.decode()
    assert "Western Number 2<" in genre
    assert "Western Number 5<" not in genre


@pytest.mark.parametrize(("limit", "shown"), [(None, 60), (18, 60), (16, 50), (0, 30)])
def test_the_question_to_the_database_is_the_same(rated, limit, shown):
    assert Title.objects.allowed_for(limit).count() == shown

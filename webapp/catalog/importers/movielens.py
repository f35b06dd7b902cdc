"""The MovieLens form: a folder of movies, ratings and links; titles like "Piano, The (1993)"."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from webapp.catalog.importers.errors import FileRefused, Problem
from webapp.catalog.importers.tables import Row, Table, find_table, open_table

NO_GENRES = "(no genres listed)"
RATING_COLUMNS = {
    "userId": "profile_id",
    "movieId": "title_id",
    "rating": "stars",
    "timestamp": "rated_at",
}
ARTICLES = (
    "The|A|An|La|Le|Les|L'|El|Los|Las|Lo|Il|I|Gli|Der|Die|Das|Den|Det|De|Het|Een|Et|Ett|En"
    "|Ein|Eine|Un|Une|Una|Uno|O|Os|As|Um|Uma"
)
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\s*$", re.ASCII)
_ARTICLE_LAST = re.compile(rf"^(.+), ({ARTICLES})$", re.IGNORECASE)
_BRACKETED = re.compile(r"\(([^()]*)\)")


def name_and_year(title: str) -> tuple[str, int | None]:
    """Split "Piano, The (1993)" into "The Piano" and 1993; other names in brackets likewise."""
    found = _YEAR.search(title)
    name = title[: found.start()] if found else title
    main, bracket, others = name.strip().partition(" (")
    name = _article_first(main.strip()) + (
        " (" + _BRACKETED.sub(lambda m: f"({_article_first(m[1])})", f"({others}")[1:]
        if bracket
        else ""
    )
    return name.strip(), int(found[1]) if found else None


def _article_first(name: str) -> str:
    found = _ARTICLE_LAST.match(name)
    if not found:
        return name
    gap = "" if found[2].endswith("'") else " "
    return f"{found[2]}{gap}{found[1]}"


def is_movies(table: Table) -> bool:
    return {"movieId", "title"} <= set(table.columns)


def is_ratings(table: Table) -> bool:
    return set(RATING_COLUMNS) <= set(table.columns)


def open_in_folder(path: Path, stem: str) -> Table:
    """The file of this name in a MovieLens folder, or the path itself where it is a file.

    Raises:
        FileRefused: Nothing is there, or the folder lacks the file.
    """
    if not path.exists():
        raise FileRefused(f"{path} does not exist")
    if not path.is_dir():
        return open_table(path)
    found = find_table(path, stem)
    if found is None:
        raise FileRefused(f"the folder {path} holds no {stem}.csv, {stem}.parquet or {stem}.jsonl")
    return open_table(found)


def as_titles(movies: Table, imdb_ids: Mapping[int, str]) -> Table:
    """movies.csv under our columns, with the IMDb ids of links.csv where there are any."""
    at = {name: movies.columns.index(name) for name in movies.columns}
    labels = {"external_id": "movieId", "name": "title", "year": "title"}
    columns = ["external_id", "name", "year"]
    if "genres" in at:
        columns.append("genres")
    if imdb_ids:
        columns.append("imdb_id")

    def rows() -> Iterator[Row | Problem]:
        for row in movies.rows:
            yield row if isinstance(row, Problem) else Row(row.line, ours(row))

    def ours(row: Row) -> list[object]:
        title = row.values[at["title"]]
        name, year = name_and_year(title) if isinstance(title, str) else (title, None)
        values: list[object] = [row.values[at["movieId"]], name, year]
        if "genres" in at:
            values.append(row.values[at["genres"]])
        if imdb_ids:
            values.append(imdb_ids.get(_number(values[0]) or 0, ""))
        return values

    return replace(movies, columns=tuple(columns), rows=rows(), labels=labels)


def imdb_ids(links: Table, refuse: Callable[[Problem], None]) -> dict[int, str]:
    """IMDb ids ("tt0114709") by movieId: the one thing kept whole, a short text a film."""
    if not {"movieId", "imdbId"} <= set(links.columns):
        raise FileRefused(f"{links.file} must have the columns movieId and imdbId")
    movie, imdb = links.columns.index("movieId"), links.columns.index("imdbId")
    found = {}
    for row in links.rows:
        if isinstance(row, Problem):
            refuse(row)
            continue
        movie_id, imdb_id = _number(row.values[movie]), _number(row.values[imdb])
        if movie_id is None:
            reason = "is not a whole number"
            refuse(links.problem(row.line, "movieId", row.values[movie], reason))
        elif imdb_id is not None:
            found[movie_id] = f"tt{imdb_id:07d}"
        elif row.values[imdb] not in {"", None}:
            reason = "is not a whole number"
            refuse(links.problem(row.line, "imdbId", row.values[imdb], reason))
    return found


def _number(value: object) -> int | None:
    if isinstance(value, int):
        return value
    found = re.fullmatch(r"\s*(\d{1,12})(?:\.0+)?\s*", str(value), re.ASCII)
    return int(found[1]) if found else None

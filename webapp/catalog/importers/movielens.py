"""The MovieLens format: its folders and columns go in, tables under our column names come out."""

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
    """Split "Piano, The (1993)" into "The Piano" and 1993; names in brackets are treated alike."""
    match = _YEAR.search(title)
    name = title[: match.start()] if match else title
    main, bracket, others = name.strip().partition(" (")
    name = _article_first(main.strip()) + (
        " (" + _BRACKETED.sub(lambda m: f"({_article_first(m[1])})", f"({others}")[1:]
        if bracket
        else ""
    )
    return name.strip(), int(match[1]) if match else None


def _article_first(name: str) -> str:
    match = _ARTICLE_LAST.match(name)
    if not match:
        return name
    gap = "" if match[2].endswith("'") else " "
    return f"{match[2]}{gap}{match[1]}"


def is_movies(table: Table) -> bool:
    return {"movieId", "title"} <= set(table.columns)


def is_ratings(table: Table) -> bool:
    return set(RATING_COLUMNS) <= set(table.columns)


def open_in_folder(path: Path, stem: str) -> Table:
    """Open the file of this stem in a MovieLens folder, or the path itself if it is a file.

    Raises:
        FileRefused: The path does not exist, or the folder lacks the file.
    """
    if not path.exists():
        raise FileRefused(f"{path} does not exist")
    if not path.is_dir():
        return open_table(path)
    table_path = find_table(path, stem)
    if table_path is None:
        raise FileRefused(f"the folder {path} holds no {stem}.csv, {stem}.parquet or {stem}.jsonl")
    return open_table(table_path)


def as_titles(movies: Table, imdb_ids: Mapping[int, str]) -> Table:
    """Return movies.csv under our columns, with the IMDb ids of links.csv if there are any."""
    index_of = {name: movies.columns.index(name) for name in movies.columns}
    labels = {"external_id": "movieId", "name": "title", "year": "title"}
    columns = ["external_id", "name", "year"]
    if "genres" in index_of:
        columns.append("genres")
    if imdb_ids:
        columns.append("imdb_id")

    def rows() -> Iterator[Row | Problem]:
        for row in movies.rows:
            yield row if isinstance(row, Problem) else Row(row.line, title_values(row))

    def title_values(row: Row) -> list[object]:
        title = row.values[index_of["title"]]
        name, year = name_and_year(title) if isinstance(title, str) else (title, None)
        values: list[object] = [row.values[index_of["movieId"]], name, year]
        if "genres" in index_of:
            values.append(row.values[index_of["genres"]])
        if imdb_ids:
            values.append(imdb_ids.get(_number(values[0]) or 0, ""))
        return values

    return replace(movies, columns=tuple(columns), rows=rows(), labels=labels)


def imdb_ids(links: Table, refuse: Callable[[Problem], None]) -> dict[int, str]:
    """Return IMDb ids ("tt0114709") by movieId, the only file that is held in memory."""
    if not {"movieId", "imdbId"} <= set(links.columns):
        raise FileRefused(f"{links.file} must have the columns movieId and imdbId")
    movie, imdb = links.columns.index("movieId"), links.columns.index("imdbId")
    imdb_id_of = {}
    for row in links.rows:
        if isinstance(row, Problem):
            refuse(row)
            continue
        movie_id, imdb_id = _number(row.values[movie]), _number(row.values[imdb])
        if movie_id is None:
            reason = "is not a whole number"
            refuse(links.problem(row.line, "movieId", row.values[movie], reason))
        elif imdb_id is not None:
            imdb_id_of[movie_id] = f"tt{imdb_id:07d}"
        elif row.values[imdb] not in {"", None}:
            reason = "is not a whole number"
            refuse(links.problem(row.line, "imdbId", row.values[imdb], reason))
    return imdb_id_of


def _number(value: object) -> int | None:
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"\s*(\d{1,12})(?:\.0+)?\s*", str(value), re.ASCII)
    return int(match[1]) if match else None

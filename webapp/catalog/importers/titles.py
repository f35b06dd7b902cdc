"""Importer of titles with genres and credits: a table goes in, titles are upserted by external id.

Lines are copied into the temporary table `incoming`; a fixed number of statements writes them.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from webapp.catalog.importers import movielens
from webapp.catalog.importers.errors import Problem
from webapp.catalog.importers.fields import (
    Column,
    age,
    choice,
    match_columns,
    names,
    prose,
    text,
    timestamp,
    web_address,
    whole_number,
    year,
    yes_or_no,
)
from webapp.catalog.importers.loading import (
    Options,
    Report,
    analyze,
    copy_valid_lines,
    import_transaction,
    refuse_if_strict,
    step_bar,
)
from webapp.catalog.importers.tables import Table, find_table, open_table
from webapp.catalog.models import Credit, Genre, Maturity, Person, Title

MOST_VOTES = 999_999_999
COLUMNS = {
    column.name: column
    for column in (
        Column(
            "external_id",
            text(64, required=True),
            "your own id of the title; the same id again updates it",
            required=True,
        ),
        Column("name", text(300, required=True), "as viewers read it", required=True),
        Column("alternative_names", names(300), "other names people search for, separated by |"),
        Column("year", year(1870, 2100), "of first release; the first one of 2008–2013"),
        Column("kind", choice(("film", "series"), "film"), "film (the default) or series"),
        Column("genres", names(60), "separated by |, as in Comedy|Drama; else by , or ;"),
        Column("runtime_minutes", whole_number(1, 6000), "whole minutes"),
        Column("plot", prose(20_000), "a few sentences; may span lines"),
        Column("language", text(100), "spoken language, as viewers read it"),
        Column("country", text(200), "of production, as viewers read it"),
        Column("imdb_id", text(20), "like tt0114709"),
        Column("directors", names(200), "separated by |"),
        Column("writers", names(200), "separated by |"),
        Column("cast", names(200), "separated by |, the most important first"),
        Column("characters", names(200), "names of its characters, separated by |, for search"),
        Column("is_available", yes_or_no(True), "no for a title that can be found but not watched"),
        Column("maturity", age(Maturity.values), "the minimum age; empty is unknown"),
        Column("votes", whole_number(0, MOST_VOTES), "how many people rated it elsewhere"),
        Column("reviews", whole_number(0, MOST_VOTES), "how many critics reviewed it elsewhere"),
        Column("poster_url", web_address(500), "a picture, http:// or https://"),
        Column("playback_url", web_address(500), "a video file, http:// or https://"),
        Column("added_at", timestamp, "when it joined the catalogue; now if empty"),
    )
}
"""Columns of a file of titles. One that is missing stays unchanged in the catalogue."""

ROLES = {
    "directors": Credit.Role.DIRECTOR.value,
    "writers": Credit.Role.WRITER.value,
    "cast": Credit.Role.CAST.value,
}
TITLE_COLUMNS = (
    "name",
    "year",
    "kind",
    "runtime_minutes",
    "plot",
    "language",
    "country",
    "imdb_id",
    "poster_url",
    "playback_url",
    "alternative_names",
    "characters",
    "is_available",
    "maturity",
    "votes",
    "reviews",
)
"""Those that the table of titles has under the same name."""

_TYPES = {
    "year": "smallint",
    "runtime_minutes": "smallint",
    "added_at": "timestamptz",
    "genres": "text[]",
    "alternative_names": "text[]",
    "characters": "text[]",
    "is_available": "boolean",
    "maturity": "smallint",
    "votes": "integer",
    "reviews": "integer",
    **dict.fromkeys(ROLES, "text[]"),
}
_DEFAULTS = {
    "kind": "'film'",
    "year": "NULL::smallint",
    "runtime_minutes": "NULL::smallint",
    "alternative_names": "ARRAY[]::text[]",
    "characters": "ARRAY[]::text[]",
    "is_available": "true",
    "maturity": "NULL::smallint",
    "votes": "NULL::integer",
    "reviews": "NULL::integer",
}


def load_catalogue(path: Path, options: Options, now: datetime) -> Report:
    """Load a file of titles or a MovieLens folder.

    Raises:
        ImportRefused: Nothing was loaded.
    """
    report = Report()
    table = movielens.open_in_folder(path, "movies")
    if movielens.is_movies(table):
        imdb_ids: dict[int, str] = {}
        if path.is_dir() and (links := find_table(path, "links")):

            def refuse(problem: Problem) -> None:
                report.refused += 1
                options.on_problem(problem)

            imdb_ids = movielens.imdb_ids(open_table(links), refuse)
        table = movielens.as_titles(table, imdb_ids)
    return load_titles(table, options, now, report)


def load_titles(
    table: Table, options: Options, now: datetime, report: Report | None = None
) -> Report:
    """Load a table with the columns of COLUMNS. Titles without a change are not updated.

    Raises:
        ImportRefused: Nothing was loaded.
    """
    report = report or Report()
    statements = _Statements([column.name for _, column in match_columns(table, COLUMNS)])
    with import_transaction(options, report) as cursor:
        genres = _GenreNames.of_catalogue()
        columns = {**COLUMNS, "genres": replace(COLUMNS["genres"], parse=genres.parse)}
        cursor.execute(statements.staging_table())
        copy_valid_lines(cursor, statements.copy_statement(), table, columns, options, report)
        if genres.cut_elsewhere:
            report.notes.append(
                f"Genres without | between them are cut at commas and semicolons, as in "
                f"{genres.cut_elsewhere!r}."
            )
        refuse_if_strict(options, report)
        _write(cursor, statements, genres, report, now)
    return report


def _write(
    cursor: Any, statements: "_Statements", genres: "_GenreNames", report: Report, now: datetime
) -> None:
    with step_bar("Writing titles", 5) as bar:
        cursor.execute(_DROP_REPEATED)
        report.repeated = cursor.rowcount
        analyze(cursor, Title, Title.genres.through, Person, Credit)
        cursor.execute(_MATCH_EXISTING)
        existing = cursor.rowcount
        analyze(cursor, "incoming")
        bar.update()

        statements.mark_changes(cursor)
        cursor.execute("SELECT count(*) FROM incoming WHERE id IS NOT NULL AND changed <> '{}'")
        report.updated = cursor.fetchone()[0]
        report.unchanged = existing - report.updated
        bar.update()

        cursor.execute(statements.update_statement())
        cursor.execute(statements.insert_statement(), {"now": now})
        report.created = cursor.rowcount
        analyze(cursor, Title)
        cursor.execute(_MATCH_INSERTED)
        analyze(cursor, "incoming")
        bar.update()

        if "genres" in statements.names:
            genres.save_new(cursor)
            analyze(cursor, Genre)
            cursor.execute(_REMOVE_GENRES)
            cursor.execute(_ADD_GENRES)
        bar.update()

        for name in ROLES.keys() & set(statements.names):
            _write_credits(cursor, name)
        analyze(cursor, Title.genres.through, Credit)
        cursor.execute("DROP TABLE incoming")
        bar.update()


def _write_credits(cursor: Any, name: str) -> None:
    values = {"role": ROLES[name]}
    cursor.execute(_ADD_PEOPLE.format(column=f'"{name}"'), values)
    analyze(cursor, Person)
    cursor.execute(_REMOVE_CREDITS, values)
    cursor.execute(_ADD_CREDITS.format(column=f'"{name}"'), values)


@dataclass(frozen=True)
class _Statements:
    """The SQL for the columns of this file; `names` are keys of COLUMNS."""

    names: list[str]

    @property
    def title_columns(self) -> list[str]:
        return [name for name in self.names if name in TITLE_COLUMNS]

    def staging_table(self) -> str:
        columns = ", ".join(f'"{name}" {_TYPES.get(name, "text")}' for name in self.names)
        return (
            f"CREATE TEMPORARY TABLE incoming (line bigint, {columns}, "
            "id bigint, is_new boolean DEFAULT false, changed text[] DEFAULT '{}') ON COMMIT DROP"
        )

    def copy_statement(self) -> str:
        columns = ", ".join(f'"{name}"' for name in self.names)
        return f"COPY incoming (line, {columns}) FROM STDIN"

    def mark_changes(self, cursor: Any) -> None:
        """Fill `changed` of existing titles: plain (a title column), genres, added_at or a role."""
        if self.title_columns:
            ours = ", ".join(f't."{name}"' for name in self.title_columns)
            theirs = ", ".join(f'i."{name}"' for name in self.title_columns)
            cursor.execute(_MARK_PLAIN.format(ours=ours, theirs=theirs))
        if "added_at" in self.names:
            cursor.execute(_MARK_ADDED_AT)
        if "genres" in self.names:
            cursor.execute(_MARK_GENRES)
        for name in ROLES.keys() & set(self.names):
            cursor.execute(_MARK_CREDITS.format(column=f'"{name}"'), {"role": ROLES[name]})

    def update_statement(self) -> str:
        changes = [f'"{name}" = i."{name}"' for name in self.title_columns]
        if "added_at" in self.names:
            changes.append("added_at = coalesce(i.added_at, t.added_at)")
        changes.append("updated_at = statement_timestamp()")
        return _UPDATE.format(changes=", ".join(changes))

    def insert_statement(self) -> str:
        columns = ", ".join(f'"{name}"' for name in TITLE_COLUMNS)
        values = ", ".join(
            f'"{name}"' if name in self.names else _DEFAULTS.get(name, "''")
            for name in TITLE_COLUMNS
        )
        added_at = "coalesce(added_at, %(now)s)" if "added_at" in self.names else "%(now)s"
        return _INSERT.format(columns=columns, values=values, added_at=added_at)


class _GenreNames:
    """Parser of genres that maps spellings to one name: Sci-Fi and sci fi are the same genre."""

    def __init__(self, genres: Iterable[Genre]) -> None:
        self.name_of = {key: genre.name for genre in genres for key in (genre.slug, genre.name)}
        self.new: dict[str, Genre] = {}
        self._split = COLUMNS["genres"].parse
        self.cut_elsewhere = ""
        """The first value that was cut at commas or semicolons; empty while none was."""

    @classmethod
    def of_catalogue(cls) -> "_GenreNames":
        return cls(Genre.objects.all())

    def parse(self, value: object) -> list[str]:
        if isinstance(value, str) and "|" not in value and re.search("[,;]", value):
            self.cut_elsewhere = self.cut_elsewhere or value
            value = re.sub("[,;]", "|", value)
        spellings = [] if value == movielens.NO_GENRES else self._split(value)
        return sorted({self._canonical(spelling) for spelling in spellings})

    def _canonical(self, name: str) -> str:
        if name in self.name_of:
            return self.name_of[name]
        slug = slugify(name)[:60] or f"genre-{zlib.crc32(name.casefold().encode()):08x}"
        if slug not in self.name_of:
            self.name_of[slug] = name
            self.new[name] = Genre(name=name, slug=slug)
        return self.name_of[slug]

    def save_new(self, cursor: Any) -> None:
        """Save the new genres of the lines that were not refused."""
        cursor.execute("SELECT DISTINCT unnest(genres) FROM incoming")
        used = {name for (name,) in cursor.fetchall()}
        Genre.objects.bulk_create(genre for name, genre in self.new.items() if name in used)


_DROP_REPEATED = """
DELETE FROM incoming i USING (
    SELECT external_id, max(line) AS line FROM incoming GROUP BY external_id HAVING count(*) > 1
) last WHERE i.external_id = last.external_id AND i.line < last.line
"""
_MATCH_EXISTING = """
UPDATE incoming i SET id = t.id FROM catalog_title t WHERE t.external_id = i.external_id
"""
_MATCH_INSERTED = """
UPDATE incoming i SET id = t.id, is_new = true FROM catalog_title t
WHERE i.id IS NULL AND t.external_id = i.external_id
"""
_UPDATE = """
UPDATE catalog_title t SET {changes} FROM incoming i WHERE t.id = i.id AND i.changed <> '{{}}'
"""
_INSERT = """
INSERT INTO catalog_title (external_id, {columns}, added_at, updated_at)
SELECT external_id, {values}, {added_at}, statement_timestamp()
FROM incoming WHERE id IS NULL ORDER BY line
"""
_MARK_PLAIN = """
UPDATE incoming i SET changed = i.changed || '{{plain}}'::text[] FROM catalog_title t
WHERE t.id = i.id AND ({ours}) IS DISTINCT FROM ({theirs})
"""
_MARK_ADDED_AT = """
UPDATE incoming i SET changed = i.changed || '{added_at}'::text[] FROM catalog_title t
WHERE t.id = i.id AND i.added_at <> t.added_at
"""
_MARK_GENRES = """
UPDATE incoming i SET changed = i.changed || '{genres}'::text[]
FROM incoming j LEFT JOIN (
    SELECT tg.title_id, array_agg(g.name ORDER BY g.name COLLATE "C")::text[] AS genres
    FROM catalog_title_genres tg JOIN catalog_genre g ON g.id = tg.genre_id GROUP BY tg.title_id
) stored ON stored.title_id = j.id
WHERE i.line = j.line AND j.id IS NOT NULL AND coalesce(stored.genres, '{}') <> j.genres
"""
_MARK_CREDITS = """
UPDATE incoming i SET changed = i.changed || %(role)s::text
FROM incoming j LEFT JOIN (
    SELECT c.title_id, array_agg(p.name ORDER BY c.position, c.id)::text[] AS people
    FROM catalog_credit c JOIN catalog_person p ON p.id = c.person_id
    WHERE c.role = %(role)s GROUP BY c.title_id
) stored ON stored.title_id = j.id
WHERE i.line = j.line AND j.id IS NOT NULL
AND coalesce(stored.people, ARRAY[]::text[]) <> j.{column}
"""
_REMOVE_GENRES = """
DELETE FROM catalog_title_genres tg USING incoming i, catalog_genre g
WHERE tg.title_id = i.id AND 'genres' = ANY (i.changed) AND g.id = tg.genre_id
AND NOT g.name = ANY (i.genres)
"""
_ADD_GENRES = """
INSERT INTO catalog_title_genres (title_id, genre_id)
SELECT i.id, g.id FROM incoming i, unnest(i.genres) AS listed (name), catalog_genre g
WHERE (i.is_new OR 'genres' = ANY (i.changed)) AND g.name = listed.name
ON CONFLICT DO NOTHING
"""
_ADD_PEOPLE = """
INSERT INTO catalog_person (name)
SELECT DISTINCT listed.name FROM incoming i, unnest(i.{column}) AS listed (name)
WHERE i.is_new OR %(role)s = ANY (i.changed) ON CONFLICT DO NOTHING
"""
_REMOVE_CREDITS = """
DELETE FROM catalog_credit c USING incoming i
WHERE c.title_id = i.id AND c.role = %(role)s AND %(role)s = ANY (i.changed)
"""
_ADD_CREDITS = """
INSERT INTO catalog_credit (title_id, person_id, role, position)
SELECT i.id, p.id, %(role)s, listed.position - 1
FROM incoming i, unnest(i.{column}) WITH ORDINALITY AS listed (name, position), catalog_person p
WHERE (i.is_new OR %(role)s = ANY (i.changed)) AND p.name = listed.name
ORDER BY i.line, listed.position
"""

"""Importer of ratings: a table goes in, profiles without account and their ratings are written."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from webapp.catalog.importers import movielens
from webapp.catalog.importers.errors import BadValue, ImportRefused, Problem
from webapp.catalog.importers.fields import Column, match_columns, required_timestamp, text
from webapp.catalog.importers.loading import (
    Options,
    Report,
    analyze,
    copy_valid_lines,
    import_transaction,
    refuse_if_strict,
    step_bar,
)
from webapp.catalog.importers.tables import Table
from webapp.catalog.models import Title
from webapp.profiles.models import Profile, Rating

LOWEST_STARS, HIGHEST_STARS = 0.5, 5.0
ROWS_PER_INSERT = 50_000
ROWS_PER_FETCH = 2_000


class Stars:
    """Parser of stars on a scale: 9 of 10 is 4.5."""

    def __init__(self, scale: int) -> None:
        """Prepare.

        Args:
            scale: the most that a file gives.
        """
        self._scale = scale
        self.is_exceeded = False
        """Whether a number was larger than the scale."""

    def __call__(self, value: object) -> float:
        """Return 0.5 to 5 stars.

        Raises:
            BadValue: it is no number of the scale.
        """
        number = _number(value)
        self.is_exceeded |= number > self._scale
        stars = number * HIGHEST_STARS / self._scale
        if not LOWEST_STARS <= stars <= HIGHEST_STARS:
            lowest = LOWEST_STARS * self._scale / HIGHEST_STARS
            raise BadValue(f"is not a number from {lowest:g} to {self._scale}")
        return stars


def _number(value: object) -> float:
    """Return a number, 4,5 too; NaN where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | float | int):
        return math.nan
    try:
        return float(value.replace(",", ".") if isinstance(value, str) else value)
    except ValueError:
        return math.nan


COLUMNS = {
    column.name: column
    for column in (
        Column(
            "profile_id",
            text(64, required=True),
            "your own id of the person; each becomes a profile without an account",
            required=True,
        ),
        Column(
            "title_id",
            text(64, required=True),
            "the external_id of a title in the catalogue",
            required=True,
        ),
        Column("stars", Stars(5), "0.5 to 5; see --scale", required=True),
        Column(
            "rated_at",
            required_timestamp,
            "seconds since 1970, or ISO 8601 (UTC if it names no zone)",
            required=True,
        ),
    )
}
"""Columns of a file of ratings. Of several for one person and title the latest counts."""


def load_history(path: Path, options: Options, now: datetime, scale: int | None = None) -> Report:
    """Load a file of ratings or a MovieLens folder.

    Args:
        path: of the file or folder.
        options: how to import.
        now: the moment.
        scale: see `load_ratings`.

    Raises:
        ImportRefused: Nothing was loaded.
    """
    table = movielens.open_in_folder(path, "ratings")
    if movielens.is_ratings(table):
        table = table.renamed(movielens.RATING_COLUMNS)
    return load_ratings(table, options, now, scale)


def load_ratings(table: Table, options: Options, now: datetime, scale: int | None = None) -> Report:
    """Load a table with the columns of COLUMNS. A newer rating in the database is left alone.

    Args:
        table: of ratings.
        options: how to import.
        now: the moment.
        scale: the most stars that the file gives; None takes 5, and refuses a file with more.

    Raises:
        ImportRefused: Nothing was loaded.
    """
    report = Report()
    stars = Stars(scale or 5)
    columns = {**COLUMNS, "stars": replace(COLUMNS["stars"], parse=stars)}
    names = [column.name for _, column in match_columns(table, COLUMNS)]
    with import_transaction(options, report) as cursor:
        cursor.execute(_STAGING_TABLE)
        copy_statement = f"COPY incoming (line, {', '.join(names)}) FROM STDIN"
        copy_valid_lines(cursor, copy_statement, table, columns, options, report)
        if scale is None and stars.is_exceeded:
            raise ImportRefused(
                f"{table.file} holds more than 5 stars, so nothing was loaded: give --scale 10 if "
                "its best is 10 (or --scale 100), or --scale 5 to leave such lines out"
            )
        for problem in _unknown_titles(cursor, table):
            report.refused += 1
            options.on_problem(problem)
        refuse_if_strict(options, report)
        _write(cursor, report, now)
    return report


def _unknown_titles(cursor: Any, table: Table) -> Iterator[Problem]:
    analyze(cursor, "incoming", Title, Profile, Rating)
    cursor.execute(_UNKNOWN_TITLES)
    while rows := cursor.fetchmany(ROWS_PER_FETCH):
        for line, title_id in rows:
            yield table.problem(line, "title_id", title_id, "is no title of the catalogue")


def _write(cursor: Any, report: Report, now: datetime) -> None:
    cursor.execute(_ADD_PROFILES, {"now": now})
    analyze(cursor, Profile)
    cursor.execute(_SELECT_LATEST)
    latest = cursor.rowcount
    cursor.execute(_COUNT_VALID)
    report.repeated = cursor.fetchone()[0] - latest
    cursor.execute("CREATE UNIQUE INDEX ON latest (number)")
    analyze(cursor, "latest")
    cursor.execute(_LOCK_PROFILES)
    cursor.execute(_LOCK_VERSIONS)
    cursor.execute(_UPDATE)
    report.updated = cursor.rowcount
    cursor.execute(_DROP_EXISTING)
    report.unchanged = cursor.rowcount - report.updated
    with step_bar("Writing ratings", latest, "rows") as bar:
        for start in range(0, latest, ROWS_PER_INSERT):
            cursor.execute(_INSERT, {"start": start, "stop": start + ROWS_PER_INSERT})
            report.created += cursor.rowcount
            bar.update(min(ROWS_PER_INSERT, latest - start))
    for table in ("incoming", "latest"):
        cursor.execute(f"DROP TABLE {table}")
    analyze(cursor, Rating)


_STAGING_TABLE = """
CREATE TEMPORARY TABLE incoming (
    line bigint, profile_id text, title_id text, stars double precision, rated_at timestamptz
) ON COMMIT DROP
"""
_UNKNOWN_TITLES = """
SELECT line, title_id FROM incoming i
WHERE NOT EXISTS (SELECT FROM catalog_title t WHERE t.external_id = i.title_id) ORDER BY line
"""
_ADD_PROFILES = """
INSERT INTO profiles_profile (external_id, name, created_at)
SELECT DISTINCT i.profile_id, left('Viewer ' || i.profile_id, 60), %(now)s::timestamptz
FROM incoming i JOIN catalog_title t ON t.external_id = i.title_id
ORDER BY i.profile_id ON CONFLICT (external_id) DO NOTHING
"""
_COUNT_VALID = """
SELECT count(*) FROM incoming i JOIN catalog_title t ON t.external_id = i.title_id
"""
_SELECT_LATEST = """
CREATE TEMPORARY TABLE latest ON COMMIT DROP AS
SELECT row_number() OVER () - 1 AS number, l.* FROM (
    SELECT DISTINCT ON (p.id, t.id)
        p.id AS profile_id, t.id AS title_id, i.stars, i.rated_at
    FROM incoming i
    JOIN profiles_profile p ON p.external_id = i.profile_id
    JOIN catalog_title t ON t.external_id = i.title_id
    ORDER BY p.id, t.id, i.rated_at DESC, i.line DESC
) l
"""
_LOCK_PROFILES = """
SELECT count(*) FROM (
    SELECT id FROM profiles_profile WHERE id IN (SELECT profile_id FROM latest)
    ORDER BY id FOR NO KEY UPDATE
) locked
"""
"""In the order of `webapp/profiles/locks.py`: profiles, versions, then ratings."""
_LOCK_VERSIONS = "SELECT raise_evidence_version(ARRAY(SELECT DISTINCT profile_id FROM latest))"
_UPDATE = """
UPDATE profiles_rating r SET stars = l.stars, rated_at = l.rated_at FROM latest l
WHERE r.profile_id = l.profile_id AND r.title_id = l.title_id
AND (l.rated_at > r.rated_at OR (l.rated_at = r.rated_at AND l.stars <> r.stars))
"""
_DROP_EXISTING = """
DELETE FROM latest l USING profiles_rating r
WHERE r.profile_id = l.profile_id AND r.title_id = l.title_id
"""
_INSERT = """
INSERT INTO profiles_rating (profile_id, title_id, stars, rated_at)
SELECT profile_id, title_id, stars, rated_at FROM latest
WHERE number >= %(start)s AND number < %(stop)s
ON CONFLICT (profile_id, title_id) DO NOTHING
"""

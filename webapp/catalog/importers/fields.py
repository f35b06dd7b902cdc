"""Parsers of single values: text, numbers, times, addresses and lists.

A parser takes a value as read from a file and returns it typed and normalised, or raises BadValue
with what is allowed.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from webapp.catalog.importers.errors import BadValue, FileRefused
from webapp.catalog.importers.tables import Table

_YEAR_AND_MORE = re.compile(r"(\d{4})\s*(?:[-–—]\s*(?:\d{4})?|-\d\d-\d\d(?:[T ].*)?)", re.ASCII)
FUTURE_ALLOWED = timedelta(days=1)
CACHED_TEXTS = 50_000
"""Ids and people's names repeat within a file; each is checked once."""
EARLIEST_YEAR = 1900
LIST_SEPARATOR = "|"
NULL = r"\N"
"""An empty value as PostgreSQL and IMDb write it."""


@dataclass(frozen=True)
class Column:
    """A column that a file may have: the parser of its values and a description for the help."""

    name: str
    parse: Callable[[object], Any]
    description: str
    required: bool = False


def match_columns(table: Table, columns: Mapping[str, Column]) -> list[tuple[int, Column]]:
    """Return the index in each row, and the column, of every column that is in `columns`.

    Raises:
        FileRefused: A required column is missing or one is named twice.
    """
    named = [known_name(name, columns) or name for name in table.columns]
    repeated = sorted({name for name in named if named.count(name) > 1})
    if repeated:
        raise FileRefused(f"{table.file} names the column {', '.join(repeated)} twice")
    missing = [c.name for c in columns.values() if c.required and c.name not in named]
    if missing:
        raise FileRefused(
            f"{table.file} lacks the column {', '.join(missing)}; it has "
            f"{', '.join(table.columns)}; allowed are {', '.join(columns)}"
        )
    return [(index, columns[name]) for index, name in enumerate(named) if name in columns]


def known_name(name: str, columns: Mapping[str, Column]) -> str | None:
    """Return which of the columns a file's name means: External ID is external_id; None: none."""
    plain = re.sub(r"[\s-]+", "_", name.strip().casefold())
    return name if name in columns else plain if plain in columns else None


def text(limit: int, *, required: bool = False) -> Callable[[object], str]:
    """One line of text in NFC with single spaces."""

    @lru_cache(maxsize=CACHED_TEXTS)
    def parse_text(value: str) -> str:
        return _check_length(" ".join(unicodedata.normalize("NFC", value).split()), limit, required)

    def parse(value: object) -> str:
        return parse_text(_as_text(value))

    return parse


def prose(limit: int) -> Callable[[object], str]:
    """Text of several lines."""

    def parse(value: object) -> str:
        return _check_length(unicodedata.normalize("NFC", _as_text(value)).strip(), limit, False)

    return parse


def whole_number(low: int, high: int) -> Callable[[object], int | None]:
    """A whole number in this range; None if the value is empty."""

    def parse(value: object) -> int | None:
        digits = _as_text(value).strip()
        if not digits:
            return None
        if re.fullmatch(r"\d{1,9}(\.0+)?", digits, re.ASCII):
            number = int(digits.partition(".")[0])
            if low <= number <= high:
                return number
        raise BadValue(f"is not a whole number from {low} to {high}")

    return parse


def year(low: int, high: int) -> Callable[[object], int | None]:
    """A year in this range, or the first one of 2008–2013, 2019- or 2010-07-16."""
    parse_number = whole_number(low, high)

    def parse(value: object) -> int | None:
        written = value.isoformat() if isinstance(value, date) else value
        if isinstance(written, str) and (begun := _YEAR_AND_MORE.fullmatch(written.strip())):
            written = begun[1]
        return parse_number(written)

    return parse


def age(allowed: Sequence[int]) -> Callable[[object], int | None]:
    """One of these ages; None if the value is empty."""
    parse_number = whole_number(min(allowed), max(allowed))

    def parse(value: object) -> int | None:
        years = parse_number(value)
        if years is None or years in allowed:
            return years
        raise BadValue(f"is none of the ages {', '.join(map(str, allowed))}")

    return parse


def yes_or_no(default: bool) -> Callable[[object], bool]:
    """Yes or no; an empty value takes the default."""
    parse_text = choice(("yes", "no", "true", "false", "1", "0"), "yes" if default else "no")

    def parse(value: object) -> bool:
        if isinstance(value, bool):
            return value
        return parse_text(value) in ("yes", "true", "1")

    return parse


def choice(allowed: tuple[str, ...], default: str) -> Callable[[object], str]:
    """One of these words in any case; an empty value takes the default."""

    def parse(value: object) -> str:
        word = _as_text(value).strip().lower() or default
        if word not in allowed:
            raise BadValue(f"is none of {', '.join(allowed)}")
        return word

    return parse


def web_address(limit: int) -> Callable[[object], str]:
    """An http or https address, or empty."""

    def parse(value: object) -> str:
        address = _check_length(_as_text(value).strip(), limit, False)
        if not address:
            return ""
        try:
            parts = urlsplit(address)
            is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            is_valid = False
        if not is_valid or re.search(r"[\s<>\"'\\^`{|}\x00-\x1f\x7f]", address):
            raise BadValue("is not an address that starts with http:// or https://")
        return address

    return parse


def names(limit: int) -> Callable[[object], list[str]]:
    """A list, or text separated by `|`; each name once, in the order of the file."""
    parse_name = text(limit)

    def parse(value: object) -> list[str]:
        parts = value if isinstance(value, list | tuple) else _as_text(value).split(LIST_SEPARATOR)
        unique = dict.fromkeys(map(parse_name, parts))
        unique.pop("", None)
        return list(unique)

    return parse


def timestamp(value: object) -> datetime | None:
    """Unix seconds or ISO 8601 (UTC if it names no zone), not later than tomorrow."""
    if isinstance(value, datetime):
        time = value
    else:
        written = _as_text(value).strip()
        if not written:
            return None
        time = _parse_timestamp(written)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    if time > datetime.now(UTC) + FUTURE_ALLOWED:
        raise BadValue("lies in the future")
    if time.year < EARLIEST_YEAR:
        raise BadValue(f"lies before {EARLIEST_YEAR}")
    return time


def _parse_timestamp(written: str) -> datetime:
    try:
        if re.fullmatch(r"\d{8}", written, re.ASCII):
            return datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC)
        if re.fullmatch(r"\d{9,}(\.\d+)?", written, re.ASCII):
            return datetime.fromtimestamp(float(written), UTC)
        return datetime.fromisoformat(written.removesuffix(" UTC"))
    except (ValueError, OverflowError, OSError):
        reason = (
            "is neither a time in seconds since 1970, of nine digits or more, nor like "
            "2024-05-31T20:15:00Z, 2024-05-31 or 20240531"
        )
        raise BadValue(reason) from None


def required_timestamp(value: object) -> datetime:
    """As `timestamp`, but not empty."""
    time = timestamp(value)
    if time is None:
        raise BadValue("is empty; a time is needed")
    return time


def _as_text(value: object) -> str:
    """Return the value as a CSV would hold it; 862.0 from a Parquet column with gaps is 862."""
    if isinstance(value, str):
        _refuse_unstorable(value)
        return "" if value == NULL else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise BadValue(f"is a {type(value).__name__}, which is not allowed here")


def _refuse_unstorable(value: str) -> None:
    if value.isascii() and "\x00" not in value:
        return
    if "\x00" in value:
        raise BadValue("holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadValue("is not UTF-8") from None


def _check_length(value: str, limit: int, required: bool) -> str:
    if required and not value:
        raise BadValue("is empty; a value is needed")
    if len(value) > limit:
        raise BadValue(f"is longer than {limit:,} characters")
    return value

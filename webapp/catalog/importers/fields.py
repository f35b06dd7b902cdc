"""Check one value of one line: text, numbers, times, addresses, lists. Each says what it allows."""

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

FUTURE_ALLOWED = timedelta(days=1)
REMEMBERED_TEXTS = 50_000
"""Ids and people's names come again and again in a file; each is checked once."""
EARLIEST_YEAR = 1900
LIST_SEPARATOR = "|"


@dataclass(frozen=True)
class Column:
    """A column that a file may have: how its values are checked and what it means."""

    name: str
    parse: Callable[[object], Any]
    meaning: str
    required: bool = False


def known_columns(table: Table, columns: Mapping[str, Column]) -> list[tuple[int, Column]]:
    """Where in each row the columns we know stand.

    Raises:
        FileRefused: A required column is missing or one is named twice.
    """
    twice = sorted({name for name in table.columns if table.columns.count(name) > 1})
    if twice:
        raise FileRefused(f"{table.file} names the column {', '.join(twice)} twice")
    missing = [c.name for c in columns.values() if c.required and c.name not in table.columns]
    if missing:
        raise FileRefused(
            f"{table.file} lacks the column {', '.join(missing)}; it has "
            f"{', '.join(table.columns)}; known are {', '.join(columns)}"
        )
    return [(at, columns[name]) for at, name in enumerate(table.columns) if name in columns]


def text(limit: int, *, required: bool = False) -> Callable[[object], str]:
    """One line of text in NFC with single spaces."""

    @lru_cache(maxsize=REMEMBERED_TEXTS)
    def parse_text(value: str) -> str:
        return _within(" ".join(unicodedata.normalize("NFC", value).split()), limit, required)

    def parse(value: object) -> str:
        return parse_text(_plain(value))

    return parse


def prose(limit: int) -> Callable[[object], str]:
    """Text of several lines."""

    def parse(value: object) -> str:
        return _within(unicodedata.normalize("NFC", _plain(value)).strip(), limit, False)

    return parse


def whole_number(low: int, high: int) -> Callable[[object], int | None]:
    """A whole number in this range; None where the value is empty."""

    def parse(value: object) -> int | None:
        found = _plain(value).strip()
        if not found:
            return None
        if re.fullmatch(r"\d{1,9}(\.0+)?", found, re.ASCII):
            number = int(found.partition(".")[0])
            if low <= number <= high:
                return number
        raise BadValue(f"is not a whole number from {low} to {high}")

    return parse


def age(allowed: Sequence[int]) -> Callable[[object], int | None]:
    """One of these ages; None where the value is empty."""
    parse_number = whole_number(min(allowed), max(allowed))

    def parse(value: object) -> int | None:
        found = parse_number(value)
        if found is None or found in allowed:
            return found
        raise BadValue(f"is none of the ages {', '.join(map(str, allowed))}")

    return parse


def yes_or_no(default: bool) -> Callable[[object], bool]:
    """Yes or no; a value that is empty takes the default."""
    parse_text = choice(("yes", "no", "true", "false", "1", "0"), "yes" if default else "no")

    def parse(value: object) -> bool:
        if isinstance(value, bool):
            return value
        return parse_text(value) in ("yes", "true", "1")

    return parse


def choice(allowed: tuple[str, ...], default: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        found = _plain(value).strip().lower() or default
        if found not in allowed:
            raise BadValue(f"is none of {', '.join(allowed)}")
        return found

    return parse


def web_address(limit: int) -> Callable[[object], str]:
    """An http or https address, or empty."""

    def parse(value: object) -> str:
        found = _within(_plain(value).strip(), limit, False)
        if not found:
            return ""
        try:
            parts = urlsplit(found)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            good = False
        if not good or re.search(r"[\s<>\"'\\^`{|}\x00-\x1f\x7f]", found):
            raise BadValue("is not an address that starts with http:// or https://")
        return found

    return parse


def names(limit: int) -> Callable[[object], list[str]]:
    """Names between `|`, or a list; each once, in their order."""
    one = text(limit)

    def parse(value: object) -> list[str]:
        parts = value if isinstance(value, list | tuple) else _plain(value).split(LIST_SEPARATOR)
        found = dict.fromkeys(map(one, parts))
        found.pop("", None)
        return list(found)

    return parse


def moment(value: object) -> datetime | None:
    """Unix seconds or ISO 8601 (UTC where it names no zone), not later than tomorrow."""
    if isinstance(value, datetime):
        found = value
    else:
        written = _plain(value).strip()
        if not written:
            return None
        found = _moment_from_text(written)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if found > datetime.now(UTC) + FUTURE_ALLOWED:
        raise BadValue("lies in the future")
    if found.year < EARLIEST_YEAR:
        raise BadValue(f"lies before {EARLIEST_YEAR}")
    return found


def _moment_from_text(written: str) -> datetime:
    try:
        if re.fullmatch(r"\d+(\.\d+)?", written, re.ASCII):
            return datetime.fromtimestamp(float(written), UTC)
        return datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        reason = "is neither a time in seconds since 1970 nor like 2024-05-31T20:15:00Z"
        raise BadValue(reason) from None


def required_moment(value: object) -> datetime:
    found = moment(value)
    if found is None:
        raise BadValue("is empty; a time is needed")
    return found


def _plain(value: object) -> str:
    """The value as a CSV would hold it; 862.0 from a Parquet column with gaps is 862."""
    if isinstance(value, str):
        _refuse_unstorable(value)
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise BadValue(f"is a {type(value).__name__}, which cannot stand here")


def _refuse_unstorable(value: str) -> None:
    if value.isascii() and "\x00" not in value:
        return
    if "\x00" in value:
        raise BadValue("holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadValue("is not UTF-8") from None


def _within(found: str, limit: int, required: bool) -> str:
    if required and not found:
        raise BadValue("is empty; a value is needed")
    if len(found) > limit:
        raise BadValue(f"is longer than {limit:,} characters")
    return found

"""Times and lengths in the words of a text: "after 2010", "early 90s", "under 2 hours".

Each function takes folded words and an index, and returns what is named there, or None.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

DECADES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960,
    "seventies": 1970, "eighties": 1980, "nineties": 1990,
}  # fmt: skip
PARTS_OF_DECADE = {"early": (0, 3), "mid": (4, 6), "late": (6, 9)}
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "an": 1, "a": 1, "half": 0.5}
FIRST_DECADE_OF_THIS_CENTURY_BELOW = 3
"""00s, 10s and 20s are of this century, 30s to 90s of the last."""
EARLIEST, LATEST = 0, 9999
AFTER = (
    ("newer", "than"),
    ("later", "than"),
    ("more", "recent", "than"),
    ("after",),
    ("since",),
    ("post",),
)
BEFORE = (
    ("older", "than"),
    ("earlier", "than"),
    ("prior", "to"),
    ("before",),
    ("until",),
    ("pre",),
)
FROM_ON = (
    ("or", "later"),
    ("or", "newer"),
    ("and", "later"),
    ("and", "after"),
    ("onwards",),
    ("onward",),
    ("and", "on"),
)
UP_TO = (("or", "earlier"), ("or", "older"), ("and", "earlier"), ("and", "before"))
LESS = (
    ("no", "longer", "than"),
    ("not", "longer", "than"),
    ("shorter", "than"),
    ("less", "than"),
    ("at", "most"),
    ("under",),
    ("below",),
    ("max",),
)
MORE = (("longer", "than"), ("more", "than"), ("at", "least"), ("over",), ("above",))
_YEAR = re.compile(r"(?:18[89]|19\d|20\d)\d")
_DECADE = re.compile(r"(?:(1[89]|20)?(\d)0)s")
_PLAIN_DECADE = re.compile(r"(?:1[89]|20)?\d0")


@dataclass(frozen=True)
class Span:
    """A range named by some words.

    Attributes:
        first: the least that it holds.
        last: the greatest.
        length: how many words name it.
        value: as shown.
    """

    first: int
    last: int
    length: int
    value: str


def time_at(words: Sequence[str], place: int) -> Span | None:
    """Return the years named from a word on: a year, a decade, a range."""
    return (
        _between(words, place)
        or _bounded(words, place)
        or _decade_at(words, place)
        or _range(words, place)
    )


def length_at(words: Sequence[str], place: int) -> Span | None:
    """Return the minutes named from a word on: "under 90 minutes", "2 hours or less"."""
    for phrases, is_upper in ((LESS, True), (MORE, False)):
        phrase = _phrase(words, place, phrases)
        if phrase and (found := _minutes(words, place + phrase)) is not None:
            minutes, length = found
            shown = " ".join(words[place + phrase : place + phrase + length])
            first, last = (1, minutes) if is_upper else (minutes, LATEST)
            return Span(first, last, phrase + length, ("under " if is_upper else "over ") + shown)
    found = _minutes(words, place)
    if found is None:
        return None
    minutes, length = found
    shown = " ".join(words[place : place + length])
    if tuple(words[place + length : place + length + 2]) in (
        ("or", "less"),
        ("or", "shorter"),
        ("or", "under"),
    ):
        return Span(1, minutes, length + 2, f"under {shown}")
    if tuple(words[place + length : place + length + 2]) in (("or", "more"), ("or", "longer")):
        return Span(minutes, LATEST, length + 2, f"over {shown}")
    return None


def _between(words: Sequence[str], place: int) -> Span | None:
    """Read "between 1980 and 1985", "from 1980 to 1985"."""
    if words[place] not in ("between", "from"):
        return None
    first = _years(words, place + 1)
    if first is None:
        return None
    at = place + 1 + first.length
    if at >= len(words) or words[at] not in ("and", "to", "until", "through", "till"):
        return None
    last = _years(words, at + 1)
    if last is None:
        return None
    return _span(first.first, last.last, at + 1 + last.length - place)


def _bounded(words: Sequence[str], place: int) -> Span | None:
    """Read "after 2010", "before the 60s"."""
    for phrases, is_after in ((AFTER, True), (BEFORE, False)):
        phrase = _phrase(words, place, phrases)
        if not phrase:
            continue
        at = place + phrase
        if at < len(words) and words[at] in ("the", "year"):
            at += 1
        found = _years(words, at)
        if found is None:
            continue
        length = at + found.length - place
        is_inclusive = words[place] == "since"
        if is_after:
            first = found.first if is_inclusive else found.last + 1
            value = f"since {first}" if is_inclusive else f"after {found.last}"
            return Span(first, LATEST, length, value)
        return Span(EARLIEST, found.first - 1, length, f"before {found.first}")
    return None


def _range(words: Sequence[str], place: int) -> Span | None:
    """Read "1990 1995" behind a dash, "1990 to 1995", "1990 or later", "1990"."""
    first = _year(words, place)
    if first is None:
        return None
    at = place + 1
    if at < len(words) and words[at] in ("to", "until", "through", "till"):
        last = _year(words, at + 1)
        if last is not None and last > first:
            return _span(first, last, at + 2 - place)
    for phrases, is_after in ((FROM_ON, True), (UP_TO, False)):
        phrase = _phrase(words, at, phrases)
        if phrase:
            bounds = (first, LATEST) if is_after else (EARLIEST, first)
            word = "since" if is_after else "until"
            return Span(*bounds, 1 + phrase, f"{word} {first}")
    return Span(first, first, 1, str(first))


def _years(words: Sequence[str], place: int) -> Span | None:
    """Return the year or decade at a word."""
    decade = _decade_at(words, place)
    if decade is not None:
        return decade
    year = _year(words, place)
    return None if year is None else Span(year, year, 1, str(year))


def _year(words: Sequence[str], place: int) -> int | None:
    if place >= len(words) or not _YEAR.fullmatch(words[place]):
        return None
    return int(words[place])


def _decade_at(words: Sequence[str], place: int) -> Span | None:
    """Read "90s", "90 s", "1990s", "nineties", "early 90s", "the late 1980 s"."""
    part = words[place] if place < len(words) and words[place] in PARTS_OF_DECADE else None
    at = place + (part is not None)
    if part is not None and at < len(words) and words[at] in ("to", "the"):
        at += 1
    if at >= len(words):
        return None
    word, length = words[at], 1
    if _PLAIN_DECADE.fullmatch(word) and tuple(words[at + 1 : at + 2]) == ("s",):
        word, length = word + "s", 2
    decade = DECADES.get(word) or _decade(word)
    if decade is None:
        return None
    first, last = PARTS_OF_DECADE.get(part or "", (0, 9))
    shown = f"{decade}s" if part is None else f"{part} {decade}s"
    return Span(decade + first, decade + last, at + length - place, shown)


def _decade(word: str) -> int | None:
    found = _DECADE.fullmatch(word)
    if found is None:
        return None
    century, decade = found.groups()
    if century is None:
        century = "20" if int(decade) < FIRST_DECADE_OF_THIS_CENTURY_BELOW else "19"
    return int(century) * 100 + int(decade) * 10


def _minutes(words: Sequence[str], place: int) -> tuple[int, int] | None:
    """Return minutes and how many words name them: "90 minutes", "an hour and a half"."""
    if place + 1 >= len(words):
        return None
    number = float(words[place]) if words[place].isdigit() else NUMBERS.get(words[place])
    if number is None or number > LATEST:
        return None
    unit = words[place + 1]
    if unit in ("minutes", "minute", "min", "mins"):
        return round(number), 2
    if unit not in ("hours", "hour", "hrs", "hr"):
        return None
    if tuple(words[place + 2 : place + 5]) == ("and", "a", "half"):
        return round(60 * number + 30), 5
    return round(60 * number), 2


def _phrase(words: Sequence[str], place: int, phrases: Sequence[tuple[str, ...]]) -> int:
    """Return the length of the first of these phrases that stands at a word, 0 if none does."""
    for phrase in phrases:
        if tuple(words[place : place + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def _span(first: int, last: int, length: int) -> Span:
    return Span(min(first, last), max(first, last), length, f"{first}–{last}")

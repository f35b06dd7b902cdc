"""What was typed, made ready to match."""

import re
from dataclasses import dataclass
from enum import StrEnum

from search.errors import QueryTooLongError
from search.text import in_digits, joined_forms, words

MAX_CHARACTERS = 300
"""As long as a name may be."""


class FilterKind(StrEnum):
    GENRE = "genre"
    DECADE = "decade"
    YEAR = "year"
    LANGUAGE = "language"
    PERSON = "person"
    YEARS = "years"
    COUNTRY = "country"
    KIND = "kind"
    AGE = "age"
    LENGTH = "length"
    LIKE = "like"


@dataclass(frozen=True)
class Filter:
    """Something understood of a text besides words to match.

    Attributes:
        kind: what it is about.
        value: as shown: "Comedy", "1990s", "1994", "after 2010", "French", "Al Pacino", a
            title's name.
        is_negated: what must not be, as in "no comedy".
        without: the text that is left when the viewer takes this filter away.
    """

    kind: FilterKind
    value: str
    is_negated: bool
    without: str


@dataclass(frozen=True)
class Query:
    """A typed text.

    Attributes:
        text: as typed, blanks folded.
        words: its folded words; the last may still be unfinished.
        in_digits: the words with numbers in digits.
        forms: the words without spaces, so that `starwars` and `star wars` are one: as typed,
            without a leading article, in digits.
        is_open: the last word may go on: no blank was typed after it.
    """

    text: str
    words: tuple[str, ...]
    in_digits: tuple[str, ...]
    forms: tuple[str, ...]
    is_open: bool

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Read a text.

        Raises:
            QueryTooLongError: over `MAX_CHARACTERS`.
        """
        if len(text) > MAX_CHARACTERS:
            raise QueryTooLongError(
                f"A search may have {MAX_CHARACTERS} characters, this one has {len(text)}. "
                "Type a part of the title."
            )
        found = words(text)
        return cls(
            " ".join(text.split()),
            tuple(found),
            tuple(in_digits(found)),
            tuple(joined_forms(found)),
            is_open=not re.search(r"\s$", text),
        )


def mistakes_in_name(letters: int) -> int:
    """Return how many mistakes a whole name may have: none up to 3 letters, two from 7."""
    if letters < 2:
        return 0
    return 1 if letters < 7 else 2


def mistakes_in_word(letters: int) -> int:
    """Return how many mistakes a word may have: none up to 3 letters, two from 9."""
    if letters < 4:
        return 0
    return 1 if letters < 9 else 2

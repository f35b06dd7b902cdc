"""What was typed, made ready to match."""

import re
from dataclasses import dataclass
from enum import StrEnum

from search.errors import QueryTooLongError
from search.text import without_article, words

MAX_CHARACTERS = 200


class FilterKind(StrEnum):
    GENRE = "genre"
    DECADE = "decade"
    YEAR = "year"
    LANGUAGE = "language"
    PERSON = "person"
    LIKE = "like"


@dataclass(frozen=True)
class Filter:
    """Something understood of a text besides words to match.

    Attributes:
        kind: what it is about.
        value: as shown: "Comedy", "1990s", "1994", "French", "Al Pacino", a title's name.
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
        words: its words; the last may still be unfinished.
        joined: the words without a leading article and without spaces, so that `starwars` and
            `star wars` are one.
        is_open: the last word may go on: no blank was typed after it.
    """

    text: str
    words: tuple[str, ...]
    joined: str
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
        is_open = not re.search(r"\s$", text)
        joined = "".join(without_article(found))
        return cls(" ".join(text.split()), tuple(found), joined, is_open)

    @property
    def mistakes_allowed(self) -> int:
        """None in 3 letters or fewer, one up to 8, two from 9."""
        return mistakes_allowed(len(self.joined))


def mistakes_allowed(letters: int) -> int:
    if letters < 4:
        return 0
    return 1 if letters < 9 else 2

"""What was typed, made ready to match."""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

import regex

from search.errors import QueryTooLongError
from search.text import clusters, in_digits, is_unspaced, joined_forms, words

MAX_CHARACTERS = 300
"""As long as a name may be."""
NEVER = MAX_CHARACTERS + 1
_IDEOGRAPH = regex.compile(r"\p{Ideographic}")
_SYLLABLE = regex.compile(
    r"[\p{Indic_Syllabic_Category=Consonant}\p{scx=Hiragana}\p{scx=Katakana}\p{Ethiopic}]"
)


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


class Writing(Enum):
    """What a letter stands for, and so how many a text needs that may have one or two mistakes.

    Attributes:
        in_name: letters from which on a whole name may have one mistake, and two.
        in_word: the same of a word.
    """

    ALPHABET = (2, 7), (4, 9)
    SYLLABLES = (4, 9), (4, 9)
    """A consonant with its vowel, as in Devanagari, Thai and kana."""
    IDEOGRAPHS = (5, NEVER), (NEVER, NEVER)
    """One other ideograph is another word; a long name may have one."""

    def __init__(self, in_name: tuple[int, int], in_word: tuple[int, int]) -> None:
        self.in_name, self.in_word = in_name, in_word

    @classmethod
    def of(cls, text: str) -> "Writing":
        """Return how a folded text is written; of several, the one that forgives least."""
        if text.isascii():
            return cls.ALPHABET
        if _IDEOGRAPH.search(text):
            return cls.IDEOGRAPHS
        return cls.SYLLABLES if _SYLLABLE.search(text) else cls.ALPHABET


def mistakes_in_name(name: str) -> int:
    """Return how many mistakes a whole name may have, by its script and length."""
    return _mistakes(name, Writing.of(name).in_name)


def mistakes_in_word(word: str) -> int:
    """Return how many mistakes a word may have; none in a run without blanks between words."""
    return 0 if is_unspaced(word) else _mistakes(word, Writing.of(word).in_word)


def _mistakes(text: str, from_letters: tuple[int, int]) -> int:
    letters = len(text) if text.isascii() else len(clusters(text))
    return sum(letters >= least for least in from_letters)

"""One spelling for everything that means the same: letters, marks, numbers, articles."""

import re
import unicodedata
from collections.abc import Sequence

LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "&": " and ",
    }
)
APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´")
ARTICLES = frozenset(
    [
        "the", "a", "an", "le", "la", "les", "l", "un", "une",
        "der", "die", "das", "el", "los", "las", "il", "lo",
    ]
)  # fmt: skip
NUMERALS = {
    "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8",
    "ix": "9", "x": "10", "xi": "11", "xii": "12", "xiii": "13", "xiv": "14", "xv": "15",
    "xvi": "16", "xvii": "17", "xviii": "18", "xix": "19", "xx": "20",
}  # fmt: skip
"""A numeral of one letter counts as one only after another word: "V for Vendetta" stays."""
NUMBERS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13",
}  # fmt: skip
ABBREVIATIONS = {
    "st": "saint", "ste": "sainte", "dr": "doctor", "vol": "volume", "vols": "volumes",
    "mt": "mount", "ft": "fort", "pt": "part", "vs": "versus", "ep": "episode",
    "jr": "junior", "sr": "senior", "sgt": "sergeant", "capt": "captain",
}  # fmt: skip
_SHORTENED = NUMBERS.keys() | NUMERALS.keys() | ABBREVIATIONS.keys()
_PLAIN_BREAK = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """Return the text in lower case without marks, ligatures and punctuation, words by one space.

    Letters of every script stay letters.
    """
    if text.isascii():  # the same, faster
        plain = text.lower().replace("&", " and ").replace("'", "").replace("`", "")
        return _PLAIN_BREAK.sub(" ", plain).strip()
    text = unicodedata.normalize("NFKC", text).casefold().translate(LETTERS)
    text = unicodedata.normalize("NFKD", text).translate(APOSTROPHES)
    kept = (c if c.isalnum() else " " for c in text if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def words(text: str) -> list[str]:
    """Return the folded words."""
    return fold(text).split()


def in_digits(found: Sequence[str]) -> list[str]:
    """Return the words with roman numerals and small numbers in digits, and "st" as "saint"."""
    if _SHORTENED.isdisjoint(found):
        return list(found)
    return [
        NUMBERS.get(word)
        or ABBREVIATIONS.get(word)
        or (NUMERALS.get(word, word) if place or len(word) > 1 else word)
        for place, word in enumerate(found)
    ]


def joined_forms(found: Sequence[str]) -> list[str]:
    """Return the ways to write words without spaces: with a leading article, without, in digits."""
    forms = [found, without_article(found)]
    forms += [in_digits(form) for form in forms]
    return [form for form in dict.fromkeys("".join(form) for form in forms) if form]


def without_article(found: Sequence[str]) -> Sequence[str]:
    """Return the words without a leading article, unless nothing else is left."""
    return found[1:] if len(found) > 1 and found[0] in ARTICLES else found


def as_written(text: str) -> str:
    """Return the text in lower case, blanks folded, with its marks and punctuation."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

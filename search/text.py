"""One spelling for everything that means the same: letters, marks, numerals, articles."""

import unicodedata

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


def fold(text: str) -> str:
    """Return the text in lower case without marks, ligatures and punctuation, words by one space.

    Letters of every script stay letters.
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(LETTERS)
    text = unicodedata.normalize("NFKD", text).translate(APOSTROPHES)
    kept = (c if c.isalnum() else " " for c in text if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def words(text: str) -> list[str]:
    """Return the folded words, roman numerals as arabic ones."""
    found = fold(text).split()
    return [
        NUMERALS.get(word, word) if place or len(word) > 1 else word
        for place, word in enumerate(found)
    ]


def without_article(found: list[str]) -> list[str]:
    """Return the words without a leading article, unless nothing else is left."""
    return found[1:] if len(found) > 1 and found[0] in ARTICLES else found

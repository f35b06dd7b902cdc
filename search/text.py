"""One spelling for everything that means the same: letters, marks, numbers, articles.

Scripts are told apart by properties of the Unicode Character Database, as the `regex` package has
them; letters with their marks are its grapheme clusters (UAX 29).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import regex

VISIBLE = r"[^\s\u0000-\u001f\u007f-\u00a0\ufeff]"
"""A pattern, to Python as to ECMA-262 (JSON Schema), of a character that shows something."""
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
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
    }
)
"""What decomposition leaves apart; the Arabic ones as in Lucene's normalisers."""
TATWEEL = "\u0640"
APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´" + TATWEEL)
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
LONGEST_PIECE = 8
"""Letters of a run without blanks that are looked up at once."""
_PLAIN_BREAK = re.compile(r"[^a-z0-9]+")
_IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_ACCENTED = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Nd}])\p{M}+")
_DIGITS = regex.compile(r"[^\P{Nd}0-9]")
_SYLLABLES = re.compile("[가-힣]+")
_IN_UNSPACED = (
    r"[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{Line_Break=Complex_Context}]"
)
"""Scripts that put no blanks between words; Thai, Lao, Khmer and Burmese are "complex context"."""
_UNSPACED = regex.compile(_IN_UNSPACED)
_WORD = regex.compile(
    rf"(?V1)[[\p{{L}}\p{{N}}]&&{_IN_UNSPACED}][[\p{{L}}\p{{N}}\p{{M}}]&&{_IN_UNSPACED}]*"
    rf"|[[\p{{L}}\p{{N}}]--{_IN_UNSPACED}][[\p{{L}}\p{{N}}\p{{M}}]--{_IN_UNSPACED}]*"
)
_CLUSTER = regex.compile(r"\X")


def fold(text: str) -> str:
    """Return the text in lower case without accents, ligatures and punctuation, words by one space.

    Letters of every script stay letters. Marks of Latin, Greek, Cyrillic, Arabic and Hebrew are
    accents or points and fall; in other scripts they are vowels, or make another letter, and stay.
    A run of a script without blanks between words is one word, and ends where another script
    begins. Hangul is spelt by its letters, so that a syllable being typed begins the whole one.
    """
    if text.isascii():  # the same, faster
        plain = text.lower().replace("&", " and ").replace("'", "").replace("`", "")
        return _PLAIN_BREAK.sub(" ", plain).strip()
    text = _IGNORED.sub("", unicodedata.normalize("NFKC", text)).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = _ACCENTED.sub(r"\1", text).translate(LETTERS).translate(APOSTROPHES)
    text = _DIGITS.sub(lambda digit: str(unicodedata.decimal(digit[0], digit[0])), text)
    text = unicodedata.normalize("NFC", text)
    text = _SYLLABLES.sub(lambda run: unicodedata.normalize("NFD", run[0]), text)
    return " ".join(_WORD.findall(text))


def is_unspaced(word: str) -> bool:
    """Return whether a folded word is of a script that puts no blanks between words."""
    return not word.isascii() and _UNSPACED.match(word) is not None


def clusters(text: str) -> list[str]:
    """Return the letters, each with the marks that belong to it."""
    return list(text) if text.isascii() else _CLUSTER.findall(text)


def searchable(found: Sequence[str]) -> Iterator[str]:
    """Yield what words are looked up by: themselves, or the pieces of a run without blanks.

    A piece begins at each letter of the run, so whatever the run holds begins a piece.
    """
    for unspaced, group in groupby(found, is_unspaced):
        if not unspaced:
            yield from group
            continue
        letters = clusters("".join(group))
        for n in range(len(letters)):
            yield "".join(letters[n : n + LONGEST_PIECE])


def pieces_typed(run: str) -> list[str]:
    """Return what must begin some pieces of a document where it holds a run without blanks."""
    letters = clusters(run)
    last = max(len(letters) - LONGEST_PIECE, 0)
    starts = [*range(0, last, LONGEST_PIECE - 1), last]
    return ["".join(letters[n : n + LONGEST_PIECE]) for n in starts]


def bigrams(run: str) -> list[str]:
    """Return each two letters that follow each other in a run; its letter if there is one alone."""
    letters = clusters(run)
    return [a + b for a, b in pairwise(letters)] or letters


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

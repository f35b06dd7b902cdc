"""Typesetting of a title's name: text and a box go in, lines and a type size come out.

The server has no fonts to measure, so widths are estimates that are rather too large. Widths,
heights and sizes are in units of the poster, which is 200 by 300.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LINE_HEIGHT = 1.04
ELLIPSIS = "…"
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML forbids, and the control characters that it allows."""
LETTERS_BY_WIDTH = {
    0.29: "iIjl.,:;'!|/ ’‘·",
    0.38: 'ftr-()[]"“”*',
    0.57: "aceksvxyzJ0123456789?$",
    0.63: "bdghnopquFLTZ+–",
    0.74: "ABCDEHKNPRSUVXY&",
    0.8: "GOQw",
    0.92: "mM%",
    1.0: "W@—…",
}
WIDTHS = {letter: width for width, letters in LETTERS_BY_WIDTH.items() for letter in letters}
"""Width of a letter as a share of the type size, in a bold sans such as Arial."""
ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})
LONG_WORD_LETTERS, PART_LETTERS = 18, 11
"""A word of more than 18 letters may be hyphenated, into parts of at most 11 letters."""
SOFT_HYPHEN = "\u00ad"


@dataclass(frozen=True)
class Face:
    """A typeface: a font stack with one font for every system, and its width relative to Arial."""

    fonts: str
    weight: int
    scale: float
    is_caps: bool = False

    def width(self, text: str, size: float) -> float:
        """Return the estimated width of the text, in the unit of `size`."""
        return size * self.scale * sum(map(_relative_width, text))


@dataclass(frozen=True)
class Lettering:
    """A typeset name: its lines from top to bottom and their type size."""

    size: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * LINE_HEIGHT


def clean(text: str) -> str:
    """Return the text with single spaces and without soft hyphens and characters XML forbids."""
    return " ".join(NOT_IN_XML.sub(" ", text).replace(SOFT_HYPHEN, "").split())


def is_right_to_left(text: str) -> bool:
    """Return True if the first letter belongs to a right-to-left script."""
    classes = map(unicodedata.bidirectional, text)
    return next((name in ("R", "AL") for name in classes if name in ("L", "R", "AL")), False)


def typeset(
    text: str, face: Face, width: float, height: float, sizes: Iterable[float]
) -> Lettering:
    """Break the text into lines at the largest of `sizes` at which they fit the box.

    At the smallest size, lines that are too long and the last of too many lines are cut and end in
    an ellipsis. A box lower than one line of the smallest size still gets that line.

    Args:
        text: The name.
        face: The typeface.
        width: Of the box.
        height: Of the box.
        sizes: Type sizes from large to small.
    """
    pieces = _breakable_pieces(clean(text).upper() if face.is_caps else clean(text))
    size, lines = 0.0, [""]
    for size in sizes:
        limit = max(1, int(height / (size * LINE_HEIGHT)))
        lines = _break_lines(pieces, face, width, size)
        if len(lines) <= limit and all(face.width(line, size) <= width for line in lines):
            return Lettering(size, tuple(_balance_lines(pieces, face, width, size, len(lines))))
    visible = lines[:limit]
    if len(lines) > limit:
        visible[-1] += ELLIPSIS
    return Lettering(size, tuple(truncate(line, face, width, size) for line in visible))


def truncate(line: str, face: Face, width: float, size: float) -> str:
    """Return the line, shortened with an ellipsis if it is wider than `width`."""
    if face.width(line, size) <= width:
        return line
    start = line.rstrip(ELLIPSIS)
    while start and face.width(start + ELLIPSIS, size) > width:
        start = start[:-1]
    while start and (start[-1] in " ,:;-–" or unicodedata.category(start[-1]) in ZERO_WIDTH):
        start = start[:-1]
    return start + ELLIPSIS


def _relative_width(letter: str) -> float:
    if letter in WIDTHS:
        return WIDTHS[letter]
    if unicodedata.category(letter) in ZERO_WIDTH:
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 0.8 if letter.isupper() or ord(letter) > 0x5FF else 0.65


def _breakable_pieces(text: str) -> list[str]:
    """Split where a line may end: after words, parts of very long words and CJK characters."""
    pieces: list[str] = []
    for word in text.split():
        is_wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in word)
        parts = list(word) if is_wide else _hyphenate(word)
        pieces += parts[:-1]
        pieces.append(parts[-1] + " ")
    return pieces


def _hyphenate(word: str) -> list[str]:
    """Split a very long word into equal parts; all but the last end in a soft hyphen."""
    if len(word) <= LONG_WORD_LETTERS or not word.isalpha():
        return [word]
    step = math.ceil(len(word) / math.ceil(len(word) / PART_LETTERS))
    parts = [word[n : n + step] for n in range(0, len(word), step)]
    return [*(part + SOFT_HYPHEN for part in parts[:-1]), parts[-1]]


def _break_lines(pieces: list[str], face: Face, width: float, size: float) -> list[str]:
    """Fill lines greedily; a piece wider than `width` gets a line of its own."""
    lines: list[str] = []
    for piece in pieces:
        if lines and face.width(_with_visible_hyphen((lines[-1] + piece).rstrip()), size) <= width:
            lines[-1] += piece
        else:
            lines.append(piece)
    return [_with_visible_hyphen(line.rstrip()) for line in lines] or [""]


def _with_visible_hyphen(line: str) -> str:
    """Show the soft hyphen at the end of the line and drop those within it."""
    hyphen = "-" if line.endswith(SOFT_HYPHEN) else ""
    return line.replace(SOFT_HYPHEN, "") + hyphen


def _balance_lines(
    pieces: list[str], face: Face, width: float, size: float, count: int
) -> list[str]:
    """Break into at most `count` lines of lengths as equal as possible."""
    best = _break_lines(pieces, face, width, size)
    for tenths in range(19, 8, -1):
        lines = _break_lines(pieces, face, width * tenths / 20, size)
        if len(lines) > count or any(face.width(line, size) > width for line in lines):
            break
        best = lines
    return best

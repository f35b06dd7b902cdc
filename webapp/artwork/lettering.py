"""Set a name in a box: how wide its letters come out, where lines break, how large it can be.

Nobody can measure a font on the server, so widths are estimated on the safe side.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LINE_HEIGHT = 1.04
ELLIPSIS = "…"
UNPRINTABLE = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML does not allow, and the control characters that it does."""
SHARES = {
    0.29: "iIjl.,:;'!|/ ’‘·",
    0.38: 'ftr-()[]"“”*',
    0.57: "aceksvxyzJ0123456789?$",
    0.63: "bdghnopquFLTZ+–",
    0.74: "ABCDEHKNPRSUVXY&",
    0.8: "GOQw",
    0.92: "mM%",
    1.0: "W@—…",
}
WIDTHS = {letter: share for share, letters in SHARES.items() for letter in letters}
"""Shares of the type size, of a bold sans such as Arial's."""
ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})
LONG_WORD, PART = 18, 11
"""A word of more letters than the first may be broken, into parts of up to the second."""
SOFT_HYPHEN = "\u00ad"


@dataclass(frozen=True)
class Face:
    """A way of lettering: fonts that every system has one of, and how it differs from Arial."""

    fonts: str
    weight: int
    scale: float
    is_caps: bool = False

    def width(self, text: str, size: float) -> float:
        """How wide the text comes out, in the unit of the size."""
        return size * self.scale * sum(map(_share, text))


@dataclass(frozen=True)
class Lettering:
    """A name as it is set: its lines from top to bottom and their size."""

    size: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * LINE_HEIGHT


def clean(text: str) -> str:
    """Return the text without what may not stand in XML and soft hyphens, with single spaces."""
    return " ".join(UNPRINTABLE.sub(" ", text).replace(SOFT_HYPHEN, "").split())


def runs_to_the_left(text: str) -> bool:
    """Whether the text begins in a script that is read from right to left."""
    kinds = map(unicodedata.bidirectional, text)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)


def letter(text: str, face: Face, width: float, height: float, sizes: Iterable[float]) -> Lettering:
    """Set the text at the largest of the sizes, given from large to small, at which it fits.

    At the smallest size lines that are still too long, and lines too many, are cut and end in an
    ellipsis. A box lower than one line of the smallest size is overrun by that line.
    """
    pieces = _pieces(clean(text).upper() if face.is_caps else clean(text))
    size, lines = 0.0, [""]
    for size in sizes:
        limit = max(1, int(height / (size * LINE_HEIGHT)))
        lines = _break(pieces, face, width, size)
        if len(lines) <= limit and all(face.width(line, size) <= width for line in lines):
            return Lettering(size, tuple(_balance(pieces, face, width, size, len(lines))))
    kept = lines[:limit]
    if len(lines) > limit:
        kept[-1] += ELLIPSIS
    return Lettering(size, tuple(cut(line, face, width, size) for line in kept))


def cut(line: str, face: Face, width: float, size: float) -> str:
    """Return the line, shortened with an ellipsis where it is wider than the width."""
    if face.width(line, size) <= width:
        return line
    kept = line.rstrip(ELLIPSIS)
    while kept and face.width(kept + ELLIPSIS, size) > width:
        kept = kept[:-1]
    while kept and (kept[-1] in " ,:;-–" or unicodedata.category(kept[-1]) in ZERO_WIDTH):
        kept = kept[:-1]
    return kept + ELLIPSIS


def _share(letter: str) -> float:
    if letter in WIDTHS:
        return WIDTHS[letter]
    if unicodedata.category(letter) in ZERO_WIDTH:
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 0.8 if letter.isupper() or ord(letter) > 0x5FF else 0.65


def _pieces(text: str) -> list[str]:
    """What a line may be broken between: words, parts of a very long one, each CJK character."""
    pieces: list[str] = []
    for word in text.split():
        is_wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in word)
        parts = list(word) if is_wide else _parts(word)
        pieces += parts[:-1]
        pieces.append(parts[-1] + " ")
    return pieces


def _parts(word: str) -> list[str]:
    """The word in equal parts where it is very long, all but the last with a soft hyphen."""
    if len(word) <= LONG_WORD or not word.isalpha():
        return [word]
    step = math.ceil(len(word) / math.ceil(len(word) / PART))
    parts = [word[n : n + step] for n in range(0, len(word), step)]
    return [*(part + SOFT_HYPHEN for part in parts[:-1]), parts[-1]]


def _break(pieces: list[str], face: Face, width: float, size: float) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        if lines and face.width(_hyphened((lines[-1] + piece).rstrip()), size) <= width:
            lines[-1] += piece
        else:
            lines.append(piece)
    return [_hyphened(line.rstrip()) for line in lines] or [""]


def _hyphened(line: str) -> str:
    """A word broken at the line's end shows its hyphen; one within the line does not."""
    shown = "-" if line.endswith(SOFT_HYPHEN) else ""
    return line.replace(SOFT_HYPHEN, "") + shown


def _balance(pieces: list[str], face: Face, width: float, size: float, count: int) -> list[str]:
    """Break into as many lines, as even in length as they can be."""
    best = _break(pieces, face, width, size)
    for tenths in range(19, 8, -1):
        lines = _break(pieces, face, width * tenths / 20, size)
        if len(lines) > count or any(face.width(line, size) > width for line in lines):
            break
        best = lines
    return best

"""Posters for titles that have none: a designed series, drawn as SVG.

The same title always gets the same poster. Its most telling genre gives colours, letters and a
choice of motifs (`palettes`, `motifs`); a hash of its external id composes them. Every poster is
built alike: the name on plain ground, a motif in the room that the name leaves, and who made it
and when in one small line.
"""

import hashlib
from dataclasses import dataclass
from html import escape

from webapp.artwork.lettering import (
    LINE_HEIGHT,
    Face,
    Lettering,
    clean,
    cut,
    letter,
    runs_to_the_left,
)
from webapp.artwork.motifs import MOTIFS
from webapp.artwork.palettes import DEFAULT, STYLES, Scheme, genre_with_style

ART_VERSION = 3
"""Raise it when the drawing changes, so that browsers fetch posters again."""
WIDTH, HEIGHT, MARGIN = 200, 300, 16
WIDE_WIDTH, WIDE_HEIGHT, WIDE_MOTIF = 640, 360, 880
"""A backdrop's motif is wider than what is seen of it: its middle stands right of the words."""
COLUMN = WIDTH - 2 * MARGIN
CREDIT_SIZE = 8.5
SIZES = (112, 92, 76, 66, 58, 52, 46, 42, 38, 34, 31, 28, 25.5, 23, 21, 19, 17.5, 16, 14.5, 13)
SUBTITLE_SIZES, SUBTITLE_GAP = (17, 15.5, 14, 13), 5
SPINE_SIZES = tuple(range(72, 35, -4))
SPINE_LENGTH, SPINE_WIDTH = 232, 76
LAST_ALPHABET = "\u2e7f"
"""Scripts after it are not turned on their side."""


@dataclass(frozen=True)
class PosterSpec:
    """What a poster is drawn from: a title's facts, without the database."""

    external_id: str
    """Its hash chooses among schemes, motifs and compositions."""
    name: str
    year: int | None
    genres: tuple[str, ...]
    director: str = ""


@dataclass(frozen=True)
class Drawing:
    """What a composition needs of the title and of the genre's style."""

    name: str
    credit: str
    year: str
    face: Face
    scheme: Scheme
    motif: str
    seed: bytes


def poster_version(spec: PosterSpec) -> str:
    """Return a short hash of what the drawing depends on.

    The director is left out, so that a page of many titles need not read their credits.
    """
    drawn = f"{ART_VERSION}|{spec.external_id}|{spec.name}|{spec.year}|{_genre(spec)}"
    return hashlib.sha256(drawn.encode(errors="replace")).hexdigest()[:12]


def poster_svg(spec: PosterSpec) -> str:
    """Draw the poster, 200 by 300 units."""
    drawing = _drawing(spec)
    return _sheet(
        WIDTH,
        HEIGHT,
        drawing.scheme.ground,
        f'<g fill="{drawing.scheme.ink}" font-family="{drawing.face.fonts}">'
        f"{_compose(drawing, _seed(spec)[2])}</g>",
    )


def backdrop_svg(spec: PosterSpec) -> str:
    """Draw the poster's motif wide and without words, 640 by 360 units, for behind a page's top."""
    drawing = _drawing(spec)
    drawn = MOTIFS[drawing.motif](WIDE_MOTIF, WIDE_HEIGHT, drawing.scheme, drawing.seed)
    return _sheet(WIDE_WIDTH, WIDE_HEIGHT, drawing.scheme.ground, drawn)


def _drawing(spec: PosterSpec) -> Drawing:
    seed = _seed(spec)
    style = STYLES.get(_genre(spec), DEFAULT)
    return Drawing(
        name=spec.name,
        credit=clean(spec.director),
        year=str(spec.year or ""),
        face=style.face,
        scheme=style.schemes[seed[0] % len(style.schemes)],
        motif=style.motifs[seed[1] % len(style.motifs)],
        seed=seed[4:],
    )


def _seed(spec: PosterSpec) -> bytes:
    return hashlib.sha256(spec.external_id.encode(errors="replace")).digest()


def _sheet(wide: int, tall: int, ground: str, drawn: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}">'
        f'<rect width="{wide}" height="{tall}" fill="{ground}"/>{drawn}</svg>'
    )


def _compose(drawing: Drawing, choice: int) -> str:
    if choice % 5 == 0 and (spine := _spine(drawing)):
        return spine
    return (_foot, _head, _framed, _foot)[choice // 5 % 4](drawing)


def _foot(drawing: Drawing) -> str:
    """The name at the foot, the motif from edge to edge above it."""
    name, block = _name(drawing, 128)
    top = HEIGHT - MARGIN - 18 - block
    return (
        _motif(drawing, 0, 0, WIDTH, round(top - 12))
        + _text(drawing, name, top)
        + _credits(drawing, HEIGHT - MARGIN)
    )


def _head(drawing: Drawing) -> str:
    """The name at the head, the motif from edge to edge below it."""
    name, block = _name(drawing, 128)
    top = MARGIN + 22
    foot = round(top + block + 14)
    return (
        _credits(drawing, MARGIN + 7)
        + _text(drawing, name, top)
        + _motif(drawing, 0, foot, WIDTH, HEIGHT - foot)
    )


def _framed(drawing: Drawing) -> str:
    """The motif in a frame, the name under it as on a print."""
    name, block = _name(drawing, 110)
    top = HEIGHT - MARGIN - 18 - block
    tall = round(top - 14 - MARGIN)
    frame = (
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{COLUMN}" height="{tall}" fill="none" '
        f'stroke="{drawing.scheme.ink}" stroke-width="1.5"/>'
    )
    return (
        _motif(drawing, MARGIN, MARGIN, COLUMN, tall)
        + frame
        + _text(drawing, name, top)
        + _credits(drawing, HEIGHT - MARGIN)
    )


def _spine(drawing: Drawing) -> str:
    """A short name in large letters up the left edge; empty where it is too long for that."""
    if max(drawing.name, default="") > LAST_ALPHABET or runs_to_the_left(drawing.name):
        return ""
    name = letter(drawing.name, drawing.face, SPINE_LENGTH, SPINE_WIDTH, SPINE_SIZES)
    if len(name.lines) > 1 or name.lines[0].endswith("…") or len(name.lines[0]) < 3:
        return ""
    baseline = MARGIN + name.size * 0.76
    left = round(baseline + name.size * 0.22 + 10)
    return (
        _motif(drawing, left, 0, WIDTH - left, HEIGHT - MARGIN - 18)
        + f'<g transform="translate({baseline:.1f} {HEIGHT - MARGIN - 22})rotate(-90)">'
        + _line(drawing, name.lines[0], name.size, 0, 0)
        + "</g>"
        + _credits(drawing, HEIGHT - MARGIN)
    )


def _name(drawing: Drawing, height: float) -> tuple[list[Lettering], float]:
    """Set the name, words after a colon smaller; with it how high the whole comes out."""
    head, colon, rest = clean(drawing.name).partition(": ")
    if not colon or len(head) < 3 or " " not in rest:
        only = letter(drawing.name, drawing.face, COLUMN, height, SIZES)
        return [only], only.height
    below = letter(rest, drawing.face, COLUMN, height * 0.5, SUBTITLE_SIZES)
    above = letter(head, drawing.face, COLUMN, height - below.height - SUBTITLE_GAP, SIZES)
    return [above, below], above.height + below.height + SUBTITLE_GAP


def _text(drawing: Drawing, name: list[Lettering], top: float) -> str:
    parts = []
    for lettering in name:
        for n, line in enumerate(lettering.lines):
            y = top + (n + 0.8) * lettering.size * LINE_HEIGHT
            parts.append(_line(drawing, line, lettering.size, MARGIN, y))
        top += lettering.height + SUBTITLE_GAP
    return "".join(parts)


def _line(drawing: Drawing, line: str, size: float, x: float, y: float) -> str:
    """One line of the name; a long one is held to its estimated width, whatever the font."""
    wide = drawing.face.width(line, size)
    held = wide > 0.9 * COLUMN and line.isascii()
    fit = f' textLength="{wide:.0f}" lengthAdjust="spacingAndGlyphs"' if held else ""
    if runs_to_the_left(drawing.name):
        x, fit = WIDTH - x, ' direction="rtl"'
    return (
        f'<text x="{x}" y="{y:.1f}" font-size="{size}" font-weight="{drawing.face.weight}"'
        f"{fit}>{escape(line)}</text>"
    )


def _credits(drawing: Drawing, y: float) -> str:
    """Who made it at the left and when at the right, or only when, at the left."""
    by = cut(drawing.credit, drawing.face, COLUMN - 34, CREDIT_SIZE * 1.08)
    year_x, anchor = (WIDTH - MARGIN, ' text-anchor="end"') if by else (MARGIN, "")
    return (
        f'<g font-size="{CREDIT_SIZE}" font-weight="600" opacity=".85" letter-spacing=".4">'
        + (f'<text x="{MARGIN}" y="{y}">{escape(by)}</text>' if by else "")
        + f'<text x="{year_x}" y="{y}"{anchor}>{drawing.year}</text></g>'
    )


def _motif(drawing: Drawing, x: int, y: int, wide: int, tall: int) -> str:
    """The motif, cut off at its box; a sliver of ground hides the seam below it."""
    ground, foot = drawing.scheme.ground, y + tall
    drawn = MOTIFS[drawing.motif](wide, tall, drawing.scheme, drawing.seed)
    seam = f'<path d="M{x} {foot}h{wide}" stroke="{ground}" stroke-width="2"/>'
    return (
        f'<svg x="{x}" y="{y}" width="{wide}" height="{tall}">{drawn}</svg>'
        f"{seam if foot < HEIGHT else ''}"
    )


def _genre(spec: PosterSpec) -> str:
    return genre_with_style(spec.genres)

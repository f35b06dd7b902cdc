"""Posters and backdrops for titles without pictures: a `PosterSpec` goes in, SVG comes out.

The same spec always gives the same drawing. The most specific genre decides typeface, colours and
candidate motifs (`palettes`, `motifs`); a hash of the external id chooses among them and chooses
the layout. Every poster shows the name on plain background, a motif in the remaining space, and
director and year in one small line. All lengths are in units of the SVG's view box.
"""

import hashlib
from dataclasses import dataclass
from html import escape

from webapp.artwork.lettering import (
    LINE_HEIGHT,
    Face,
    Lettering,
    clean,
    is_right_to_left,
    truncate,
    typeset,
)
from webapp.artwork.motifs import MOTIFS
from webapp.artwork.palettes import DEFAULT, STYLES, Scheme, genre_with_style

ART_VERSION = 4
"""Raise it when the drawing changes, so that browsers fetch posters again."""
WIDTH, HEIGHT, MARGIN = 200, 300, 16
WIDE_WIDTH, WIDE_HEIGHT, WIDE_MOTIF = 640, 360, 880
"""A backdrop's motif is wider than its view box, so that its centre lies right of the text."""
COLUMN = WIDTH - 2 * MARGIN
CREDIT_SIZE = 8.5
SIZES = (112, 92, 76, 66, 58, 52, 46, 42, 38, 34, 31, 28, 25.5, 23, 21, 19, 17.5, 16, 14.5, 13)
SUBTITLE_SIZES, SUBTITLE_GAP = (17, 15.5, 14, 13), 5
SPINE_SIZES = tuple(range(72, 35, -4))
SPINE_LENGTH, SPINE_WIDTH = 232, 76
LAST_ALPHABET = "\u2e7f"
"""Characters after it (CJK and others) are never turned on their side."""


@dataclass(frozen=True)
class PosterSpec:
    """The facts of a title that its poster is drawn from.

    Attributes:
        external_id: Its SHA-256 is the seed of scheme, motif and layout.
        name: Any text; characters that XML forbids are left out.
        year: None draws no year.
        genres: In any order.
        director: Empty draws no director.
    """

    external_id: str
    name: str
    year: int | None
    genres: tuple[str, ...]
    director: str = ""


@dataclass(frozen=True)
class Drawing:
    """A spec with its style chosen: what a layout needs."""

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
    inputs = f"{ART_VERSION}|{spec.external_id}|{spec.name}|{spec.year}|{_genre(spec)}"
    return hashlib.sha256(inputs.encode(errors="replace")).hexdigest()[:12]


def poster_svg(spec: PosterSpec) -> str:
    """Draw the poster, 200 by 300 units."""
    drawing = _drawing(spec)
    return _document(
        WIDTH,
        HEIGHT,
        drawing.scheme.background,
        f'<g fill="{drawing.scheme.text}" font-family="{drawing.face.fonts}">'
        f"{_layout(drawing, _seed(spec)[2])}</g>",
    )


def backdrop_svg(spec: PosterSpec) -> str:
    """Draw the poster's motif alone, 640 by 360 units, to lie behind the top of a page."""
    drawing = _drawing(spec)
    motif = MOTIFS[drawing.motif](WIDE_MOTIF, WIDE_HEIGHT, drawing.scheme, drawing.seed)
    return _document(WIDE_WIDTH, WIDE_HEIGHT, drawing.scheme.background, motif)


def _drawing(spec: PosterSpec) -> Drawing:
    """Choose scheme and motif by the first two bytes of the seed; the layout takes the third."""
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


def _genre(spec: PosterSpec) -> str:
    return genre_with_style(spec.genres)


def _document(width: int, height: int, background: str, elements: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="{background}"/>{elements}</svg>'
    )


def _layout(drawing: Drawing, choice: int) -> str:
    """Lay the poster out in one of four ways; `choice` is a byte of the seed."""
    if choice % 5 == 0 and (spine := _name_on_spine(drawing)):
        return spine
    layouts = (_name_at_bottom, _name_at_top, _framed_motif, _name_at_bottom)
    return layouts[choice // 5 % 4](drawing)


def _name_at_bottom(drawing: Drawing) -> str:
    """The name at the bottom, the motif from edge to edge above it."""
    name, name_height = _typeset_name(drawing, 128)
    top = HEIGHT - MARGIN - 18 - name_height
    return (
        _motif(drawing, 0, 0, WIDTH, round(top - 12))
        + _text(drawing, name, top)
        + _credits(drawing, HEIGHT - MARGIN)
    )


def _name_at_top(drawing: Drawing) -> str:
    """The name at the top, the motif from edge to edge below it."""
    name, name_height = _typeset_name(drawing, 128)
    top = MARGIN + 22
    bottom = round(top + name_height + 14)
    return (
        _credits(drawing, MARGIN + 7)
        + _text(drawing, name, top)
        + _motif(drawing, 0, bottom, WIDTH, HEIGHT - bottom)
    )


def _framed_motif(drawing: Drawing) -> str:
    """The motif in a frame, the name below it."""
    name, name_height = _typeset_name(drawing, 110)
    top = HEIGHT - MARGIN - 18 - name_height
    height = round(top - 14 - MARGIN)
    frame = (
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{COLUMN}" height="{height}" fill="none" '
        f'stroke="{drawing.scheme.text}" stroke-width="1.5"/>'
    )
    return (
        _motif(drawing, MARGIN, MARGIN, COLUMN, height)
        + frame
        + _text(drawing, name, top)
        + _credits(drawing, HEIGHT - MARGIN)
    )


def _name_on_spine(drawing: Drawing) -> str:
    """A short name in large letters up the left edge; empty if the name is unsuitable."""
    if max(drawing.name, default="") > LAST_ALPHABET or is_right_to_left(drawing.name):
        return ""
    name = typeset(drawing.name, drawing.face, SPINE_LENGTH, SPINE_WIDTH, SPINE_SIZES)
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


def _typeset_name(drawing: Drawing, max_height: float) -> tuple[list[Lettering], float]:
    """Typeset the name, words after a colon smaller; return its blocks and their height."""
    name, colon, subtitle = clean(drawing.name).partition(": ")
    if not colon or len(name) < 3 or " " not in subtitle:
        block = typeset(drawing.name, drawing.face, COLUMN, max_height, SIZES)
        return [block], block.height
    below = typeset(subtitle, drawing.face, COLUMN, max_height * 0.5, SUBTITLE_SIZES)
    above = typeset(name, drawing.face, COLUMN, max_height - below.height - SUBTITLE_GAP, SIZES)
    return [above, below], above.height + below.height + SUBTITLE_GAP


def _text(drawing: Drawing, blocks: list[Lettering], top: float) -> str:
    elements = []
    for block in blocks:
        for n, line in enumerate(block.lines):
            y = top + (n + 0.8) * block.size * LINE_HEIGHT
            elements.append(_line(drawing, line, block.size, MARGIN, y))
        top += block.height + SUBTITLE_GAP
    return "".join(elements)


def _line(drawing: Drawing, line: str, size: float, x: float, y: float) -> str:
    """One line of the name; a long one is stretched to its estimated width in every font."""
    width = drawing.face.width(line, size)
    is_stretched = width > 0.6 * COLUMN and line.isascii()
    extra = f' textLength="{width:.0f}" lengthAdjust="spacingAndGlyphs"' if is_stretched else ""
    if is_right_to_left(drawing.name):
        x, extra = WIDTH - x, ' direction="rtl"'
    return (
        f'<text x="{x}" y="{y:.1f}" font-size="{size}" font-weight="{drawing.face.weight}"'
        f"{extra}>{escape(line)}</text>"
    )


def _credits(drawing: Drawing, y: float) -> str:
    """The director at the left and the year at the right; the year at the left if it is alone."""
    director = truncate(drawing.credit, drawing.face, COLUMN - 34, CREDIT_SIZE * 1.08)
    year_x, anchor = (WIDTH - MARGIN, ' text-anchor="end"') if director else (MARGIN, "")
    return (
        f'<g font-size="{CREDIT_SIZE}" font-weight="600" opacity=".85" letter-spacing=".4">'
        + (f'<text x="{MARGIN}" y="{y}">{escape(director)}</text>' if director else "")
        + f'<text x="{year_x}" y="{y}"{anchor}>{drawing.year}</text></g>'
    )


def _motif(drawing: Drawing, x: int, y: int, width: int, height: int) -> str:
    """The motif, clipped to its box; a thin line of background covers the seam below it."""
    background, bottom = drawing.scheme.background, y + height
    elements = MOTIFS[drawing.motif](width, height, drawing.scheme, drawing.seed)
    seam = f'<path d="M{x} {bottom}h{width}" stroke="{background}" stroke-width="2"/>'
    return (
        f'<svg x="{x}" y="{y}" width="{width}" height="{height}">{elements}</svg>'
        f"{seam if bottom < HEIGHT else ''}"
    )

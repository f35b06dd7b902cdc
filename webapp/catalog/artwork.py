"""Posters for titles that have none: typography over a quiet motif, drawn as SVG.

The same title always gets the same poster: its genre chooses the palette and the motif, a hash of
its external id the composition.
"""

import hashlib
import math
from dataclasses import dataclass
from html import escape

from webapp.catalog.models import Title

ART_VERSION = 1
"""Raise it when the drawing changes, so that browsers fetch posters again."""
WIDTH, HEIGHT, MARGIN = 200, 300, 16
LINE_HEIGHT = 1.06
SIZES = (34, 30, 26, 23, 20, 17.5, 15, 13)
NARROW, WIDE = frozenset("iIjl.,:;'!|()[] ft-"), frozenset("mwMW@%")


@dataclass(frozen=True)
class Palette:
    """Background from top to bottom, the motif, and the letters."""

    top: str
    bottom: str
    motif: str
    ink: str


PALETTES = {
    "western": Palette("#7a3b16", "#d9963f", "#f6d08a", "#fff4dc"),
    "science fiction": Palette("#07182e", "#0f5c73", "#5fd4d0", "#eafcff"),
    "horror": Palette("#0b0709", "#3a0c12", "#b3202c", "#f7e9e6"),
    "romance": Palette("#4b1530", "#b8506c", "#f4a9a8", "#fff0ee"),
    "comedy": Palette("#b4471d", "#efae2e", "#ffe08a", "#fffaf0"),
    "animation": Palette("#1f4fa3", "#3fb0c9", "#ffd166", "#ffffff"),
    "family": Palette("#22577a", "#57a773", "#f2e394", "#ffffff"),
    "crime": Palette("#14161b", "#3b4250", "#c8a45d", "#f4f0e6"),
    "thriller": Palette("#10171f", "#2d4a52", "#d96c3f", "#f2f5f4"),
    "mystery": Palette("#161230", "#423a6b", "#b9a7e0", "#f4f0ff"),
    "war": Palette("#23251a", "#5c5a3c", "#c9b27c", "#f6f1de"),
    "history": Palette("#2b1d14", "#7a5b3a", "#dcbf8b", "#fbf3e2"),
    "documentary": Palette("#16302b", "#3f6f5f", "#c9dfb9", "#f5fbf2"),
    "music": Palette("#2a0f3f", "#8c2f7d", "#f0a6ca", "#fff2fb"),
    "adventure": Palette("#0e3b33", "#3c8d5a", "#f0c75e", "#fbfaf0"),
    "fantasy": Palette("#1b1446", "#5b3fa0", "#c6a8ff", "#f6f1ff"),
    "action": Palette("#1a0e0c", "#8c2a17", "#ff8a3d", "#fff3ea"),
    "drama": Palette("#1d2733", "#4f6478", "#d3c1a5", "#f8f5ee"),
}
ALIASES = {"sci-fi": "science fiction", "musical": "music", "children": "family",
           "biography": "history", "film-noir": "crime", "sport": "action"}  # fmt: skip
DEFAULT = Palette("#1c2029", "#444d5e", "#aab4c8", "#f5f6fa")


def poster_url(title: Title) -> str:
    """Return the operator's poster if there is one, else the address of the drawn one."""
    return title.poster_url or f"/posters/{title.pk}.svg?v={poster_version(title)}"


def poster_version(title: Title) -> str:
    """Return a short hash of all that the drawing depends on. Uses the prefetched genres."""
    drawn = f"{ART_VERSION}|{title.external_id}|{title.name}|{title.year}|{_genre(title)}"
    return hashlib.sha256(drawn.encode()).hexdigest()[:12]


def poster_svg(title: Title) -> str:
    """Draw the poster, 200 by 300 units. Uses the prefetched genres."""
    seed = hashlib.sha256(title.external_id.encode()).digest()
    palette = PALETTES.get(_genre(title), DEFAULT)
    at_top = seed[0] % 3 == 0
    size, lines = fit(title.name)
    block = len(lines) * size * LINE_HEIGHT
    first = MARGIN + size if at_top else HEIGHT - MARGIN - 18 - block + size
    spans = "".join(
        f'<tspan x="{MARGIN}" y="{first + n * size * LINE_HEIGHT:.1f}">{escape(line)}</tspan>'
        for n, line in enumerate(lines)
    )
    year = f"{title.year}" if title.year else ""
    year_y = HEIGHT - MARGIN if not at_top else first + block - size + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{palette.top}"/>'
        f'<stop offset="1" stop-color="{palette.bottom}"/></linearGradient>'
        f'<linearGradient id="s" x1="0" y1="{int(at_top)}" x2="0" y2="{1 - int(at_top)}">'
        f'<stop offset=".35" stop-color="{palette.top}" stop-opacity="0"/>'
        f'<stop offset="1" stop-color="{palette.top}" stop-opacity=".92"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#g)"/>'
        f'<g fill="{palette.motif}" stroke="{palette.motif}">{_motif(seed, at_top)}</g>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#s)"/>'
        f'<g fill="{palette.ink}" font-family="Avenir Next,Futura,Montserrat,Helvetica Neue,'
        f'Arial,sans-serif"><text font-size="{size}" font-weight="800" '
        f'letter-spacing="-.02em">{spans}</text>'
        f'<text x="{MARGIN}" y="{year_y:.1f}" font-size="11" opacity=".8" '
        f'letter-spacing=".14em">{year}</text></g></svg>'
    )


def fit(name: str) -> tuple[float, list[str]]:
    """Return the largest size at which the name fits, and its lines; too long a name is cut."""
    for size in SIZES:
        limit = max(2, math.floor(HEIGHT * 0.48 / (size * LINE_HEIGHT)))
        lines = _wrap(name, size)
        if len(lines) <= limit and all(_width(line, size) <= WIDTH - 2 * MARGIN for line in lines):
            return size, lines
    lines = [_cut(line, SIZES[-1]) for line in _wrap(name, SIZES[-1])[:limit]]
    return SIZES[-1], [*lines[:-1], _cut(f"{lines[-1]}…", SIZES[-1])] if lines else []


def _genre(title: Title) -> str:
    """The first genre that has a palette of its own, else an empty text."""
    names = sorted(genre.name.casefold() for genre in title.genres.all())
    known = [ALIASES.get(name, name) for name in names]
    ranked = [name for name in PALETTES if name in known]
    return ranked[0] if ranked else ""


def _wrap(name: str, size: float) -> list[str]:
    lines: list[str] = []
    for word in name.split():
        if lines and _width(f"{lines[-1]} {word}", size) <= WIDTH - 2 * MARGIN:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _cut(line: str, size: float) -> str:
    if _width(line, size) <= WIDTH - 2 * MARGIN:
        return line
    while line and _width(f"{line}…", size) > WIDTH - 2 * MARGIN:
        line = line[:-1]
    return f"{line}…"


def _width(text: str, size: float) -> float:
    """How wide bold letters come out, on the safe side; other scripts count a full square."""
    return size * sum(
        0.36
        if c in NARROW
        else 0.98
        if c in WIDE or ord(c) > 0x2E7F
        else 0.72
        if c.isupper()
        else 0.6
        for c in text
    )


def _motif(seed: bytes, at_top: bool) -> str:
    """One quiet shape in the half without letters, chosen and varied by the seed."""
    x, y = 40 + seed[2] % 120, (205 if at_top else 85) + seed[3] % 30 - 15
    radius = 44 + seed[4] % 34
    shapes = (_sun, _rings, _stripes, _peaks, _grid, _slash, _arches)
    return shapes[seed[1] % len(shapes)](x, y, radius, seed)


def _sun(x: int, y: int, radius: int, seed: bytes) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{radius}" opacity=".9"/>'


def _rings(x: int, y: int, radius: int, seed: bytes) -> str:
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="{radius - 14 * n}" fill="none" stroke-width="5" '
        f'opacity="{0.95 - 0.18 * n:.2f}"/>'
        for n in range(4)
        if radius > 14 * n
    )


def _stripes(x: int, y: int, radius: int, seed: bytes) -> str:
    return "".join(
        f'<rect x="-40" y="{y - 50 + 18 * n}" width="{190 + 12 * (seed[5 + n] % 8)}" '
        f'height="{3 + 2 * n}" stroke="none" opacity="{0.9 - 0.1 * n:.2f}"/>'
        for n in range(6)
    )


def _peaks(x: int, y: int, radius: int, seed: bytes) -> str:
    near, far = y + 60, y + 40
    return (
        f'<path d="M-20 {far} L{x - 40} {y - radius // 2} L{x + 50} {far} Z" opacity=".45" '
        f'stroke="none"/><path d="M{x - 60} {near} L{x + 30} {y - radius} L230 {near} Z" '
        f'opacity=".85" stroke="none"/>'
    )


def _grid(x: int, y: int, radius: int, seed: bytes) -> str:
    return "".join(
        f'<circle cx="{28 + 24 * column}" cy="{y - 48 + 24 * row}" '
        f'r="{2 + (seed[(row * 7 + column) % 32] % 8)}" stroke="none" opacity=".9"/>'
        for row in range(5)
        for column in range(7)
    )


def _slash(x: int, y: int, radius: int, seed: bytes) -> str:
    lean = 30 + seed[5] % 60
    return (
        f'<path d="M{x - 30} -10 L{x + 20} -10 L{x + 20 - lean} 310 L{x - 70 - lean} 310 Z" '
        f'opacity=".8" stroke="none"/>'
    )


def _arches(x: int, y: int, radius: int, seed: bytes) -> str:
    return "".join(
        f'<path d="M{x - r} {y + 50} V{y} A{r} {r} 0 0 1 {x + r} {y} V{y + 50}" fill="none" '
        f'stroke-width="7" opacity="{0.4 + 0.18 * n:.2f}"/>'
        for n, r in enumerate((radius, radius - 18, radius - 34))
        if r > 4
    )

"""Motifs, the abstract drawings on posters: a box, four colours and a seed go in, SVG comes out.

Every motif has the same signature: `w` and `h` are the box in units of the poster, `c` its colour
scheme, `seed` at least 18 bytes that vary the drawing. It returns SVG elements that fill the box,
which already has the background colour, and may run over its edges, where they are clipped.
"""

import math
from collections.abc import Callable, Iterable

from webapp.artwork.palettes import Scheme

Motif = Callable[[int, int, Scheme, bytes], str]
"""Width and height of the box, colour scheme, seed; returns SVG elements."""

HALF_CIRCLE = "A1 1"
"""SVG widens a radius too small for its chord to a half circle, however the chord was rounded."""


def planet(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x, y = min(w, h) * 0.33, w * (0.42 + seed[0] % 17 / 100), h * 0.52
    tilt = -28 + seed[1] % 20
    ring = _ellipse(x, y, r * 1.75, r * 0.42)
    return (
        _stars(w, h, c, seed)
        + f'<g transform="rotate({tilt} {x:.0f} {y:.0f})">{_circle(x, y, r, c.primary)}'
        + f'<path d="M{x - r:.0f} {y:.0f}{HALF_CIRCLE} 0 0 0 {x + r:.0f} {y:.0f}Z" '
        + f'fill="{c.secondary}"/>'
        + f'<path d="{ring}" fill="none" stroke="{c.background}" stroke-width="9"/>'
        + f'<path d="{ring}" fill="none" stroke="{c.text}" stroke-width="2.5"/>'
        + f'<path d="M{x - r:.1f} {y:.0f}{HALF_CIRCLE} 0 0 1 {x + r:.1f} {y:.0f}Z" '
        + f'fill="{c.primary}"/></g>'
    )


def orbits(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y = w * 0.5, h * 0.5
    parts = [_circle(x, y, h * 0.09, c.primary)]
    for n in range(1, 6):
        r, turn = h * (0.09 + 0.12 * n), seed[n] / 256 * math.tau
        parts.append(_ring(x, y, r, c.secondary, 1.5))
        parts.append(
            _circle(x + r * math.cos(turn), y + r * math.sin(turn), 2 + seed[n + 6] % 5,
                    c.primary if n % 2 else c.text)
        )  # fmt: skip
    return "".join(parts)


def horizon_grid(w: int, h: int, c: Scheme, seed: bytes) -> str:
    level, r = h * 0.62, min(w, h) * 0.34
    lines = [f"M0 {level + (h - level) * (n / 6) ** 1.8:.1f}H{w}" for n in range(7)]
    lines += [f"M{w / 2 + 9 * n:.0f} {level:.0f}L{w / 2 + 46 * n:.0f} {h}" for n in range(-9, 10)]
    return (
        _circle(w / 2, level - r * 0.35, r, c.primary)
        + _rect(0, level, w, h - level, c.background)
        + f'<path d="{"".join(lines)}" stroke="{c.secondary}" stroke-width="1.5"/>'
    )


def mesas(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x = min(w, h) * 0.27, w * (0.3 + seed[0] % 40 / 100)
    near = [(0, 0.78), (0.16, 0.76), (0.2, 0.6), (0.42, 0.6), (0.46, 0.8), (0.7, 0.84), (1, 0.8)]
    far = [(0, 0.7), (0.52, 0.72), (0.57, 0.48), (0.64, 0.48), (0.68, 0.5), (0.86, 0.5), (0.9, 0.7),
           (1, 0.72)]  # fmt: skip
    return (
        _rect(0, 0, w, h, c.primary)
        + _circle(x, h * 0.42, r, c.text if _is_light(c.text) else c.background)
        + _land(w, h, far, c.secondary, bool(seed[1] % 2))
        + _land(w, h, near, c.background, bool(seed[1] % 2))
    )


def sliced_sun(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x, y = min(w, h) * 0.4, w / 2, h * 0.5
    cuts = "".join(
        _rect(0, y - r * 0.1 + n * r * 0.24, w, 1.5 + n * 2.2, c.background) for n in range(5)
    )
    return _circle(x, y, r, c.primary) + cuts


def star(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r = min(w, h) * 0.42
    return _ring(w / 2, h / 2, r, c.secondary, r * 0.1) + _star(
        w / 2, h / 2, r * 0.8, 5, 0.4, c.primary
    )


def starburst(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, points = min(w, h) * 0.46, 8 + 4 * (seed[0] % 2)
    return (
        _stars(w, h, c, seed)
        + _star(w / 2, h / 2, r, points, 0.3, c.secondary)
        + _star(w / 2, h / 2, r * 0.62, points, 0.3, c.primary, 0.5)
    )


def trees(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r = min(w, h) * 0.4
    trunks = "".join(
        f'<path d="M{x:.0f} 0L{x + 1 + seed[n + 2] % 5:.0f} {h}H{x - 4 - seed[n] % 8:.0f}'
        f'L{x - 3:.0f} 0Z" fill="{c.background}"/>'
        for n, x in enumerate(w * (0.08 + 0.13 * n) + seed[n + 9] % 9 for n in range(8))
    )
    return _circle(w * 0.52, h * 0.5, r, c.primary) + trunks


def claws(w: int, h: int, c: Scheme, seed: bytes) -> str:
    lean = 26 + seed[0] % 20
    return "".join(
        f'<path d="M{x + lean:.0f} {top:.0f}Q{x + 14:.0f} {h * 0.5:.0f} {x - lean:.0f} {foot:.0f}'
        f'Q{x + 2:.0f} {h * 0.45:.0f} {x + lean:.0f} {top:.0f}Z" fill="{c.primary}"/>'
        for x, top, foot in (
            (
                w * (0.26 + 0.16 * n),
                h * (0.1 + seed[n] % 9 / 100),
                h * (0.96 - seed[n + 4] % 16 / 100),
            )
            for n in range(4)
        )
    )


def doorway(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, top, foot, half = w * (0.4 + seed[0] % 25 / 100), h * 0.14, h * 0.66, w * 0.085
    return (
        f'<path d="M{x - half:.0f} {foot:.0f}H{x + half:.0f}L{x + half * 4.5:.0f} {h}'
        f'H{x - half * 2:.0f}Z" fill="{c.secondary}"/>'
        + _rect(x - half, top, 2 * half, foot - top, c.primary)
        + _circle(x, top + (foot - top) * 0.45, half * 0.3, c.background)
        + f'<path d="M{x - half * 0.4:.1f} {foot:.0f}L{x - half * 0.3:.1f} '
        f'{top + (foot - top) * 0.58:.1f}H{x + half * 0.3:.1f}L{x + half * 0.4:.1f} {foot:.0f}Z" '
        f'fill="{c.background}"/>'
    )


def pair(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r = min(w * 0.27, h * 0.36)
    gap, drop = r * (0.5 + seed[0] % 20 / 100), (seed[1] % 3 - 1) * h * 0.06
    x, y, other_x, other_y = w / 2 - gap, h / 2 - drop, w / 2 + gap, h / 2 + drop
    half, over = math.hypot(gap, drop), math.sqrt(r * r - gap * gap - drop * drop)
    ax, ay = w / 2 - drop / half * over, h / 2 + gap / half * over
    bx, by = w / 2 + drop / half * over, h / 2 - gap / half * over
    return (
        _circle(x, y, r, c.primary)
        + _circle(other_x, other_y, r, c.secondary)
        + f'<path d="M{ax:.1f} {ay:.1f}A{r:.1f} {r:.1f} 0 0 0 {bx:.1f} {by:.1f}A{r:.1f} {r:.1f} '
        f'0 0 0 {ax:.1f} {ay:.1f}Z" fill="{c.text}"/>'
    )


def petals(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, count = min(w, h) * 0.23, 6 + seed[0] % 3
    x, y = w / 2, h / 2
    leaves = "".join(
        f'<ellipse cx="{x:.0f}" cy="{y - r:.0f}" rx="{r * 0.42:.0f}" ry="{r * 0.95:.0f}" '
        f'fill="{c.secondary if n % 2 else c.primary}" '
        f'transform="rotate({360 * n / count:.0f} {x:.0f} {y:.0f})"/>'
        for n in range(count)
    )
    return leaves + _circle(x, y, r * 0.32, c.text)


def tiles(w: int, h: int, c: Scheme, seed: bytes) -> str:
    size = w / 4 if w > 150 else w / 3
    rows, colours = int(h // size), (c.primary, c.secondary, c.text, c.primary)
    return "".join(
        _tile(column * size, h - (row + 1) * size, size, colours[byte % 4], byte // 4 % 6)
        for row in range(rows)
        for column in range(round(w / size))
        for byte in [seed[(row * 5 + column * 3) % len(seed)] ^ (row * 37 + column * 11)]
    )


def rainbow(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, step = w / 2, min(w * 0.46, h * 0.8) / 5
    colours = (c.primary, c.secondary, c.text, c.primary, c.secondary)
    return "".join(
        _circle(x, h, step * (5 - n), colour) for n, colour in enumerate(colours)
    ) + _circle(x, h, step * 0.45, c.background)


def balls(w: int, h: int, c: Scheme, seed: bytes) -> str:
    discs = ((0.22, 0.66, 0.2), (0.62, 0.36, 0.27), (0.84, 0.8, 0.12), (0.3, 0.2, 0.1))
    colours = (c.primary, c.secondary, c.text, c.primary)
    turn = seed[0] % 4
    return "".join(
        _circle(w * (x if seed[1] % 2 else 1 - x), h * y, min(w, h) * r, colours[(n + turn) % 4])
        for n, (x, y, r) in enumerate(discs)
    )


def hills(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x = w * (0.3 + seed[0] % 40 / 100)
    return (
        _rect(0, 0, w, h, c.secondary)
        + _circle(x, h * 0.4, min(w, h) * 0.22, c.primary)
        + _circle(w * 0.12, h * 1.45, h * 0.8, c.text, 0.25)
        + _circle(w * 0.8, h * 1.6, h * 0.85, c.background)
    )


def smiles(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, colours = min(w / 4.6, h / 3.6), (c.primary, c.secondary, c.text)
    return "".join(
        f'<path d="M{x - r:.1f} {y:.1f}{HALF_CIRCLE} 0 0 0 {x + r:.1f} {y:.1f}Z" '
        f'fill="{colours[(seed[0] + row + column) % 3]}"'
        + (
            f' transform="rotate(180 {x:.1f} {y + r / 2:.1f})"/>'
            if seed[row] >> column & 1
            else "/>"
        )
        for row in range(3)
        for column in range(2)
        for x, y in [(w / 2 + (2 * column - 1) * r * 1.06, h / 2 + (row - 1.45) * r * 1.1)]
    )


def odd_one(w: int, h: int, c: Scheme, seed: bytes) -> str:
    columns, step = 5, w / 6
    rows = max(2, int(h / step) - 1)
    odd, top = seed[0] % (rows * columns), (h - (rows - 1) * step) / 2
    return "".join(
        _circle(x, y, step * 0.36, c.primary)
        if n != odd
        else _rect(x - step * 0.34, y - step * 0.34, step * 0.68, step * 0.68, c.text)
        for n in range(rows * columns)
        for x, y in [(step * (1 + n % columns), top + step * (n // columns))]
    )


def blinds(w: int, h: int, c: Scheme, seed: bytes) -> str:
    count = 7
    step, lean = h / count, 10 + seed[0] % 14
    return "".join(
        f'<path d="M{-9} {y + lean:.0f}L{w + 9} {y - lean:.0f}V{y - lean + step * 0.46:.0f}'
        f'L{-9} {y + lean + step * 0.46:.0f}Z" fill="{c.primary if n in lit else c.secondary}"/>'
        for lit in [{2 + seed[1] % 2, 3 + seed[1] % 2}]
        for n, y in enumerate(step * (m + 0.2) for m in range(count))
    )


def lamp(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, top = w * (0.35 + seed[0] % 30 / 100), h * 0.2
    return (
        f'<path d="M{x:.0f} {top:.0f}L{x + w * 0.42:.0f} {h}H{x - w * 0.42:.0f}Z" '
        f'fill="{c.secondary}"/>'
        + f'<path d="M{x:.0f} {top:.0f}L{x + w * 0.2:.0f} {h}H{x - w * 0.2:.0f}Z" '
        f'fill="{c.primary}"/>'
        + _rect(x - 1, 0, 2, top, c.text)
        + f'<path d="M{x - 20:.0f} {top + 14:.0f}A20 20 0 0 1 {x + 20:.0f} {top + 14:.0f}Z" '
        f'fill="{c.text}"/>'
    )


def skyline(w: int, h: int, c: Scheme, seed: bytes) -> str:
    moon = _circle(w * (0.25 + seed[15] % 50 / 100), h * 0.32, min(w, h) * 0.19, c.primary)
    far = "".join(
        _rect(n * w / 6, h * (0.36 + seed[n] % 30 / 100), w / 6 + 0.5, h, c.secondary)
        for n in range(6)
    )
    lights = "".join(
        _rect(w * (column + 0.36) / 6, h * (0.74 + 0.07 * row), w * 0.02, h * 0.03, c.primary)
        + _rect(w * (column + 0.56) / 6, h * (0.74 + 0.07 * row), w * 0.02, h * 0.03, c.primary)
        for row in range(3)
        for column in [seed[row + 7] % 6]
    )
    return moon + far + lights


def ripples(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y = w * (0.3 + seed[0] % 40 / 100), h * 0.55
    return "".join(
        _ring(
            x + n * 1.5,
            y - n,
            min(w, h) * (0.06 + 0.085 * n),
            c.primary if n < 5 else c.secondary,
            4,
        )
        for n in range(9)
    )


def spiral(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y, step = w / 2, h / 2, min(w, h) * 0.92 / 9
    turns = "".join(
        f"a{step * n / 2:.1f} {step * n / 2:.1f} 0 0 {seed[0] % 2} "
        f"{step * n * (1 if n % 2 else -1):.1f} 0"
        for n in range(1, 10)
    )
    return (
        f'<path d="M{x - step / 2:.1f} {y:.1f}{turns}" fill="none" stroke="{c.primary}" '
        f'stroke-width="{step * 0.46:.1f}" stroke-linecap="round"/>'
    )


def stairs(w: int, h: int, c: Scheme, seed: bytes) -> str:
    count = 6
    steps = "".join(
        _rect(w * n / count, h * (0.86 - 0.125 * n), w / count + 1, h, c.secondary)
        for n in range(count)
    )
    figure = (
        _circle(w * 3.5 / count, h * 0.485 - 17, 4.5, c.text)
        + f'<path d="M{w * 3.5 / count - 5:.0f} {h * 0.485:.0f}l2-11h6l2 11z" fill="{c.text}"/>'
    )
    elements = _circle(w * 0.3, h * 0.3, min(w, h) * 0.16, c.primary) + steps + figure
    return _mirrored(w, elements) if seed[0] % 2 else elements


def tunnel(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y = w * (0.35 + seed[0] % 30 / 100), h * 0.5
    return "".join(
        f'<path d="M{x:.0f} {y:.0f}L{x + 400 * math.cos(turn):.0f} {y + 400 * math.sin(turn):.0f}'
        f'L{x + 400 * math.cos(turn + 0.17):.0f} {y + 400 * math.sin(turn + 0.17):.0f}Z" '
        f'fill="{c.secondary}"/>'
        for turn in (math.tau * n / 18 for n in range(18))
    ) + _circle(x, y, min(w, h) * 0.18, c.primary)


def keyhole(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r = min(w, h) * 0.15
    x, y = w / 2, h * 0.4
    return (
        _circle(x, h / 2, min(w, h) * 0.43, c.secondary)
        + _circle(x, y, r, c.primary)
        + f'<path d="M{x:.0f} {y:.0f}L{x + r * 1.05:.0f} {y + r * 2.7:.0f}H{x - r * 1.05:.0f}Z" '
        f'fill="{c.primary}"/>'
    )


def nested(w: int, h: int, c: Scheme, seed: bytes) -> str:
    size, dx, dy = min(w, h) * 0.9, seed[0] % 3 - 1, seed[1] % 3 - 1
    colours = (c.secondary, c.background, c.primary, c.background, c.secondary, c.primary)
    return "".join(
        _rect((w - side) / 2 + dx * n * size * 0.045, (h - side) / 2 + dy * n * size * 0.045, side,
              side, colour)
        for n, colour in enumerate(colours)
        for side in [size * (1 - 0.165 * n)]
    )  # fmt: skip


def eye(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y, half, lift = w / 2, h / 2, min(w * 0.44, h * 0.6), min(w, h) * 0.46
    return (
        f'<path d="M{x - half:.0f} {y:.0f}Q{x:.0f} {y - lift:.0f} {x + half:.0f} {y:.0f}'
        f'Q{x:.0f} {y + lift:.0f} {x - half:.0f} {y:.0f}Z" fill="{c.secondary}"/>'
        + _circle(x, y, lift * 0.42, c.primary)
        + _circle(x, y, lift * 0.18, c.background)
    )


def chevrons(w: int, h: int, c: Scheme, seed: bytes) -> str:
    step, drop = h / 5, w * 0.2
    thick = step * 0.5
    return "".join(
        f'<path d="M{w * 0.08:.0f} {y:.0f}L{w / 2:.0f} {y + drop:.0f}L{w * 0.92:.0f} {y:.0f}v'
        f'{thick:.0f}L{w / 2:.0f} {y + drop + thick:.0f}L{w * 0.08:.0f} {y + thick:.0f}Z" '
        f'fill="{c.primary if n % 3 == seed[0] % 3 else c.secondary}"/>'
        for n, y in enumerate(step * (m + 0.3) for m in range(4))
    )


def ranks(w: int, h: int, c: Scheme, seed: bytes) -> str:
    step = w / 7
    rows = max(3, int((h - step) / step))
    gone, top = seed[0] % (rows * 6), (h - rows * step) / 2
    return "".join(
        f'<path d="M{x:.0f} {y:.0f}l{step * 0.3:.1f} {step * 0.62:.1f}h-{step * 0.6:.1f}Z" '
        f'fill="{c.primary if n == gone else c.secondary}"/>'
        for n in range(rows * 6)
        for x, y in [(step * (1 + n % 6), top + step * (n // 6))]
    )


def rays(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y, count = w * (0.3 + seed[0] % 40 / 100), h, 9
    beams = "".join(
        f'<path d="M{x:.0f} {y}L{x - 420 * math.cos(a):.0f} {y - 420 * math.sin(a):.0f}'
        f'L{x - 420 * math.cos(b):.0f} {y - 420 * math.sin(b):.0f}Z" fill="{c.secondary}"/>'
        for n in range(count)
        for a, b in [(math.pi * n / count + 0.04, math.pi * (n + 0.5) / count + 0.04)]
    )
    return beams + _circle(x, y, min(w, h) * 0.38, c.primary)


def columns(w: int, h: int, c: Scheme, seed: bytes) -> str:
    count, step = 5, w / 6
    shafts = "".join(
        _rect(
            step * (n + 0.72),
            h * 0.36,
            step * 0.56,
            h * 0.5,
            c.primary if n != gone else c.secondary,
        )
        for gone in [seed[0] % count]
        for n in range(count)
    )
    gable = [(step * 0.4, h * 0.28), (w / 2, h * 0.08), (w - step * 0.4, h * 0.28)]
    return (
        f'<path d="{_polygon(gable)}" fill="{c.secondary}"/>'
        + _rect(step * 0.4, h * 0.295, w - step * 0.8, h * 0.04, c.primary)
        + shafts
        + _rect(step * 0.4, h * 0.88, w - step * 0.8, h * 0.04, c.primary)
    )


def steps(w: int, h: int, c: Scheme, seed: bytes) -> str:
    levels = 6
    pile = "".join(
        _rect(w * 0.075 * n, h * (0.9 - 0.105 * n), w * (1 - 0.15 * n), h * 0.105 + 0.5,
              c.secondary if n % 2 else c.background)
        for n in range(-1, levels)
    )  # fmt: skip
    return _rect(0, 0, w, h, c.primary) + _circle(w / 2, h * 0.36, min(w, h) * 0.2, c.text) + pile


def arch(w: int, h: int, c: Scheme, seed: bytes) -> str:
    colours = (c.secondary, c.primary, c.secondary, c.background)
    widest = min(w * 0.42, h * 0.42)
    return "".join(
        f'<path d="M{w / 2 - r:.0f} {h}V{top + r:.0f}{HALF_CIRCLE} 0 0 1 {w / 2 + r:.0f} '
        f'{top + r:.0f}V{h}Z" fill="{colour}"/>'
        for n, colour in enumerate(colours)
        for r, top in [(widest * (1 - 0.22 * n), h * (0.1 + 0.085 * n))]
    )


def halftone(w: int, h: int, c: Scheme, seed: bytes) -> str:
    step = w / 9
    rows = int(h / step)
    x, y = w * (0.25 + seed[0] % 50 / 100), h * (0.3 + seed[1] % 40 / 100)
    dots = "".join(
        f'<circle cx="{px:.0f}" cy="{py:.0f}" r="{r:.1f}"/>'
        for n in range(8 * rows)
        for px, py in [(step * (1 + n % 8), (h - (rows - 1) * step) / 2 + step * (n // 8))]
        for r in [step * max(0.08, 0.5 - math.hypot(px - x, py - y) / (1.5 * h))]
    )
    return f'<g fill="{c.primary}">{dots}</g>'


def contours(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y = w * (0.35 + seed[0] % 30 / 100), h * 0.5
    return "".join(
        f'<path d="{_ellipse(x, y, 14 + 17 * n, 8 + 13 * n)}" fill="none" '
        f'stroke="{c.primary if n % 3 == 0 else c.secondary}" '
        f'stroke-width="{3 if n % 3 == 0 else 1.5}" '
        f'transform="rotate({-20 - 5 * n + seed[1] % 30} {x:.0f} {y:.0f})"/>'
        for n in range(9)
    )


def lens(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x, y = min(w, h) * 0.42, w / 2, h / 2
    blades = "".join(
        f'<path d="M{x + r * math.cos(a):.0f} {y + r * math.sin(a):.0f}'
        f'L{x + r * 0.42 * math.cos(a + 1.15):.0f} {y + r * 0.42 * math.sin(a + 1.15):.0f}"/>'
        for a in (math.tau * n / 6 + seed[0] / 256 for n in range(6))
    )
    hole = _polygon(
        (x + r * 0.42 * math.cos(a), y + r * 0.42 * math.sin(a))
        for a in (math.tau * n / 6 + seed[0] / 256 + 1.15 for n in range(6))
    )
    return (
        _circle(x, y, r, c.secondary)
        + f'<g stroke="{c.background}" stroke-width="3">{blades}</g>'
        + f'<path d="{hole}" fill="{c.primary}" stroke="{c.background}" stroke-width="3"/>'
    )


def vinyl(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x, y = min(w, h) * 0.62, w * (0.62 if seed[0] % 2 else 0.38), h * 0.52
    grooves = "".join(_ring(x, y, r * (0.42 + 0.11 * n), c.background, 1.5) for n in range(5))
    return (
        _circle(x, y, r, c.secondary)
        + grooves
        + _circle(x, y, r * 0.31, c.primary)
        + _circle(x, y, r * 0.05, c.background)
    )


def equalizer(w: int, h: int, c: Scheme, seed: bytes) -> str:
    count = 9
    step = w / (count + 1)
    return "".join(
        f'<rect x="{step * (n + 0.7):.0f}" y="{h / 2 - height / 2:.0f}" width="{step * 0.6:.1f}" '
        f'height="{height:.0f}" rx="{step * 0.3:.1f}" '
        f'fill="{c.secondary if n % 3 else c.primary}"/>'
        for n in range(count)
        for height in [
            h * (0.16 + seed[n] / 256 * 0.64 * math.sin(math.pi * (n + 1) / (count + 1)))
        ]
    )


def waves(w: int, h: int, c: Scheme, seed: bytes) -> str:
    step, high = w / 4, h * 0.1
    return "".join(
        f'<path d="M{-step:.0f} {y:.0f}'
        + f"q{step / 2:.0f} {-high * (n + 1) / 3:.0f} {step:.0f} 0"
        + f"t{step:.0f} 0" * 5
        + f'" fill="none" stroke="{c.primary if n % 2 else c.secondary}" stroke-width="6"/>'
        for n, y in enumerate(h * (0.16 + 0.14 * m) for m in range(6))
    )


def lanes(w: int, h: int, c: Scheme, seed: bytes) -> str:
    return "".join(
        _ring(w * 0.1, h * 1.02, h * (0.2 + 0.16 * n), colour, h * 0.1)
        for n in range(7)
        for colour in [c.primary if n == seed[0] % 4 + 1 else c.secondary]
    )


def slashes(w: int, h: int, c: Scheme, seed: bytes) -> str:
    count, lean = 5, h * 0.45
    colours = (c.secondary, c.primary, c.secondary, c.primary, c.secondary)
    return "".join(
        f'<path d="M{x + lean:.0f} {top:.0f}h{thick}L{x + thick - lean:.0f} {foot:.0f}h-{thick}Z" '
        f'fill="{colours[n]}"/>'
        for n in range(count)
        for thick in [6 + seed[n] % 18]
        for x, top, foot in [(w * (0.06 + 0.19 * n), h * (seed[n + 5] % 20) / 100 - 9, h + 9)]
    )


def target(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y, r = w * (0.4 + seed[0] % 20 / 100), h * 0.5, min(w, h) * 0.46
    discs = "".join(
        _circle(x, y, r * (1 - 0.24 * n), c.secondary if n % 2 == 0 else c.background)
        for n in range(3)
    )
    return (
        discs
        + _circle(x, y, r * 0.26, c.primary)
        + f'<path d="M0 {y:.0f}H{w}M{x:.0f} 0V{h}" stroke="{c.primary}" stroke-width="2"/>'
    )


def phases(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x, y = min(w, h) * 0.34, w / 2, h * 0.5
    shift = r * (0.45 + seed[0] % 30 / 100) * (1 if seed[1] % 2 else -1)
    return (
        _stars(w, h, c, seed)
        + _circle(x, y, r * 1.2, c.secondary)
        + _circle(x, y, r, c.primary)
        + _circle(x + shift, y - r * 0.2, r * 0.86, c.secondary)
    )


def peaks(w: int, h: int, c: Scheme, seed: bytes) -> str:
    tip = 0.3 + seed[0] % 40 / 100
    far = [(0, 0.75), (tip - 0.3, 0.55), (tip - 0.16, 0.64), (tip + 0.28, 0.36), (1, 0.74)]
    near = [
        (0, 0.92),
        (tip - 0.2, 0.78),
        (tip, 0.56),
        (tip + 0.2, 0.8),
        (tip + 0.3, 0.74),
        (1, 0.95),
    ]
    return (
        _rect(0, 0, w, h, c.secondary)
        + _circle(w * (1 - tip), h * 0.3, min(w, h) * 0.15, c.primary)
        + _land(w, h, far, c.primary, False, 0.5)
        + _land(w, h, near, c.background, False)
    )


def sea(w: int, h: int, c: Scheme, seed: bytes) -> str:
    level, r = h * 0.55, min(w, h) * 0.27
    x = w * (0.3 + seed[0] % 40 / 100)
    swell = "".join(
        f'<path d="M{-20 - 10 * (n % 2)} {level + n * h * 0.13:.0f}'
        + f"q{w / 12:.0f} {-h * 0.05:.0f} {w / 6:.0f} 0"
        + f"t{w / 6:.0f} 0" * 7
        + f'V{h}H-30Z" fill="{c.secondary if n % 2 == 0 else c.background}"/>'
        for n in range(4)
    )
    return _circle(x, level - r * 0.45, r, c.primary) + swell


def compass(w: int, h: int, c: Scheme, seed: bytes) -> str:
    r, x, y, turn = min(w, h) * 0.42, w / 2, h / 2, 15 + seed[0] % 50
    return (
        _ring(x, y, r, c.secondary, 5)
        + _star(x, y, r * 0.62, 4, 0.3, c.secondary, 0.785)
        + f'<g transform="rotate({turn} {x:.0f} {y:.0f})">'
        + f'<path d="M{x:.0f} {y - r * 0.88:.0f}l{r * 0.2:.0f} {r * 0.88:.0f}h-{r * 0.4:.0f}Z" '
        f'fill="{c.primary}"/>'
        + f'<path d="M{x:.0f} {y + r * 0.88:.0f}l{r * 0.2:.0f} -{r * 0.88:.0f}h-{r * 0.4:.0f}Z" '
        f'fill="{c.text}"/></g>'
    )


def window(w: int, h: int, c: Scheme, seed: bytes) -> str:
    x, y, width, height = w * (0.14 + seed[0] % 24 / 100), h * 0.1, w * 0.36, h * 0.5
    floor = [
        (x + 6, h * 0.7),
        (x + 6 + width, h * 0.7),
        (x + 6 + width * 1.6, h),
        (x + width * 0.4, h),
    ]
    bars = f"M{x + width / 2:.0f} {y:.0f}v{height:.0f}M{x:.0f} {y + height * 0.4:.0f}h{width:.0f}"
    return (
        f'<path d="{_polygon(floor)}" fill="{c.secondary}"/>'
        + _rect(x, y, width, height, c.primary)
        + f'<path d="{bars}" stroke="{c.background}" stroke-width="4"/>'
    )


def reflection(w: int, h: int, c: Scheme, seed: bytes) -> str:
    level, r = h * 0.56, min(w, h) * 0.3
    x = w * (0.35 + seed[0] % 30 / 100)
    glints = "".join(
        _rect(x - r * (0.95 - 0.16 * n), level + 7 + h * 0.075 * n, r * (1.9 - 0.32 * n), h * 0.03,
              c.primary)
        for n in range(5)
    )  # fmt: skip
    return (
        f'<path d="M{x - r:.1f} {level:.0f}{HALF_CIRCLE} 0 0 1 {x + r:.1f} {level:.0f}Z" '
        f'fill="{c.primary}"/>' + _rect(0, level, w, 2, c.secondary) + glints
    )


def fields(w: int, h: int, c: Scheme, seed: bytes) -> str:
    split, edge = 0.3 + seed[0] % 35 / 100, w * 0.08
    upper, lower = (c.primary, c.secondary) if seed[1] % 2 else (c.secondary, c.primary)
    top, foot = h * 0.09, h * 0.96
    middle = top + (foot - top) * split
    return _rect(edge, top, w - 2 * edge, middle - top - 3, upper) + _rect(
        edge, middle + 3, w - 2 * edge, foot - middle - 3, lower
    )


def curtain(w: int, h: int, c: Scheme, seed: bytes) -> str:
    count, open_at = 10, 3 + seed[0] % 4
    folds = "".join(
        _rect(w * n / count, 0, w / count + 0.5, h, c.secondary if n % 2 else c.background)
        for n in range(count)
        if n not in (open_at, open_at + 1)
    )
    x = w * (open_at + 1) / count
    return (
        _rect(w * open_at / count, 0, w * 2 / count, h, c.primary)
        + folds
        + _circle(x, h * 0.62, 6.5, c.background)
        + f'<path d="M{x - 9:.0f} {h}L{x - 6:.0f} {h * 0.62 + 9:.0f}H{x + 6:.0f}L{x + 9:.0f} {h}Z" '
        f'fill="{c.background}"/>'
    )


MOTIFS: dict[str, Motif] = {
    motif.__name__: motif
    for motif in (
        arch, balls, blinds, chevrons, claws, columns, compass, contours, curtain, doorway,
        equalizer, eye, fields, halftone, hills, horizon_grid, keyhole, lamp, lanes, lens, mesas,
        nested, odd_one, orbits, pair, peaks, petals, phases, planet, rainbow, ranks, rays,
        reflection, ripples, sea, skyline, slashes, sliced_sun, smiles, spiral, stairs, star,
        starburst, steps, target, tiles, trees, tunnel, vinyl, waves, window,
    )
}  # fmt: skip


def _circle(x: float, y: float, r: float, fill: str, opacity: float = 1) -> str:
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{r:.1f}" fill="{fill}"{faint}/>'


def _ring(x: float, y: float, r: float, stroke: str, thick: float) -> str:
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{r:.1f}" fill="none" stroke="{stroke}" '
        f'stroke-width="{thick:.3g}"/>'
    )


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
    )


def _ellipse(x: float, y: float, rx: float, ry: float) -> str:
    arc = f"A{rx * 0.9:.1f} {ry * 0.9:.1f} 0 0 1"
    return f"M{x - rx:.0f} {y:.0f}{arc} {x + rx:.0f} {y:.0f}{arc} {x - rx:.0f} {y:.0f}Z"


def _polygon(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points) + "Z"


def _land(
    w: int,
    h: int,
    ridge: list[tuple[float, float]],
    fill: str,
    is_mirrored: bool,
    opacity: float = 1,
) -> str:
    """Land below a ridge down to the box's lower edge; ridge points are shares of `w` and `h`."""
    points = [((1 - x if is_mirrored else x) * w, y * h) for x, y in ridge]
    path = _polygon([*points, (points[-1][0], h + 1), (points[0][0], h + 1)])
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    return f'<path d="{path}" fill="{fill}"{faint}/>'


def _star(
    x: float, y: float, r: float, points: int, waist: float, fill: str, turn: float = 0
) -> str:
    path = _polygon(
        (x + reach * math.sin(a), y - reach * math.cos(a))
        for n in range(2 * points)
        for a, reach in [(math.pi * n / points + turn, r if n % 2 == 0 else r * waist)]
    )
    return f'<path d="{path}" fill="{fill}"/>'


def _stars(w: int, h: int, c: Scheme, seed: bytes) -> str:
    return "".join(
        _circle(seed[n] / 256 * w, seed[n + 9] / 256 * h, 0.8 + seed[n] % 3 * 0.4, c.text, 0.8)
        for n in range(9)
    )


def _tile(x: float, y: float, size: float, fill: str, kind: int) -> str:
    """A quarter disc in one of four corners (kinds 0 to 3), a disc (4), or half a square (5)."""
    s, left, top, right, foot = f"{size:.0f}", f"{x:.0f}", f"{y:.0f}", x + size, y + size
    paths = (
        f"M{left} {top}h{s}A{s} {s} 0 0 1 {left} {foot:.0f}Z",
        f"M{right:.0f} {top}v{s}A{s} {s} 0 0 1 {left} {top}Z",
        f"M{right:.0f} {foot:.0f}h-{s}A{s} {s} 0 0 1 {right:.0f} {top}Z",
        f"M{left} {foot:.0f}v-{s}A{s} {s} 0 0 1 {right:.0f} {foot:.0f}Z",
        _ellipse(x + size / 2, y + size / 2, size / 2, size / 2),
        f"M{left} {top}h{s}L{left} {foot:.0f}Z",
    )
    return f'<path d="{paths[kind]}" fill="{fill}"/>'


def _mirrored(w: int, elements: str) -> str:
    return f'<g transform="matrix(-1 0 0 1 {w} 0)">{elements}</g>'


def _is_light(colour: str) -> bool:
    """Return True if the mean of red, green and blue is above half."""
    return sum(int(colour[n : n + 2], 16) for n in (1, 3, 5)) > 3 * 128

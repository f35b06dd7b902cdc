"""Metric values as text: a number and its unit in, what tables, figures and charts show out."""

import math
from typing import NamedTuple

from webapp.metrics.definitions import Unit

NO_VALUE = "–"
MOST_STEPS = 5


class _Format(NamedTuple):
    """How values up to `limit` are shown: times `factor`, with `decimals` and `suffix`."""

    limit: float
    factor: float
    decimals: int
    suffix: str


FORMATS: dict[Unit, tuple[_Format, ...]] = {
    "share": (_Format(0.1, 100, 2, " %"), _Format(math.inf, 100, 1, " %")),
    "seconds": (_Format(120, 1, 1, " s"), _Format(math.inf, 1 / 60, 1, " min")),
    "milliseconds": (_Format(math.inf, 1, 0, " ms"),),
    "hours": (_Format(math.inf, 1, 1, " h"),),
    "bits": (_Format(math.inf, 1, 2, " bits"),),
    "characters": (_Format(math.inf, 1, 1, ""),),
    "titles": (_Format(10, 1, 2, ""), _Format(100, 1, 1, ""), _Format(math.inf, 1, 0, "")),
    "index": (_Format(math.inf, 1, 3, ""),),
}


class Tick(NamedTuple):
    """A labelled value of a chart's vertical axis."""

    at: float
    label: str


def format_value(value: float | None, unit: Unit) -> str:
    """Return the value with its unit; a dash for None and NaN, which are not 0."""
    if value is None or math.isnan(value):
        return NO_VALUE
    shown = _format_for(value, unit)
    return f"{value * shown.factor:.{shown.decimals}f}{shown.suffix}"


def axis_ticks(top: float, unit: Unit) -> list[Tick]:
    """Return round values from 0 to `top`, positive, with just the decimals that they need."""
    shown = _format_for(top, unit)
    step = _round_step(top * shown.factor / MOST_STEPS)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step, decimals) != round(step, decimals + 1):  # 2.5
        decimals += 1
    return [
        Tick(n * step / shown.factor, f"{n * step:.{decimals}f}{shown.suffix}")
        for n in range(int(top * shown.factor / step + 1e-9) + 1)
    ]


def _format_for(value: float, unit: Unit) -> _Format:
    return next((shown for shown in FORMATS[unit] if abs(value) < shown.limit), FORMATS[unit][-1])


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that is `least` or more."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= least * (1 - 1e-9))

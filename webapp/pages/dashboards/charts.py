"""Charts as data: estimates in; one chart's script data, table and CSV file out."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from webapp.metrics.definitions import Metric, Unit
from webapp.metrics.estimates import RatioEstimate
from webapp.metrics.formatting import axis_ticks, format_value

Kind = Literal["line", "bars"]
HEADROOM = 1.15
"""Where an axis ends, times the greatest value."""


@dataclass(frozen=True)
class Line:
    """A named row of values, with their intervals where they have some."""

    label: str
    points: Sequence[RatioEstimate]

    @property
    def has_interval(self) -> bool:
        return any(point.low is not None and point.high is not None for point in self.points)


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        id: unique on its page; names the CSV file.
        title: for people.
        meaning: what it defines, for whoever asks.
        across: what the horizontal axis counts.
        at: days, numbers or names along it.
        lines: what is drawn.
        unit: of all values.
        kind: lines over days or numbers, bars over names.
        note: more words on it.
        is_of_visits: whether it shows visits, real or simulated; else it shows training.
    """

    id: str
    title: str
    meaning: str
    across: str
    at: Sequence[date] | Sequence[float] | Sequence[str]
    lines: Sequence[Line]
    unit: Unit = "share"
    kind: Kind = "line"
    note: str = ""
    is_of_visits: bool = True

    @property
    def is_empty(self) -> bool:
        return all(point.value is None for line in self.lines for point in line.points)

    @property
    def data(self) -> dict[str, Any]:
        """What the script draws, with every value's label; null where nothing counts."""
        return {
            "kind": self.kind,
            "top": self._top,
            "ticks": [tick._asdict() for tick in axis_ticks(self._top, self.unit)],
            "at": [str(at) if isinstance(at, date) else at for at in self.at],
            "are_days": bool(self.at) and isinstance(self.at[0], date),
            "across": self.across,
            "lines": [
                {
                    "label": line.label,
                    "values": [rounded(p.value) for p in line.points],
                    "labels": [format_value(p.value, self.unit) for p in line.points],
                    "low": [rounded(p.low) for p in line.points] if line.has_interval else None,
                    "high": [rounded(p.high) for p in line.points] if line.has_interval else None,
                }
                for line in self.lines
            ],
        }

    @property
    def _top(self) -> float:
        """Where the vertical axis ends: above the greatest value, or at 100 %."""
        values = (
            value
            for line in self.lines
            for point in line.points
            for value in (point.value, point.high)
            if value is not None and value > 0
        )
        greatest = max(values, default=1.0)
        top = greatest * HEADROOM
        return min(top, max(1.0, greatest)) if self.unit == "share" else top

    @property
    def columns(self) -> list[str]:
        return [
            self.across,
            *(
                name
                for line in self.lines
                for name in ([line.label, "95 % interval"] if line.has_interval else [line.label])
            ),
        ]

    @property
    def rows(self) -> list[list[str]]:
        """The table's rows, formatted."""
        return [
            [
                str(at),
                *(
                    text
                    for line in self.lines
                    for text in _cells(line.points[n], self.unit, line.has_interval)
                ),
            ]
            for n, at in enumerate(self.at)
        ]

    def as_csv(self) -> str:
        """Return every number in full: value, interval, numerator, denominator; empty for null."""
        file = io.StringIO()
        writer = csv.writer(file)
        parts = ("value", "low", "high", "numerator", "denominator")
        heads = [self.across, *(f"{line.label}: {p}" for line in self.lines for p in parts)]
        writer.writerow([as_text(head) for head in heads])
        for n, at in enumerate(self.at):
            numbers = (getattr(line.points[n], part) for line in self.lines for part in parts)
            cells = ("" if number is None else number for number in numbers)
            writer.writerow([as_text(at) if isinstance(at, str) else at, *cells])
        return file.getvalue()


@dataclass(frozen=True)
class Figure:
    """A number at the head of a page, its interval, and how it was before."""

    label: str
    meaning: str
    now: RatioEstimate
    unit: Unit
    detail: str = ""
    before: RatioEstimate = field(default_factory=RatioEstimate)
    is_better_low: bool | None = None

    @property
    def value(self) -> str:
        return format_value(self.now.value, self.unit)

    @property
    def interval(self) -> str:
        return interval(self.now, self.unit)

    @property
    def change(self) -> str:
        """The value of the period before; empty if either is unknown."""
        if self.now.value is None or self.before.value is None:
            return ""
        return f"{format_value(self.before.value, self.unit)} in the period before"

    @property
    def trend(self) -> str:
        """better, worse, or empty if the intervals overlap."""
        ends = (self.now.low, self.now.high, self.before.low, self.before.high)
        if self.is_better_low is None or any(end is None for end in ends):
            return ""
        low, high, low_before, high_before = (float(end or 0) for end in ends)
        if low <= high_before and low_before <= high:
            return ""
        return "better" if (high < low_before) == self.is_better_low else "worse"


def of_metric(
    metric: Metric,
    at: Sequence[date],
    lines: Iterable[tuple[str, Sequence[RatioEstimate]]],
    **more: Any,
) -> Chart:
    """Return a metric's chart by day, with its own words."""
    return Chart(
        more.pop("id", metric.name),
        more.pop("title", metric.label),
        f"{metric.meaning} Counted of: {metric.of}.",
        "Day",
        at,
        [Line(label, points) for label, points in lines],
        metric.unit,
        **more,
    )


def by_name(
    metric: Metric, slices: Sequence[tuple[str, RatioEstimate]], across: str, **more: Any
) -> Chart:
    """Return a metric's bars by slice."""
    return Chart(
        more.pop("id", f"{metric.name}-by-{across.lower().replace(' ', '-')}"),
        more.pop("title", f"{metric.label} by {across.lower()}"),
        f"{metric.meaning} Counted of: {metric.of}.",
        across,
        [name for name, _ in slices],
        [Line(metric.label, [point for _, point in slices])],
        metric.unit,
        "bars",
        **more,
    )


def interval(estimate: RatioEstimate, unit: Unit) -> str:
    """Return the 95 % interval; empty if there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{format_value(estimate.low, unit)} to {format_value(estimate.high, unit)}"


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: such a one gets an apostrophe."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


def rounded(value: float | None) -> float | None:
    """Return six significant digits, enough to draw."""
    return None if value is None or math.isnan(value) else float(f"{value:.6g}")


def _cells(estimate: RatioEstimate, unit: Unit, has_interval: bool) -> list[str]:
    value = format_value(estimate.value, unit)
    return [value, interval(estimate, unit) or "–"] if has_interval else [value]

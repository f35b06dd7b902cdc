"""Daily metrics of a period, read once: totals, by day, and by slice, with their intervals."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from webapp.metrics.definitions import METRICS
from webapp.metrics.estimates import NOTHING, RatioEstimate, Sums, estimate
from webapp.metrics.models import DailyMetric, DailyTimes
from webapp.metrics.times import Curve, kaplan_meier

Key = tuple[str, str, str, date]
"""Metric, dimension, slice, day."""


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    @classmethod
    def ending(cls, last: date, days: int) -> "Period":
        return cls(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> "Period":
        """Return the period of the same length that ends where this one begins."""
        return Period.ending(self.first - timedelta(days=1), len(self.days))


@dataclass(frozen=True)
class Readings:
    """Sums read once, and the questions asked of them.

    Attributes:
        period: the days that a page shows.
        sums: by metric, dimension, slice and day; of the period before too, where asked for.
    """

    period: Period
    sums: dict[Key, Sums] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        period: Period,
        *,
        is_simulated: bool,
        metrics: Collection[str],
        dimensions: Collection[str] = ("all",),
        with_before: bool = False,
    ) -> "Readings":
        """Read the sums of these metrics. One query."""
        first = period.before.first if with_before else period.first
        rows = DailyMetric.objects.filter(
            day__gte=first,
            day__lte=period.last,
            is_simulated=is_simulated,
            metric__in=metrics,
            dimension__in=dimensions,
        ).values_list("metric", "dimension", "slice", "day", *Sums._fields)
        return cls(period, {(m, d, s, day): Sums(*sums) for m, d, s, day, *sums in rows})

    def total(
        self, metric: str, dimension: str = "all", part: str = "", period: Period | None = None
    ) -> RatioEstimate:
        """Return the metric over the whole period."""
        parts = (
            self.sums.get((metric, dimension, part, day)) for day in (period or self.period).days
        )
        return _estimate(metric, parts)

    def by_day(self, metric: str, dimension: str = "all", part: str = "") -> list[RatioEstimate]:
        """Return the metric of each day, in their order."""
        return [
            _estimate(metric, [self.sums.get((metric, dimension, part, day))])
            for day in self.period.days
        ]

    def latest(
        self, metric: str, dimension: str = "all", part: str = ""
    ) -> tuple[date | None, RatioEstimate]:
        """Return the last day of the period that the metric has a value on, and that."""
        for day in reversed(self.period.days):
            if (metric, dimension, part, day) in self.sums:
                return day, _estimate(metric, [self.sums[metric, dimension, part, day]])
        return None, NOTHING

    def slices(self, metric: str, dimension: str) -> list[str]:
        """Return the slices that have values in the period, numbers in their order."""
        slices = {
            part
            for name, dim, part, day in self.sums
            if name == metric and dim == dimension and self.period.first <= day
        }
        return sorted(slices, key=lambda part: (not part[:2].strip().isdigit(), len(part), part))

    def by_slice(self, metric: str, dimension: str) -> list[tuple[str, RatioEstimate]]:
        return [
            (part, self.total(metric, dimension, part)) for part in self.slices(metric, dimension)
        ]


@dataclass(frozen=True)
class Times:
    """Times to play of a period: counts in bins by day."""

    period: Period
    counts: dict[date, tuple[Sequence[int], Sequence[int]]]

    @classmethod
    def of(
        cls, period: Period, *, is_simulated: bool, dimension: str = "all", part: str = ""
    ) -> "Times":
        """Read the counts, of the period before too. One query."""
        rows = DailyTimes.objects.filter(
            day__gte=period.before.first,
            day__lte=period.last,
            is_simulated=is_simulated,
            dimension=dimension,
            slice=part,
        ).values_list("day", "played", "left")
        return cls(period, {day: (played, left) for day, played, left in rows})

    @classmethod
    def by_slice(cls, period: Period, *, is_simulated: bool, dimension: str) -> "dict[str, Times]":
        """Read the counts of every slice of a dimension. One query."""
        rows = DailyTimes.objects.filter(
            day__gte=period.first,
            day__lte=period.last,
            is_simulated=is_simulated,
            dimension=dimension,
        ).values_list("slice", "day", "played", "left")
        times: dict[str, Times] = {}
        for part, day, played, left in rows:
            times.setdefault(part, cls(period, {})).counts[day] = (played, left)
        return times

    def curve(self, days: Iterable[date]) -> Curve | None:
        """Estimate the curve over some days; None if no visit counts."""
        counted = [self.counts[day] for day in days if day in self.counts]
        if not counted:
            return None
        played, left = (
            [sum(bins) for bins in zip(*(counts[n] for counts in counted), strict=True)]
            for n in (0, 1)
        )
        return kaplan_meier(played, left)

    def median(self, days: Iterable[date]) -> RatioEstimate:
        """Return the median of some days in seconds, with its interval."""
        curve = self.curve(days)
        if curve is None:
            return NOTHING
        low, high = curve.median_interval()
        return RatioEstimate(curve.median(), low, high)


def _estimate(metric: str, parts: Iterable[Sums | None]) -> RatioEstimate:
    return estimate(
        (part for part in parts if part is not None), is_share=METRICS[metric].unit == "share"
    )

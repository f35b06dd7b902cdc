"""The filters of a dashboard, read from its query string: length, traffic and arm."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Sum
from django.http import HttpRequest

from webapp.metrics.definitions import Metric
from webapp.metrics.models import DailyMetric
from webapp.metrics.readings import Period

LENGTHS = (7, 30, 90)
DEFAULT_DAYS = 30
TRAFFIC = {"real": "Real visits", "simulated": "Simulated visits"}
ARM = "arm"
FEWEST_REAL = 100
"""Below so many real visits of the period, simulated ones are shown first."""


@dataclass(frozen=True)
class Choice:
    """One value of a filter, and its link."""

    label: str
    address: str
    is_current: bool


@dataclass(frozen=True)
class DashboardFilters:
    """A page's filters, as its query string names them.

    Attributes:
        days: of `LENGTHS`.
        is_simulated: whether simulated visits are shown; never both.
        arm: "experiment/arm", empty for all visits.
        until: the last day shown.
    """

    days: int
    is_simulated: bool
    arm: str
    until: date

    @classmethod
    def of(cls, request: HttpRequest, until: date) -> "DashboardFilters":
        """Read the query string; invalid values fall back to the defaults. At most one query.

        Without `traffic`, real visits are shown, or simulated ones while there are some and
        fewer than `FEWEST_REAL` real ones.
        """
        params = request.GET
        days = next((days for days in LENGTHS if params.get("days") == str(days)), DEFAULT_DAYS)
        traffic = params.get("traffic", "")
        if traffic not in TRAFFIC:
            traffic = _default_traffic(Period.ending(until, days))
        return cls(
            days,
            traffic == "simulated",
            params.get(ARM, "").replace("\0", "")[:130],
            until,
        )

    @property
    def period(self) -> Period:
        return Period.ending(self.until, self.days)

    @property
    def slice(self) -> tuple[str, str]:
        """The dimension and the slice of metrics of visits."""
        return (ARM, self.arm) if self.arm else ("all", "")

    @property
    def description(self) -> str:
        """Whose visits these are, for every chart."""
        traffic = "simulated viewers, not people" if self.is_simulated else "real visits"
        return f"{traffic}, arm {self.arm}" if self.arm else traffic

    def shows(self, metric: Metric) -> bool:
        """Whether visits of this sort have the metric at all."""
        return not (self.is_simulated and metric.is_of_people_only)

    @property
    def params(self) -> dict[str, object]:
        """The query string's parameters for these filters."""
        return {
            "days": self.days,
            "traffic": "simulated" if self.is_simulated else "real",
            ARM: self.arm,
        }

    def query(self, **changes: object) -> str:
        """Return the query string with some changes; empty values are left out."""
        params = self.params | changes
        return "?" + urlencode({k: v for k, v in params.items() if v not in ("", None)})

    @cached_property
    def length_choices(self) -> list[Choice]:
        return [
            Choice(f"{days} days", self.query(days=days), days == self.days) for days in LENGTHS
        ]

    @cached_property
    def traffic_choices(self) -> list[Choice]:
        return [
            Choice(label, self.query(traffic=name), (name == "simulated") == self.is_simulated)
            for name, label in TRAFFIC.items()
        ]

    @cached_property
    def arm_choices(self) -> list[Choice]:
        """All visits and every arm of the period; empty while there is no arm. One query."""
        slices = (
            DailyMetric.objects.filter(
                metric="abandonment",
                dimension=ARM,
                is_simulated=self.is_simulated,
                day__gte=self.period.first,
                day__lte=self.until,
            )
            .order_by("slice")
            .values_list("slice", flat=True)
            .distinct()
        )
        names = list(slices)
        if not names and not self.arm:
            return []
        return [
            Choice("All arms", self.query(arm=""), not self.arm),
            *(Choice(name, self.query(arm=name), name == self.arm) for name in names),
        ]


def _default_traffic(period: Period) -> str:
    """Return the traffic to show by default. One query."""
    visits = dict(
        DailyMetric.objects.filter(
            metric="bot_share", dimension="all", day__gte=period.first, day__lte=period.last
        )
        .values_list("is_simulated")
        .annotate(visits=Sum("denominator"))
    )
    return "simulated" if visits.get(True) and visits.get(False, 0) < FEWEST_REAL else "real"

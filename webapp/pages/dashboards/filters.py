"""What a dashboard was asked for: how many days, whose visits, which arm. All in the address."""

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
USUAL_DAYS = 30
TRAFFIC = {"real": "Real visits", "simulated": "Simulated visits"}
ARM = "arm"
FEWEST_REAL = 100
"""Below so many real visits of the period, simulated ones are shown first."""


@dataclass(frozen=True)
class Choice:
    """One of a filter's choices and where it leads."""

    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class Asked:
    """The filters of a page, as its address names them.

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
    def of(cls, request: HttpRequest, until: date) -> "Asked":
        """Read the address; what makes no sense falls back. At most one query.

        Without a word on whose visits, real ones are shown, or simulated ones while there are
        some and fewer than `FEWEST_REAL` others.
        """
        told = request.GET
        days = next((each for each in LENGTHS if told.get("days") == str(each)), USUAL_DAYS)
        traffic = told.get("traffic", "")
        if traffic not in TRAFFIC:
            traffic = _usual_traffic(Period.ending(until, days))
        return cls(
            days,
            traffic == "simulated",
            told.get(ARM, "").replace("\0", "")[:130],
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
    def words(self) -> str:
        """Whose visits these are, for every chart."""
        whose = "simulated viewers, not people" if self.is_simulated else "real visits"
        return f"{whose}, arm {self.arm}" if self.arm else whose

    def shows(self, metric: Metric) -> bool:
        """Whether visits of this sort have the metric at all."""
        return not (self.is_simulated and metric.is_of_people_only)

    def query(self, **changes: object) -> str:
        """Return the address's query with some changes; empty values are left out."""
        told = {
            "days": self.days,
            "traffic": "simulated" if self.is_simulated else "real",
            ARM: self.arm,
        }
        return "?" + urlencode({k: v for k, v in (told | changes).items() if v not in ("", None)})

    @cached_property
    def lengths(self) -> list[Choice]:
        return [
            Choice(f"{days} days", self.query(days=days), days == self.days) for days in LENGTHS
        ]

    @cached_property
    def traffics(self) -> list[Choice]:
        return [
            Choice(label, self.query(traffic=name), (name == "simulated") == self.is_simulated)
            for name, label in TRAFFIC.items()
        ]

    @cached_property
    def arms(self) -> list[Choice]:
        """All visits, and each arm of the period; nothing while there is no arm. One query."""
        known = (
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
        names = list(known)
        if not names and not self.arm:
            return []
        return [
            Choice("All arms", self.query(arm=""), not self.arm),
            *(Choice(name, self.query(arm=name), name == self.arm) for name in names),
        ]


def _usual_traffic(period: Period) -> str:
    """Return whose visits to show where nobody said. One query."""
    visits = dict(
        DailyMetric.objects.filter(
            metric="bot_share", dimension="all", day__gte=period.first, day__lte=period.last
        )
        .values_list("is_simulated")
        .annotate(visits=Sum("denominator"))
    )
    return "simulated" if visits.get(True) and visits.get(False, 0) < FEWEST_REAL else "real"

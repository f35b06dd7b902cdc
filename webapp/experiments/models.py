"""Experiments: named, with arms, planned before they start, begun and ended once."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import models

from webapp.discovery.treatments import Treatment

SHARES_SUM_WITHIN = 1e-9


@dataclass(frozen=True)
class Arm:
    """A part of the viewers, and what is done to it.

    Attributes:
        name: a slug.
        treatment: of `Treatment`.
        share: of the viewers, 0 to 1.
    """

    name: str
    treatment: str
    share: float


class Experiment(models.Model):
    """A question, its arms, and how it stands.

    At most one runs among people, and one among simulated viewers.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        RUNNING = "running"
        STOPPED = "stopped"

    class Unit(models.TextChoices):
        PROFILE = "profile"
        VISIT = "visit"

    name = models.SlugField(max_length=60, unique=True)
    question = models.CharField(max_length=300, blank=True)
    arms = models.JSONField(help_text="name, treatment and share of each; the first is compared.")
    is_simulated = models.BooleanField(
        default=False, db_default=False, help_text="Only simulated viewers take part, or people."
    )
    unit = models.CharField(
        max_length=7,
        choices=Unit.choices,
        default=Unit.PROFILE,
        db_default=Unit.PROFILE,
        help_text="What is in one arm as a whole: a profile, or each visit by itself.",
    )
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.DRAFT)
    plan = models.JSONField(
        default=dict, blank=True, help_text="What effect it can find, said before it starts."
    )
    report = models.JSONField(default=dict, blank=True, help_text="What came of it so far.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "running", "stopped"]),
                name="experiment_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(unit__in=["profile", "visit"]), name="experiment_unit_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="draft") | models.Q(started_at__isnull=False),
                name="experiment_begun_has_a_start",
            ),
            models.UniqueConstraint(
                fields=["is_simulated"],
                condition=models.Q(status="running"),
                name="experiment_one_runs",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_arms(self.the_arms)

    @property
    def is_by_visit(self) -> bool:
        """Whether each visit is put into an arm by itself."""
        return self.unit == self.Unit.VISIT

    @property
    def the_arms(self) -> list[Arm]:
        return [Arm(**arm) for arm in self.arms]

    @property
    def has_drafts(self) -> bool:
        """Whether two rankings share lists in one of its arms."""
        return any(arm.treatment == Treatment.INTERLEAVED for arm in self.the_arms)

    def arm_of(self, unit: str) -> Arm:
        """Return the arm of a profile or visit: always the same, by a hash with the name.

        Another experiment's name shuffles everyone anew.
        """
        digest = hashlib.blake2b(f"{self.name}/{unit}".encode(), digest_size=8).digest()
        place, reached = int.from_bytes(digest) / 2**64, 0.0
        arms = self.the_arms
        for arm in arms:
            reached += arm.share
            if place < reached:
                return arm
        return arms[-1]

    def covers(self, began: datetime) -> bool:
        """Whether a visit that began then takes part: none that had begun before the start."""
        return self.started_at is not None and began >= self.started_at


def check_arms(arms: list[Arm]) -> None:
    """Refuse arms that cannot be compared.

    Raises:
        ValidationError: fewer than two, unless all lists are drafted, a name twice, an unknown
            treatment, shares that do not sum up to 1.
    """
    if len(arms) == 1 and arms[0].treatment == Treatment.INTERLEAVED and arms[0].share == 1:
        validate_slug(arms[0].name)
        return
    if len(arms) < 2:
        raise ValidationError(
            f"an experiment needs two arms or more, or one interleaved:1, got {len(arms)}"
        )
    if len({arm.name for arm in arms}) < len(arms):
        raise ValidationError(f"arms need names of their own, got {[arm.name for arm in arms]}")
    for arm in arms:
        validate_slug(arm.name)
        if arm.treatment not in list(Treatment):
            known = ", ".join(Treatment)
            raise ValidationError(f"a treatment is one of {known}, got {arm.treatment}")
        if not 0 < arm.share < 1:
            raise ValidationError(f"an arm's share must be between 0 and 1, got {arm.share}")
    if abs(sum(arm.share for arm in arms) - 1) > SHARES_SUM_WITHIN:
        raise ValidationError(f"shares must sum up to 1, got {sum(arm.share for arm in arms):g}")


BUILT_IN = "session-aware"
BUILT_IN_SIMULATED = "session-aware-simulated"
BUILT_IN_QUESTION = (
    "Does what a visit is about, told by its first moments, keep it from ending in nothing?"
)
BUILT_IN_ARMS = [
    asdict(Arm("session-aware", Treatment.USUAL, 0.5)),
    asdict(Arm("long-term-only", Treatment.LONG_TERM_ONLY, 0.5)),
]
"""The first experiment: session-aware against long-term only."""

"""Tables of training runs and of the releases and rankers they produce."""

from pathlib import Path

from django.db import models

from recommender.verdict import Verdict
from webapp.artifacts.store import artifact_store

ARTIFACTS = "artifacts"


class TrainingRun(models.Model):
    """One training of a release or a ranker, from queued to its end."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    class Kind(models.TextChoices):
        RELEASE = "release"
        TEACHER = "teacher"
        INCREMENT = "increment"

    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.RELEASE)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stage = models.CharField(max_length=60, blank=True)
    progress = models.FloatField(default=0.0, help_text="Finished share of the run, 0 to 1.")
    seed = models.PositiveIntegerField(default=0)
    metrics = models.JSONField(default=dict, blank=True, help_text="Metrics and curves by model.")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["queued", "running", "succeeded", "failed"]),
                name="training_run_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["release", "teacher", "increment"]),
                name="training_run_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.status})"

    @property
    def folder(self) -> str:
        """The name of what it writes, below MARQUEE_HOME and in the artifact store."""
        return f"{ARTIFACTS}/run-{self.pk}"

    @property
    def has_ended(self) -> bool:
        """Return True if the run succeeded or failed."""
        return self.status in (self.Status.SUCCEEDED, self.Status.FAILED)


class Trained(models.Model):
    """Base of releases and rankers: artifacts that one run wrote. At most one of each is live."""

    folder = models.CharField(max_length=200, unique=True, help_text="Below MARQUEE_HOME.")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)
    is_live = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict, blank=True)
    gate = models.JSONField(
        default=dict, blank=True, help_text="The gate's verdict; empty before it is reached."
    )

    class Meta:
        abstract = True
        ordering = ["-pk"]

    def fetch(self) -> Path:
        """Return the artifacts' folder on this machine, downloaded from the store if need be.

        Raises:
            ArtifactError: the store does not have them.
            StoreError: the store does not answer.
        """
        return artifact_store().fetch(self.folder)

    @property
    def verdict(self) -> Verdict | None:
        """The gate's, or None where it was not asked yet."""
        return Verdict.from_json(self.gate) if self.gate else None

    @property
    def gate_reason(self) -> str:
        """The verdict's reason, empty where there is no verdict."""
        return self.verdict.reason if self.verdict else ""


class Release(Trained):
    """A set of artifacts trained together."""

    run = models.OneToOneField(TrainingRun, models.PROTECT, related_name="release")

    class Meta(Trained.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["is_live"], condition=models.Q(is_live=True), name="release_one_live"
            )
        ]

    def __str__(self) -> str:
        return f"release {self.pk}{' (live)' if self.is_live else ''}"


class RankerVersion(Trained):
    """A trained ranker with its parent and teacher. It is possible that none is live."""

    class Start(models.TextChoices):
        SCRATCH = "scratch"
        LIVE = "live"
        TEACHER = "teacher"

    run = models.OneToOneField(TrainingRun, models.PROTECT, related_name="ranker")
    start = models.CharField(max_length=7, choices=Start.choices, default=Start.SCRATCH)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children",
        help_text="The ranker whose weights it started from.",
    )  # fmt: skip
    teacher = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="pupils",
        help_text="The ranker it was distilled from.",
    )  # fmt: skip
    learned_until = models.DateTimeField(help_text="Impressions after this time are not in it.")
    is_simulated = models.BooleanField(
        default=False, db_default=False, help_text="Trained on simulated visits, not on people's."
    )

    class Meta(Trained.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["is_live"], condition=models.Q(is_live=True), name="ranker_one_live"
            )
        ]

    def __str__(self) -> str:
        return f"ranker {self.pk}{' (live)' if self.is_live else ''}"

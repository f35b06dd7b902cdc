"""Daily sums over viewers, the health snapshot, alerts, and operators' audit log."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class DailyMetric(models.Model):
    """One metric of one slice of one day's visits, as the parts of a fraction.

    A viewer's visits of the day are summed up first; the moments of those sums give the interval.
    Where nothing counts there is no row: null is not 0.
    """

    day = models.DateField()
    is_simulated = models.BooleanField()
    metric = models.CharField(max_length=40)
    dimension = models.CharField(max_length=10)
    slice = models.CharField(max_length=130, blank=True)
    numerator = models.FloatField()
    denominator = models.FloatField()
    viewers = models.IntegerField(help_text="How many viewers the sums are over.")
    sum_nn = models.FloatField(default=0, help_text="Over viewers: numerator squared.")
    sum_nd = models.FloatField(default=0, help_text="Over viewers: numerator times denominator.")
    sum_dd = models.FloatField(default=0, help_text="Over viewers: denominator squared.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "dimension", "is_simulated", "day", "slice"],
                name="daily_metric_once",
            )
        ]
        indexes = [models.Index(fields=["day"], name="daily_metric_day")]

    def __str__(self) -> str:
        return f"{self.metric} of {self.dimension} {self.slice} on {self.day}"


class DailyTimes(models.Model):
    """Times to play of one slice of one day's visits, counted in bins, so that days add up."""

    day = models.DateField()
    is_simulated = models.BooleanField()
    dimension = models.CharField(max_length=10)
    slice = models.CharField(max_length=130, blank=True)
    played = ArrayField(models.IntegerField(), help_text="Visits that came to a play, by bin.")
    left = ArrayField(models.IntegerField(), help_text="Visits that ended without one, by bin.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "is_simulated", "day", "slice"], name="daily_times_once"
            )
        ]

    def __str__(self) -> str:
        return f"times to play of {self.dimension} {self.slice} on {self.day}"


class DailyQuery(models.Model):
    """What was searched for on a day; the most frequent and the most failing texts are kept."""

    day = models.DateField()
    is_simulated = models.BooleanField()
    query = models.CharField(max_length=200)
    intents = models.IntegerField(help_text="Searches that ended with this text.")
    failed = models.IntegerField(help_text="Of them, those without a choice.")
    empty = models.IntegerField(help_text="Of them, those that found nothing.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_simulated", "day", "query"], name="daily_query_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.query!r} on {self.day}"


class CountedDay(models.Model):
    """A day that was counted: when, over how much, and how long it took."""

    day = models.DateField(primary_key=True)
    counted_at = models.DateTimeField()
    visits = models.IntegerField(help_text="Visits that began on it, whoever made them.")
    events = models.IntegerField(help_text="Events of those visits.")
    took_seconds = models.FloatField()

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return str(self.day)


class Refresh(models.Model):
    """A look for what came since the last one; what arrived before it has been counted."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    days = models.IntegerField(help_text="Days counted anew.")

    class Meta:
        ordering = ["-started_at"]
        verbose_name_plural = "refreshes"

    def __str__(self) -> str:
        return f"refresh at {self.started_at}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def raised(self) -> "AlertQuerySet":
        """Alerts whose value is still above the threshold."""
        return self.filter(ended_at=None)


class Alert(models.Model):
    """A threshold that is, or was, crossed."""

    name = models.CharField(max_length=40)
    value = models.FloatField()
    threshold = models.FloatField()
    raised_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last found crossed.")
    ended_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(
        null=True, blank=True, help_text="When operators were last notified."
    )
    notified = models.JSONField(
        default=dict, blank=True, help_text="When each destination was last notified, by its key."
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(ended_at__isnull=True),
                name="alert_raised_once",
            )
        ]

    LABELS = {
        "abandonment": "Abandoned visits",
        "fallback_share": "Fallback share",
        "event_lag_seconds": "Event lag",
        "model_age_hours": "Model age",
    }
    SENTENCES = {
        "abandonment": "at least {:.1%} of today's and yesterday's visits were abandoned",
        "fallback_share": "{:.1%} of the last hour's responses were popular titles",
        "event_lag_seconds": "95 % of the last hour's events came within {:.0f} s",
        "model_age_hours": "the live release was made {:.0f} hours ago",
    }

    def __str__(self) -> str:
        return f"{self.name}: {self.value:g} against {self.threshold:g}"

    @property
    def label(self) -> str:
        return self.LABELS.get(self.name, self.name)

    @property
    def sentence(self) -> str:
        """What is wrong, by how much, and since when."""
        problem = self.SENTENCES.get(self.name, "{:g}").format(self.value)
        since = f"{self.raised_at:%Y-%m-%d %H:%M} UTC"
        return f"{problem}; the threshold is {self.threshold:g}. Since {since}."


class HealthSnapshot(models.Model):
    """The site's health in the last hour, as the worker last measured it: one row."""

    at = models.DateTimeField()
    values = models.JSONField(help_text="`webapp.metrics.health_snapshot.Health` without its time.")

    def __str__(self) -> str:
        return f"health at {self.at}"


class AuditEntry(models.Model):
    """What an operator looked at or changed that somebody may ask about later."""

    class Act(models.TextChoices):
        VISITS_READ = "visits_read", "looked at a profile's visits"
        RELEASE_PUBLISHED = "release_published", "made a release live"
        SEARCH_CURATED = "search_curated", "changed a rule or synonym of search"

    at = models.DateTimeField()
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    operator_name = models.CharField(max_length=150, help_text="Kept when the account goes.")
    act = models.CharField(max_length=20, choices=Act.choices)
    what = models.CharField(max_length=200)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "audit entries"
        permissions = [
            ("view_dashboards", "Can read the dashboards"),
            ("view_visits", "Can read what single profiles did"),
            ("publish_release", "Can make a release live"),
            ("send_test_alert", "Can send a test alert"),
        ]

    def __str__(self) -> str:
        return f"{self.operator_name} {self.get_act_display()}: {self.what}"

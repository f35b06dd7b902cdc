"""Slates: what one response showed a visit, with the evidence, release and ranker behind it."""

import uuid

from django.db import models

from webapp.events.models import SURFACES, Event, Visit
from webapp.releases.models import RankerVersion, Release


class SlateQuerySet(models.QuerySet["Slate"]):
    def of_people(self) -> "SlateQuerySet":
        """Slates of visits that are neither simulated nor a bot's."""
        return self.filter(visit__is_simulated=False, visit__is_bot=False)

    def of_simulated(self) -> "SlateQuerySet":
        """Slates of simulated viewers."""
        return self.filter(visit__is_simulated=True)

    def seen(self) -> "SlateQuerySet":
        """Slates of which a viewer saw something: an event names them."""
        return self.filter(models.Exists(Event.objects.filter(slate=models.OuterRef("pk"))))

    def unseen(self) -> "SlateQuerySet":
        """Slates that no event names."""
        return self.filter(~models.Exists(Event.objects.filter(slate=models.OuterRef("pk"))))


class Slate(models.Model):
    """What one response showed, and from which evidence, so that it can be explained later."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="slates")
    surface = models.CharField(max_length=8, choices=SURFACES)
    release = models.ForeignKey(Release, models.SET_NULL, null=True, blank=True)
    ranker = models.ForeignKey(
        RankerVersion,
        models.SET_NULL,
        null=True,
        blank=True,
        help_text="What ordered its lists; empty for the fused score.",
    )
    created_at = models.DateTimeField()
    is_keystroke = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Answered a keystroke in the search box; its snapshot holds the text alone.",
    )
    history_size = models.PositiveIntegerField(
        null=True, help_text="Titles liked before the visit; null for a keystroke."
    )
    exploration = models.FloatField(
        null=True, help_text="ε, the probability that a slot explores; null for a keystroke."
    )
    rows = models.JSONField(help_text="Rows in order: kind, heading, titles by slot, scores.")
    snapshot = models.JSONField(
        default=dict, help_text="The question it answered, by which it can be rebuilt."
    )
    features = models.BinaryField(
        null=True, help_text="The ranker's fields of each position; safetensors, compressed."
    )
    visit_share = models.FloatField(
        null=True, help_text="This visit's weight in the taste, 0 to 1; the history has the rest."
    )
    continues = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="continued_by",
        help_text="The slate of the page that these rows stand below.",
    )
    took_ms = models.FloatField()
    fallback_reason = models.CharField(
        max_length=200,
        blank=True,
        help_text="Why popular titles were served instead; empty where they were not.",
    )

    objects = SlateQuerySet.as_manager()

    class Meta:
        db_table = "events_slate"
        indexes = [
            models.Index(fields=["visit", "-created_at"], name="slate_visit_recent"),
            models.Index(fields=["created_at"], name="slate_created"),
        ]

    def __str__(self) -> str:
        return f"slate {self.id} ({self.surface})"

"""Tables of visits and events, and plays, with their QuerySets."""

import uuid
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from webapp.catalog.models import Title
from webapp.discovery.surface import Surface
from webapp.profiles.models import Profile

LONGEST_QUERY = 200
"""As much of a text as an event keeps."""
SURFACES = [(surface.value, surface.name.capitalize()) for surface in Surface]
"""Choices of a field that names a surface."""
BOT_EVENTS = 5000
"""More events than a person makes in one visit; an evening of films brings some 3,000."""


class VisitQuerySet(models.QuerySet["Visit"]):
    def of_people(self) -> "VisitQuerySet":
        """Visits that are neither simulated nor a bot's."""
        return self.filter(is_simulated=False, is_bot=False)

    def of_simulated(self) -> "VisitQuerySet":
        """Visits of simulated viewers, whatever their browser says."""
        return self.filter(is_simulated=True)


class Visit(models.Model):
    """One sitting of a profile, or of an anonymous browser."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    profile = models.ForeignKey(
        Profile, models.CASCADE, null=True, blank=True, related_name="visits"
    )
    started_at = models.DateTimeField()
    is_simulated = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Made by simulated viewers; no metric mixes it with real traffic.",
    )
    is_bot = models.BooleanField(
        default=False, db_default=False, help_text="Its browser said that it is a program."
    )
    experiment = models.SlugField(
        max_length=60,
        blank=True,
        db_default="",
        db_index=False,
        help_text="What it took part in; empty for nothing.",
    )
    arm = models.SlugField(max_length=60, blank=True, db_default="", db_index=False)

    objects = VisitQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["profile", "-started_at"], name="visit_profile_recent"),
            BrinIndex(fields=["started_at"], name="visit_started"),
            models.Index(
                fields=["experiment", "arm"],
                condition=~models.Q(experiment=""),
                name="visit_experiment",
            ),
        ]

    def __str__(self) -> str:
        return f"visit {self.id}"


class EventQuerySet(models.QuerySet["Event"]):
    def of_people(self) -> "EventQuerySet":
        """Events of visits that are neither simulated nor a bot's."""
        return self.filter(visit__is_simulated=False, visit__is_bot=False)

    def of_simulated(self) -> "EventQuerySet":
        """Events of simulated viewers."""
        return self.filter(visit__is_simulated=True)

    def clicks(self) -> "EventQuerySet":
        """Titles opened, chosen or played (docs/metrics.md)."""
        return self.filter(kind__in=Event.CLICKS)


class Event(models.Model):
    """Something a viewer did or saw. Its id is made by the client: a repeat is the same row."""

    class Kind(models.TextChoices):
        IMPRESSION = "impression"
        OPEN = "open"
        PLAY = "play"
        PROGRESS = "progress"
        STOP = "stop"
        FINISH = "finish"
        THUMB = "thumb"
        LIST = "list"
        HIDE = "hide"
        SEARCH = "search"
        CHOOSE = "choose"
        RESUME = "resume"
        FORGET = "forget"
        PERSON = "person"
        GENRE = "genre"

    CLICKS = (Kind.OPEN, Kind.CHOOSE, Kind.PLAY)
    """A click: a title opened, chosen or played."""
    LABELS: ClassVar[dict[str, tuple[str, ...] | None]] = {
        **dict.fromkeys(CLICKS),
        Kind.LIST: ("add",),
        Kind.THUMB: ("up", "love"),
    }
    """A positive label: a click, added to My List or liked. By kind, the values; None is any."""
    PLAYBACK = (Kind.PLAY, Kind.PROGRESS, Kind.STOP, Kind.FINISH)
    TOO_MANY = (Kind.IMPRESSION, Kind.PROGRESS)
    """Kinds that come by the hundred in a visit: what reads a visit event by event skips them."""
    WITHOUT_TITLE = (Kind.SEARCH, Kind.PERSON, Kind.GENRE)

    id = models.UUIDField(primary_key=True)
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="events")
    profile = models.ForeignKey(
        Profile,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
        help_text="The visit's profile, kept here so that a history is one index scan.",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.ForeignKey(Title, models.CASCADE, null=True, blank=True, related_name="events")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    surface = models.CharField(max_length=8, choices=SURFACES, blank=True)
    slate = models.ForeignKey(
        "slates.Slate", models.SET_NULL, null=True, blank=True, related_name="events"
    )
    row = models.CharField(max_length=40, blank=True)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    position_seconds = models.PositiveIntegerField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    value = models.CharField(
        max_length=10, blank=True, help_text="A thumb's direction; add or remove; hide or show."
    )
    subject = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="The number of the person or genre it is about."
    )
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "impression",
                        "open",
                        "play",
                        "progress",
                        "stop",
                        "finish",
                        "thumb",
                        "list",
                        "hide",
                        "search",
                        "choose",
                        "resume",
                        "forget",
                        "person",
                        "genre",
                    ]
                ),
                name="event_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["search", "person", "genre"])
                | models.Q(title__isnull=False),
                name="event_names_a_title",
            ),
        ]
        indexes = [
            models.Index(fields=["visit", "occurred_at"], name="event_visit_order"),
            models.Index(
                fields=["visit", "title"],
                condition=models.Q(kind__in=["play", "progress", "stop", "finish"]),
                name="event_of_play",
            ),
            models.Index(
                fields=["profile", "-occurred_at"],
                condition=~models.Q(kind__in=["impression", "progress"]),
                name="event_of_profile",
            ),
            models.Index(
                fields=["visit", "-occurred_at"],
                condition=~models.Q(kind__in=["impression", "progress"]),
                name="event_of_visit",
            ),
            models.Index(fields=["title", "occurred_at"], name="event_title_recent"),
            BrinIndex(fields=["occurred_at"], name="event_occurred"),
            BrinIndex(fields=["received_at"], name="event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.title_id} at {self.occurred_at:%Y-%m-%d %H:%M}"


class PlayQuerySet(models.QuerySet["Play"]):
    def qualified(self) -> "PlayQuerySet":
        """Plays in which enough was watched (docs/metrics.md)."""
        return self.filter(qualified_at__isnull=False)

    def of_people(self) -> "PlayQuerySet":
        """Plays of visits that are neither simulated nor a bot's."""
        return self.filter(visit__is_simulated=False, visit__is_bot=False)

    def of_simulated(self) -> "PlayQuerySet":
        """Plays of simulated viewers."""
        return self.filter(visit__is_simulated=True)


class Play(models.Model):
    """The play of a visit: one title in one visit, kept by triggers with every event of it.

    The rule of a qualified play stands in the database once, as the view `events_play_counted`.
    """

    pk = models.CompositePrimaryKey("visit_id", "title_id")
    visit = models.ForeignKey(
        Visit, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    profile = models.ForeignKey(
        Profile, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    title = models.ForeignKey(
        Title, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    began_at = models.DateTimeField()
    duration_seconds = models.PositiveIntegerField(
        null=True, help_text="The longest that its events tell; 0 or null is unknown."
    )
    qualified_at = models.DateTimeField(
        null=True, help_text="The first moment at which enough was watched; null where it was not."
    )
    last_at = models.DateTimeField(help_text="Its latest event's time,")
    last_kind = models.CharField(max_length=10, help_text="kind")
    position_seconds = models.PositiveIntegerField(null=True, help_text="and position.")

    objects = PlayQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["profile", "-last_at"], name="play_of_profile"),
            models.Index(fields=["profile", "title"], name="play_of_title"),
            models.Index(fields=["visit", "-last_at"], name="play_of_visit"),
        ]

    def __str__(self) -> str:
        return f"play of {self.title_id} in visit {self.visit_id}"


class ForgottenTitle(models.Model):
    """A title taken out of a profile's history, with all that was there until it is erased."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="forgotten_titles")
    title = models.ForeignKey(Title, models.CASCADE, related_name="forgotten_by")
    forgotten_at = models.DateTimeField(db_index=True)
    kept = models.JSONField(help_text="The events and the rating, so that it can be taken back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "title"], name="forgotten_title_once")
        ]

    def __str__(self) -> str:
        return f"{self.title_id} forgotten by {self.profile_id}"

"""Tables of profiles and their explicit feedback: ratings, My List, hidden and refused items."""

from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from webapp.catalog.models import Genre, Maturity, Person, Title


class Profile(models.Model):
    """A viewer. An account has several; profiles of imported histories have none."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="profiles",
    )
    name = models.CharField(max_length=60)
    external_id = models.CharField(
        max_length=64,
        unique=True,
        null=True,
        blank=True,
        help_text="Its id in an imported history.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    is_history_paused = models.BooleanField(
        "Pause history",
        default=False,
        db_default=False,
        help_text="New activity is not saved and does not change the rows.",
    )
    is_personalized = models.BooleanField(
        "Personal picks",
        default=True,
        db_default=True,
        help_text="Rows are based on what was watched and liked.",
    )
    hides_watched = models.BooleanField(
        "Hide what was watched",
        default=False,
        db_default=False,
        help_text="Rows leave out watched and rated titles, except My List and Continue watching.",
    )
    maturity_limit = models.PositiveSmallIntegerField(
        "Titles up to age",
        null=True,
        blank=True,
        choices=Maturity,
        help_text="Titles above this age are hidden; titles without an age count as 18.",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(maturity_limit__isnull=True)
                | models.Q(maturity_limit__in=[0, 6, 12, 16, 18]),
                name="profile_maturity_limit_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Rating(models.Model):
    """A profile's rating of a title, 0.5 to 5 stars. A thumb is stored as stars, too."""

    class Thumb(models.TextChoices):
        DOWN = "down", "Not for me"
        UP = "up", "I like this"
        LOVE = "love", "Love this"

    STARS_OF_THUMB = {Thumb.DOWN: 1.0, Thumb.UP: 4.0, Thumb.LOVE: 5.0}
    LIKED_FROM_STARS = 4.0
    DISLIKED_TO_STARS = 2.0

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="ratings")
    title = models.ForeignKey(Title, models.CASCADE, related_name="ratings")
    stars = models.FloatField()
    rated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "title"], name="rating_once"),
            models.CheckConstraint(
                condition=models.Q(stars__gte=0.5, stars__lte=5), name="rating_half_to_five_stars"
            ),
        ]
        indexes = [models.Index(fields=["profile", "-rated_at"], name="rating_profile_recent")]

    def __str__(self) -> str:
        return f"{self.stars} stars for {self.title_id} by {self.profile_id}"

    @property
    def thumb(self) -> str:
        """Return the thumb that shows these stars; empty between disliked and liked."""
        if self.stars >= self.STARS_OF_THUMB[self.Thumb.LOVE]:
            return self.Thumb.LOVE
        if self.stars >= self.LIKED_FROM_STARS:
            return self.Thumb.UP
        return self.Thumb.DOWN if self.stars <= self.DISLIKED_TO_STARS else ""


class Mark(models.Model):
    """Something that a profile marked by hand, and when. Each kind has its profile and subject."""

    EXPORTED_NAMES: ClassVar[dict[str, str]]
    """What the export of a profile calls a column, where its name is another."""

    at = models.DateTimeField()

    class Meta:
        abstract = True


class ListEntry(Mark):
    """A title on My List."""

    EXPORTED_NAMES = {"at": "added_at"}

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="list_entries")
    title = models.ForeignKey(Title, models.CASCADE, related_name="list_entries")

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "list entries"
        constraints = [models.UniqueConstraint(fields=["profile", "title"], name="list_entry_once")]

    def __str__(self) -> str:
        return f"{self.title_id} on the list of {self.profile_id}"


class HiddenTitle(Mark):
    """A title that the profile hid from every row and search."""

    EXPORTED_NAMES = {"at": "hidden_at"}

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="hidden_titles")
    title = models.ForeignKey(Title, models.CASCADE, related_name="hidden_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "title"], name="hidden_title_once")
        ]

    def __str__(self) -> str:
        return f"{self.title_id} hidden by {self.profile_id}"


class DroppedTitle(Mark):
    """A title removed from Continue Watching until it is played again."""

    EXPORTED_NAMES = {"at": "dropped_at"}

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="dropped_titles")
    title = models.ForeignKey(Title, models.CASCADE, related_name="dropped_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "title"], name="dropped_title_once")
        ]

    def __str__(self) -> str:
        return f"{self.title_id} dropped by {self.profile_id}"


class RefusedPerson(Mark):
    """A person whose titles are never recommended to the profile."""

    EXPORTED_NAMES = {"at": "refused_at"}

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="refused_people")
    person = models.ForeignKey(Person, models.CASCADE, related_name="refused_by")

    class Meta:
        verbose_name_plural = "refused people"
        constraints = [
            models.UniqueConstraint(fields=["profile", "person"], name="refused_person_once")
        ]

    def __str__(self) -> str:
        return f"person {self.person_id} refused by {self.profile_id}"


class RefusedGenre(Mark):
    """A genre whose titles are never recommended to the profile."""

    EXPORTED_NAMES = {"at": "refused_at"}

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="refused_genres")
    genre = models.ForeignKey(Genre, models.CASCADE, related_name="refused_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "genre"], name="refused_genre_once")
        ]

    def __str__(self) -> str:
        return f"genre {self.genre_id} refused by {self.profile_id}"


class EvidenceVersion(models.Model):
    """A number that changes with whatever a profile's evidence is read from.

    Triggers set it, in the transaction that writes an event or a mark, to a number never used
    before. A profile of which nothing changed since it has none.
    """

    profile = models.OneToOneField(
        Profile,
        models.DO_NOTHING,
        primary_key=True,
        related_name="evidence_version",
        db_constraint=False,
    )
    """The database deletes the row with its profile."""
    version = models.BigIntegerField()
    previous = models.BigIntegerField(null=True)
    """The version before; null where this is the first."""

    def __str__(self) -> str:
        return f"version {self.version} of {self.profile_id}"


class Session(AbstractBaseSession):
    """A session as Django keeps it, with the account and the profile that its data name.

    The two are there to be joined: the data, which are signed, decide.
    """

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False
    )
    profile = models.ForeignKey(Profile, models.DO_NOTHING, null=True, db_constraint=False)

    def __str__(self) -> str:
        return f"session of account {self.account_id}"

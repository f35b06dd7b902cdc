"""Tables of the catalogue: titles, genres, people and credits."""

from collections.abc import Iterable
from functools import cache, cached_property, lru_cache

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.text import slugify

SLUGS_CACHED = 16_384
"""Names of titles and people whose slugs a process keeps; about 200 bytes each."""
LEADING_CAST = 5
"""Number of cast members among a title's leading people."""


@cache
def _addresses_below(view: str) -> str:
    """Return what the addresses of a view's titles or people begin with, by `reverse`.

    A page links a hundred of them, and `reverse` takes ten times as long as what it is asked for.
    """
    return reverse(view, args=[0, "slug"]).removesuffix("0/slug/")


@lru_cache(SLUGS_CACHED)
def _slug_of(name: str) -> str:
    return slugify(name)[:60]


class Genre(models.Model):
    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    name = models.CharField(max_length=200, unique=True)

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{_addresses_below('person')}{self.pk}/{self.slug}/"

    @property
    def slug(self) -> str:
        return _slug_of(self.name) or "person"


class Maturity(models.IntegerChoices):
    """The age from which a title may be watched."""

    ALL = 0, "Everyone"
    SIX = 6, "From 6"
    TWELVE = 12, "From 12"
    SIXTEEN = 16, "From 16"
    ADULT = 18, "From 18"


UNRATED = Maturity.ADULT.value
"""The age assumed for titles without a maturity: they are not shown to children."""


class TitleQuerySet(models.QuerySet["Title"]):
    def available(self) -> "TitleQuerySet":
        """Return the titles that can be watched here."""
        return self.filter(is_available=True)

    def allowed_for(self, limit: int | None) -> "TitleQuerySet":
        """Return the titles allowed by this maturity limit; None allows all."""
        if limit is None or limit >= UNRATED:
            return self
        return self.filter(maturity__lte=limit)

    def for_cards(self) -> "TitleQuerySet":
        """Prefetch genres and defer plots. Two queries."""
        return self.defer("plot").prefetch_related("genres")

    def in_order(self, ids: Iterable[int]) -> list["Title"]:
        """Return the titles with these ids in this order, without ids that do not exist."""
        ordered = list(ids)
        by_id = self.in_bulk(ordered)
        return [by_id[id_] for id_ in ordered if id_ in by_id]


class Title(models.Model):
    """A film or series."""

    class Kind(models.TextChoices):
        FILM = "film"
        SERIES = "series"

    external_id = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.FILM)
    name = models.CharField(max_length=300)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    runtime_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    plot = models.TextField(blank=True)
    language = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=200, blank=True)
    imdb_id = models.CharField(max_length=20, blank=True)
    poster_url = models.URLField(max_length=500, blank=True)
    playback_url = models.URLField(max_length=500, blank=True)
    alternative_names = ArrayField(
        models.TextField(),
        default=list,
        blank=True,
        help_text="Other names people search for, in any script.",
    )
    characters = ArrayField(
        models.TextField(),
        default=list,
        blank=True,
        help_text="Names of its characters, for search.",
    )
    is_available = models.BooleanField(
        default=True,
        db_default=True,
        help_text="No: search finds the title, but it cannot be watched here.",
    )
    maturity = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        choices=Maturity,
        help_text="Minimum age; an unknown age counts as 18.",
    )
    votes = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How many people rated it elsewhere, for example on IMDb or TMDb.",
    )
    reviews = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How many critics reviewed it elsewhere, for example on Rotten Tomatoes.",
    )
    genres = models.ManyToManyField(Genre, related_name="titles", blank=True)
    people = models.ManyToManyField(Person, through="Credit", related_name="titles")
    added_at = models.DateTimeField(help_text="When it joined the catalogue.")
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    objects = TitleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["film", "series"]), name="title_kind_known"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="title_has_a_name"),
            models.CheckConstraint(
                condition=models.Q(maturity__isnull=True)
                | models.Q(maturity__in=[0, 6, 12, 16, 18]),
                name="title_maturity_known",
            ),
        ]
        indexes = [models.Index(fields=["-added_at"], name="title_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.year})" if self.year else self.name

    def get_absolute_url(self) -> str:
        return f"{_addresses_below('title')}{self.pk}/{self.slug}/"

    @property
    def slug(self) -> str:
        return _slug_of(self.name) or "title"

    @cached_property
    def genre_list(self) -> list[Genre]:
        """The genres by name. One query for this object, none where they were read with it."""
        return list(self.genres.all())

    @cached_property
    def people_by_role(self) -> dict[str, list[Person]]:
        """Who is credited, by role, in order. One query, none where they were read with it."""
        people: dict[str, list[Person]] = {}
        for credit in self.credits.select_related("person"):
            people.setdefault(credit.role, []).append(credit.person)
        return people

    def leading_people(self) -> list[Person]:
        """Return directors and the first of the cast, each once."""
        people = self.people_by_role
        cast = people.get(Credit.Role.CAST, [])[:LEADING_CAST]
        return list(dict.fromkeys([*people.get(Credit.Role.DIRECTOR, []), *cast]))

    @property
    def runtime_seconds(self) -> int:
        """Return the runtime; 90 minutes if the catalogue has none."""
        return (self.runtime_minutes or 90) * 60


class Credit(models.Model):
    class Role(models.TextChoices):
        DIRECTOR = "director"
        WRITER = "writer"
        CAST = "cast"

    title = models.ForeignKey(Title, models.CASCADE, related_name="credits")
    person = models.ForeignKey(Person, models.CASCADE, related_name="credits")
    role = models.CharField(max_length=8, choices=Role.choices)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["role", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["title", "person", "role"], name="credit_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=["director", "writer", "cast"]),
                name="credit_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} as {self.role} of {self.title_id}"

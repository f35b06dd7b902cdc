"""Rules for searches, synonyms, and failing searches that an operator has looked at."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.http import urlencode

from search.text import fold
from webapp.catalog.models import Title

LONGEST_QUERY = 200
MOST_QUERIES, MOST_PHRASES = 50, 20
LAST_POSITION = 20
CURATE_SEARCH = "rules.curate_search"
"""The permission to change all of it."""


def lines_of(text: str) -> list[str]:
    """Return the lines that are not blank, without blanks around them, each once."""
    return list(dict.fromkeys(filter(None, map(str.strip, text.splitlines()))))


class RuleQuerySet(models.QuerySet["Rule"]):
    def not_ended(self, now: datetime) -> "RuleQuerySet":
        """Return the rules that are in effect or will be."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now))


class Rule(models.Model):
    """One thing that happens where one of some texts is searched for, within its dates."""

    class Act(models.TextChoices):
        PIN = "pin", "Pin a title"
        HIDE = "hide", "Hide a title"
        REDIRECT = "redirect", "Redirect to a page"

    act = models.CharField(max_length=8, choices=Act.choices)
    queries = models.TextField(
        help_text="The searches it is for, one a line. Capitals, accents and marks do not matter."
    )
    title = models.ForeignKey(
        Title, models.CASCADE, null=True, blank=True, help_text="What is pinned or hidden."
    )
    position = models.PositiveSmallIntegerField(
        default=1, help_text="Where a pinned title stands among the results, from 1."
    )
    address = models.CharField(
        max_length=500, blank=True, help_text="Where a redirect leads: /genre/horror/, for example."
    )
    begins_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    note = models.CharField(max_length=200, blank=True, help_text="Why, for other operators.")
    updated_at = models.DateTimeField(auto_now=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        default_permissions = ()
        permissions = [("curate_search", "Can pin, hide and redirect searches and set synonyms")]
        constraints = [
            models.CheckConstraint(
                condition=Q(act__in=["pin", "hide"], title__isnull=False)
                | (Q(act="redirect") & ~Q(address="")),
                name="rule_has_what_it_needs",
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=LAST_POSITION),
                name="rule_position_on_the_first_page",
            ),
            models.CheckConstraint(
                condition=Q(begins_at=None)
                | Q(ends_at=None)
                | Q(ends_at__gt=models.F("begins_at")),
                name="rule_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        what = self.address if self.act == self.Act.REDIRECT else str(self.title)
        texts = ", ".join(f"“{text}”" for text in lines_of(self.queries)[:3])
        return f"{self.get_act_display()}: {what} for {texts}"

    def get_absolute_url(self) -> str:
        """Return the address of its first search."""
        return f"/search/?{urlencode({'q': next(iter(lines_of(self.queries)), '')})}"

    @property
    def folded_queries(self) -> list[str]:
        """Its searches as they are compared."""
        return [text for text in map(fold, lines_of(self.queries)) if text]

    def is_in_effect(self, now: datetime) -> bool:
        has_begun = self.begins_at is None or self.begins_at <= now
        return has_begun and (self.ends_at is None or now < self.ends_at)

    def clean(self) -> None:
        """Refuse what would do nothing, or lead in a circle."""
        errors: dict[str, str] = {}
        texts = lines_of(self.queries)
        if not self.folded_queries or len(texts) > MOST_QUERIES:
            errors["queries"] = f"Give 1 to {MOST_QUERIES} searches with letters or digits."
        elif max(map(len, texts)) > LONGEST_QUERY:
            errors["queries"] = f"A search may have {LONGEST_QUERY} characters."
        if self.act in (self.Act.PIN, self.Act.HIDE) and self.title_id is None:
            errors["title"] = "Choose the title."
        if self.act == self.Act.REDIRECT and not _is_page(self.address):
            errors["address"] = (
                "Give the path of a page of this site, /genre/horror/ for example, other than a "
                "search: synonyms make two searches one."
            )
        if self.position is not None and not 1 <= self.position <= LAST_POSITION:
            errors["position"] = f"Give a position from 1 to {LAST_POSITION}."
        if self.begins_at and self.ends_at and self.ends_at <= self.begins_at:
            errors["ends_at"] = "The end must be after the beginning."
        if errors:
            raise ValidationError(errors)


class Synonym(models.Model):
    """Words and phrases that mean the same in any search."""

    phrases = models.TextField(
        help_text="Words or phrases that mean the same, one a line. A line of signs alone, as +, "
        "means that the others may be left out."
    )
    is_active = models.BooleanField(default=True, db_default=True)
    note = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return " = ".join(lines_of(self.phrases))

    def clean(self) -> None:
        """Refuse groups in which nothing is a synonym."""
        phrases = lines_of(self.phrases)
        if not 2 <= len(phrases) <= MOST_PHRASES:
            raise ValidationError({"phrases": f"Give 2 to {MOST_PHRASES} lines."})
        if max(map(len, phrases)) > LONGEST_QUERY:
            raise ValidationError({"phrases": f"A line may have {LONGEST_QUERY} characters."})
        if len(set(map(fold, phrases))) < 2 or not any(map(fold, phrases)):
            raise ValidationError({"phrases": "These are the same for search already."})


class ReviewedQuery(models.Model):
    """A failing search that an operator has dealt with: off the list for some weeks."""

    query = models.CharField(max_length=LONGEST_QUERY, unique=True)
    at = models.DateTimeField()
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        default_permissions = ()
        verbose_name_plural = "reviewed queries"

    def __str__(self) -> str:
        return self.query


def _is_page(address: str) -> bool:
    """Return whether an address is a path of this site, and no search."""
    parts = urlsplit(address)
    is_path = address.startswith("/") and not address.startswith(("//", "/\\"))
    is_plain = not any(character.isspace() or ord(character) < 32 for character in address)
    return is_path and is_plain and not parts.netloc and not parts.path.startswith("/search")

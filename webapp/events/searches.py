"""Searched texts: a viewer's own recent searches, and the trending searches of all viewers."""

import itertools
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Lower, Trim

from webapp.events.evidence import Evidence
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.refreshed import Refreshed

REDIRECTED = "redirect"
"""The value of a search that a rule led to another page."""
ASKED = ("", "submit", REDIRECTED)
"""The values of a search whose text was sent off as it stands; others ended while typing."""
NUM_SHOWN = 5
READ = 60
_ADDRESS = re.compile(r"://|@|\bwww\b|[\w-]{2,}\.[a-z]{2,}", re.IGNORECASE)
"""What of a text leads to another site or to a mailbox."""
RECENT_DAYS = 90


def recent_searches(
    visit: CurrentVisit, now: datetime, evidence: Evidence | None = None
) -> list[str]:
    """Return what this viewer searched for lately, newest first, each text once.

    Args:
        visit: whose.
        now: the moment.
        evidence: the viewer's; the searches are kept with it, because whatever changes them
            changes its version. One query where it has none yet, and without evidence.
    """
    searches = None if evidence is None else evidence.derived.get("searches")
    if searches is None:
        searches = list(
            _own(visit)
            .filter(kind=Event.Kind.SEARCH, value__in=ASKED)
            .exclude(query="")
            .order_by("-occurred_at")
            .values_list("occurred_at", "query")[:READ]
        )
        if evidence is not None:
            evidence.derived["searches"] = searches
    since = now - timedelta(days=RECENT_DAYS)
    return _each_once(text for at, text in searches if at >= since)[:NUM_SHOWN]


def forget_search(visit: CurrentVisit, text: str) -> int:
    """Take a text out of all that this viewer did, and return from how many events. One query.

    The events stay, without it, so that the metrics go on counting them.
    """
    if visit.version:
        visit.version.forget()
    return _own(visit).filter(query__iexact=text.strip()).exclude(query="").update(query="")


def is_repeated(visit: CurrentVisit, text: str) -> bool:
    """Whether the visit's latest search was for this text: a page loaded again. One query."""
    latest = (
        Event.objects.filter(visit=visit.id, kind__in=[Event.Kind.SEARCH, Event.Kind.CHOOSE])
        .order_by("-occurred_at")
        .values_list("kind", "query")
        .first()
    )
    return latest == (Event.Kind.SEARCH, text)


def trending_searches(visit: CurrentVisit) -> list[str]:
    """Return what many different people search for these days, most first.

    A text counts from `TRENDING_SEARCH_VIEWERS` accounts on: what fewer look for may be private,
    and visits without an account can be made up by anyone. A viewer with a maturity limit gets
    none, because texts have no age rating. No query, because a process keeps them.
    """
    return [] if visit.maturity_limit is not None else list(trending.get())


def _shown_trending(now: datetime) -> tuple[str, ...]:
    """Return the texts to show to everyone: none that leads elsewhere."""
    if not settings.TRENDING_SEARCHES:
        return ()
    texts = (text for text in _trending(now)[:READ] if not _ADDRESS.search(text))
    return tuple(itertools.islice(texts, NUM_SHOWN))


def _trending(now: datetime) -> QuerySet[Event, str]:
    """Count accounts: a visit costs nothing, so its searches are not shown to others."""
    return (
        Event.objects.of_people()
        .filter(
            kind=Event.Kind.SEARCH,
            value__in=ASKED,
            occurred_at__gt=now - timedelta(days=settings.TRENDING_SEARCH_DAYS),
        )
        .exclude(query="")
        .values(text=Lower(Trim("query")))
        .annotate(viewers=Count("profile__account", distinct=True))
        .filter(viewers__gte=settings.TRENDING_SEARCH_VIEWERS)
        .order_by(F("viewers").desc(), "text")
        .values_list("text", flat=True)
    )


trending: Refreshed[tuple[str, ...]] = Refreshed(
    "trending searches",
    lambda _: _shown_trending(datetime.now(UTC)),
    seconds=60.0,
    otherwise=(),
)
"""This process's trending searches; for everyone the same."""


def _own(visit: CurrentVisit) -> QuerySet[Event]:
    """The events of the viewer: a profile's, or an anonymous browser's last two visits'."""
    if visit.profile:
        return Event.objects.filter(profile=visit.profile)
    return Event.objects.filter(profile=None, visit__in=visit.of_browser)


def _each_once(texts: Iterable[str]) -> list[str]:
    """Return the texts without those that come again, whatever their case."""
    once: dict[str, str] = {}
    for text in texts:
        once.setdefault(" ".join(text.casefold().split()), text)
    return list(once.values())

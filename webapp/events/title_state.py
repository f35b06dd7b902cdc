"""Title state: what a viewer has done with one title; it drives the title's controls."""

from dataclasses import dataclass, field

from django.db.models import F, FloatField, Value

from webapp.catalog.models import Title
from webapp.events.evidence import Evidence
from webapp.events.playback import Playback, playbacks_of
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import (
    DroppedTitle,
    HiddenTitle,
    ListEntry,
    Rating,
    RefusedGenre,
    RefusedPerson,
)


@dataclass(frozen=True)
class TitleState:
    """A viewer's rating, marks and playback of one title."""

    rating: Rating | None = None
    playback: Playback | None = None
    is_listed: bool = False
    is_hidden: bool = False
    is_dropped: bool = False
    refused_people: set[int] = field(default_factory=set)
    refused_genres: set[int] = field(default_factory=set)

    @property
    def thumb(self) -> str:
        return self.rating.thumb if self.rating else ""

    @property
    def can_resume(self) -> bool:
        """Whether it was begun and is not at its end."""
        return self.playback is not None and self.playback.is_unfinished

    @property
    def is_in_history(self) -> bool:
        return self.rating is not None or self.playback is not None


def title_state_of(visit: CurrentVisit, title: Title, evidence: Evidence) -> TitleState:
    """Return the state as the evidence has it. One query where a person of the title is refused."""
    playback = next((p for p in evidence.playbacks if p.title_id == title.pk), None)
    profile = visit.profile
    if profile is None:
        return TitleState(playback=playback)
    marks = {v.source: v for v in evidence.verdicts if v.title_id == title.pk}
    rated, dropped = marks.get("rating"), marks.get("dropped")
    people: set[int] = set()
    if "refused" in marks:
        refused = RefusedPerson.objects.filter(profile=profile, person__titles=title)
        people = set(refused.values_list("person_id", flat=True))
    return TitleState(
        rating=Rating(profile=profile, title=title, stars=rated.stars) if rated else None,
        playback=playback,
        is_listed="list" in marks,
        is_hidden="hidden" in marks,
        is_dropped=bool(dropped and playback and dropped.at >= playback.at),
        refused_people=people,
        refused_genres={g.pk for g in title.genre_list} & evidence.refused_genres,
    )


def title_state(visit: CurrentVisit, title: Title) -> TitleState:
    """Read the state. Two queries, one for an anonymous visitor."""
    playback = next(iter(playbacks_of(visit, title.pk)), None)
    profile = visit.profile
    if profile is None:
        return TitleState(playback=playback)
    nothing = Value(0.0, output_field=FloatField())
    marks = {
        "list": (ListEntry.objects.filter(profile=profile, title=title), "title_id"),
        "hidden": (HiddenTitle.objects.filter(profile=profile, title=title), "title_id"),
        "dropped": (
            DroppedTitle.objects.filter(profile=profile, title=title, at__gte=playback.at)
            if playback
            else DroppedTitle.objects.none(),
            "title_id",
        ),
        "person": (
            RefusedPerson.objects.filter(profile=profile, person__titles=title).distinct(),
            "person_id",
        ),
        "genre": (RefusedGenre.objects.filter(profile=profile, genre__titles=title), "genre_id"),
    }
    rated = Rating.objects.filter(profile=profile, title=title)
    stored = list(
        rated.annotate(source=Value("rating"), value=F("stars"))
        .values_list("source", "title_id", "value")
        .union(
            *(
                rows.order_by()
                .annotate(source=Value(source), value=nothing)
                .values_list("source", subject, "value")
                for source, (rows, subject) in marks.items()
            ),
            all=True,
        )
    )
    sources = {source for source, _, _ in stored}
    ratings = [
        Rating(profile=profile, title=title, stars=n) for kind, _, n in stored if kind == "rating"
    ]
    return TitleState(
        rating=next(iter(ratings), None),
        playback=playback,
        is_listed="list" in sources,
        is_hidden="hidden" in sources,
        is_dropped="dropped" in sources,
        refused_people={number for source, number, _ in stored if source == "person"},
        refused_genres={number for source, number, _ in stored if source == "genre"},
    )

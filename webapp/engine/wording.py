"""Headings and reasons in words: rows and reasons in, sentences of the interface out.

A sentence says only what its reason holds evidence of, or what is true of every row of its kind;
otherwise it is empty. Sentences have at most twelve words beside names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from recommender.ranking.page import Row
from recommender.ranking.reasons import Because, Reason
from recommender.ranking.row_kinds import Subject, row_kind
from recommender.serving.interest_rows import genres_of_pair
from search.facets import Facet, FacetValue
from webapp.catalog.models import Genre, Person, Title
from webapp.discovery.selection import Sort
from webapp.events.evidence import Evidence
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import Rating

HEADINGS = {
    "this_visit": "Because of what you just opened",
    "because_watched": "Because you {verb} {subject}",
    "top_picks": "Top picks for {viewer}",
    "trending": "Trending now",
    "from_likes": "More of what you like",
    "genre": "{subject}",
    "new": "Recently added",
    "continue_watching": "Continue watching",
    "my_list": "My list",
    "suggestions": "For you, now",
    "results": "Results",
    "more_like": "More like this",
    "near": "You may also like",
    "top_10": "Top {count} today",
    "genre_pair": "{subject}",
    "person": "With {subject}",
    "hidden_gems": "Hidden gems",
    "watch_again": "Watch again",
    "played_next": "What viewers played next",
    "popular": "Popular titles",
    "typed": "Titles",
    "spotlight": "Because of what you just opened",
}
"""What stands above a row, by kind. {subject} is what its key names, {verb} what the viewer did
with that title, {viewer} the profile's name."""
WITHOUT_REASON = {
    "because_watched": "Similar to {subject}",
    "suggestions": "Popular right now",
    "this_visit": "For this visit",
    "spotlight": "For this visit",
}
"""The headings of kinds whose usual one would claim more than such a row has evidence of."""
NEAR_A_TITLE = ("Similar titles", "Similar story, people or genres")
"""Heading and reason of titles near to one that no model knows, which their key names."""

OF_KIND = {
    "continue_watching": "Pick up where you left off",
    "my_list": "Titles you saved for later",
    "new": "Newest first",
    "results": "Matches your search",
    "typed": "Matches your search",
    "near": "Similar titles",
    "top_10": "Most started today",
    "hidden_gems": "Lesser-known titles you may like",
    "watch_again": "Favourites worth watching again",
    "played_next": "Started next by viewers of this title",
}
"""What is true of every row of a kind."""
LIFTS: dict[Subject | None, str] = {
    Subject.PERSON: "You chose {number} of their titles",
    Subject.GENRE: "You choose this genre more often than most viewers",
    Subject.GENRE_PAIR: "You choose these genres together more often than most viewers",
}
FEATURED = "Featured for this search"
"""Why an operator's pinned title stands where it does."""
NOT_PERSONAL = "Personal picks are off."
SORT_NAMES = {
    Sort.MATCH: "Best match",
    Sort.YEAR: "Year",
    Sort.ADDED: "Newest here",
    Sort.LIKED: "Most liked",
    Sort.LENGTH: "Shortest",
}
SORT_WORDS = {
    Sort.YEAR: "latest year first",
    Sort.ADDED: "newest here first",
    Sort.LIKED: "what most people like first",
    Sort.LENGTH: "shortest first",
}
"""What stands first where titles are sorted so."""
FACET_NAMES = {facet: facet.value.capitalize() for facet in Facet}
_FACET_LABELS = {
    (Facet.LENGTH, "under-60"): "Under 1 h",
    (Facet.LENGTH, "60-89"): "1 h to 1½ h",
    (Facet.LENGTH, "90-119"): "1½ h to 2 h",
    (Facet.LENGTH, "120-up"): "2 h and longer",
    (Facet.AGE, "0"): "For everyone",
    (Facet.AGE, "6"): "For age 6",
    (Facet.AGE, "12"): "For age 12",
    (Facet.AGE, "16"): "For age 16",
    (Facet.KIND, "film"): "Films",
    (Facet.KIND, "series"): "Series",
    (Facet.SEEN, "no"): "Not seen yet",
    (Facet.SEEN, "yes"): "Seen",
}


def facet_label(value: FacetValue) -> str:
    """Return a facet's value in words."""
    return _FACET_LABELS.get((value.facet, value.value), value.value)


@dataclass(frozen=True)
class Subjects:
    """What rows and reasons speak of, by id."""

    titles: Mapping[int, Title]
    genres: Mapping[int, Genre]
    people: Mapping[int, Person]

    def name(self, row: Row) -> str | None:
        """Return the name of what the row's key names; empty for a row about nothing.

        None where it is gone: then there is nothing to head the row with.
        """
        subject = row_kind(row.kind).subject
        if subject is None or row.key is None:
            return ""
        if subject == Subject.GENRE_PAIR:
            names = [self.genres[id_].name for id_ in genres_of_pair(row.key) if id_ in self.genres]
            return " and ".join(names) if len(names) == 2 else None
        by_subject: dict[Subject, Mapping[int, Title | Genre | Person]] = {
            Subject.TITLE: self.titles,
            Subject.GENRE: self.genres,
            Subject.PERSON: self.people,
        }
        named = by_subject[subject].get(row.key)
        return None if named is None else named.name

    def genre_of(self, row: Row) -> Genre | None:
        is_genre = row_kind(row.kind).subject == Subject.GENRE and row.key is not None
        return self.genres[row.key] if is_genre and row.key is not None else None

    def person_of(self, row: Row) -> Person | None:
        is_person = row_kind(row.kind).subject == Subject.PERSON and row.key is not None
        return self.people[row.key] if is_person and row.key is not None else None


class Wording:
    """Words one response: what the viewer did with a title is looked up once."""

    def __init__(self, subjects: Subjects, evidence: Evidence, visit: CurrentVisit) -> None:
        self._subjects, self._evidence, self._visit = subjects, evidence, visit

    def heading(self, row: Row) -> str:
        """Return what stands above a row."""
        verb = ""
        kind = row_kind(row.kind)
        if kind.subject == Subject.TITLE and row.key is not None:
            verb = self.verb(row.key)
            has_evidence = bool(verb)
        else:
            opened = not self._opened_now.isdisjoint(row.reason.titles_now)
            has_evidence = row.reason.because == Because.TASTE or opened
        default = row.kind.replace("_", " ").capitalize()
        heading = HEADINGS.get(row.kind, default)
        if not has_evidence:
            heading = WITHOUT_REASON.get(row.kind, heading)
        if row.kind == "near" and row.key is not None:
            heading = NEAR_A_TITLE[0]
        return heading.format(
            subject=self._subjects.name(row),
            verb=verb,
            viewer=self._visit.profile.name if self._visit.profile else "you",
            count=len(row.items),
        )

    def reason(self, row: Row) -> str:
        """Return why a row is shown; empty where nothing speaks for it."""
        words = _row_reason(row)
        if self._visit.is_personal or row_kind(row.kind).is_kept_by_viewer:
            return words
        return f"{words}. {NOT_PERSONAL}" if words else NOT_PERSONAL

    def why(self, reason: Reason, row: Row, title: Title, slot: int, of_row: str) -> str:
        """Return why a title stands in its slot; the row's reason where it has none of its own."""
        if reason.because == Because.EXPLORATION:
            return "Something different to try"
        if reason.because == Because.VISIT:
            return "Matches what you’re browsing now"
        if reason.because == Because.HISTORY:
            return "Matches what you liked or watched before"
        similar_to = [self._subjects.titles.get(id_) for id_ in reason.titles]
        if reason.because == Because.SIMILAR and similar_to and similar_to[0] is not None:
            verb = self.verb(similar_to[0].pk)
            return f"Similar to {similar_to[0].name}" + (f", which you {verb}" if verb else "")
        if row.kind == "top_10":
            return f"Number {slot + 1} today"
        if row.kind == "new":
            return f"Added on {title.added_at.day} {title.added_at:%B %Y}"
        return of_row

    def verb(self, title_id: int) -> str:
        """Return what the viewer did with a title, the most telling; empty where nothing."""
        return next((verb for verb, ids in self._done.items() if title_id in ids), "")

    @cached_property
    def _done(self) -> dict[str, set[int]]:
        """Titles by what the viewer did with them, the most telling first."""
        evidence = self._evidence
        return {
            "watched": {p.title_id for p in evidence.playbacks if p.is_qualified},
            "liked": {
                verdict.title_id
                for verdict in evidence.verdicts
                if verdict.source == "rating" and verdict.stars >= Rating.LIKED_FROM_STARS
            },
            "started": {p.title_id for p in evidence.playbacks},
            "saved": {v.title_id for v in evidence.verdicts if v.source == "list"},
            "opened": self._opened_now,
        }

    @cached_property
    def _opened_now(self) -> set[int]:
        """Titles opened or played in this visit."""
        opening = (Event.Kind.OPEN, Event.Kind.CHOOSE, *Event.PLAYBACK)
        return {id_ for id_, event in self._evidence.in_session if event.kind in opening}


def _row_reason(row: Row) -> str:
    reason = row.reason
    if reason.because == Because.TASTE:
        return _taste(reason, is_pinned=row.num_pinned > 0)
    if reason.because == Because.VISIT:
        return f"Based on {_titles(len(reason.titles_now))} you chose just now"
    if reason.because == Because.SIMILAR:
        return f"Similar to {_titles(len(reason.titles))} you liked, saved or watched before"
    if reason.because == Because.LIFT:
        return LIFTS.get(row_kind(row.kind).subject, "").format(number=len(reason.titles))
    if reason.because == Because.LIKERS:
        return "Liked by people who liked this title"
    if reason.because == Because.GENRES:
        return "Shares genres with this title"
    if reason.because == Because.POPULAR:
        return "Most liked by viewers"
    if reason.because == Because.TRENDING:
        return "Most liked recently"
    if row.kind == "near" and row.key is not None:
        return NEAR_A_TITLE[1]
    return OF_KIND.get(row.kind, "")


def _taste(reason: Reason, *, is_pinned: bool) -> str:
    """Return what made a row of the whole taste; pinned titles stand there from before."""
    if not reason.titles:
        return "" if is_pinned else "Based on what you’re looking at now"
    words = f"Based on {_titles(len(reason.titles))} you liked, saved or watched"
    return f"{words}, plus this visit" if reason.titles_now and not is_pinned else words


def _titles(number: int) -> str:
    return "1 title" if number == 1 else f"{number} titles"

"""Headings and reasons: why a row stands on the page, in the viewer's words."""

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.ranking.page import Row
from recommender.ranking.row_kinds import BECAUSE_WATCHED, row_kind
from recommender.serving.interest_rows import genres_of_pair
from recommender.serving.reasons import Because, Reason
from recommender.serving.taste import Taste
from webapp.catalog.models import Genre, Person, Title
from webapp.events.evidence import Evidence
from webapp.events.models import Event
from webapp.events.visits import CurrentVisit

FIXED = {
    "continue_watching": ("Continue watching", "Where you stopped last."),
    "my_list": ("My list", "What you kept for later."),
    "trending": ("Trending now", "What people here have liked most lately."),
    "popular": ("Popular titles", "What most people here have liked."),
    "suggestions": ("To begin with", "What people here have liked most lately."),
    "played_next": (
        "What people play next",
        "Begun next by those who played this title.",
    ),
    "results": ("Results", "It matches your search."),
    "typed": ("Titles", "It matches your search."),
    "near": ("Near in meaning", "Close to your words in what it is about."),
    "hidden_gems": ("Hidden gems", "They fit you, and few here know them."),
    "watch_again": ("Watch again", "You liked them once; what fits now stands first."),
    "new": ("New in the catalogue", "What came in last."),
}

MORE_LIKE = ("More like this", "Liked by the people who like this title.")
NEAR_A_TITLE = ("Close to it", "By what it is about, who made it, and its genres.")
LARGE_GENRE = "One of the largest genres here."


@dataclass(frozen=True)
class Subjects:
    """What rows and reasons speak of, by id."""

    titles: Mapping[int, Title]
    genres: Mapping[int, Genre]
    people: Mapping[int, Person]

    def has(self, row: Row) -> bool:
        """Whether what the row is about is still there."""
        if row.key is None:
            return True
        if row.kind == BECAUSE_WATCHED:
            return row.key in self.titles
        if row.kind == "genre":
            return row.key in self.genres
        if row.kind == "genre_pair":
            return all(id_ in self.genres for id_ in genres_of_pair(row.key))
        return row.kind != "person" or row.key in self.people

    def genre_of(self, row: Row) -> Genre | None:
        return self.genres[row.key] if row.kind == "genre" and row.key is not None else None

    def person_of(self, row: Row) -> Person | None:
        return self.people[row.key] if row.kind == "person" and row.key is not None else None


def heading_and_reason(
    row: Row,
    subjects: Subjects,
    evidence: Evidence,
    visit: CurrentVisit,
    taste: Taste | None = None,
) -> tuple[str, str]:
    """Say what a row is and why it is there."""
    if not visit.is_personal and not row_kind(row.kind).is_kept_by_viewer:
        heading, reason = _impersonal(row, subjects)
        return heading, f"{reason} Personal picks are off."
    if row.kind == BECAUSE_WATCHED and row.key is not None:
        return _because(subjects.titles[row.key], evidence)
    if row.kind == "this_visit":
        return _this_visit(evidence)
    if row.kind == "top_picks":
        who = visit.profile.name if visit.profile else "you"
        return f"Top picks for {who}", _taste_reason(evidence, taste, is_held=row.num_pinned > 0)
    if row.kind == "from_likes":
        return "More of what you like", _likes_reason(evidence)
    if row.kind == "suggestions" and taste is not None:
        return "For you, now", _taste_reason(evidence, taste)
    if row.kind in ("genre", "genre_pair", "person") and evidence.liked():
        return _impersonal(row, subjects)[0], _liking(row.kind)
    return _impersonal(row, subjects)


def why(
    reason: Reason,
    row: Row,
    title: Title,
    slot: int,
    of_row: str,
    subjects: Subjects,
    evidence: Evidence,
) -> str:
    """Say why this title stands there; what its row says where nothing else is known."""
    if reason.because == Because.CHANCE:
        return "A try: you may like it, and few have been shown it here."
    near = subjects.titles.get(reason.title_id) if reason.title_id is not None else None
    if reason.because == Because.NEAR and near is not None:
        return f"Close to {near.name}, which you {_done_with(near.pk, evidence)}."
    if reason.because == Because.VISIT:
        return "It fits what this visit is about."
    if reason.because == Because.HISTORY:
        return "It fits what you have liked over time."
    if row.kind == "top_10":
        return f"Number {slot + 1} today."
    if row.kind == "new":
        return f"It came in on {title.added_at.day} {title.added_at:%B %Y}."
    return of_row


def _done_with(title_id: int, evidence: Evidence) -> str:
    tonight = {id_ for id_, event in evidence.in_session if event.is_positive}
    if title_id in tonight:
        return "chose in this visit"
    if title_id in {playback.title_id for playback in evidence.playbacks}:
        return "watched"
    return "liked"


def _impersonal(row: Row, subjects: Subjects) -> tuple[str, str]:
    if row.kind == "genre" and row.key is not None:
        return subjects.genres[row.key].name, LARGE_GENRE
    if row.kind == "genre_pair" and row.key is not None:
        names = (subjects.genres[id_].name for id_ in genres_of_pair(row.key))
        return " and ".join(names), "Titles that are both."
    if row.kind == "person" and row.key is not None:
        return f"With {subjects.people[row.key].name}", "Titles they made or play in."
    if row.kind == "top_10":
        return f"Top {len(row.items)} in the catalogue today", "What most people here began today."
    if row.kind == "near" and row.key is not None:
        return NEAR_A_TITLE
    return MORE_LIKE if row.kind == "more_like" else FIXED[row.kind]


def _liking(kind: str) -> str:
    what = {"genre": "this genre", "genre_pair": "these two together", "person": "their titles"}
    return f"You choose {what[kind]} more often than others do."


def _this_visit(evidence: Evidence) -> tuple[str, str]:
    tonight = {id_ for id_, event in evidence.in_session if event.is_positive}
    count = f"{len(tonight)} title{'s' if len(tonight) != 1 else ''}"
    return "Because of what you just opened", f"From the {count} you chose in this visit alone."


def _because(title: Title, evidence: Evidence) -> tuple[str, str]:
    tonight = {title_id for title_id, _ in evidence.in_session}
    opened = {
        id_ for id_, e in evidence.in_session if e.kind in (Event.Kind.OPEN, Event.Kind.CHOOSE)
    }
    watched = {playback.title_id for playback in evidence.playbacks}
    when = "just now" if title.pk in tonight else "before"
    if title.pk in watched:
        return f"Because you watched {title.name}", f"You played it {when}."
    if title.pk in opened:
        return f"Because you opened {title.name}", "You looked at it just now."
    return f"Because you liked {title.name}", "You rated it highly or kept it."


def _taste_reason(evidence: Evidence, taste: Taste | None, *, is_held: bool = False) -> str:
    liked = evidence.liked()
    tonight = len({title_id for title_id, _ in evidence.in_session} & liked.keys())
    count = f"{len(liked)} title{'s' if len(liked) != 1 else ''} you liked or watched"
    if not tonight:
        return f"From {count}."
    words = f"From {count}, {tonight} of them in this visit."
    if taste and taste.visit_share is not None:
        words += f" This visit counts {taste.visit_share:.0%}."
    return f"{words} What you saw here stays in its place." if is_held else words


def _likes_reason(evidence: Evidence) -> str:
    number = len(evidence.liked_before())
    titles = "title" if number == 1 else "titles"
    return f"Each stands close to some of the {number} {titles} you liked before this visit."

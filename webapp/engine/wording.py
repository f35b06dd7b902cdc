"""Headings and reasons: why a row stands on the page, in the viewer's words."""

from collections.abc import Mapping

from recommender.ranking.page import KEPT_KINDS, Row
from recommender.serving.taste import Taste
from webapp.catalog.models import Genre, Title
from webapp.events.models import Event
from webapp.events.sessions import Evidence
from webapp.events.visits import CurrentVisit

FIXED = {
    "continue_watching": ("Continue watching", "Where you stopped last."),
    "my_list": ("My list", "What you kept for later."),
    "trending": ("Trending now", "What people here have liked most lately."),
    "popular": ("Popular titles", "What most people here have liked."),
    "suggestions": ("To begin with", "What people here have liked most lately."),
    "results": ("Results", "It matches your search."),
    "typed": ("Titles", "It matches your search."),
    "near": ("Near in meaning", "Close to your words in what it is about."),
    "new": ("New in the catalogue", "What came in last."),
}

MORE_LIKE = ("More like this", "Liked by the people who like this title.")
LARGE_GENRE = "One of the largest genres here."


def heading_and_reason(
    row: Row,
    titles: Mapping[int, Title],
    genres: Mapping[int, Genre],
    evidence: Evidence,
    visit: CurrentVisit,
    taste: Taste | None = None,
) -> tuple[str, str]:
    """Say what a row is and why it is there."""
    if not visit.is_personal and row.kind not in KEPT_KINDS:
        heading, reason = _impersonal(row, genres)
        return heading, f"{reason} Personal picks are off."
    if row.kind == "because_watched" and row.key is not None:
        return _because(titles[row.key], evidence)
    if row.kind == "more_like":
        return MORE_LIKE
    if row.kind == "genre" and row.key is not None:
        return genres[row.key].name, _genre_reason(evidence)
    if row.kind == "this_visit":
        return _this_visit(evidence)
    if row.kind == "top_picks":
        who = visit.profile.name if visit.profile else "you"
        return f"Top picks for {who}", _taste_reason(evidence, taste)
    if row.kind == "from_likes":
        return "More of what you like", _likes_reason(evidence)
    if row.kind == "suggestions" and taste is not None:
        return "For you, now", _taste_reason(evidence, taste)
    return FIXED[row.kind]


def _impersonal(row: Row, genres: Mapping[int, Genre]) -> tuple[str, str]:
    if row.kind == "genre" and row.key is not None:
        return genres[row.key].name, LARGE_GENRE
    return MORE_LIKE if row.kind == "more_like" else FIXED[row.kind]


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


def _taste_reason(evidence: Evidence, taste: Taste | None) -> str:
    liked = evidence.liked()
    tonight = len({title_id for title_id, _ in evidence.in_session} & liked.keys())
    count = f"{len(liked)} title{'s' if len(liked) != 1 else ''} you liked or watched"
    if not tonight:
        return f"From {count}."
    words = f"From {count}, {tonight} of them in this visit."
    share = taste.visit_share if taste else None
    return words if share is None else f"{words} This visit counts {share:.0%}."


def _likes_reason(evidence: Evidence) -> str:
    number = len(evidence.liked_before())
    titles = "title" if number == 1 else "titles"
    return f"Each stands close to some of the {number} {titles} you liked before this visit."


def _genre_reason(evidence: Evidence) -> str:
    if evidence.liked():
        return "You choose this genre more often than others do."
    return LARGE_GENRE

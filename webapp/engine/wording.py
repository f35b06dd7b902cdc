"""Headings and reasons: why a row stands on the page, in the viewer's words."""

from collections.abc import Mapping

from recommender.ranking.page import Row
from webapp.catalog.models import Genre, Title
from webapp.events.sessions import Evidence
from webapp.events.visits import CurrentVisit

FIXED = {
    "continue_watching": ("Continue watching", "Where you stopped last."),
    "my_list": ("My list", "What you kept for later."),
    "trending": ("Trending now", "What people here have liked most lately."),
    "popular": ("Popular titles", "What most people here have liked."),
    "new": ("New in the catalogue", "What came in last."),
}


def heading_and_reason(
    row: Row,
    titles: Mapping[int, Title],
    genres: Mapping[int, Genre],
    evidence: Evidence,
    visit: CurrentVisit,
) -> tuple[str, str]:
    """Say what a row is and why it is there."""
    if row.kind == "because_watched" and row.key is not None:
        return _because(titles[row.key], evidence)
    if row.kind == "more_like":
        return "More like this", "Liked by the people who like this title."
    if row.kind == "genre" and row.key is not None:
        return genres[row.key].name, _genre_reason(evidence)
    if row.kind == "top_picks":
        who = visit.profile.name if visit.profile else "you"
        return f"Top picks for {who}", _taste_reason(evidence)
    return FIXED[row.kind]


def _because(title: Title, evidence: Evidence) -> tuple[str, str]:
    tonight = {event.title_id for event in evidence.in_session}
    watched = {playback.title_id for playback in evidence.playbacks}
    when = "just now" if title.pk in tonight else "before"
    if title.pk in watched:
        return f"Because you watched {title.name}", f"You played it {when}."
    if title.pk in tonight:
        return f"Because you opened {title.name}", "You looked at it just now."
    return f"Because you liked {title.name}", "You rated it highly or kept it."


def _taste_reason(evidence: Evidence) -> str:
    liked = evidence.liked()
    tonight = len({event.title_id for event in evidence.in_session} & liked.keys())
    count = f"{len(liked)} title{'s' if len(liked) != 1 else ''} you liked or watched"
    if not tonight:
        return f"From {count}."
    return f"From {count}, {tonight} of them in this visit."


def _genre_reason(evidence: Evidence) -> str:
    if evidence.liked():
        return "You choose this genre more often than others do."
    return "One of the largest genres here."

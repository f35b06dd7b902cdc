"""History page: a profile's titles watched or rated, the newest first."""

from dataclasses import dataclass
from datetime import datetime

from webapp.events.playback import Playback, playbacks_of
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import Rating

NEWEST = 2000
"""Of the plays, and of the ratings, so many are listed; the download of a profile has all."""


@dataclass(frozen=True)
class HistoryEntry:
    """A title that was watched, rated or both, and when last."""

    title_id: int
    at: datetime
    playback: Playback | None
    rating: Rating | None


def history_of(visit: CurrentVisit) -> list[HistoryEntry]:
    """Return what the visit's profile watched or rated lately, the newest first. Two queries."""
    playbacks = {p.title_id: p for p in playbacks_of(visit, plays=NEWEST)}
    rated = Rating.objects.filter(profile=visit.profile).order_by("-rated_at")[:NEWEST]
    ratings = {rating.title_id: rating for rating in rated}
    entries = []
    for title_id in playbacks.keys() | ratings.keys():
        playback, rating = playbacks.get(title_id), ratings.get(title_id)
        moments = [playback.at] if playback else []
        moments += [rating.rated_at] if rating else []
        entries.append(HistoryEntry(title_id, max(moments), playback, rating))
    return sorted(entries, key=lambda entry: (entry.at, entry.title_id), reverse=True)

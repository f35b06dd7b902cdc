"""History page: a profile's titles watched or rated, the newest first."""

from dataclasses import dataclass
from datetime import datetime

from webapp.events.playback import Playback, playbacks_of
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import Rating


@dataclass(frozen=True)
class HistoryEntry:
    """A title that was watched, rated or both, and when last."""

    title_id: int
    at: datetime
    playback: Playback | None
    rating: Rating | None


def history_of(visit: CurrentVisit) -> list[HistoryEntry]:
    """Return all that the visit's profile watched or rated, the newest first. Two queries."""
    playbacks = {playback.title_id: playback for playback in playbacks_of(visit)}
    ratings = {rating.title_id: rating for rating in Rating.objects.filter(profile=visit.profile)}
    entries = []
    for title_id in playbacks.keys() | ratings.keys():
        playback, rating = playbacks.get(title_id), ratings.get(title_id)
        moments = [playback.at] if playback else []
        moments += [rating.rated_at] if rating else []
        entries.append(HistoryEntry(title_id, max(moments), playback, rating))
    return sorted(entries, key=lambda entry: (entry.at, entry.title_id), reverse=True)

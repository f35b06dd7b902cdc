"""Why a row or a title is shown, with the evidence that makes it true.

A reason is made where the row is made, of what made it; the web application only words it. Where
there is no evidence the reason is `NO_REASON`, and nothing is said.
"""

from dataclasses import dataclass
from enum import StrEnum

from recommender.arrays import Float32


class Because(StrEnum):
    """What makes a reason true; each names the fields of `Reason` that hold its evidence."""

    NOTHING = "nothing"
    """No evidence."""
    TASTE = "taste"
    """Made from all that the viewer liked: `titles`, or `titles_now`, or both."""
    VISIT = "visit"
    """This visit speaks for it; a row names the visit's titles in `titles_now`."""
    HISTORY = "history"
    """What the viewer liked before this visit speaks for it."""
    SIMILAR = "similar"
    """Similar to one or more `titles` that the viewer liked."""
    LIFT = "lift"
    """The viewer likes `titles`, two or more, `lift` times as often as expected, above 1."""
    LIKERS = "likers"
    """Liked by the `likers` of the title that the row is about."""
    GENRES = "genres"
    """Shares genres with the title that the row is about."""
    POPULAR = "popular"
    """Liked by most: one title by `likers`, 1 or more."""
    TRENDING = "trending"
    """The same of late."""
    EXPLORATION = "exploration"
    """In an exploration slot, by a propensity below one half."""


@dataclass(frozen=True)
class Reason:
    """Why a row or a title is shown.

    Attributes:
        because: what makes it true.
        titles: ids of the titles, liked before this visit or in it, that made it.
        titles_now: ids of those that this visit alone brought.
        lift: how many times as often the viewer likes it as expected from everyone's likes.
        likers: how many profiles liked it.
    """

    because: Because
    titles: tuple[int, ...] = ()
    titles_now: tuple[int, ...] = ()
    lift: float = 0.0
    likers: int = 0

    def borne_out_by(self, scores: Float32) -> "Reason":
        """Return the reason, or none where no title of a popular row that is shown was liked.

        Args:
            scores: (N,) of the titles shown.
        """
        is_popular = self.because in (Because.POPULAR, Because.TRENDING)
        return NO_REASON if is_popular and not (scores > 0).any() else self

    @property
    def is_of_taste(self) -> bool:
        """Whether a title with this reason is there for the viewer's taste."""
        return self.because in (Because.SIMILAR, Because.VISIT, Because.HISTORY)


NO_REASON = Reason(Because.NOTHING)
EXPLORED = Reason(Because.EXPLORATION)

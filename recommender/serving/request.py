"""What a caller asks of the recommender, in outside ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Viewer:
    """What is known of the one who asks, at this moment.

    Attributes:
        liked: title id to how much it says for the viewer's taste; 1 is a title liked before.
        reasons: liked titles to explain rows with, the most telling first.
        excluded: titles never to show.
        seen: titles that are no news: not recommended, but shown where the viewer keeps them.
        unfinished: titles begun and not ended, newest first.
        listed: My List, newest first.
    """

    liked: Mapping[int, float] = field(default_factory=dict)
    reasons: Sequence[int] = ()
    excluded: frozenset[int] = frozenset()
    seen: frozenset[int] = frozenset()
    unfinished: Sequence[int] = ()
    listed: Sequence[int] = ()

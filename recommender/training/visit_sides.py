"""Visit sides: held-out requests and what each side finds in, which side reads visits out.

A visit can be read by nothing (the long-term scores alone), by the stated prior of visit intents,
or by what was learned from visits: a mixture of the prior's aspects, visit counts and the session
encoder, or the encoder alone through its gate. What was learned takes over only where it is better
than the prior by more than chance explains.

I items, B requests, V viewers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recommender.arrays import Float32, Float64, Int64
from recommender.data.interactions import Interactions
from recommender.data.sessions import POSITIVE_KINDS, Requests, Sessions
from recommender.errors import InvalidInputError
from recommender.models.fusion import ENCODER
from recommender.models.visit_mixture import MIXTURE
from recommender.training.gates import Z_95_ONE_SIDED
from recommender.vocabulary import UNKNOWN

LONG_TERM, PRIOR = "long-term only", "prior"
LEARNED = (MIXTURE, ENCODER)
MIN_COMPARED = 50
"""With fewer later requests of held-out viewers the prior reads the visits."""

Score = Callable[[Requests, slice], Float32]
"""(B, I) scores of some requests."""


@dataclass(frozen=True)
class Difference:
    """Mean of ours - theirs over requests, and its standard error; viewers are independent."""

    value: float
    error: float

    @classmethod
    def of(cls, ours: Float64, theirs: Float64, viewers: Int64) -> "Difference":
        """Compare (B,) values of the same requests, each of one of (B,) viewers."""
        if not len(viewers):
            return cls(0.0, float("inf"))
        differences = ours - theirs
        value = float(differences.mean())
        _, owner = np.unique(viewers, return_inverse=True)
        of_viewer = np.bincount(owner, differences - value)  # (V,)
        if len(of_viewer) < 2:
            return cls(value, float("inf"))
        spread = len(of_viewer) / (len(of_viewer) - 1) * float((of_viewer**2).sum())
        return cls(value, float(np.sqrt(spread)) / len(viewers))

    @property
    def low(self) -> float:
        """The lower bound, at 95 % on one side."""
        return self.value - Z_95_ONE_SIDED * self.error

    @property
    def high(self) -> float:
        """The upper bound, at 95 % on one side."""
        return self.value + Z_95_ONE_SIDED * self.error


def compare_sides(
    hits: Mapping[str, Float64], events_before: Int64, viewers: Int64
) -> dict[str, Any]:
    """Choose the side that reads the visits, and return the comparison as plain JSON.

    `visit_side` and `reason`; `compared`, the requests; by side `hr@20` and `hr@20 after one
    event`; `after_one_event`, the requests with one event before; and `harm`, by how much at the
    least the chosen side is worse than the long-term scores after one event (0 where it is not, by
    more than chance explains).

    Args:
        hits: by side, (B,) 1 where the target is among the first 20. `LONG_TERM` and `PRIOR` at
            least.
        events_before: (B,) positive events of the visit before each request.
        viewers: (B,) whose.
    """
    after_one = events_before == 1
    compared = {
        "compared": len(viewers),
        "after_one_event": int(after_one.sum()),
        "sides": {
            name: {"hr@20": _mean(values), "hr@20 after one event": _mean(values[after_one])}
            for name, values in hits.items()
        },
    }
    side, reason = _chosen(hits, viewers)
    first = Difference.of(hits[side][after_one], hits[LONG_TERM][after_one], viewers[after_one])
    is_enough = int(after_one.sum()) >= MIN_COMPARED
    harm = max(0.0, -first.high) if is_enough else 0.0
    return {"visit_side": side, "reason": reason, **compared, "harm": harm}


def _chosen(hits: Mapping[str, Float64], viewers: Int64) -> tuple[str, str]:
    learned = [side for side in LEARNED if side in hits]
    if not learned:
        return PRIOR, "Nothing was learned from visits: the prior reads them."
    if len(viewers) < MIN_COMPARED:
        return PRIOR, (
            f"Too few later visits of held-out viewers to compare on ({len(viewers)} requests, "
            f"{MIN_COMPARED} are needed): the prior reads the visits."
        )
    best = max(learned, key=lambda side: float(hits[side].mean()))
    gain = Difference.of(hits[best], hits[PRIOR], viewers)
    side = best if gain.low > 0 else PRIOR
    return side, (
        f"HR@20 on later visits of held-out viewers: {best} {hits[best].mean():.4f}, prior "
        f"{hits[PRIOR].mean():.4f} (difference {gain.value:+.4f} ± {gain.error:.4f}, at least "
        f"{gain.low:+.4f}): the {side} reads the visits."
    )


def histories_before(
    requests: Requests, rows: slice, num_items: int, liked: Interactions | None
) -> sparse.csr_array:
    """Return (B, I) 1 where the viewer liked an item before the visit of each request.

    Args:
        requests: over I items.
        rows: which of them, B.
        num_items: I.
        liked: over the same items, what every profile liked and when; None for recorded events
            alone.
    """
    visits, visit_of = np.unique(requests.visit_starts()[rows], return_inverse=True)
    histories = requests.sessions.met_before(visits, num_items, POSITIVE_KINDS)
    if liked is not None:
        histories = sparse.csr_array(
            histories.maximum(_liked_before(requests.sessions, visits, liked))
        )
    return sparse.csr_array(histories[visit_of])


def _liked_before(sessions: Sessions, events: Int64, liked: Interactions) -> sparse.csr_array:
    """Return (B, I) what an event's viewer liked before it, whatever was recorded of it.

    Raises:
        InvalidInputError: it is not known when anything was liked.
    """
    if liked.last_at is None:
        raise InvalidInputError("a history before a visit needs the times of its likes")
    rows = liked.profiles.items_of(sessions.viewers[sessions.viewer_of[events]])
    has_profile = np.flatnonzero(rows != UNKNOWN)
    cells = sparse.coo_array(liked.last_at[rows[has_profile]])
    request = has_profile[cells.row]
    is_before = cells.data < sessions.at[events[request]]
    ones = np.ones(int(is_before.sum()), dtype=np.float32)
    where = (request[is_before], cells.col[is_before])
    return sparse.csr_array((ones, where), shape=(len(events), len(liked.items)))


def without_history(score: Score, num_items: int, liked: Interactions | None) -> Score:
    """Return the same scores, least for what the viewer liked before the visit: it is no news."""

    def masked(requests: Requests, rows: slice) -> Float32:
        scores = np.array(score(requests, rows), dtype=np.float32)
        histories = sparse.coo_array(histories_before(requests, rows, num_items, liked))
        scores[histories.row, histories.col] = -np.inf
        return scores

    return masked


def _mean(values: Float64) -> float | None:
    return float(values.mean()) if len(values) else None

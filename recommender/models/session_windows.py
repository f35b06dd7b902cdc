"""Training windows: `Sessions` in, batches of event features with their next positive items out.

E events, W windows, B windows in a batch, L events a window reads, I items.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recommender.arrays import Bool, Float64, Int64
from recommender.data.sessions import POSITIVE_KINDS, Sessions
from recommender.models.session_events import EventFeatures, gap_buckets, silence_buckets
from recommender.vocabulary import UNKNOWN


@dataclass(frozen=True)
class Windows:
    """Stretches of at most L + 1 events: the first L are read, the last L predicted.

    Attributes:
        sessions: the events.
        first: (W,) the first event of each window.
        length: (W,) how many events it has.
        is_target: (E,) whether an event is predicted: a positive one of a known title.
        share: (W,) the share of epochs that each window takes part in.
    """

    sessions: Sessions
    first: Int64
    length: Int64
    is_target: Bool
    share: Float64

    @classmethod
    def of(
        cls, sessions: Sessions, max_events: int, half_life_hours: float | None = None
    ) -> "Windows":
        """Cut every viewer's events into windows, from the newest back."""
        first, length = [], []
        for begin, end in zip(sessions.bounds[:-1], sessions.bounds[1:], strict=True):
            # neighbours share one event: the older window predicts it, the newer one reads it
            for stop in range(int(end), int(begin) + 1, -max_events):
                start = max(int(begin), stop - max_events - 1)
                first.append(start)
                length.append(stop - start)
        is_target = np.isin(sessions.kinds, list(POSITIVE_KINDS)) & (sessions.items != UNKNOWN)
        begins, lengths = np.array(first, np.int64), np.array(length, np.int64)
        share = np.ones(len(begins))
        if half_life_hours is not None and len(begins):
            ends = sessions.at[begins + lengths - 1]
            share = 0.5 ** ((ends.max() - ends) / (3600 * half_life_hours))
        return cls(sessions, begins, lengths, is_target, share)

    @property
    def num_targets(self) -> int:
        is_later = np.ones(len(self.is_target), dtype=bool)
        is_later[self.sessions.bounds[:-1]] = False
        return int((self.is_target & is_later).sum())

    def target_counts(self, num_items: int) -> Float64:
        """Return (I,) how often an epoch predicts each item, on average."""
        share = np.zeros(len(self.is_target))
        begins = np.cumsum(self.length) - self.length
        event = np.arange(self.length.sum()) - np.repeat(begins - self.first, self.length)
        share[event] = np.repeat(self.share, self.length)
        targets = self.sessions.items[self.is_target]
        counts = np.bincount(targets, share[self.is_target], minlength=num_items)
        return counts.astype(np.float64)

    def num_batches(self, batch_events: int) -> int:
        """Return about how many batches an epoch has."""
        return max(1, -(-int((self.share * self.length).sum()) // batch_events))

    def batches(self, batch_events: int, rng: np.random.Generator) -> Iterator[Int64]:
        """Yield rows of windows alike in length, in random order."""
        chosen = np.flatnonzero(rng.random(len(self.share)) < self.share)
        noise = rng.uniform(0.9, 1.1, len(chosen))
        order = chosen[np.argsort(self.length[chosen] * noise, kind="stable")]
        begins, longest = [0], 0
        for n, row in enumerate(order):
            longest = max(longest, int(self.length[row]))
            if (n - begins[-1] + 1) * longest > batch_events and n > begins[-1]:
                begins.append(n)
                longest = int(self.length[row])
        begins.append(len(order))
        for b in rng.permutation(len(begins) - 1):
            yield order[begins[b] : begins[b + 1]]

    def batch(
        self, rows: Int64, hide_recent: float, rng: np.random.Generator
    ) -> tuple[EventFeatures, Tensor, Tensor]:
        """Return what is read, the target after each event, and where there is one.

        Args:
            rows: (B,) of the windows.
            hide_recent: how often the newest one or more events are hidden.
            rng: draws what is hidden.

        Returns:
            Features (B, L), item numbers (B, L) and a mask (B, L).
        """
        first, length = self.first[rows], self.length[rows]
        event = first[:, None] + np.arange(int(length.max()))  # (B, L + 1)
        is_there = event < (first + length)[:, None]
        event = np.where(is_there, event, first[:, None])
        sessions = self.sessions
        at = np.where(is_there, sessions.at[event], sessions.at[event].max(axis=1, keepdims=True))
        features = EventFeatures(
            torch.from_numpy(np.where(is_there, sessions.items[event], UNKNOWN)[:, :-1]),
            torch.from_numpy(sessions.kinds[event][:, :-1].astype(np.int64)),
            torch.from_numpy(gap_buckets(at)[:, :-1]),
            torch.from_numpy(silence_buckets(np.diff(at, axis=1))),
        )
        # hiding the newest events means predicting a later one from what is left
        hidden = np.where(rng.random(len(rows)) < hide_recent, rng.geometric(0.5, len(rows)), 0)
        ahead = np.arange(1, event.shape[1]) + hidden[:, None]
        is_inside = ahead < length[:, None]
        target = np.take_along_axis(event, np.where(is_inside, ahead, 0), axis=1)
        is_target = is_inside & self.is_target[target]
        return features, torch.from_numpy(sessions.items[target]), torch.from_numpy(is_target)

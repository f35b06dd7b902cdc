"""Event features: `RecentEvents` in, the tensors that the session network reads out.

B requests, L events, W words.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recommender.arrays import Float64, Int64
from recommender.data.sessions import VISIT_GAP_SECONDS, RecentEvents

GAP_BUCKETS = 24
"""Seconds since the event before, by powers of 2: the last bucket holds 97 days and more."""
SILENCE_BUCKETS = 16
"""Half-hours of silence after which a new visit began, by powers of 2; 0 within a visit."""


@dataclass(frozen=True)
class EventFeatures:
    """Events as the network reads them, padding at the end.

    Attributes:
        items: (B, L), `UNKNOWN` where an event names no known title, and in padding.
        kinds: (B, L) of `EventKind`.
        gaps: (B, L) from `gap_buckets`.
        silences: (B, L) from `silence_buckets`.
        words: (B, L, W) hashed words of queries from 1 up, 0 for none; None without queries.
    """

    items: Tensor
    kinds: Tensor
    gaps: Tensor
    silences: Tensor
    words: Tensor | None = None

    @classmethod
    def of(cls, recent: RecentEvents, query_buckets: int) -> "EventFeatures":
        """Return the features of what some requests remember."""
        next_at = np.where(recent.is_there[:, 1:], recent.at[:, 1:], recent.now[:, None])
        until = np.concatenate([next_at, recent.now[:, None]], axis=1) - recent.at
        last = np.maximum(recent.is_there.sum(axis=1) - 1, 0)
        rows = np.arange(len(last))
        is_open = recent.is_this_visit[rows, last]
        until[rows[is_open], last[is_open]] = 0.0
        return cls(
            torch.from_numpy(recent.items),
            torch.from_numpy(recent.kinds.astype(np.int64)),
            torch.from_numpy(gap_buckets(recent.at)),
            torch.from_numpy(silence_buckets(until)),
            _hashed_words(recent.queries, recent.items.shape, query_buckets),
        )


def gap_buckets(at: Float64) -> Int64:
    """Return (B, L) how long before each event the one before it was, 0 for the first."""
    gaps = np.diff(at, axis=1, prepend=at[:, :1])
    return np.minimum(np.log2(np.maximum(gaps, 0.0) + 1.0).astype(np.int64), GAP_BUCKETS - 1)


def silence_buckets(until: Float64) -> Int64:
    """Return the bucket of the silence after an event; 0 where it is too short to end a visit."""
    ratio = np.maximum(until / VISIT_GAP_SECONDS, 0.5)
    bucket = np.floor(np.log2(ratio)).astype(np.int64) + 1
    return np.minimum(np.where(until > VISIT_GAP_SECONDS, bucket, 0), SILENCE_BUCKETS - 1)


def _hashed_words(
    queries: Mapping[tuple[int, int], str], shape: tuple[int, ...], buckets: int
) -> Tensor | None:
    """Return (B, L, W) hashed words from 1 up, 0 for none; None where nothing was typed."""
    if not queries:
        return None
    words_of = {position: text.casefold().split() for position, text in queries.items()}
    most = max(map(len, words_of.values()), default=0) or 1
    hashed = torch.zeros((*shape, most), dtype=torch.int64)
    for (row, event), words in words_of.items():
        for n, word in enumerate(words):
            hashed[row, event, n] = 1 + zlib.crc32(word.encode()) % buckets
    return hashed

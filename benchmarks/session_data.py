"""The four data sets of the session benchmark, each cut as its protocol says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.public_datasets import load_ratings
from recommender.arrays import Bool, Int64
from recommender.data.sessions import (
    POSITIVE_KINDS,
    EventKind,
    Requests,
    Sessions,
    last_of_each,
    next_in_visit,
)
from recommender.errors import InvalidInputError
from recommender.vocabulary import Vocabulary

HOUR = 3600.0
LIKED, DISLIKED = 4.0, 2.0


@dataclass(frozen=True)
class Task:
    """What is learned from, what tunes, what is asked.

    Attributes:
        items: what the item numbers mean.
        before_validation: everything known before the validation requests.
        validation: tunes, stops early, and teaches the gate.
        before_test: everything known before the test requests.
        test: asked once.
    """

    items: Vocabulary
    before_validation: Sessions
    validation: Requests
    before_test: Sessions
    test: Requests


def diginetica(data: Path) -> Task:
    """Anonymous sessions in the split of SR-GNN: every prefix of a test session is asked.

    The files give no times; sessions keep the files' order. The last tenth of the training
    sessions validates.
    """
    sessions = pq.read_table(data / "diginetica" / "train_sessions.parquet").column(0).to_pylist()
    tests = pq.read_table(data / "diginetica" / "test_prefixes.parquet").to_pydict()
    prefixes, labels = tests.values()
    items = Vocabulary(np.concatenate([np.asarray(session) for session in sessions]))
    kept = len(sessions) - len(sessions) // 10
    asked = [[*prefix, label] for prefix, label in zip(prefixes, labels, strict=True)]
    return Task(
        items,
        _one_visit_each(sessions[:kept], items),
        next_in_visit(_one_visit_each(sessions[kept:], items)),
        _one_visit_each(sessions, items),
        last_of_each(_one_visit_each(asked, items)),
    )


def ml_1m(data: Path) -> Task:
    """Each person's last rating is asked, the one before validates; 5 or more of each are kept.

    Only the order within a person is known, and ties in it are arbitrary.
    """
    ratings = load_ratings("ml-1m", data)
    if ratings.at_seconds is None:
        raise InvalidInputError("ml-1m without an order within each person cannot be used here")
    kept = _core(ratings.profiles, ratings.items, 5)
    items = Vocabulary(ratings.items[kept])
    whole = Sessions.from_events(
        ratings.profiles[kept],
        items.items_of(ratings.items[kept]),
        ratings.at_seconds[kept],
        visits=np.zeros(kept.sum()),
    )
    is_last = np.zeros(len(whole.items), dtype=bool)
    is_last[whole.bounds[1:] - 1] = True
    before_test = whole.only(~is_last)
    is_last[whole.bounds[1:] - 2] = True
    return Task(
        items,
        whole.only(~is_last),
        last_of_each(before_test),
        before_test,
        last_of_each(whole),
    )


def globo(data: Path, cut: datetime, window_hours: float) -> Task:
    """Clicks of people with earlier visits, in visits that start within the window after a cut.

    All systems are trained as of the cut; the window before it validates. Articles published
    after the cut are unknown to all and count as misses.
    """
    columns = ["user_id", "session_id", "click_article_id", "click_timestamp"]
    table = pq.read_table(data / "globo" / "clicks.parquet", columns=columns)
    people, visits, articles, at = (table.column(name).to_numpy() for name in columns)
    at = at / 1000.0
    moment, window = cut.replace(tzinfo=UTC).timestamp(), window_hours * HOUR
    known = at < moment + window
    items = Vocabulary(articles[at < moment])
    whole = Sessions.from_events(
        people[known], items.items_of(articles[known]), at[known], visits=visits[known]
    )
    return _by_time(whole, items, moment - window, moment, lambda requests: requests)


def ml_latest_small(data: Path) -> Task:
    """Ratings as events, cut into visits at 30 minutes; the newest tenths validate and test.

    4 stars and more are a like, 2 and less a dislike, others a watch; positive ones are asked.
    """
    ratings = load_ratings(f"path:{data / 'ml-latest-small'}", data)
    assert ratings.at_seconds is not None
    at = ratings.at_seconds
    moment, end = np.quantile(at, [0.8, 0.9])
    items = Vocabulary(ratings.items[at < end])
    kinds = np.full(len(at), EventKind.FINISH)
    kinds[ratings.values >= LIKED] = EventKind.LIKE
    kinds[ratings.values <= DISLIKED] = EventKind.DISLIKE
    whole = Sessions.from_events(ratings.profiles, items.items_of(ratings.items), at, kinds=kinds)

    def positive(requests: Requests) -> Requests:
        wanted = np.isin(requests.sessions.kinds[requests.events], list(POSITIVE_KINDS))
        return Requests(requests.sessions, requests.events[wanted])

    return _by_time(whole, items, float(moment), float(end), positive)


def _by_time(
    whole: Sessions,
    items: Vocabulary,
    moment: float,
    end: float,
    wanted: Callable[[Requests], Requests],
) -> Task:
    """Validate on visits from `moment` on, test on those from `end` on."""
    return Task(
        items,
        whole.before(moment),
        wanted(_of_returning(whole.before(end), moment)),
        whole.before(end),
        wanted(_of_returning(whole, end)),
    )


def _of_returning(sessions: Sessions, moment: float) -> Requests:
    """Ask for what follows in visits from a moment on, of people with an earlier visit."""
    follows = Requests(sessions, np.flatnonzero(~sessions.opens_visit & (sessions.at >= moment)))
    opened = follows.visit_starts()
    kept = (sessions.at[opened] >= moment) & (follows.viewer_starts() < opened)
    return Requests(sessions, follows.events[kept])


def _one_visit_each(sessions: list[list[int]], items: Vocabulary) -> Sessions:
    lengths = [len(session) for session in sessions]
    owners = np.repeat(np.arange(len(sessions)), lengths)
    ids = np.concatenate([np.asarray(session) for session in sessions])
    return Sessions.from_events(owners, items.items_of(ids), np.arange(len(ids)), visits=owners)


def _core(people: Int64, items: Int64, least: int) -> Bool:
    """Return which ratings are left when all people and items with fewer are gone."""
    kept = np.ones(len(people), dtype=bool)
    while True:
        before = kept.sum()
        for ids in (items, people):
            _, places = np.unique(ids, return_inverse=True)
            kept &= np.bincount(places[kept], minlength=places.max() + 1)[places] >= least
        if kept.sum() == before:
            return kept

"""Visit counts against a slow plain twin, by hand, and on bad input."""

from collections import defaultdict

import numpy as np
import pytest

from recommender.data.sessions import EventKind, Sessions
from recommender.errors import ArtifactError, InvalidInputError
from recommender.models.visit_counts import VisitCounts, VisitCountsConfig
from recommender.vocabulary import UNKNOWN, Vocabulary

ITEMS = Vocabulary(np.arange(8))
PRIOR = np.full(8, 1 / 8, dtype=np.float32)


def visits(*titles, kinds=None, at=None):
    """Return one viewer a visit, an event a minute."""
    flat = [title for visit in titles for title in visit]
    owner = [n for n, visit in enumerate(titles) for _ in visit]
    times = at or [60.0 * n for visit in titles for n in range(len(visit))]
    return Sessions.from_events(owner, flat, times, kinds=kinds, visits=owner)


def plain_distribution(sessions, config, titles, prior):
    """The formula of the module, one pair of events after the other."""
    of_visit = defaultdict(list)
    for item, visit, kind in zip(sessions.items, sessions.visit_of, sessions.kinds, strict=True):
        if item != UNKNOWN and kind not in (EventKind.DISLIKE, EventKind.STOP):
            of_visit[visit].append(int(item))
    counts = np.zeros((len(prior), len(prior)))
    for events in of_visit.values():
        for n, first in enumerate(events):
            for d, second in enumerate(events[n + 1 : n + 1 + config.distance]):
                if first != second:
                    counts[first, second] += config.decay**d
                    counts[second, first] += config.backward * config.decay**d
    newest = titles[-config.max_titles :]
    weights = [config.recency**age for age in range(len(newest))][::-1]
    expected = np.zeros(len(prior))
    for title, weight in zip(newest, weights, strict=True):
        support = counts[title].sum()
        trust = support / (support + config.doubt)
        after = counts[title] / support if support else 0
        expected += weight / sum(weights) * (trust * after + (1 - trust) * prior)
    return expected


@pytest.mark.parametrize("backward", [1.0, 0.3, 0.0])
def test_counts_are_those_of_the_plain_twin(backward):
    rng = np.random.default_rng(3)
    kinds = rng.choice([EventKind.OPEN, EventKind.PLAY, EventKind.DISLIKE], 240, p=[0.6, 0.3, 0.1])
    sessions = visits(*rng.integers(-1, 7, (40, 6)), kinds=kinds)
    config = VisitCountsConfig(decay=0.6, backward=backward, distance=3, doubt=4.0, max_titles=3)
    counts = VisitCounts(config).fit(sessions, ITEMS)
    prior = rng.dirichlet(np.ones(8)).astype(np.float32)
    for titles in ([0], [5, 1], [0, 1, 2, 3, 7]):
        ours = counts.distribution(np.array(titles), prior)
        assert np.allclose(ours, plain_distribution(sessions, config, titles, prior), atol=1e-6)  # type: ignore[arg-type]
        assert ours.sum() == pytest.approx(1, abs=1e-5)


def test_little_support_falls_back_to_the_prior():
    """One visit opened 0 and then 1, ten opened 2 and then 3: c is 1 and 10, κ 5."""
    counts = VisitCounts().fit(visits([0, 1], *[[2, 3]] * 10), ITEMS)
    once = counts.distribution(np.array([0]), PRIOR)
    often = counts.distribution(np.array([2]), PRIOR)
    assert once[1] == pytest.approx(1 / 6 + 5 / 6 / 8)
    assert often[3] == pytest.approx(10 / 15 + 5 / 15 / 8)
    assert counts.distribution(np.array([7]), PRIOR) is None, "never in a visit with another"
    assert counts.distribution(np.empty(0, dtype=np.int64), PRIOR) is None


def test_what_was_refused_or_unknown_is_not_counted():
    kinds = [EventKind.OPEN, EventKind.HIDE, EventKind.OPEN]
    counts = VisitCounts().fit(visits([0, 1, UNKNOWN], kinds=kinds), ITEMS)
    assert not counts.support.any()
    assert not VisitCounts().fit(visits(), ITEMS).support.any(), "no visits at all"


def test_old_visits_count_less_by_the_half_life():
    day = 86_400.0
    config = VisitCountsConfig(half_life_days=10.0)
    counts = VisitCounts(config).fit(visits([0, 1], [2, 3], at=[0, 60, 10 * day, 10 * day]), ITEMS)
    assert counts.support[0] / counts.support[2] == pytest.approx(0.5, rel=1e-3)


def test_only_the_strongest_neighbours_are_stored():
    counts = VisitCounts(VisitCountsConfig(neighbours=1)).fit(visits([0, 1], [0, 1], [0, 2]), ITEMS)
    found = counts.distribution(np.array([0]), np.zeros(8, dtype=np.float32))
    assert np.flatnonzero(found).tolist() == [1]  # type: ignore[arg-type]


def test_another_vocabulary_has_the_same_counts():
    counts = VisitCounts().fit(visits([0, 1], [0, 2], [3, 1]), ITEMS)
    other = Vocabulary(np.array([0, 2, 1, 99]))
    available = np.ones(4, dtype=bool)
    available[other.items_of([2])] = False
    over = counts.over(other, available)
    prior = np.zeros(4, dtype=np.float32)
    [zero, one] = other.items_of([0, 1]).tolist()
    found = over.distribution(np.array([zero]), prior)
    assert np.flatnonzero(found).tolist() == [one], "2 is not available"  # type: ignore[arg-type]
    assert found[one] == counts.distribution(np.array([0]), np.zeros(8, np.float32))[1]


def test_the_artifact_gives_the_same_distribution(tmp_path):
    counts = VisitCounts().fit(visits([0, 1], [0, 2], [3, 1]), ITEMS)
    counts.save(tmp_path / "counts")
    loaded = VisitCounts.load(tmp_path / "counts")
    titles = np.array([3, 0])
    assert np.array_equal(loaded.distribution(titles, PRIOR), counts.distribution(titles, PRIOR))  # type: ignore[arg-type]
    (tmp_path / "counts" / "arrays.safetensors").write_bytes(b"broken")
    with pytest.raises(ArtifactError):
        VisitCounts.load(tmp_path / "counts")


def test_settings_out_of_bounds_are_refused():
    for wrong in ({"decay": 1.5}, {"doubt": 0}, {"distance": 0}, {"half_life_days": 0}):
        with pytest.raises(InvalidInputError):
            VisitCountsConfig(**wrong)

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError
from recommender.models.popularity import Popularity, PopularityConfig

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def seconds(days_ago):
    return (NOW - timedelta(days=days_ago)).timestamp()


def test_an_interaction_halves_with_each_half_life():
    interactions = Interactions.from_pairs(
        [1, 2, 3, 1], [5, 5, 5, 6], [seconds(0), seconds(10), seconds(20), seconds(5)]
    )
    model = Popularity(PopularityConfig(half_life_days=10)).fit(interactions, NOW)
    assert model.counts.tolist() == [3, 1]
    assert model.trending == pytest.approx([1 + 0.5 + 0.25, 0.5**0.5])


def test_now_is_the_latest_interaction_unless_told():
    interactions = Interactions.from_pairs([1, 2], [5, 6], [seconds(40), seconds(10)])
    model = Popularity(PopularityConfig(half_life_days=30)).fit(interactions)
    assert model.trending == pytest.approx([0.5, 1.0])


def test_an_interaction_from_the_future_counts_as_now():
    interactions = Interactions.from_pairs([1], [5], [seconds(-3)])
    assert Popularity().fit(interactions, NOW).trending.tolist() == [1.0]


def test_without_times_what_is_popular_is_trending():
    model = Popularity().fit(Interactions.from_pairs([1, 2, 2], [5, 5, 6]))
    np.testing.assert_array_equal(model.trending, model.counts)


def test_a_half_life_must_be_positive():
    with pytest.raises(
        InvalidInputError, match="half_life_days must be positive and finite, got 0"
    ):
        PopularityConfig(half_life_days=0)

"""Off-policy estimates: by hand, and against a truth that is known."""

import numpy as np
import pytest

from recommender.errors import InvalidInputError
from recommender.evaluation.off_policy import (
    Logged,
    crossed_means,
    doubly_robust,
    effective_sample,
    ips,
    self_normalised,
)

BY_HAND = Logged(
    np.array([1.0, 0, 1, 0]), np.array([0.5, 0.5, 0.25, 0.25]), np.array([0.5, 0.25, 0.5, 0])
)


def test_by_hand():
    # weights 1, .5, 2, 0: (1 + 2) / 4 and (1 + 2) / 3.5
    assert BY_HAND.weights.tolist() == [1, 0.5, 2, 0]
    assert ips(BY_HAND).reward.value == 0.75
    assert self_normalised(BY_HAND).reward.value == pytest.approx(3 / 3.5)
    assert effective_sample(BY_HAND.weights) == pytest.approx(3.5**2 / 5.25)
    predicted, expected = np.full(4, 0.5), np.array([0.5, 0.25, 0.75, 0])
    # .375 + mean of w (r - .5) = (.5 - .25 + 1 + 0) / 4
    assert doubly_robust(BY_HAND, predicted, expected).reward.value == pytest.approx(0.6875)


def test_a_policy_judged_by_its_own_log_earns_what_it_earned():
    rng = np.random.default_rng(0)
    chances = rng.uniform(0.1, 0.9, 500)
    logged = Logged((rng.random(500) < 0.3).astype(float), chances, chances)
    for estimate in (ips(logged), self_normalised(logged)):
        assert estimate.reward.value == pytest.approx(logged.rewards.mean())
        assert estimate.effective_sample == pytest.approx(500)
        assert estimate.warning == ""


def test_policies_too_unlike_are_warned_of():
    propensities = np.full(1000, 0.001)
    propensities[3:] = 0.9
    logged = Logged(np.ones(1000), propensities, np.full(1000, 0.5))
    assert "count as" in self_normalised(logged).warning


@pytest.mark.parametrize(
    ("propensities", "words"),
    [([0.5, 0.0], "above 0 and at most 1, got 0"), ([0.5], "of one length"), ([], "of one length")],
)
def test_a_log_that_cannot_be_is_refused(propensities, words):
    with pytest.raises(InvalidInputError, match=words):
        Logged(np.ones(2), np.array(propensities, float), np.ones(2))


def test_each_choice_is_foretold_from_the_other_folds():
    actions = np.array([0] * 50 + [1] * 50)
    rewards = np.array([1.0] * 50 + [0.0] * 50)
    rng = np.random.default_rng(0)
    foretold = crossed_means(actions, rewards, 3, rng, prior=1.0)
    assert foretold.shape == (100, 3)
    assert (foretold[:, 0] > 0.95).all()
    assert (foretold[:, 1] < 0.05).all()
    assert foretold[:, 2] == pytest.approx(0.5, abs=0.1)


def draw(rng, choices=2000, actions=10):
    """A log with a context of two kinds, both policies known; and what the other one earns."""
    kind = rng.integers(0, 2, choices)
    rates = np.vstack([np.linspace(0.02, 0.3, actions), np.linspace(0.3, 0.02, actions)])
    logging = np.vstack([np.linspace(1, 3, actions), np.linspace(2, 1, actions)])
    target = np.vstack([np.linspace(1, 5, actions), np.linspace(5, 1, actions)])
    logging /= logging.sum(axis=1, keepdims=True)
    target /= target.sum(axis=1, keepdims=True)
    reached = logging.cumsum(axis=1)[kind]
    done = (rng.random((choices, 1)) > reached).sum(axis=1).clip(max=actions - 1)
    rewards = (rng.random(choices) < rates[kind, done]).astype(float)
    logged = Logged(rewards, logging[kind, done], target[kind, done])
    return logged, done, target[kind], float((target * rates).sum(axis=1).mean())


def test_intervals_hold_the_known_truth_about_as_often_as_they_say():
    """Over 500 draws 95 % is 475; the bounds are 93 and 97 %."""
    held = {"ips": 0, "self-normalised": 0, "doubly robust": 0}
    for seed in range(500):
        rng = np.random.default_rng(seed)
        logged, done, target, truth = draw(rng, choices=800)
        model = crossed_means(done, logged.rewards, 10, rng)
        predicted = model[np.arange(len(done)), done]
        expected = (target * model).sum(axis=1)
        for estimate in (
            ips(logged),
            self_normalised(logged),
            doubly_robust(logged, predicted, expected),
        ):
            held[estimate.method] += estimate.reward.low <= truth <= estimate.reward.high
    assert {name: 465 <= times <= 485 for name, times in held.items()} == dict.fromkeys(
        held, True
    ), held

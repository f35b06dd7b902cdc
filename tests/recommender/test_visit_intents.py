"""The posterior of what a visit wants: known answers, laws, and a slow twin."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.data.sessions import EventKind
from recommender.errors import InvalidInputError
from recommender.models.long_term_odds import LongTermOdds, standardised
from recommender.models.visit_intents import (
    EVENT_WEIGHTS,
    FIRST_CONFIG,
    IntentEvidence,
    VisitIntents,
    VisitIntentsConfig,
    weights_of,
)

ITEMS = 12
ASPECTS = tuple(VisitIntentsConfig().aspects)
model = VisitIntents()


def random_event(seed: int, *, is_negative: bool = False) -> IntentEvidence:
    rng = np.random.default_rng(seed)
    aspects = {name: rng.random(ITEMS, dtype=np.float32) for name in ASPECTS}
    return IntentEvidence(aspects, float(rng.uniform(0.2, 1)), is_negative)


def about(*items: int, is_negative: bool = False) -> IntentEvidence:
    """An event on a title that these titles, and no others, are wholly like."""
    alike = np.zeros(ITEMS, dtype=np.float32)
    alike[list(items)] = 1
    return IntentEvidence(dict.fromkeys(ASPECTS, alike), 1.0, is_negative)


events = st.lists(
    st.builds(random_event, st.integers(0, 99), is_negative=st.booleans()), max_size=6
)
long_terms = st.integers(0, 99).map(
    lambda seed: np.random.default_rng(seed).normal(size=ITEMS).astype(np.float32)
)


def slow_posterior(long_term, evidence, config, liked_by=None):
    """Return scores, q and p item by item, as the module's text defines them."""
    positive = sum(not event.is_negative for event in evidence)
    z = (long_term - long_term.mean()) / long_term.std()
    p = [slow_odds(value, z, config) for value in z]
    p = [value / sum(p) for value in p]
    weighted = []
    for item in range(len(p)):
        weight = 1 - sum(config.aspects.values())
        for name, share in config.aspects.items():
            product = 1.0
            for event in evidence:
                s, trust = event.likeness[name], config.reliability * event.weight
                if not event.is_negative:
                    trust /= positive**config.dilution
                if event.is_negative:
                    mean = sum(p[i] * (1 - trust * s[i]) for i in range(len(p)))
                    product *= (1 - trust * s[item]) / mean
                else:
                    mean = sum(p[i] * (config.floor + s[i]) for i in range(len(p)))
                    product *= 1 - trust + trust * (config.floor + s[item]) / mean
            weight += share * product
        weighted.append(p[item] * weight)
    prior = np.array(p)
    q = np.array(weighted) / sum(weighted)
    if liked_by is not None:
        t = np.where(liked_by > 0, 1, config.unrated)
        q = t * q + (1 - t) * prior
    q = q / np.sum(q)
    return slow_scores(q, prior, z, config), q, prior


def slow_odds(value, z, config):
    if not config.steepness:
        return np.exp(config.sharpness * float(value))
    return (sum(other > value for other in z) + config.head) ** -config.steepness


def slow_scores(q, p, z, config):
    """Return the scores between those of titles a little more and less likely; beyond, by β."""
    if not config.steepness:
        return z + np.log(q / p) / config.sharpness
    order = np.argsort(p)
    scores = []
    for wanted in q:
        if wanted <= p.min():
            scores.append(z.min() + np.log(wanted / p.min()) / config.sharpness)
        elif wanted >= p.max():
            scores.append(z.max() + np.log(wanted / p.max()) / config.sharpness)
        else:
            above = next(n for n in order if p[n] >= wanted)
            below = next(n for n in order[::-1] if p[n] < wanted)
            low, here, high = (v ** (-1 / config.steepness) for v in (p[below], wanted, p[above]))
            share = (low - here) / (low - high)
            scores.append(z[below] + share * (z[above] - z[below]))
    return np.array(scores)


@given(long_terms, events)
def test_a_slow_twin_gives_the_same(long_term, evidence):
    expected, q, p = slow_posterior(long_term, evidence, model.config)
    posterior = model.posterior(long_term, evidence)
    assert np.allclose(posterior.scores, expected, atol=1e-3)
    assert posterior.share == pytest.approx(np.abs(q - p).sum() / 2, abs=1e-4)


@given(long_terms, events, st.integers(0, 99))
def test_a_slow_twin_gives_the_same_where_some_titles_were_never_liked(long_term, evidence, seed):
    liked_by = np.random.default_rng(seed).integers(0, 2, ITEMS).astype(np.float32)
    expected, q, p = slow_posterior(long_term, evidence, model.config, liked_by)
    posterior = model.over(liked_by).posterior(long_term, evidence)
    assert np.allclose(posterior.scores, expected, atol=1e-3)
    assert posterior.share == pytest.approx(np.abs(q - p).sum() / 2, abs=1e-4)


@given(long_terms, events)
def test_a_slow_twin_gives_the_same_by_the_first_constants(long_term, evidence):
    expected, _, _ = slow_posterior(long_term, evidence, FIRST_CONFIG)
    intents = VisitIntents(FIRST_CONFIG).over(np.zeros(ITEMS, dtype=np.float32))
    scores = intents.posterior(long_term, evidence).scores
    assert np.allclose(scores, expected, atol=1e-3)


def test_what_nobody_liked_is_moved_by_its_share_of_what_a_visit_says():
    """Two equal pairs of titles, one of each never liked: r = 1.8019 and .1981 by a = .85."""
    config = VisitIntentsConfig(reliability=0.85, floor=0.03, aspects={"genres": 1.0}, unrated=0.3)
    alike = {"genres": np.array([1, 1, 0, 0], dtype=np.float32)}
    liked_by = np.array([5, 0, 5, 0], dtype=np.float32)
    model = VisitIntents(config, liked_by)
    scores = model.posterior(np.zeros(4, dtype=np.float32), [IntentEvidence(alike)]).scores
    odds = [1.80189, 1 + 0.3 * 0.80189, 0.19811, 1 - 0.3 * 0.80189]
    assert np.allclose(scores, np.log(odds) / 0.4, atol=1e-4)


def test_of_several_events_each_is_believed_less():
    """Two events on one title by hand: a = .85 / √2 = .60104, r = 1.56699 and .43301."""
    config = VisitIntentsConfig(reliability=0.85, floor=0.03, aspects={"genres": 1.0})
    alike = {"genres": np.array([1, 0], dtype=np.float32)}
    evidence = [IntentEvidence(alike), IntentEvidence(alike)]
    scores = VisitIntents(config).posterior(np.zeros(2, dtype=np.float32), evidence).scores
    odds = np.array([1.56699**2, 0.43301**2]) * 2 / (1.56699**2 + 0.43301**2)
    assert np.allclose(scores, np.log(odds) / 0.4, atol=1e-3)


@pytest.mark.parametrize("config", [VisitIntentsConfig(), FIRST_CONFIG])
def test_constants_are_the_same_after_saving(tmp_path, config):
    VisitIntents(config).save(tmp_path / "visit_intents")
    assert VisitIntents.load(tmp_path / "visit_intents").config == config


@given(long_terms)
def test_without_evidence_the_scores_are_the_long_term_ones(long_term):
    posterior = model.posterior(long_term, [])
    assert np.allclose(posterior.scores, standardised(long_term), atol=1e-5)
    assert np.array_equal(np.argsort(posterior.scores), np.argsort(standardised(long_term)))
    assert posterior.share == 0


@given(long_terms, events, st.randoms())
def test_the_order_of_events_does_not_matter(long_term, evidence, random):
    shuffled = random.sample(evidence, len(evidence))
    one, other = model.posterior(long_term, evidence), model.posterior(long_term, shuffled)
    assert np.allclose(one.scores, other.scores, atol=1e-3)


@given(st.integers(0, 99))
def test_a_refusal_lowers_what_is_alike_more_than_the_rest(seed):
    event = random_event(seed, is_negative=True)
    alike = np.sort(event.likeness["overall"])
    evidence = [IntentEvidence(dict.fromkeys(ASPECTS, event.likeness["overall"]), 1.0, True)]
    scores = model.posterior(np.ones(ITEMS, dtype=np.float32), evidence).scores
    in_order = scores[np.argsort(event.likeness["overall"])]
    assert (np.diff(in_order) <= 1e-4).all()
    assert in_order[-1] < in_order[0] or np.allclose(alike, alike[0])


def test_contradicting_events_return_to_the_long_term_order():
    long_term = np.linspace(0, 1, ITEMS).astype(np.float32)
    shares = [
        model.posterior(long_term, [about(item) for item in range(count)]).share
        for count in (4, 8, ITEMS)
    ]
    assert shares[0] > shares[1] > shares[2]
    scores = model.posterior(long_term, [about(item) for item in range(ITEMS)]).scores
    assert (np.diff(scores) > 0).all()


def test_events_of_one_kind_add_up():
    long_term = np.linspace(0, 1, ITEMS).astype(np.float32)
    lifts = [
        model.posterior(long_term, [about(0, 1)] * count).scores[0] - standardised(long_term)[0]
        for count in range(4)
    ]
    assert lifts == sorted(lifts)
    assert lifts[0] < lifts[1] < lifts[2]


def test_two_titles_by_hand():
    """Two equal titles: r = .15 + .85 (1.03 / .53) = 1.8019 and .15 + .85 (.03 / .53) = .1981."""
    config = VisitIntentsConfig(reliability=0.85, floor=0.03, aspects={"genres": 0.5})
    alike = {"genres": np.array([1, 0], dtype=np.float32)}
    long_term = np.zeros(2, dtype=np.float32)
    posterior = VisitIntents(config).posterior(long_term, [IntentEvidence(alike)])
    q = np.array([0.5 + 0.5 * 1.80189, 0.5 + 0.5 * 0.19811]) / 2
    assert np.allclose(posterior.scores, np.log(2 * q) / 0.4, atol=1e-4)
    assert posterior.share == pytest.approx(q[0] - 0.5, abs=1e-4)
    assert posterior.aspects["genres"] == pytest.approx(0.5, abs=1e-4)


def test_what_cannot_be_wanted_is_not_what_an_event_is_measured_by():
    """An opened title is like itself alone: left out, nothing else is more likely for it."""
    long_term = np.zeros(ITEMS, dtype=np.float32)
    eligible = np.arange(ITEMS) != 0
    scores = model.posterior(long_term, [about(0)], eligible).scores
    assert np.allclose(scores[1:], scores[1])
    assert model.posterior(long_term, [about(0)], eligible).share == pytest.approx(0, abs=1e-5)


def test_only_the_newest_events_count():
    many = VisitIntents(VisitIntentsConfig(max_events=2))
    long_term = np.linspace(0, 1, ITEMS).astype(np.float32)
    newest = [about(3), about(4)]
    assert np.array_equal(
        many.posterior(long_term, [about(9), *newest]).scores,
        many.posterior(long_term, newest).scores,
    )


@given(
    st.lists(
        st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
        min_size=ITEMS,
        max_size=ITEMS,
    ),
    st.lists(st.builds(random_event, st.integers(0, 9), is_negative=st.booleans()), max_size=20),
)
def test_scores_are_finite_at_any_scale(long_term, evidence):
    posterior = model.posterior(np.array(long_term, dtype=np.float32), evidence)
    assert np.isfinite(posterior.scores).all()
    assert np.isfinite(posterior.visit).all()
    assert 0 <= posterior.share <= 1 + 1e-4


def test_where_nothing_can_be_wanted_scores_are_finite():
    nothing = np.zeros(ITEMS, dtype=bool)
    posterior = model.posterior(np.ones(ITEMS, dtype=np.float32), [about(0)], nothing)
    assert np.isfinite(posterior.scores).all()


def test_settings_out_of_bounds_are_refused():
    for wrong in (
        {"sharpness": 0},
        {"steepness": -1},
        {"head": 0},
        {"reliability": 1.1},
        {"floor": 0},
        {"dilution": 1.1},
        {"unrated": -0.1},
        {"aspects": {"genres": 0.7, "people": 0.4}},
        {"max_events": 0},
    ):
        with pytest.raises(InvalidInputError):
            VisitIntentsConfig(**wrong)


def test_every_kind_of_event_weighs_something():
    assert set(EVENT_WEIGHTS) == set(EventKind)


def test_the_strongest_event_of_a_subject_counts_once_and_a_later_refusal_replaces_it():
    """One subject is younger than what was played; opening that again adds nothing."""
    events = [("a", EventKind.PLAY), ("b", EventKind.LIKE), ("a", EventKind.OPEN)]
    weights = weights_of([*events, ("b", EventKind.STOP), ("b", EventKind.HIDE)])
    assert weights == {"a": pytest.approx(0.95 * 0.95), "b": -1.0}
    assert list(weights) == ["a", "b"]
    assert weights_of([("b", EventKind.HIDE), ("b", EventKind.OPEN)]) == {"b": 0.9}


def test_a_release_that_notes_no_steepness_is_read_as_it_was(tmp_path):
    """Its slates are answered again by p ∝ exp(β z)."""
    VisitIntents(FIRST_CONFIG).save(tmp_path / "visit_intents")
    manifest = tmp_path / "visit_intents" / "manifest.json"
    noted = json.loads(manifest.read_text())
    del noted["config"]["steepness"], noted["config"]["head"]
    manifest.write_text(json.dumps(noted))
    assert VisitIntents.load(tmp_path / "visit_intents").config == FIRST_CONFIG


@given(long_terms, events)
def test_scores_depend_on_the_order_of_the_history_and_not_on_its_tails(long_term, evidence):
    """A history whose first title is ten times as far ahead is moved in the same order."""
    stretched = np.where(long_term == long_term.max(), 10 * long_term + 10, long_term)
    one, other = (model.posterior(scores, evidence).scores for scores in (long_term, stretched))
    assert np.array_equal(np.argsort(one), np.argsort(other))


def test_ranks_by_hand():
    """Ranks 0, 1, 1, 3 and h = 5, α = 1.5; a title three times as likely as the first is beyond."""
    z = np.array([2, 0, 0, -1], dtype=np.float32)
    odds = LongTermOdds.of(z, 0.4, 1.5, 5.0)
    assert np.allclose(
        np.exp(odds.logs) * 5**1.5, [1, (5 / 6) ** 1.5, (5 / 6) ** 1.5, (5 / 8) ** 1.5]
    )
    gained = np.log([3, 1, (6 / 5) ** 0.75, 1]).astype(np.float32)
    assert np.allclose(
        odds.scores(gained), [2 + np.log(3) / 0.4, 0, 2 * (6 - 6 * (5 / 6) ** 0.5), -1], atol=1e-5
    )

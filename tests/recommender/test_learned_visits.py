"""Experts beside the prior's aspects: a slow plain twin of the whole mixture, and its edges."""

import numpy as np
import pytest

from recommender.data.sessions import Sessions
from recommender.models.learned_visits import (
    COUNTS,
    ENCODER,
    NOTHING,
    LearnedVisits,
    Reading,
    SessionScores,
    likelihoods,
    stated_weights,
    with_experts,
)
from recommender.models.long_term_odds import standardised
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_intents import IntentEvidence, VisitIntents, VisitIntentsConfig
from recommender.models.visit_mixture import VisitMixture
from recommender.vocabulary import Vocabulary

ITEMS = 10
RNG = np.random.default_rng(4)
LONG = RNG.standard_normal(ITEMS).astype(np.float32)
ALIKE = {name: RNG.random(ITEMS, dtype=np.float32) for name in VisitIntents().config.aspects}
ELIGIBLE = np.arange(ITEMS) != 3
SESSION = SessionScores(RNG.standard_normal(ITEMS).astype(np.float32), np.arange(ITEMS) < 8)
TITLES = np.array([3])


@pytest.fixture
def counts():
    visits = [[3, 4], [3, 4], [3, 9], [1, 2]]
    flat = [title for visit in visits for title in visit]
    owner = np.repeat(np.arange(len(visits)), 2)
    sessions = Sessions.from_events(owner, flat, np.arange(len(flat)), visits=owner)
    return VisitCounts().fit(sessions, Vocabulary(np.arange(ITEMS)))


@pytest.fixture
def parts():
    return VisitIntents().parts(LONG, [IntentEvidence(ALIKE)], ELIGIBLE)


def learned_by(counts, weights):
    mixture = VisitMixture()
    mixture.experts = tuple(weights)
    mixture.weights = np.tile(list(weights.values()), (3, 1))
    return LearnedVisits(mixture, counts)


def test_the_posterior_is_the_plain_mixture_of_all_distributions(counts):
    """Each expert's distribution written out and weighed; scores are z + log(q / p) / β."""
    intents = VisitIntents(VisitIntentsConfig(steepness=0))
    parts = intents.parts(LONG, [IntentEvidence(ALIKE)], ELIGIBLE)
    stated = stated_weights(intents, has_encoder=True)
    ours = learned_by(counts, stated).posterior(intents, Reading(parts, TITLES, SESSION))
    beta = intents.config.sharpness
    z = standardised(LONG).astype(float)
    p = np.exp(beta * z) * ELIGIBLE
    everything = np.exp(beta * z) / p.sum()
    p /= p.sum()
    q = stated[NOTHING] * everything
    for name in ALIKE:
        like = ALIKE[name] + intents.config.floor
        trust = intents.config.reliability
        q += stated[name] * everything * (1 - trust + trust * like / (p @ like))
    known = SESSION.is_known & ELIGIBLE
    odds = np.exp(SESSION.scores.astype(float))
    encoded = np.where(SESSION.is_known, odds / odds[known].sum() * p[known].sum(), everything)
    q += stated[ENCODER] * encoded
    q += stated[COUNTS] * counts.distribution(TITLES, encoded.astype(np.float32))
    expected = z + np.log(q / q[ELIGIBLE].sum() / everything) / beta
    assert np.allclose(ours.scores, expected, atol=1e-3)
    assert ours.scores[4] - z[4] > ours.scores[5] - z[5], "4 was opened after 3"


def test_experts_that_say_nothing_leave_the_others(counts, parts):
    """A new title and no encoder: the learned posterior is that of the stated prior."""
    intents = VisitIntents()
    stated = stated_weights(intents, has_encoder=True)
    ours = learned_by(counts, stated).posterior(intents, Reading(parts, np.array([7])))
    plain = intents.combined(parts, intents.config.aspects)
    assert np.allclose(ours.scores, plain.scores, atol=1e-4)
    assert COUNTS not in ours.aspects


def test_likelihoods_are_each_distribution_at_the_target(counts, parts):
    experts = (NOTHING, "genres", COUNTS, ENCODER)
    whole = with_experts(Reading(parts, TITLES), counts)
    found, masses = likelihoods(whole, experts, 4)
    assert found[0] == pytest.approx(parts.wanted[4])
    assert masses[0] == 1
    assert found[2] == pytest.approx(counts.distribution(TITLES, parts.prior)[4], rel=1e-5)
    assert masses[1] == pytest.approx(parts.wanted @ parts.ratios["genres"], rel=1e-5)
    assert (found[3], masses[3]) == (0, 0), "no encoder"


def test_an_encoder_that_knows_no_title_says_nothing_of_any(counts, parts):
    unknown = SessionScores(SESSION.scores, np.zeros(ITEMS, dtype=bool))
    assert (with_experts(Reading(parts, TITLES, unknown), counts).ratios[ENCODER] == 1).all()


def test_what_nobody_liked_is_believed_less_of_the_aspects_and_whole_of_the_counts(counts):
    """The likelihoods of the experts, weighed, are the posterior that is served."""
    config = VisitIntentsConfig(steepness=0)
    intents = VisitIntents(config).over((np.arange(ITEMS) % 2).astype(np.float32))
    parts = intents.parts(LONG, [IntentEvidence(ALIKE)], ELIGIBLE)
    stated = stated_weights(intents, has_encoder=True)
    learned = learned_by(counts, stated)
    scores = learned.posterior(intents, Reading(parts, TITLES, SESSION)).scores
    whole = with_experts(Reading(parts, TITLES, SESSION), counts)
    weights = np.array(list(stated.values()))
    targets = np.flatnonzero(ELIGIBLE)
    each = [likelihoods(whole, tuple(stated), int(target)) for target in targets]
    q = np.array([found @ weights / (masses @ weights) for found, masses in each])
    assert q.sum() == pytest.approx(1, abs=1e-4)
    log_odds = np.log(q / parts.wanted[targets]) / intents.config.sharpness
    assert np.allclose((scores - standardised(LONG))[targets], log_odds, atol=1e-3)


def test_stated_weights_sum_to_one():
    for has_encoder in (False, True):
        stated = stated_weights(VisitIntents(), has_encoder=has_encoder)
        assert sum(stated.values()) == pytest.approx(1)
        assert (ENCODER in stated) is has_encoder

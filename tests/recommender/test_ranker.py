"""Ids that grow, a ranker over them, its calibration, and the cycle that keeps it fresh."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.data.examples import Examples, Field
from recommender.data.growing import SHARED, GrowingVocabulary, shared_row
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.evaluation.clicks import auc, click_metrics
from recommender.models.fifa import FifaConfig
from recommender.ranking.ranker import Calibration, Ranker, RankerConfig
from recommender.training.gates import RankerGate
from recommender.training.incremental import (
    DAY,
    IncrementalConfig,
    Window,
    distillation_targets,
    learn_increment,
    replay_sample,
    run_cycle,
)

FIELDS = (Field("item", is_growing=True), Field("hour", 24), Field("score"))
FIFA = FifaConfig(
    embedding_size=4, init="published", learning_rate=1e-2, epochs=6, batch_examples=128
)
CONFIG = RankerConfig(FIFA)
SCRATCH = RankerConfig(replace(FIFA, normalise=True, init="xavier"))
CYCLE = IncrementalConfig(teacher=SCRATCH, learning_rate=1e-2, batch_examples=64)


def window(count=2000, first=0, at=0.0, seed=0, turned=False):
    """Items of even number are taken, later hours more, and what scores high."""
    rng = np.random.default_rng(seed)
    item, hour = rng.integers(first, first + 30, count), rng.integers(0, 24, count)
    score = rng.standard_normal(count).astype(np.float32)
    logit = 4.0 * (item % 2 == 0) - 2 + (hour > 12) + score
    labels = (rng.random(count) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    if turned:
        labels = 1 - labels
    examples = Examples(np.stack([item, hour], 1), score[:, None], labels)
    return Window(examples, at + np.arange(count, dtype=np.float64))


@pytest.fixture(scope="module")
def ranker():
    known = window()
    return Ranker(FIELDS, CONFIG).learned(known.examples, known.at)


def test_an_id_shares_a_row_until_it_is_met_and_starts_from_that_row():
    nothing = GrowingVocabulary.empty()
    ids = np.array([5, 900, -3, 2**62])
    assert (nothing.rows_of(ids) == shared_row(ids)).all()
    assert ((shared_row(ids) >= 0) & (shared_row(ids) < SHARED)).all()
    some, sources = nothing.met(np.array([900, 5, 900]), np.array([1.0, 2.0, 3.0]))
    assert some.num_rows == SHARED + 2
    assert some.rows_of(ids)[:2].tolist() == [SHARED, SHARED + 1]
    assert sources[SHARED:].tolist() == shared_row(np.array([5, 900])).tolist()
    assert some.last_met.tolist() == [2.0, 3.0]


def test_an_id_not_met_for_long_gives_its_row_up_and_others_keep_theirs():
    some, _ = GrowingVocabulary.empty().met(np.array([5, 7, 9]), np.array([1.0, 2.0, 3.0]))
    after, sources = some.met(np.array([8]), np.array([4.0]), forget_before=2.0)
    assert after.known.ids.tolist() == [7, 8, 9]
    assert sources[SHARED:].tolist() == [
        some.rows_of(np.array([7]))[0],
        shared_row(np.array([8]))[0],
        some.rows_of(np.array([9]))[0],
    ]


def test_hashing_spreads_ids_over_the_shared_rows():
    counts = np.bincount(shared_row(np.arange(1, 16_001)), minlength=SHARED)
    assert counts.min() > 700


def test_it_learns_and_leaves_what_it_came_from_alone(ranker):
    later = window(seed=1)
    assert auc(later.examples.labels, ranker.click_probabilities(later.examples)) > 0.85
    before = ranker.click_probabilities(later.examples)
    ranker.learned(window(first=20, seed=2).examples, window().at)
    np.testing.assert_array_equal(ranker.click_probabilities(later.examples), before)
    with pytest.raises(NotFittedError):
        Ranker(FIELDS).click_probabilities(later.examples)


def test_a_warm_start_says_the_same_before_it_learns(ranker):
    """New ids, lost ids and shifted rows change nothing for who is still there."""
    later = window(first=15, seed=3)
    still = replace(CONFIG, share_unknown=0.0, fifa=replace(FIFA, learning_rate=1e-12, epochs=1))
    grown = ranker.configured(still).learned(
        later.examples, later.at + 100 * DAY, forget_before=50 * DAY
    )
    assert ranker.num_known() == {"item": 30}
    assert grown.num_known() == {"item": 30}
    assert not grown.knows("item", window().examples).all()
    both = window(first=15, seed=4).examples
    kept = both.categories[:, 0] < 30
    np.testing.assert_allclose(
        grown.logits(both)[kept], ranker.logits(both)[kept], rtol=1e-4, atol=1e-4
    )
    new = ~kept
    np.testing.assert_allclose(
        grown.logits(both)[new], ranker.logits(both)[new], rtol=1e-4, atol=1e-4
    )


def test_it_is_the_same_after_a_round_trip_to_disk(ranker, tmp_path):
    calibrated = ranker.calibrated(window(seed=5).examples)
    calibrated.save(tmp_path / "ranker")
    again = Ranker.load(tmp_path / "ranker")
    some = window(first=10, seed=6).examples
    np.testing.assert_array_equal(
        again.click_probabilities(some), calibrated.click_probabilities(some)
    )
    assert (again.fields, again.num_known()) == (FIELDS, {"item": 30})
    with pytest.raises(ArtifactError, match="no readable artifact"):
        Ranker.load(tmp_path / "nowhere")


def test_calibration_makes_boasts_hold_and_keeps_the_order():
    rng = np.random.default_rng(0)
    logits = rng.standard_normal(20_000).astype(np.float32)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    boasts = 3 * logits + 1
    fitted = Calibration.fitted(boasts, labels)
    assert fitted.scale == pytest.approx(1 / 3, abs=0.02)
    assert fitted.shift == pytest.approx(-1 / 3, abs=0.05)
    before = click_metrics(labels, Calibration().probabilities(boasts))
    after = click_metrics(labels, fitted.probabilities(boasts))
    assert after["ece"] < 0.02 < 0.1 < before["ece"]
    assert after["auc"] == pytest.approx(before["auc"], abs=1e-6)


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 0, 1]])
def test_calibration_changes_nothing_where_it_could_only_harm(labels):
    logits = np.array([3.0, 2.0, -1.0], dtype=np.float32)
    assert Calibration.fitted(logits, np.array(labels)) == Calibration()


def test_the_teachers_word_counts_only_where_it_knows_the_item(ranker):
    some = window(first=15, seed=7).examples
    targets = distillation_targets(some, ranker, replace(CYCLE, distillation=0.4))
    known = some.categories[:, 0] < 30
    np.testing.assert_array_equal(targets[~known], some.labels[~known])
    expected = 0.6 * some.labels + 0.4 * ranker.click_probabilities(some)
    np.testing.assert_allclose(targets[known], expected[known], rtol=1e-6)


def test_soft_labels_are_distillation(ranker):
    """The gradient of BCE to (1 - α) y + α p is that of the weighted sum of both losses."""
    logits = np.linspace(-3, 3, 7)
    p, y, teacher, share = 1 / (1 + np.exp(-logits)), 1.0, 0.3, 0.4

    def bce(target):
        return -(target * np.log(p) + (1 - target) * np.log(1 - p))

    mixed = (1 - share) * bce(y) + share * bce(teacher)
    np.testing.assert_allclose(bce((1 - share) * y + share * teacher), mixed)


def test_a_teacher_holds_on_to_what_the_window_does_not_show(ranker):
    """Fresh labels are turned round; with a teacher the old order is kept better."""
    turned, probe = window(600, seed=8, turned=True), window(seed=9)
    alone, held = (
        learn_increment(ranker, turned, replace(CYCLE, distillation=0.5), teacher)
        for teacher in (None, ranker)
    )
    order = [auc(probe.examples.labels, each.logits(probe.examples)) for each in (alone, held)]
    assert order[1] > order[0] + 0.02


def test_what_the_window_does_not_show_is_recalled_with_the_teachers_word_alone(ranker):
    """The earlier labels are turned round, and nobody reads them."""
    newest = window(400, first=15, seed=15, at=DAY)
    earlier = window(1000, seed=16, turned=True)
    old = replay_sample(earlier, newest, ranker, replace(CYCLE, replay_share=0.5))
    assert set(old.examples.categories[:, 0]) == set(range(15))
    assert len(old) == 200
    assert (old.at < DAY).all()
    unknown = replay_sample(window(1000, first=60), newest, ranker, CYCLE)
    assert len(unknown) == 0
    few = replay_sample(window(20), newest, ranker, replace(CYCLE, replay_share=0.9))
    assert 0 < len(few) < 20


def test_recalling_keeps_what_the_window_would_have_forgotten(ranker):
    """Fresh clicks turn the hours' and the score's meaning round, on other items."""
    turned, probe = window(600, first=30, seed=8, turned=True, at=DAY), window(seed=9)
    earlier = window(1000, seed=16, turned=True)
    settings = replace(CYCLE, replay_share=0.9)
    alone, held = (
        learn_increment(ranker, turned, settings, ranker, earlier=each) for each in (None, earlier)
    )
    order = [auc(probe.examples.labels, each.logits(probe.examples)) for each in (alone, held)]
    assert order[1] > order[0] + 0.02


def test_the_gate_publishes_what_is_as_good_and_keeps_back_what_is_not(ranker):
    good = run_cycle(ranker, window(seed=10, at=DAY), CYCLE, fields=ranker, teacher=ranker)
    assert good.verdict.passed, good.verdict.reason
    assert (good.start, good.learned_until) == ("live", DAY + 1599)
    assert good.verdict.examples == 200
    wrong, right = window(seed=11, turned=True), window(seed=12)
    spoiled = Window(Examples.joined([wrong.examples[:1600], right.examples[1600:]]), right.at)
    bad = run_cycle(ranker, spoiled, CYCLE, fields=ranker, teacher=ranker)
    assert not bad.verdict.passed
    assert bad.start == "teacher"
    assert "kept back" in bad.verdict.reason.lower()


def test_without_a_live_model_all_is_learned_from_scratch():
    cycle = run_cycle(None, window(seed=13), CYCLE, fields=Ranker(FIELDS))
    assert (cycle.start, cycle.verdict.passed) == ("scratch", True)
    assert cycle.verdict.candidate["auc"] > 0.8
    assert [point["epoch"] for point in cycle.curve] == list(range(1, len(cycle.curve) + 1))


def test_the_first_model_is_held_against_the_score_that_ordered_before_it():
    config = replace(CYCLE, gate=RankerGate(baseline_field="score"))
    some = window(seed=13)
    better = run_cycle(None, some, config, fields=Ranker(FIELDS)).verdict
    assert better.passed, better.reason
    assert set(better.live or {}) == {"auc"}
    judging = window(1000, seed=14).examples
    chance = replace(
        some.examples, labels=np.random.default_rng(15).permutation(some.examples.labels)
    )
    astray = Ranker(FIELDS, CONFIG).learned(chance, some.at).calibrated(judging)
    worse = config.gate.verdict(astray, None, judging)
    assert not worse.passed
    assert worse.live["auc"] > worse.candidate["auc"] + 0.05
    assert "score" in worse.reason
    assert "kept back" in worse.reason


def test_a_model_that_diverged_is_kept_back(ranker):
    some = window(seed=14).examples
    boasting = ranker.configured(CONFIG)
    boasting.calibration = Calibration(scale=40.0)
    verdict = CYCLE.gate.verdict(boasting, None, some)
    assert not verdict.passed
    assert "diverged" in verdict.reason


def test_a_window_too_small_is_refused_in_words(ranker):
    with pytest.raises(InvalidInputError, match="too few to learn from"):
        run_cycle(ranker, window(1), CYCLE, fields=ranker)
    with pytest.raises(InvalidInputError, match="in time order"):
        Window(window(2).examples, np.array([2.0, 1.0]))


def test_what_happened_at_once_is_not_cut_in_two():
    some = window(10)
    at = np.repeat([1.0, 2.0, 3.0], [4, 4, 2])
    older, newest = Window(some.examples, at).cut(0.3)
    assert (len(older), len(newest)) == (4, 6)


@pytest.mark.parametrize(
    "changes",
    [
        {"distillation": 1.0},
        {"replay_share": -0.1},
        {"learning_rate": 0.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(changes):
    with pytest.raises(InvalidInputError, match=next(iter(changes))):
        replace(CYCLE, **changes)

"""The settings search of a first training: where it goes, when it ends, on whom it chooses."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.data.splits import stable_holdout
from recommender.errors import InvalidInputError
from recommender.evaluation.protocols import means, strong_generalisation
from recommender.models.ials import Ials, IalsConfig
from recommender.training.config import ReleaseConfig
from recommender.training.first_search import (
    FirstSearchConfig,
    FoundSettings,
    first_search,
    folds_of,
)
from recommender.training.trials import Fold, Limits, Trial, Trials

START = IalsConfig(embedding_size=4, epochs=3, num_threads=1)
CONFIG = FirstSearchConfig(
    start=START,
    unobserved_weights=(0.3, 0.1),
    regularizations=(0.1, 0.01),
    max_embedding_size=16,
    rows_per_dimension=2,
    block_size=4,
)


def likes(people: int = 120, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    kind = np.arange(people) % 3
    share = np.where(np.arange(30) % 3 == kind[:, None], 0.6, 0.05)
    return Interactions.from_pairs(*(rng.random(share.shape) < share).nonzero())


def fold(seed: int = 0) -> Fold:
    return Fold(*stable_holdout(likes(), seed, profile_share=0.3))


class Clock:
    """Goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_it_leaves_a_grid_whose_best_setting_stands_at_its_edge():
    ran: list[Trial] = []
    drowned = replace(CONFIG, unobserved_weights=(0.3,), regularizations=(0.3,))
    found = first_search([fold()], drowned, on_trial=ran.append)
    assert found.best.config.regularization < 0.1
    assert found.best.value > 1.1 * ran[0].value
    assert found.best.value == max(trial.value for trial in ran)
    assert found.trials == len(ran)
    assert not found.is_cut_off


def test_steps_follow_the_grid_and_larger_sizes_are_solved_in_blocks():
    ran: list[Trial] = []
    first_search([fold()], CONFIG, on_trial=ran.append)
    grid = [(t.config.unobserved_weight, t.config.regularization) for t in ran[:4]]
    assert grid == [(0.3, 0.1), (0.3, 0.01), (0.1, 0.1), (0.1, 0.01)]
    assert {t.config.embedding_size for t in ran} >= {4, 8}
    for trial in ran:
        assert trial.config.block_size == (None if trial.config.embedding_size == 4 else 4)
    best = max(ran[:4], key=lambda t: t.value).config
    step = ran[4].config
    assert (step.unobserved_weight, step.regularization) == (
        best.unobserved_weight, 2 * best.regularization,
    )  # fmt: skip


def test_a_small_catalogue_gets_no_large_vectors():
    ran: list[Trial] = []
    first_search([fold()], replace(CONFIG, rows_per_dimension=4), on_trial=ran.append)
    assert {t.config.embedding_size for t in ran} == {4}  # 30 titles


def test_no_more_trials_run_than_allowed():
    found = first_search([fold()], replace(CONFIG, max_trials=6))
    assert (found.trials, found.is_cut_off) == (6, True)
    assert found.summary.endswith("It ended at its limit: `manage.py tune ials` has none.")


def test_a_long_trial_ends_between_two_epochs_and_stays_out_of_the_journal(tmp_path):
    """A bug: the limit only kept further trials from starting, and one could take hours."""
    journal = tmp_path / "trials.jsonl"
    trials = Trials([fold()], journal, limits=Limits(max_seconds=3.0, clock=Clock()))
    trials.run([replace(START, epochs=50), START])
    [trial] = trials.ranked()
    assert len(trial.curve) < 5
    assert trials.is_cut_off
    assert not journal.exists()


def test_a_trial_whose_first_epoch_would_end_after_the_limit_does_not_begin():
    trials = Trials([fold()], limits=Limits(max_seconds=15.0, clock=Clock()))
    trials.run([START])
    assert not trials.is_cut_off
    trials.run([replace(START, embedding_size=8)], epoch_growth=100.0)
    assert len(trials.ranked()) == 1
    assert trials.is_cut_off


def test_the_value_of_a_trial_is_the_mean_over_the_profiles_of_all_folds():
    folds = [fold(0), fold(1)]
    trials = Trials(folds)
    trials.run([replace(START, epochs=1)])
    values = []
    for each in folds:
        model = Ials(replace(START, epochs=1)).fit(each.train)
        value = means(strong_generalisation(model.score, each.validation))["ndcg@100"]
        values.append((value, len(each.validation.rows)))
    expected = np.average([v for v, _ in values], weights=[n for _, n in values])
    assert trials.best.value == pytest.approx(expected)


def test_few_profiles_are_held_out_in_several_folds_and_those_of_the_gate_in_none():
    interactions = likes(400)
    config = ReleaseConfig()
    learned, test = stable_holdout(interactions, 3, config.held_out_share, config.max_held_out)
    folds = folds_of(interactions, 3)
    assert len(folds) == 5
    for each in folds:
        assert not set(each.validation.rows) & set(test.rows)
        assert not each.train.matrix[each.validation.rows].nnz
        assert not each.train.matrix[test.rows].nnz
        assert each.train.matrix.nnz < learned.matrix.nnz
    assert len({tuple(each.validation.rows) for each in folds}) == 5


def test_many_profiles_need_one_fold():
    assert len(folds_of(likes(8000), 0)) == 1


def test_staff_read_what_was_found():
    config = IalsConfig(64, 3, 0.05, 0.002)
    found = FoundSettings(Trial(config, 0.41237, [{"epoch": 1}]), 21, 83.4, False)
    assert found.summary == (
        "iALS's settings were searched: 21 in 83 s. Best are D 64, α₀ 0.05, λ* 0.002, "
        "3 epochs, with NDCG@100 0.4124 on their validation profiles."
    )
    assert json.loads(json.dumps(found.as_json()))["config"]["embedding_size"] == 64


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"step": 1.0}, "step must be above 1"), ({"regularizations": ()}, "grid needs"),
     ({"max_trials": 0}, "max_trials"), ({"max_seconds": 0.0}, "max_seconds")],
)  # fmt: skip
def test_a_search_that_cannot_go_on_is_refused(changed, message):
    with pytest.raises(InvalidInputError, match=message):
        replace(CONFIG, **changed)

from dataclasses import replace

import numpy as np
import pytest

from recommender.data.interactions import Interactions
from recommender.data.splits import HeldOut, strong_generalisation_split
from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training.trials import Fold, Trial
from recommender.training.tuning import SearchConfig, table, tune

CONFIG = SearchConfig(
    start=IalsConfig(embedding_size=4, epochs=3, num_threads=1),
    unobserved_weights=(0.3, 0.1),
    regularizations=(0.1, 0.01),
    refinements=1,
    max_embedding_size=8,
    final_epochs=4,
)


def split(seed: int = 0) -> list[Fold]:
    rng = np.random.default_rng(seed)
    kind = np.arange(80) % 3
    share = np.where(np.arange(30) % 3 == kind[:, None], 0.6, 0.05)
    interactions = Interactions.from_pairs(*(rng.random(share.shape) < share).nonzero())
    train, validation, _ = strong_generalisation_split(interactions, rng, 20, 1)
    return [Fold(train, validation)]


def test_the_search_is_the_papers():
    ran: list[Trial] = []
    trials = tune(split(), CONFIG, on_trial=ran.append)
    grid = [(t.config.unobserved_weight, t.config.regularization) for t in ran[:4]]
    assert grid == [(0.3, 0.1), (0.3, 0.01), (0.1, 0.1), (0.1, 0.01)]
    assert {t.config.embedding_size for t in ran[:12]} == {4}  # the grid and one refinement
    assert {t.config.embedding_size for t in ran[12:]} == {8}
    assert len(ran) == 4 + 8 + 9
    best_of_grid = max(ran[:4], key=lambda t: t.value).config
    around = {
        round(t.config.unobserved_weight / best_of_grid.unobserved_weight, 2) for t in ran[4:12]
    }
    assert around == {0.56, 1.0, 1.78}
    assert trials == sorted(ran, key=lambda t: -t.value)
    for trial in trials:
        assert trial.value == max(point["validation"] for point in trial.curve)
        assert trial.curve[trial.config.epochs - 1]["validation"] == trial.value


def test_a_search_that_was_cut_off_goes_on_where_it_stopped(tmp_path):
    journal = tmp_path / "trials.jsonl"
    whole = tune(split(), CONFIG, journal)
    lines = journal.read_text().splitlines(keepends=True)
    assert len(lines) == 21
    journal.write_text("".join(lines[:9]) + lines[9][:40])
    ran: list[Trial] = []
    again = tune(split(), CONFIG, journal, ran.append)
    assert len(ran) == 12
    assert [t.config for t in again] == [t.config for t in whole]
    assert [t.value for t in again] == [t.value for t in whole]
    tune(split(), CONFIG, journal, ran.append)
    assert len(ran) == 12


def test_another_data_sets_journal_is_refused(tmp_path):
    small = replace(CONFIG, unobserved_weights=(0.1,), regularizations=(0.1,), refinements=0,
                    max_embedding_size=4)  # fmt: skip
    tune(split(), small, tmp_path / "trials.jsonl")
    with pytest.raises(InvalidInputError, match="journal of other data"):
        tune(split(seed=1), small, tmp_path / "trials.jsonl")


def test_the_table_has_a_line_a_trial():
    text = table([Trial(IalsConfig(64, 7, 0.1, 0.003), 0.41237, [])])
    assert text.splitlines()[1].split() == ["64", "0.1", "0.003", "1", "7", "0.4124"]


def test_a_search_that_cannot_be_judged_is_refused():
    [fold] = split()
    validation = fold.validation
    none = HeldOut(validation.histories[:0], validation.targets[:0], validation.rows[:0])
    with pytest.raises(InvalidInputError, match="no profile is held out"):
        tune([Fold(fold.train, none)], CONFIG)
    with pytest.raises(InvalidInputError, match="max_embedding_size must be at least"):
        replace(CONFIG, max_embedding_size=2)
    with pytest.raises(InvalidInputError, match="grid needs"):
        replace(CONFIG, regularizations=())

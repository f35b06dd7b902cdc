"""The benchmark of catalogues of several shapes, on data made up for the purpose."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("threadpoolctl", reason="needs requirements-bench.txt")

from benchmarks import catalogues
from benchmarks.catalogues import FullSearchConfig, full_search, run
from benchmarks.harness import Options
from recommender.data.interactions import Interactions
from recommender.training.first_search import folds_of


def likes(people: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    kind = np.arange(people) % 3
    share = np.where(np.arange(40) % 3 == kind[:, None], 0.6, 0.05)
    who, what = (rng.random(share.shape) < share).nonzero()
    return who, what


def test_a_full_search_tries_so_many_settings_at_each_size(monkeypatch):
    tried = []
    monkeypatch.setattr(catalogues, "_say_trial", lambda trial: tried.append(trial.config))
    config = FullSearchConfig(sizes=(4, 8), trials=(5, 4))
    found = full_search(folds_of(Interactions.from_pairs(*likes()), 0), 0, config)
    assert [c.embedding_size for c in tried] == [4] * 5 + [8] * 4
    assert found.trials == 9
    assert found.config.patience is None
    kept = [(c.unobserved_weight, c.regularization) for c in tried[5:7]]
    assert set(kept) < {(c.unobserved_weight, c.regularization) for c in tried[:5]}


def test_data_sets_that_are_not_there_are_left_out(tmp_path, capsys):
    assert list(run(Options(data=tmp_path))) == []
    assert "frappe: left out" in capsys.readouterr().err


def test_a_small_catalogue_is_compared_with_the_setting_that_training_uses(tmp_path):
    (tmp_path / "frappe").mkdir()
    who, what = likes()
    pq.write_table(pa.table({"user": who, "item": what}), tmp_path / "frappe" / "raw_log.parquet")
    options = Options(quick=True, only="frappe", data=tmp_path)
    values = {row.system: row.value for row in run(options)}
    assert values["first training"] == values["shipped setting"]
    expected = values["first training"] / values["full search"]
    assert values["first training / full search"] == pytest.approx(expected)
    assert values["full search"] > values["popularity"]
    assert options.settings["frappe"]["full search"][0]["trials"] == 10

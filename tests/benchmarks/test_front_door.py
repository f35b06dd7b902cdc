"""The front door of the benchmarks, with a claim made up for the purpose."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("threadpoolctl", reason="needs requirements-bench.txt")

from benchmarks.harness import Options, Row, available, of_seeds, report, table
from benchmarks.planted import planted

ROOT = Path(__file__).resolve().parents[2]


def test_every_claim_is_named_with_a_sentence():
    names = dict(available())
    assert {"ials_quality", "ials_speed", "ease_closed_form"} <= set(names)
    assert all(line.endswith(".") and len(line) < 100 for line in names.values())


def test_the_report_has_the_stated_form():
    rows = [
        Row("p", "marquee:x", "ndcg@100", **of_seeds([0.3, 0.1, 0.2])),
        Row("p", "peer", "seconds", 1.5, seconds=2.0, peak_mb=100.0),
    ]
    said = json.loads(report("claim", Options(quick=True, settings={"seeds": [0]}), rows))
    assert set(said) == {"name", "commit", "machine", "settings", "rows"}
    assert said["settings"] == {"quick": True, "only": None, "seeds": [0]}
    assert said["rows"][0] == {
        "protocol": "p", "system": "marquee:x", "metric": "ndcg@100", "value": 0.2,
        "low": 0.1, "high": 0.3, "seconds": None, "peak_mb": None,
    }  # fmt: skip
    assert "0.1 to 0.3" in table(rows)


def test_an_unknown_claim_is_refused_with_the_known_ones():
    pytest.importorskip("implicit", reason="needs requirements-bench.txt")
    ended = subprocess.run(
        [sys.executable, ROOT / "script" / "benchmark", "no_such"], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "no benchmark 'no_such'; there are: " in ended.stderr


def test_planted_tastes_have_the_shape_asked_for():
    matrix = planted(300, 200, 6000, seed=1)
    assert matrix.shape == (300, 200)
    assert 4000 < matrix.nnz <= 7000
    assert np.diff(matrix.indptr).min() >= 4
    assert set(matrix.data) == {1.0}
    assert abs(planted(300, 200, 6000, seed=1) - matrix).nnz == 0

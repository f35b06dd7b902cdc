"""The tile of iALS: its vector form and its plain loops give the same product."""

import json
import subprocess
import sys

import numba
import numpy as np
import pytest
from numba import types
from numba.extending import intrinsic
from scipy import sparse

from recommender.solvers import register_tile
from recommender.solvers.block_newton import improve_rows
from recommender.solvers.compiled import compiled
from recommender.solvers.register_tile import TILE_COLUMNS, TILE_ROWS, add_tile


@compiled
def add_one_tile(target, rows, first, last, i, j, sign):
    add_tile(target, rows, first, last, i, j, sign)


FORMS = {
    "as Python": add_tile,
    "loops, compiled": numba.njit(add_tile),
    "in vector registers": add_one_tile,
}


def arguments(first, last, i, j, sign):
    return (*(np.uint64(n) for n in (first, last, i, j)), np.float32(sign))


def test_this_machine_runs_the_vector_form():
    assert register_tile.runs_in_registers()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_every_form_adds_the_product_of_the_rows(form, sign):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(11, 3 * TILE_COLUMNS)).astype(np.float32)
    target = rng.normal(size=(4 * TILE_ROWS, 3 * TILE_COLUMNS)).astype(np.float32)
    expected = target.copy()
    i, j = 2 * TILE_ROWS, TILE_COLUMNS
    left, right = rows[3:9, i : i + TILE_ROWS], rows[3:9, j : j + TILE_COLUMNS]
    expected[i : i + TILE_ROWS, j : j + TILE_COLUMNS] += sign * left.T @ right
    form(target, rows, *arguments(3, 9, i, j, sign))
    np.testing.assert_allclose(target, expected, rtol=1e-5, atol=1e-5)
    before = target.copy()
    form(target, rows, *arguments(4, 4, i, j, sign))  # no rows, no change
    np.testing.assert_array_equal(target, before)


def test_the_loops_run_where_the_vector_form_cannot(monkeypatch, caplog):
    def typed(typing_context, target, rows, first, last, i, j, sign):
        def generate(context, builder, signature, arguments):
            raise NotImplementedError("no such vectors here")

        return types.void(target, rows, first, last, i, j, sign), generate

    monkeypatch.setattr(register_tile, "add_tile_in_registers", intrinsic(typed))
    assert not register_tile.runs_in_registers.__wrapped__()
    assert "no such vectors here" in caplog.text
    monkeypatch.setattr(register_tile, "runs_in_registers", lambda: False)
    assert register_tile._form_for_compiled_code(*[None] * 7) is add_tile


WITHOUT_NUMBA = """
import json, sys
import numpy as np
from scipy import sparse
from recommender.solvers.block_newton import improve_rows

parts = json.load(sys.stdin)
arrays = {name: np.array(part, dtype=np.float32) for name, part in parts.items()}
observed, h, w = sparse.csr_array(arrays["x"]), arrays["h"], arrays["w"]
improve_rows(observed, h, h.T @ h, np.full(len(w), 0.3, np.float32), w, 5, 1)
json.dump(w.tolist(), sys.stdout)
"""


def test_the_solver_is_the_same_with_numba_switched_off(monkeypatch):
    rng = np.random.default_rng(0)
    x = (rng.random((6, 9)) < 0.4).astype(np.float32)
    h, w = (rng.normal(size=(n, 5)).astype(np.float32) for n in (9, 6))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    answer = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA],
        input=json.dumps({"x": x.tolist(), "h": h.tolist(), "w": w.tolist()}),
        capture_output=True,
        text=True,
        check=True,
    )
    improve_rows(sparse.csr_array(x), h, h.T @ h, np.full(6, 0.3, np.float32), w, 5, 1)
    np.testing.assert_allclose(json.loads(answer.stdout), w, rtol=1e-3, atol=1e-4)

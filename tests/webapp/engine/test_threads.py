"""A web process gives each pool of threads as many as the settings say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DUMP = """
import json, pathlib, runpy, sys
globals().update(runpy.run_path("webapp/gunicorn.py"))

def post_worker_init(worker):
    import numpy, scipy.linalg, torch
    from threadpoolctl import threadpool_info
    pools = [(pool["user_api"], pool["num_threads"]) for pool in threadpool_info()]
    pathlib.Path({out!r}).write_text(json.dumps(pools))
    sys.exit(4)  # which ends gunicorn: the application did not load
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_web_process_bounds_the_pools_of_blas_and_openmp(tmp_path, threads):
    """BLAS threads spun at every product with the catalogue; a keystroke cost twice as much."""
    out = tmp_path / "pools.json"
    config = tmp_path / "config.py"
    config.write_text(DUMP.format(out=str(out)))
    free = {name: text for name, text in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment = free | {
        "MARQUEE_MODEL_THREADS": str(threads),
        "MARQUEE_WEB_PROCESSES": "1",
        "MARQUEE_SECURE": "0",
    }
    command = [sys.executable, "-m", "gunicorn", "webapp.wsgi", "-c", str(config)]
    command += ["--bind", "127.0.0.1:0", "--no-control-socket"]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert out.exists(), result.stderr
    pools = json.loads(out.read_text())
    assert {"blas", "openmp"} <= {api for api, _ in pools}
    assert {number for _, number in pools} == {threads}

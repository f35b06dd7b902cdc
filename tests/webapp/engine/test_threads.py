"""A web process and a worker give each pool of threads as many as the settings say."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROBE = """
import json, pathlib
from celery.signals import worker_process_init
from webapp.celery import app

@worker_process_init.connect
def dump(**_):
    import numpy, scipy.linalg, torch
    from threadpoolctl import threadpool_info
    pools = [(pool["user_api"], pool["num_threads"]) for pool in threadpool_info()]
    part = pathlib.Path({out!r} + ".part")
    part.write_text(json.dumps(pools))
    part.rename({out!r})
"""
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


@pytest.mark.parametrize("threads", [1, 2])
def test_a_worker_bounds_the_pools_of_blas_and_openmp(tmp_path, threads):
    """The child that trains is asked; the broker is of memory, and no database answers."""
    out = tmp_path / "pools.json"
    (tmp_path / "probe.py").write_text(PROBE.format(out=str(out)))
    free = {name: text for name, text in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment = free | {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "MARQUEE_MODEL_THREADS": str(threads),
        "CELERY_BROKER_URL": "memory://",
        "DATABASE_URL": "postgres://127.0.0.1:1/none",
    }
    command = [sys.executable, "-m", "celery", "-A", "probe:app", "worker", "--concurrency=1"]
    command += ["--pool=prefork", "--without-mingle", "--without-gossip"]
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + 90
            while not out.exists() and worker.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            worker.terminate()
            worker.wait(30)
    assert out.exists(), (tmp_path / "log").read_text()
    pools = json.loads(out.read_text())
    assert {"blas", "openmp"} <= {api for api, _ in pools}
    assert {number for _, number in pools} == {threads}

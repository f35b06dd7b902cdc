"""The processes of a site that is up: its environment in, a `Child` for each role out.

Standard library only.
"""

import signal
from collections.abc import Mapping

from embedded import ROOT
from processes import Child

GRACE = ((signal.SIGTERM, 4.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))
"""A worker in mid-training does not end at the first; the run is taken up or marked later."""
# Threads that wait for each other by spinning stand still where the web has the cores.
OF_WORKERS = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE", "MARQUEE_PROCESS": "worker"}


def roles(python: str, port: int, environment: Mapping[str, str]) -> dict[str, Child]:
    """Return web, worker, trainer and beat by name, in the order in which they start.

    Args:
        python: the environment's.
        port: where the web listens, on 127.0.0.1.
        environment: the settings of all.
    """
    # As modules, because a program's first line holds the path it was installed at.
    celery = [python, "-m", "celery", "-A", "webapp.celery:app"]
    worker = [*celery, "worker", "--loglevel=INFO", "--concurrency=1"]
    gunicorn = [python, "-m", "gunicorn", "webapp.wsgi", "-c", "webapp/gunicorn.py"]
    commands: dict[str, tuple[list[str], dict[str, str]]] = {
        "web": (
            [*gunicorn, "--bind", f"127.0.0.1:{port}", "--no-control-socket"],
            {"OMP_NUM_THREADS": "1"},
        ),
        "worker": ([*worker, "--queues=celery", "--hostname=house@%h"], OF_WORKERS),
        "trainer": ([*worker, "--queues=train", "--hostname=train@%h"], OF_WORKERS),
        "beat": ([*celery, "beat", "--loglevel=INFO"], {"MARQUEE_PROCESS": "worker"}),
    }
    return {
        name: Child(name, command, {**environment, **more}, folder=ROOT, grace=GRACE)
        for name, (command, more) in commands.items()
    }

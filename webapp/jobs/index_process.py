"""Building the catalogue's index in a process of its own.

Its memory, 4 GB for half a million titles, is free when it ends, and its arithmetic runs on as many
threads as a web process's: so both compute the same numbers to the last bit.
"""

import os
import subprocess
import sys

from django.conf import settings

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What the pools of numpy, scipy and torch read when they are loaded."""


def build_in_process() -> None:
    """Run `manage.py index_catalogue`.

    Raises:
        subprocess.CalledProcessError: it failed; its log says why.
    """
    threads = dict.fromkeys(POOLS, str(settings.MODEL_THREADS))
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "index_catalogue"]
    subprocess.run(command, env={**os.environ, **threads}, check=True)  # noqa: S603

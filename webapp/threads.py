"""Thread pools of a process: `MODEL_THREADS` in, bounds that BLAS and OpenMP read as they load."""

import os

from django.conf import settings

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def thread_bounds() -> dict[str, str]:
    """Return the environment in which a process's pools have `MODEL_THREADS` each."""
    return dict.fromkeys(VARIABLES, str(settings.MODEL_THREADS))


def bound_thread_pools() -> None:
    """Set the environment; to be called before numpy and torch load, which read it once.

    Otherwise the spinning threads of each matrix product take the other processes' cores.
    """
    os.environ.update(thread_bounds())

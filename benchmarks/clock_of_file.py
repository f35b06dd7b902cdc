"""The site's WSGI application with a clock that a file puts forward or back, as an operator may.

gunicorn is given this module in place of `webapp.wsgi`. `MARQUEE_BENCHMARK_CLOCK` names the file:
seconds that Django's and Python's time of day are ahead. The database's clock stays as it is.
"""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

VARIABLE = "MARQUEE_BENCHMARK_CLOCK"
_file = Path(os.environ[VARIABLE])
_true_time, _true_now = time.time, timezone.now


def ahead() -> int:
    """Return the seconds in the file."""
    return int(_file.read_text())


def _time() -> float:
    return _true_time() + ahead()


def _now() -> datetime:
    return _true_now() + timedelta(seconds=ahead())


time.time = _time
timezone.now = _now

from webapp.wsgi import application  # noqa: E402  it reads the clock from now on

__all__ = ["application"]

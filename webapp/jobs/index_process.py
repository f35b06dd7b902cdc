"""Building the catalogue's index in a process of its own.

Its memory, 4 GB for half a million titles, is free when it ends, and its arithmetic runs on as many
threads as a web process's: so both compute the same numbers to the last bit.
"""

import os
import subprocess
import sys

from django.conf import settings

from webapp.threads import thread_bounds


def build_in_process() -> None:
    """Run `manage.py index_catalogue`.

    Raises:
        subprocess.CalledProcessError: it failed; its log says why.
    """
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "index_catalogue"]
    subprocess.run(command, env={**os.environ, **thread_bounds()}, check=True)  # noqa: S603

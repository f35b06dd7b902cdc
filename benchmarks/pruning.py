"""1,000,000 old slates are pruned in at most 300 MB of the worker's memory.

The slates are made up, with rows, a snapshot and features of a usual size, and lie in a database of
their own on the server of DATABASE_URL, which is dropped at the end. `manage.py prune` runs as the
worker's nightly tasks do; the peak is what it takes beside its code.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.databases import database
from benchmarks.harness import ROOT, Options, Row, say

DATABASE = "marquee_benchmark_pruning"
SLATES, QUICK_SLATES = 1_000_000, 50_000
FILL = (Path(__file__).parent / "pruning.sql").read_text()


def run(options: Options) -> Iterator[Row]:
    slates = QUICK_SLATES if options.quick else SLATES
    options.settings.update(slates=slates, synthetic=True)
    with tempfile.TemporaryDirectory() as home, database(DATABASE) as url:
        environment = {"MARQUEE_SECRET_KEY": "x" * 50, **os.environ, "DATABASE_URL": url}
        environment["MARQUEE_HOME"] = home
        _manage(environment, "migrate", "--skip-checks", "--verbosity=0")
        _fill(environment, url, Path(home), slates)
        began = time.perf_counter()
        report = _manage(environment, "prune")
        seconds = time.perf_counter() - began
        with psycopg.connect(url.replace("postgres://", "postgresql://", 1)) as at:
            left = at.execute("SELECT count(*) FROM events_slate").fetchone()
        if left != (0,):
            raise RuntimeError(f"{left} slates are left")
        say(report)
        peak = float(report.split("with at most ")[1].split()[0])
        rate = slates / seconds
        yield Row(
            "nightly", "marquee:prune", "slates a second", rate, seconds=seconds, peak_mb=peak
        )


def _fill(environment: dict[str, str], url: str, home: Path, slates: int) -> None:
    """Write one title, one profile, and the slates with their visits and events."""
    (home / "titles.csv").write_text("external_id,name\none,One\n")
    (home / "ratings.csv").write_text("profile_id,title_id,stars,rated_at\nann,one,5,2020-01-01\n")
    _manage(environment, "load_catalogue", str(home / "titles.csv"))
    _manage(environment, "load_history", str(home / "ratings.csv"))
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1), autocommit=True) as at:
        cursor = psycopg.ClientCursor(at)  # several statements at once
        cursor.execute(FILL, {"slates": slates})
        at.execute("ANALYZE")
    say(f"{slates:,} slates are there")


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()

"""60,000 titles and 1,000,000 ratings are loaded in under a minute each.

Made-up files of the documented columns are loaded by the commands an operator uses, into a
database of their own on the server of DATABASE_URL, which is dropped at the end. Every command
runs twice: into empty tables, and again with nothing to change. Times are of the whole process.
"""

import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.databases import database
from benchmarks.harness import ROOT, Options, Row

DATABASE = "marquee_benchmark_imports"
TITLES, RATINGS = 60_000, 1_000_000
QUICK_SHARE = 10
SEED = 7
TITLE_COLUMNS = (
    "external_id",
    "name",
    "year",
    "genres",
    "runtime_minutes",
    "plot",
    "directors",
    "cast",
)
RATING_COLUMNS = ("profile_id", "title_id", "stars", "rated_at")
GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Sci-Fi", "War")


def run(options: Options) -> Iterator[Row]:
    share = QUICK_SHARE if options.quick else 1
    titles, ratings = TITLES // share, RATINGS // share
    options.settings.update(seed=SEED, titles=titles, ratings=ratings)
    with tempfile.TemporaryDirectory() as folder, _database() as environment:
        files = {
            "load_catalogue": _write_titles(Path(folder) / "titles.csv", titles),
            "load_history": _write_ratings(Path(folder) / "ratings.csv", ratings, titles),
        }
        for command, file in files.items():
            for protocol in ("into empty tables", "again, unchanged"):
                started = time.perf_counter()
                _manage(environment, command, str(file))
                seconds = time.perf_counter() - started
                lines = titles if command == "load_catalogue" else ratings
                peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
                yield Row(
                    protocol,
                    f"marquee:{command}",
                    "lines a second",
                    lines / seconds,
                    seconds=seconds,
                    peak_mb=peak,
                )


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """An environment whose DATABASE_URL names a fresh database with our tables."""
    with database(DATABASE) as url:
        environment = {"MARQUEE_SECRET_KEY": "x" * 50, **os.environ, "DATABASE_URL": url}
        _manage(environment, "migrate", "--skip-checks", "--verbosity=0")
        yield environment


def _manage(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr)


def _write_titles(path: Path, count: int) -> Path:
    rng = random.Random(SEED)  # noqa: S311  made-up films, not secrets
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(TITLE_COLUMNS)
        for n in range(count):
            cast = "|".join(f"Actor {rng.randrange(40_000)}" for _ in range(8))
            genres = "|".join(rng.sample(GENRES, 3))
            plot = "Somebody wants something and somebody is against it. " * 5
            director = f"Director {rng.randrange(8_000)}"
            year, runtime = 1930 + n % 90, 60 + n % 100
            writer.writerow([f"t{n}", f"Film {n}", year, genres, runtime, plot, director, cast])
    return path


def _write_ratings(path: Path, count: int, titles: int) -> Path:
    rng = random.Random(SEED)  # noqa: S311  made-up films, not secrets
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(RATING_COLUMNS)
        for n in range(count):
            title = int(titles * rng.random() ** 3)
            stars = rng.randrange(1, 11) / 2
            writer.writerow([n // 100, f"t{title}", stars, 1_000_000_000 + 100 * n])
    return path

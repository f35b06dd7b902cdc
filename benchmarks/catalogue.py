"""What a catalogue's index costs at several sizes: build, load, memory, and answers over it.

One line for each size of `--titles`. The smallest is the demo's 17,472 films; beyond them titles
are synthetic, drawn from the demo's: the name is halves of two names, the facts are those of one
title, and who made it and plays in it is made up anew for every 17,472. None has a plot.

build    `manage.py index_catalogue` in a process of its own
load     a fresh process until it can answer, of an index that is there
memory   the web processes', after a person's home pages, title pages and keystrokes
answers  as `script/benchmark requests` measures them, and as multiples of the smallest size's

The database is made for it on the server of DATABASE_URL. Half a million titles take 10 minutes to
load and 4 GB to build.
"""

import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.databases import database
from benchmarks.harness import Options, Row
from benchmarks.requests import Browser, kinds_of, measure_in_turns, milliseconds, prepare
from benchmarks.site import Site
from benchmarks.suggest import Client
from benchmarks.viewers import viewers

SIZES, QUICK_SIZES = (17_472, 60_000, 500_000), (17_472, 60_000)
SEED = 7
NAME = "marquee_benchmark_catalogue"
LOADS = 3
CLIENTS, SECONDS = 4, 10.0
ANSWERS = (
    "keystroke",
    "keystroke, after an open",
    "before a query",
    "home, first rows",
    "home, after an open",
    "rows below",
    "title page",
    "search page",
)
OF_A_TITLE = (
    "SELECT t.name, t.year, t.kind, t.runtime_minutes, t.language, t.country, t.maturity, t.votes,"
    " t.reviews, ARRAY(SELECT g.name FROM catalog_title_genres h"
    " JOIN catalog_genre g ON g.id = h.genre_id WHERE h.title_id = t.id ORDER BY h.id),"
    " ARRAY(SELECT c.role || ':' || p.name FROM catalog_credit c"
    " JOIN catalog_person p ON p.id = c.person_id WHERE c.title_id = t.id"
    " ORDER BY c.role, c.position) FROM catalog_title t ORDER BY t.id"
)
BUILD = """
import resource, time, django; django.setup()
from webapp.jobs.index_process import build_in_process
began = time.perf_counter()
build_in_process()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**10)
"""
LOAD = """
import time, django; django.setup()
from webapp.engine import live
live.build_index = None  # an index that is passed over is no load
live.limit_threads()
began, used = time.perf_counter(), time.process_time()
live.load_live(None)
print(time.perf_counter() - began, time.process_time() - used)
"""
ANSWER = "from benchmarks.catalogue import say_answers; say_answers({rounds})"


@dataclass(frozen=True)
class Memory:
    """Of a process, in MB.

    Attributes:
        private: what it wrote to, which is nobody else's.
        files: pages of files that it has mapped, which all processes share as they touch them.
    """

    private: float
    files: float


def run(options: Options) -> Iterator[Row]:
    """Yield the figures of each size, the smallest first."""
    sizes = sorted(options.titles or (QUICK_SIZES if options.quick else SIZES))
    options.settings.update(seed=SEED, titles=sizes, load=os.getloadavg())
    smallest: dict[str, float] = {}
    with database(NAME) as address, tempfile.TemporaryDirectory() as home:
        site = Site(address, Path(home))
        site.prepare()
        own = site.rows(OF_A_TITLE)
        count = len(own)
        for size in sizes:
            if size > count:
                site.load(synthetic(own, count, size))
                count = size
            for row in measure(f"{count} titles", site, rounds=5 if options.quick else 15):
                yield row
                if row.system == "answer":
                    first = smallest.setdefault(row.metric, row.value)
                    if first is not row.value:
                        times = row.metric.replace("ms", f"times {sizes[0]}")
                        yield Row(row.protocol, row.system, times, row.value / first)


def measure(protocol: str, site: Site, rounds: int) -> Iterator[Row]:
    seconds, processor, peak = floats(site.python(BUILD))
    yield Row(protocol, "build", "processor s", processor, seconds=seconds, peak_mb=peak)
    yield Row(protocol, "index", "MB", site.size_of("artifacts/catalogue") / 2**20)
    loads = [floats(site.python(LOAD)) for _ in range(LOADS)]
    seconds, processor = sorted(loads)[LOADS // 2]
    yield Row(protocol, "load", "s", seconds, min(loads)[0], max(loads)[0])
    yield Row(protocol, "load", "processor s", processor)
    most = max(memory(site), key=lambda of_one: of_one.private)
    yield Row(protocol, "web process", "private MB", most.private)
    yield Row(protocol, "web process", "MB of mapped files", most.files)
    for name, (ms, low, high) in json.loads(site.python(ANSWER.format(rounds=rounds))).items():
        yield Row(protocol, "answer", f"{name}, ms", ms, low, high)


def memory(site: Site) -> list[Memory]:
    """Return what each web process holds once people have typed and looked at pages."""
    with site.running() as server:
        names = site.names()
        for client in [Client(server.port, number, names) for number in range(CLIENTS)]:
            client.type(SECONDS / CLIENTS)
        return [memory_of(pid) for pid in server.workers()]


def memory_of(pid: int) -> Memory:
    """Read a process's memory, as Linux counts it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (s.partition(":") for s in lines)}
    files = sum(kilobytes[name] for name in ("Private_Clean", "Shared_Clean"))
    return Memory(kilobytes["Private_Dirty"] / 2**10, files / 2**10)


def say_answers(rounds: int) -> None:
    """Print the processor milliseconds of each kind of answer, with quartiles, as JSON."""
    prepare()
    with viewers(1, is_staff=True, skipped=80) as keys:
        browser = Browser(keys[0])
        kinds = [kind for kind in kinds_of(browser) if kind.name in ANSWERS]
        measure_in_turns(browser, kinds, rounds)
    found = {kind.name: milliseconds(kind) for kind in kinds}
    json.dump(found, sys.stdout)


def synthetic(own: Sequence[Sequence[Any]], begin: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield titles number `begin` up to `end`, drawn from rows of `OF_A_TITLE`."""
    rng = random.Random(SEED * 1_000_003 + begin)  # noqa: S311  titles, not secrets
    people = sorted({credit.partition(":")[2] for row in own for credit in row[-1]})
    for number in range(begin, end):
        if number == begin or not number % len(own):
            made_up = made_up_names(people, rng)
        _, year, kind, minutes, language, country, maturity, votes, reviews, genres, _ = rng.choice(
            own
        )
        yield {
            "external_id": f"synthetic-{number}",
            "name": " ".join(half_of(rng.choice(own)[0], place) for place in (0, 1))[:300],
            "year": year,
            "kind": kind,
            "runtime_minutes": minutes,
            "language": language,
            "country": country,
            "maturity": maturity,
            "votes": votes,
            "reviews": reviews,
            "genres": genres,
            "added_at": "2020-01-01T00:00:00Z",
            **credits_of(rng.choice(own)[-1], made_up),
        }


def made_up_names(people: Sequence[str], rng: random.Random) -> Mapping[str, str]:
    """Return a name for each person: the first names of one, the last of another."""
    others = rng.sample(people, len(people))
    pairs = zip(people, others, strict=True)
    return {one: f"{half_of(one, 0)} {half_of(other, 1)}"[:200] for one, other in pairs}


def half_of(text: str, place: int) -> str:
    """Return the first (0) or second (1) half of the words of a text; one word is both."""
    words = text.split()
    middle = (len(words) + 1) // 2
    return " ".join(words[middle:] or words) if place else " ".join(words[:middle])


def credits_of(credits: Sequence[str], made_up: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the columns of a catalogue's line by roles."""
    columns: dict[str, list[str]] = {"directors": [], "writers": [], "cast": []}
    for credit in credits:
        role, _, name = credit.partition(":")
        columns["cast" if role == "cast" else f"{role}s"].append(made_up[name])
    return {column: list(dict.fromkeys(names)) for column, names in columns.items()}


def floats(text: str) -> tuple[float, ...]:
    """Return the numbers that a process printed on its last line."""
    return tuple(map(float, text.strip().splitlines()[-1].split()))

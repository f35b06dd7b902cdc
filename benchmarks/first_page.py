"""The first page covers what a viewer may want: wanted films in 60 places, heads first or not.

coherent  wanted films hang together by content, by genre, by who likes them, or by era
random    wanted films drawn at random
choice    coherent, for several numbers of rows whose heads come first, by the half for choices
latency   the processor time of a home page, heads first and not

Nothing is known of the visit. Each page is what the live release serves: the rows that it comes
with and those that follow as it is scrolled, without exploration slots. It reads the database and
the artifacts that the environment names, those of a demo (`. var/demo.env`), with a live release.
People whose number is even are for choices ("dev"); the others are kept apart ("test").

The 60 places are read in three ways: 10 rows of 6, which is what a wide screen shows without
scrolling sideways; 3 rows of 20; and those that simulated viewers look at most often.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import django
import numpy as np

from benchmarks.harness import Options, Row, of_seeds, with_threads
from benchmarks.visit_worlds import HALVES, Coherence, drawn_visits
from benchmarks.visits import relative_gain
from recommender.arrays import Int64
from recommender.ranking.page import PageConfig
from recommender.ranking.page import Row as PageRow
from recommender.serving.request import ShownRow

if TYPE_CHECKING:
    from benchmarks.visit_demo import Demo

VISITS, QUICK_VISITS = 3000, 300
"""Visits of each way of hanging together, half of the people and seed."""
PLACES = 60
ROWS, SLOTS = 24, 20
HEAD_ROWS = (3, 5, 7, 10, 14)
"""Numbers of rows whose heads come first, to choose from."""
TIMED_VIEWERS, TIMED_ROUNDS = 60, 9
BEFORE, AFTER = "rows first", "heads first"

Places = list[tuple[int, int]]
"""Row and slot of each place looked at, from 0."""


def _scans() -> dict[str, Places]:
    """Return the ways in which the places are read."""
    from webapp.demo.viewer import Habits  # noqa: PLC0415  after the setup

    habits = Habits()
    often = {
        (row, slot): habits.next_row**row * habits.next_slot**slot
        for row in range(ROWS)
        for slot in range(SLOTS)
    }
    return {
        "10 rows of 6": [(row, slot) for row in range(10) for slot in range(6)],
        "3 rows of 20": [(row, slot) for row in range(3) for slot in range(20)],
        "as simulated": sorted(often, key=lambda place: (-often[place], place))[:PLACES],
    }


def run(options: Options) -> Iterator[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    from benchmarks.visit_demo import demo_of  # noqa: PLC0415  after the setup

    demo = demo_of("first_page")
    count = options.visits or (QUICK_VISITS if options.quick else VISITS)
    options.settings.update(
        visits=count, seeds=options.seeds, halves="dev: people with even numbers, test: odd",
        intervals="95 %, bootstrap over people, of the gain over rows first in %",
    )  # fmt: skip
    draws = _Draws(demo, count, options.seeds)
    pages = _Pages(demo)
    if options.wants("latency"):
        with with_threads(1):
            yield from pages.latency(TIMED_VIEWERS, 2 if options.quick else TIMED_ROUNDS)
    for part in ("coherent", "random"):
        if options.wants(part):
            yield from draws.by_way(part, pages)
    if options.wants("choice"):
        yield from draws.by_head_rows()


class _Draws:
    """Visits of which nothing is known yet, and what they find."""

    def __init__(self, demo: "Demo", count: int, seeds: int) -> None:
        self._demo, self._count, self._seeds = demo, count, seeds
        ways = demo.coherences().by_name
        self._ways: dict[str, dict[str, Coherence | None]] = {
            "coherent": {name: way for name, way in ways.items() if way is not None},
            "random": {name: way for name, way in ways.items() if way is None},
        }

    def by_way(self, part: str, pages: "_Pages") -> Iterator[Row]:
        """Yield figures of either half for each way in which wanted films hang together."""
        for parity, half in enumerate(HALVES):
            of_all = _Outcomes()
            for name, way in self._ways[part].items():
                of_way = self._outcomes(parity, way, pages)
                yield from of_way.rows(f"{name}, {half}")
                of_all.extend(of_way)
            if len(self._ways[part]) > 1:
                yield from of_all.rows(f"all {part}, {half}")

    def by_head_rows(self) -> Iterator[Row]:
        """Yield figures of the half for choices for each of `HEAD_ROWS`."""
        for head_rows in HEAD_ROWS:
            of_all, pages = _Outcomes(), _Pages(self._demo, head_rows)
            for way in self._ways["coherent"].values():
                of_all.extend(self._outcomes(0, way, pages))
            yield from of_all.rows(f"{head_rows} heads first, all coherent, {HALVES[0]}")

    def _outcomes(self, parity: int, way: Coherence | None, pages: "_Pages") -> "_Outcomes":
        outcomes = _Outcomes()
        for seed in range(self._seeds):
            rng = np.random.default_rng([seed, parity])
            for visit in drawn_visits(self._demo.halves[parity], way, 0, self._count, rng):
                number = visit.person.number
                outcomes.add(number, visit.wanted, pages.of(number))
        return outcomes


@dataclass
class _Outcomes:
    """Of visits: whose each is, and by scan whether a wanted film stands in the places.

    Attributes:
        people: numbers.
        found: by scan, for each visit, on the page with rows first and on that with heads first.
    """

    people: list[int] = field(default_factory=list)
    found: dict[str, list[tuple[bool, bool]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, person: int, wanted: Int64, looked_at: dict[str, tuple[Int64, Int64]]) -> None:
        self.people.append(person)
        for scan, (before, after) in looked_at.items():
            found = (bool(np.isin(wanted, items).any()) for items in (before, after))
            self.found[scan].append((next(found), next(found)))

    def extend(self, others: "_Outcomes") -> None:
        self.people += others.people
        for scan, found in others.found.items():
            self.found[scan] += found

    def rows(self, protocol: str) -> Iterator[Row]:
        people = np.array(self.people)
        for scan, found in self.found.items():
            before, after = np.array(found, dtype=np.float64).T
            yield Row(f"{protocol}, {scan}", BEFORE, "found", float(before.mean()))
            yield Row(f"{protocol}, {scan}", AFTER, "found", float(after.mean()))
            gain, low, high = relative_gain(after, before, people)
            yield Row(f"{protocol}, {scan}", AFTER, "gain %", gain, low, high)


class _Pages:
    """First pages of the demo's people, with rows first and with heads first."""

    def __init__(self, demo: "Demo", head_rows: int | None = None) -> None:
        from benchmarks.visit_demo import CONTEXT  # noqa: PLC0415  after the setup
        from webapp.discovery.surface import Surface  # noqa: PLC0415
        from webapp.engine.viewers import FIRST_ROWS, page_config  # noqa: PLC0415

        self._demo, self._context, self._scans = demo, CONTEXT, _scans()
        self._looked_at: dict[int, dict[str, tuple[Int64, Int64]]] = {}
        today = page_config(Surface.HOME, max_rows=FIRST_ROWS)
        heads_first = today if head_rows is None else replace(today, head_rows=head_rows)
        self._configs = {BEFORE: replace(today, head_rows=0), AFTER: heads_first}

    def of(self, person: int) -> dict[str, tuple[Int64, Int64]]:
        """Return by scan the items in its places, on either page of this person."""
        if person not in self._looked_at:
            before, after = (self._page(person, config) for config in self._configs.values())
            self._looked_at[person] = {
                scan: (before[rows, slots], after[rows, slots])
                for scan, places in self._scans.items()
                for rows, slots in [np.array(places).T]
            }
        return self._looked_at[person]

    def latency(self, viewers: int, rounds: int) -> Iterator[Row]:
        """Yield milliseconds of processor time: medians over viewers, of every round."""
        people = [person.number for person in self._demo.people[:viewers]]
        for part, max_rows in (("first rows", None), ("whole page", PageConfig.max_rows)):
            medians: dict[str, list[float]] = defaultdict(list)
            for _ in range(rounds):
                taken: dict[str, list[float]] = defaultdict(list)
                for person in people:
                    for system, config in self._configs.items():
                        config = replace(config, max_rows=max_rows or config.max_rows)
                        began = time.thread_time()
                        self._home(person, config)
                        taken[system].append(1000 * (time.thread_time() - began))
                for system, milliseconds in taken.items():
                    medians[system].append(float(np.median(milliseconds)))
            for system, values in medians.items():
                yield Row(f"latency, {part}", system, "ms", **of_seeds(values))

    def _page(self, person: int, config: PageConfig) -> Int64:
        """Return (ROWS, SLOTS) the items of the first rows and those below, -1 where there is none.

        The first answer's rows are held while the page goes on below them.
        """
        ids_of = self._demo.recommender.catalogue.titles.ids_of
        above = [
            ShownRow(
                row.kind,
                row.key,
                ids_of(row.items).tolist(),
                row.scores.tolist(),
                num_seen=0,
                num_held=len(row.items),
            )
            for row in self._home(person, config)
        ]
        rows = self._home(person, replace(config, max_rows=ROWS), above)
        page = np.full((ROWS, SLOTS), -1, dtype=np.int64)
        for n, row in enumerate(rows[:ROWS]):
            shown = row.items[:SLOTS]
            page[n, : len(shown)] = shown
        return page

    def _home(
        self, person: int, config: PageConfig, above: Sequence[ShownRow] = ()
    ) -> list[PageRow]:
        viewer = self._demo.viewers[person]
        context = replace(self._context, page=config)
        recommender = self._demo.recommender
        return recommender.home(viewer, context, recommender.taste(viewer, context), above)

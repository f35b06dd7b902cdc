"""Simulation of a month of visits: people, a plan and a site go in, visits are made in parallel.

Every finished visit is a line of a file, so that an interrupted run can be resumed.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from webapp.demo.site import Connection, Site
from webapp.demo.tastes import Film, Person, draw_intent
from webapp.demo.viewer import Visit

DAYS = 30
ANONYMOUS_SHARE = 0.2
"""Share of visits without a login."""
MIN_HOURS_APART = 4
"""Between the starts of two visits of one person; no film lasts as long."""
HOURS = np.array(
    [3, 2, 1, 1, 1, 1, 2, 3, 3, 3, 3, 4, 5, 4, 4, 4, 5, 7, 9, 12, 14, 13, 9, 5], dtype=np.float64
)
"""Relative number of visits that start in each hour of the day (24,), UTC."""
USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) simulated",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) simulated",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) simulated",
)


@dataclass(frozen=True)
class PlannedVisit:
    """A visit to make: `person` is the person's number, `at` the simulated start."""

    number: int
    person: int
    is_anonymous: bool
    at: datetime


@dataclass(frozen=True)
class Target:
    """The site under simulation and its catalogue.

    Attributes:
        address: URL of the running server.
        token: `MARQUEE_SIMULATION_TOKEN`.
        sessions: Django's session key by person.
        films: The catalogue by title id.
        paths: Path of each title's page by title id.
    """

    address: str
    token: str
    sessions: Mapping[int, str]
    films: Mapping[int, Film]
    paths: Mapping[int, str]


def plan(people: Sequence[int], visits: int, until: datetime, seed: int) -> list[PlannedVisit]:
    """Draw the visits of the month before `until`, in order; people differ in visit frequency.

    A person's visits start at least `MIN_HOURS_APART`: those closer together are moved later, or
    earlier at the end of the month.
    """
    rng = np.random.default_rng(seed)
    frequency = rng.gamma(4.0, 1.0, len(people))
    who = rng.choice(len(people), visits, p=frequency / frequency.sum())
    days = rng.integers(0, DAYS, visits)
    hours = rng.choice(24, visits, p=HOURS / HOURS.sum()) + rng.random(visits)
    anonymous = rng.random(visits) < ANONYMOUS_SHARE
    start = month_before(until)
    at = days * 24.0 + hours
    for person in range(len(people)):
        own = np.flatnonzero(who == person)
        own = own[np.argsort(at[own], kind="stable")]
        at[own] = _spread(at[own])
    planned = [
        (start + timedelta(hours=float(at[n])), people[who[n]], bool(anonymous[n]))
        for n in range(visits)
    ]
    planned.sort()
    return [
        PlannedVisit(n, person, is_anonymous, time)
        for n, (time, person, is_anonymous) in enumerate(planned)
    ]


def month_before(until: datetime) -> datetime:
    """Return the midnight at which the month of visits before `until` starts."""
    start = until - timedelta(days=DAYS)
    return start.replace(hour=0, minute=0, second=0, microsecond=0)


def _spread(hours: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Move ascending times apart within the month; the gap is smaller if they do not fit."""
    gap = min(MIN_HOURS_APART, DAYS * 24 / max(1, len(hours)))
    steps = gap * np.arange(len(hours))
    later: np.ndarray[Any, np.dtype[np.float64]] = np.maximum.accumulate(hours - steps) + steps
    latest = DAYS * 24.0 - steps[::-1]
    within_month: np.ndarray[Any, np.dtype[np.float64]] = np.minimum(later, latest)
    return within_month


@dataclass(frozen=True)
class Journal:
    """The file of finished visits: a header line with people and end, then a line per visit."""

    path: Path

    def create(self, people: Sequence[int], until: datetime) -> None:
        """Write the header, unless the file exists: then the run is resumed."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            header = {"people": list(people), "until": until.isoformat()}
            self.path.write_text(json.dumps(header) + "\n")

    @property
    def people(self) -> list[int]:
        return [int(number) for number in self._header()["people"]]

    @property
    def until(self) -> datetime:
        return datetime.fromisoformat(self._header()["until"])

    def _header(self) -> dict[str, Any]:
        with self.path.open() as file:
            header: dict[str, Any] = json.loads(file.readline())
        return header

    def finished(self) -> Iterator[dict[str, Any]]:
        """Yield number, person and watched titles of each visit, without a line cut off midway."""
        with self.path.open() as file:
            for line in list(file)[1:]:
                if line.endswith("\n"):
                    yield json.loads(line)


def simulate(
    planned: Sequence[PlannedVisit],
    people: Mapping[int, Person],
    target: Target,
    journal: Journal,
    seed: int,
    workers: int,
    on_visit: Callable[[], object],
) -> int:
    """Make the visits that the journal does not have; return their number.

    One worker makes all visits of a person, in order, and calls `on_visit` after each. An error
    ends that worker's visits and is raised at the end; finished visits stay in the journal.
    """
    finished = set()
    for line in journal.finished():
        finished.add(line["number"])
        people[line["person"]].seen.update(line["watched"])
    queues: dict[int, list[PlannedVisit]] = defaultdict(list)
    for visit in planned:
        if visit.number not in finished:
            queues[visit.person % workers].append(visit)
    lock = Lock()

    def work(queue: list[PlannedVisit]) -> int:
        with closing(Connection(target.address)) as connection:
            for visit in queue:
                watched = _simulate_visit(visit, people[visit.person], target, seed, connection)
                line = {"number": visit.number, "person": visit.person, "watched": watched}
                with lock, journal.path.open("a") as file:
                    print(json.dumps(line), file=file)
                on_visit()
        return len(queue)

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, queue) for queue in queues.values()]
        return sum(future.result() for future in as_completed(futures))


def _simulate_visit(
    planned: PlannedVisit, person: Person, target: Target, seed: int, connection: Connection
) -> list[int]:
    """Make one visit; return the titles watched."""
    rng = np.random.default_rng([seed, planned.number])
    session = "" if planned.is_anonymous else target.sessions[person.number]
    user_agent = USER_AGENTS[person.number % len(USER_AGENTS)]
    site = Site(connection, target.token, user_agent, session)
    intent = draw_intent(person, target.films, rng)
    visit = Visit(site, intent, rng, planned.at, target.paths)
    visit.run()
    return visit.watched

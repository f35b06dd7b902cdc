"""Many simulated visits over a month: who comes when, several at a time, resumable.

What is done is written to a file a line a visit, so that a run that was cut off goes on.
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

from webapp.demo.site import Site, Wire
from webapp.demo.tastes import Film, Person, tonights
from webapp.demo.viewer import Visit

DAYS = 30
ANONYMOUS_SHARE = 0.2
"""Visits of a browser that is not logged in."""
LEAST_HOURS_APART = 4
"""Between two visits of one person begun: no film lasts as long."""
HOURS = np.array(
    [3, 2, 1, 1, 1, 1, 2, 3, 3, 3, 3, 4, 5, 4, 4, 4, 5, 7, 9, 12, 14, 13, 9, 5], dtype=np.float64
)
"""How many visits begin in each hour of the day, UTC: most in the evening."""
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) simulated",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) simulated",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) simulated",
)


@dataclass(frozen=True)
class Planned:
    """A visit to come: its number, whose it is, whether logged in, and when it begins."""

    number: int
    person: int
    is_anonymous: bool
    at: datetime


@dataclass(frozen=True)
class Place:
    """Where simulated viewers go, and what they know.

    Attributes:
        address: of the running server.
        token: `MARQUEE_SIMULATION_TOKEN`.
        sessions: Django's session of each person's account.
        films: the catalogue.
        paths: the address of each title's page.
    """

    address: str
    token: str
    sessions: Mapping[int, str]
    films: Mapping[int, Film]
    paths: Mapping[int, str]


def plan(people: Sequence[int], visits: int, until: datetime, seed: int) -> list[Planned]:
    """Spread visits over the month before `until`, in order; people differ in how often they come.

    A person's visits stay `LEAST_HOURS_APART`; one that would not is moved on, or back where the
    month ends.
    """
    rng = np.random.default_rng(seed)
    often = rng.gamma(4.0, 1.0, len(people))
    who = rng.choice(len(people), visits, p=often / often.sum())
    days = rng.integers(0, DAYS, visits)
    hours = rng.choice(24, visits, p=HOURS / HOURS.sum()) + rng.random(visits)
    anonymous = rng.random(visits) < ANONYMOUS_SHARE
    begin = month_before(until)
    at = days * 24.0 + hours
    for person in range(len(people)):
        theirs = np.flatnonzero(who == person)
        theirs = theirs[np.argsort(at[theirs], kind="stable")]
        at[theirs] = _apart(at[theirs])
    planned = [
        (begin + timedelta(hours=float(at[n])), people[who[n]], bool(anonymous[n]))
        for n in range(visits)
    ]
    planned.sort()
    return [
        Planned(n, person, stranger, moment) for n, (moment, person, stranger) in enumerate(planned)
    ]


def month_before(until: datetime) -> datetime:
    """Return the midnight with which a month of visits begins."""
    began = until - timedelta(days=DAYS)
    return began.replace(hour=0, minute=0, second=0, microsecond=0)


def _apart(hours: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Move ascending moments apart, within the month; nearer together where they do not fit."""
    gap = min(LEAST_HOURS_APART, DAYS * 24 / max(1, len(hours)))
    steps = gap * np.arange(len(hours))
    later: np.ndarray[Any, np.dtype[np.float64]] = np.maximum.accumulate(hours - steps) + steps
    latest = DAYS * 24.0 - steps[::-1]
    together: np.ndarray[Any, np.dtype[np.float64]] = np.minimum(later, latest)
    return together


@dataclass(frozen=True)
class Diary:
    """The file of what is done: a line for the plan, then one for each visit."""

    path: Path

    def begin(self, people: Sequence[int], until: datetime) -> None:
        """Write down who comes and until when, unless that was done before: then it goes on."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            head = {"people": list(people), "until": until.isoformat()}
            self.path.write_text(json.dumps(head) + "\n")

    @property
    def people(self) -> list[int]:
        return [int(number) for number in self._head()["people"]]

    @property
    def until(self) -> datetime:
        return datetime.fromisoformat(self._head()["until"])

    def _head(self) -> dict[str, Any]:
        with self.path.open() as file:
            head: dict[str, Any] = json.loads(file.readline())
        return head

    def done(self) -> Iterator[dict[str, Any]]:
        with self.path.open() as file:
            for line in list(file)[1:]:
                if line.endswith("\n"):
                    yield json.loads(line)


def simulate(
    planned: Sequence[Planned],
    people: Mapping[int, Person],
    place: Place,
    diary: Diary,
    seed: int,
    workers: int,
    tell: Callable[[], object],
) -> int:
    """Make the visits that the diary does not have; return how many were made.

    A person's visits are made in order by one worker. An error ends that person's visits, is
    raised in the end, and leaves what was done in the diary.
    """
    done = set()
    for line in diary.done():
        done.add(line["number"])
        people[line["person"]].known.update(line["watched"])
    queues: dict[int, list[Planned]] = defaultdict(list)
    for visit in planned:
        if visit.number not in done:
            queues[visit.person % workers].append(visit)
    lock = Lock()

    def work(queue: list[Planned]) -> int:
        with closing(Wire(place.address)) as wire:
            for visit in queue:
                watched = _make(visit, people[visit.person], place, seed, wire)
                line = {"number": visit.number, "person": visit.person, "watched": watched}
                with lock, diary.path.open("a") as file:
                    print(json.dumps(line), file=file)
                tell()
        return len(queue)

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, queue) for queue in queues.values()]
        return sum(future.result() for future in as_completed(futures))


def _make(planned: Planned, person: Person, place: Place, seed: int, wire: Wire) -> list[int]:
    """Make one visit; return what was watched."""
    rng = np.random.default_rng([seed, planned.number])
    session = "" if planned.is_anonymous else place.sessions[person.number]
    browser = BROWSERS[person.number % len(BROWSERS)]
    site = Site(wire, place.token, browser, session)
    visit = Visit(site, tonights(person, place.films, rng), rng, planned.at, place.paths)
    visit.run()
    return visit.watched

"""What recorded visits teach helps: the learned mixture against the prior, for other viewers.

later visits  the first 2,000 simulated visits are learned from; viewers are in five parts, and of
              each in turn the later visits are asked of what the others' taught: item vectors,
              neighbours and counts by three parts, the weights by the fourth

It reads the database that the environment names, a demo's with more than 2,000 simulated visits,
and learns from simulated visits alone. Nothing is published or written.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import django
import numpy as np

from benchmarks.harness import Options, Row, say
from benchmarks.visits import relative_gain
from recommender.arrays import Bool, Int64
from recommender.data.catalogue import Catalogue
from recommender.data.interactions import Interactions
from recommender.data.sessions import Requests, Sessions
from recommender.data.splits import uniform_hash
from recommender.models.content_vectors import ContentVectors
from recommender.models.ials import Ials
from recommender.models.larm import Larm
from recommender.models.popularity import Popularity
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_mixture import MIXTURE
from recommender.training.config import ReleaseConfig
from recommender.training.served_visits import ServedCatalogue, ServedVisits, SideOutcomes
from recommender.training.visit_sides import LONG_TERM, PRIOR, Score
from recommender.training.visits import new_title_requests
from recommender.vocabulary import UNKNOWN

LEARNED_FROM = 2000
ASKED, QUICK_ASKED = 2000, 200
"""Requests asked, over all parts."""
PARTS = 5
METRICS = ("hr@20", "mrr@20")
STAGES = {"after 1 event": (1, 1), "after 2": (2, 2), "after 3 and more": (3, 10_000)}


@dataclass(frozen=True)
class Recorded:
    """Simulated visits over the catalogue's titles, and what people like."""

    catalogue: Catalogue
    sessions: Sessions
    interactions: Interactions
    until: float
    """The start of the first visit that is not learned from."""
    part: Int64
    """(S,) of each viewer."""


def run(options: Options) -> Iterator[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    recorded = _recorded()
    asked = options.visits or (QUICK_ASKED if options.quick else ASKED)
    options.settings.update(
        learned_from=LEARNED_FROM, parts=PARTS, asked=asked,
        intervals="95 %, bootstrap over viewers, of the gain over the prior in %",
    )  # fmt: skip
    outcomes = [_outcomes_of(recorded, part, asked // PARTS) for part in range(PARTS)]
    yield from _rows(outcomes)


def _recorded() -> Recorded:
    """Read the visits.

    Raises:
        SystemExit: there are too few.
    """
    from webapp.engine.catalogue import export_catalogue  # noqa: PLC0415  after the setup
    from webapp.training.export import (  # noqa: PLC0415
        export_interactions,
        export_sessions,
    )

    catalogue = export_catalogue()
    sessions = export_sessions(catalogue.titles, is_simulated=True)
    starts = np.sort(sessions.at[sessions.opens_visit])
    if len(starts) <= LEARNED_FROM:
        raise SystemExit(f"more than {LEARNED_FROM} visits with events are needed, {len(starts)}")
    say(f"{len(starts)} simulated visits with events, {len(catalogue)} titles")
    part = (uniform_hash(sessions.viewers, 0) * PARTS).astype(np.int64)
    until = float(starts[LEARNED_FROM])
    return Recorded(catalogue, sessions, export_interactions(), until, part)


def _outcomes_of(recorded: Recorded, part: int, count: int) -> SideOutcomes:
    """Ask the later visits of one part of the viewers."""
    weighing = (part + 1) % PARTS
    is_out = (recorded.part == part) | (recorded.part == weighing)
    served = _served(recorded, recorded.sessions.viewers[is_out])
    reader = ServedVisits(served)
    titles = recorded.catalogue.titles

    def requests(of_viewers: Bool) -> Requests:
        sessions = recorded.sessions.of(np.flatnonzero(of_viewers))
        return new_title_requests(sessions, served.liked, len(titles))

    taught = recorded.sessions.of(np.flatnonzero(~is_out)).before(recorded.until)
    counts = VisitCounts().fit(taught, titles)
    weighed = requests(recorded.part == weighing)
    is_early = weighed.sessions.at[weighed.events] < recorded.until
    weighed = Requests(weighed.sessions, weighed.events[is_early])
    learned = reader.learn(weighed, counts)
    say(f"part {part}: {len(weighed)} requests weigh, {learned.mixture.of(1)}")
    asked = requests(recorded.part == part)
    later = np.flatnonzero(asked.sessions.at[asked.visit_starts()] >= recorded.until)
    drawn = np.random.default_rng(part).permutation(later)[:count]
    asked = Requests(asked.sessions, asked.events[np.sort(drawn)])
    systems: dict[str, Score] = {
        LONG_TERM: reader.long_term, PRIOR: reader.prior, MIXTURE: reader.by(learned),
    }  # fmt: skip
    return SideOutcomes.of(systems, asked, served)


def _served(recorded: Recorded, held_out: Int64) -> ServedCatalogue:
    """Train what scores titles on everybody else's likes."""
    config, everything = ReleaseConfig(), recorded.interactions
    row = np.repeat(np.arange(everything.num_profiles), np.diff(everything.matrix.indptr))
    train = everything.with_cells(~np.isin(everything.profiles.ids[row], held_out))
    ials = Ials(replace(config.ials, num_threads=1)).fit(train)
    popularity = Popularity(config.popularity).fit(train)
    known = recorded.catalogue.items_of(ials.items.ids) != UNKNOWN
    content = ContentVectors(config.content_vectors.scaled_to(int(known.sum())))
    content.fit(recorded.catalogue, ials.items, ials.item_factors, popularity.counts)
    neighbours = None
    if config.larm is not None:
        neighbours = Larm(replace(config.larm, rounds=1)).fit(train).neighbours(config.neighbours)
    return ServedCatalogue.of(ials, popularity, content, neighbours, recorded.catalogue, everything)


def _rows(parts: list[SideOutcomes]) -> Iterator[Row]:
    viewers = np.concatenate([part.viewers for part in parts])
    before = np.concatenate([part.events_before for part in parts])
    every = {"all": np.ones(len(viewers), dtype=bool)}
    every |= {name: (before >= low) & (before <= high) for name, (low, high) in STAGES.items()}
    for stage, here in every.items():
        say(f"{stage}: {here.sum()} requests of {len(np.unique(viewers[here]))} viewers")
        for metric in METRICS:
            of_parts = [part.of_metric(metric) for part in parts]
            values = {
                name: np.concatenate([of_part[name] for of_part in of_parts])[here]
                for name in of_parts[0]
            }
            for name, of_system in values.items():
                yield Row(f"later visits, {stage}", name, metric, float(of_system.mean()))
            gain, low, high = relative_gain(values[MIXTURE], values[PRIOR], viewers[here])
            yield Row(
                f"later visits, {stage}", f"{MIXTURE} over {PRIOR}", f"{metric} gain %",
                gain, low, high,
            )  # fmt: skip

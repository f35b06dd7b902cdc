"""The demo as benchmarks of visits read it: its database and live release in, arrays out.

I items of the live catalogue, G genres, P people. Needs Django set up.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from benchmarks.harness import say
from benchmarks.visit_worlds import Coherences, WantingVisit, WatchingPerson
from recommender.arrays import Float32, Int64
from recommender.data.sessions import EventKind
from recommender.errors import RecommenderError
from recommender.models.item_to_item import Neighbours
from recommender.models.larm import Larm
from recommender.serving.recommender import Recommender
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.vocabulary import UNKNOWN
from webapp.demo.simulated import HiddenRatingsLoaded, films_and_paths, simulated_people
from webapp.engine.catalogue import export_catalogue
from webapp.engine.viewers import MAX_REASONS
from webapp.profiles.models import Rating
from webapp.releases.models import Release

NOW = 1_500_000_000.0
CONTEXT = RequestContext(now=NOW)
LEAST_WANTED = 2
LEAST_OF_A_HALF = 2


@dataclass(frozen=True)
class Demo:
    """People with hidden likes, films as simulated viewers see them, and the live release.

    Attributes:
        people: each with `LEAST_WANTED` hidden likes or more, and a history that models know.
        years: (I,), 0 where it is unknown.
        genres: (I, G), 1 where a film has the genre.
        people_of_films: (I, P), 1 where a person directs it or plays in it.
        recommender: the live release over today's catalogue.
        neighbours: its R-LARM's, over I; None where it has none.
        viewers: by a person's number, the viewer before the visit.
    """

    people: list[WatchingPerson]
    years: Int64
    genres: sparse.csr_array
    people_of_films: sparse.csr_array
    recommender: Recommender
    neighbours: Neighbours | None
    viewers: dict[int, Viewer]

    @property
    def halves(self) -> tuple[list[WatchingPerson], list[WatchingPerson]]:
        """The people of each of `HALVES`."""
        even = [person for person in self.people if person.number % 2 == 0]
        return even, [person for person in self.people if person.number % 2]

    def coherences(self) -> Coherences:
        """Return the ways in which wanted films hang together here."""
        rows = np.repeat(np.arange(len(self.people)), [len(p.wanted) for p in self.people])
        items = np.concatenate([p.wanted for p in self.people])
        shape = (len(self.people), len(self.years))
        likes = sparse.csr_array((np.ones(len(rows), np.float32), (rows, items)), shape=shape)
        return Coherences(self.years, self.genres, self.people_of_films, likes)

    def live_scores(self, visit: WantingVisit) -> Float32:
        """Return (I,) the affinities of the live release after the visit's opens."""
        viewer = self.viewers[visit.person.number]
        titles = self.recommender.catalogue.titles.ids_of(visit.opened).tolist()
        events = tuple(
            ViewerEvent(EventKind.OPEN, title, NOW - 60.0 * (len(titles) - n))
            for n, title in enumerate(titles)
        )
        return _affinity(self.recommender, _with_events(viewer, events))


def demo_of(claim: str) -> Demo:
    """Read the demo for a claim.

    Raises:
        SystemExit: something is missing; says what.
    """
    demo = read_demo()
    if isinstance(demo, str):
        raise SystemExit(f"{claim} needs a demo with a live release (script/demo): {demo}")
    say(f"{len(demo.people)} people with hidden likes, {len(demo.recommender.catalogue)} titles")
    if min(map(len, demo.halves)) < LEAST_OF_A_HALF:
        raise SystemExit(f"{claim} needs {LEAST_OF_A_HALF} people of either half")
    return demo


def read_demo() -> Demo | str:
    """Read it, or return what is missing."""
    release = Release.objects.filter(is_live=True).first()
    if release is None:
        return "no release is live"
    films, _ = films_and_paths()
    try:
        persons = simulated_people(films)
        recommender = Recommender.load(release.fetch(), export_catalogue())
    except (HiddenRatingsLoaded, RecommenderError, OSError) as error:
        return str(error)
    catalogue = recommender.catalogue
    items = catalogue.items_of(np.fromiter(films, dtype=np.int64, count=len(films)))
    of_item = dict(zip(items.tolist(), films.values(), strict=True))
    liked = _liked([person.profile_id for person in persons.values()])
    viewers, people = {}, []
    for number, person in persons.items():
        seen = catalogue.items_of(np.array(sorted(person.seen), dtype=np.int64))
        wanted = catalogue.items_of(np.array(person.liked, dtype=np.int64))
        wanted = np.setdiff1d(wanted[wanted != UNKNOWN], seen)
        history = liked[person.profile_id]
        if len(wanted) < LEAST_WANTED or not history:
            continue
        viewer = Viewer(
            liked=history,
            liked_before=history,
            reasons=list(history)[:MAX_REASONS],
            seen=frozenset(person.seen),
        )
        long_term = _affinity(recommender, viewer)
        viewers[number] = viewer
        people.append(
            WatchingPerson(number, wanted, seen[seen != UNKNOWN], len(history), long_term)
        )
    years = np.array([of_item[n].year if n in of_item else 0 for n in range(len(catalogue))])
    neighbours = None
    if (release.fetch() / "larm").exists():
        larm = Neighbours.load(release.fetch() / "larm", Larm.kind)
        neighbours = larm.over(catalogue.titles, catalogue.is_available)
    return Demo(
        people,
        years,
        _one_hot({n: film.genres for n, film in of_item.items()}, len(catalogue)),
        _one_hot({n: film.people for n, film in of_item.items()}, len(catalogue)),
        recommender,
        neighbours,
        viewers,
    )


def _affinity(recommender: Recommender, viewer: Viewer) -> Float32:
    """Return (I,) scores; zeros where nothing is known of the viewer."""
    affinity = recommender.affinity(recommender.taste(viewer, CONTEXT))
    return np.zeros(len(recommender.catalogue), np.float32) if affinity is None else affinity


def _with_events(viewer: Viewer, events: tuple[ViewerEvent, ...]) -> Viewer:
    """Return the viewer in a visit that did this; an open weighs 1 (docs/metrics.md)."""
    opened = {event.title_id: 1.0 for event in events if event.title_id is not None}
    return replace(viewer, events=events, liked={**opened, **viewer.liked})


def _liked(profiles: list[int]) -> dict[int, dict[int, float]]:
    """Return by profile the titles it rates as liked, each with 1, the most telling first."""
    liked: dict[int, dict[int, float]] = defaultdict(dict)
    ratings = Rating.objects.filter(profile__in=profiles, stars__gte=Rating.LIKED_FROM_STARS)
    telling = ratings.order_by("-stars", "-rated_at", "title_id")
    for profile_id, title_id in telling.values_list("profile_id", "title_id"):
        liked[profile_id][title_id] = 1.0
    return liked


def _one_hot(names: dict[int, frozenset[str]], count: int) -> sparse.csr_array:
    """Return (count, F), 1 where a film has a name."""
    rows = np.repeat(list(names), [len(of_film) for of_film in names.values()])
    flat = [name for of_film in names.values() for name in sorted(of_film)]
    columns = np.unique(np.array(flat), return_inverse=True)[1]
    width = int(columns.max(initial=0)) + 1
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=(count, width))

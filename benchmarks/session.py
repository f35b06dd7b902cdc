"""This visit is read as well as the best know how, and weighed against the history by a gate.

diginetica       anonymous sessions, SR-GNN's split, all 43,097 items; published: P@20 .5073 and
                 MRR@20 .1759 (SR-GNN)
ml-1m            leave-one-out over all items, in our own order; published with true times, so in
                 another order: NDCG@10 .1726 (gSASRec), .1772 (eSASRec)
globo            news, split by time at three cuts: long-term only, session only, half and half,
                 learned gate, visit counts, the mixture of all, neighbours and recent popularity
ml-latest-small  the same with films, visits cut at 30 minutes
latency          encoding 20 events; a whole taste with a history of 50 titles
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import torch

from benchmarks.harness import Options, Row, of_seeds, say, with_threads
from benchmarks.session_data import HOUR, Task, diginetica, globo, ml_1m, ml_latest_small
from benchmarks.session_knn import ItemKnn, SessionKnn
from benchmarks.session_mixture import SessionMixture, Vectors
from recommender.arrays import AnyArray, Float32, Float64
from recommender.data.interactions import Interactions
from recommender.data.sessions import (
    POSITIVE_KINDS,
    EventKind,
    Requests,
    Sessions,
)
from recommender.evaluation.protocols import means, next_item
from recommender.evaluation.report import by_history_size
from recommender.models.fusion import (
    FusionConfig,
    FusionGate,
    FusionInputs,
    fusion_inputs,
    joint_space,
)
from recommender.models.ials import Ials, IalsConfig
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_counts import VisitCounts, VisitCountsConfig
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from recommender.serving.taste import TasteModel
from recommender.training.config import ReleaseConfig
from recommender.vocabulary import UNKNOWN, Vocabulary

THREADS = 2
SEEDS = (0, 1, 2)
CUTS = (datetime(2017, 10, 10, 15), datetime(2017, 10, 11, 15), datetime(2017, 10, 13, 15))
"""Noon in Brazil on three working days; October 12 is a holiday."""
WINDOW_HOURS = 3.0
IN_VISIT = ((1, 1), (2, 2), (3, 5), (6, 10_000))
SYSTEMS = {"long-term": 0.0, "session": 1.0, "half-half": 0.5, "gate": None}
GATE_REQUESTS = 10_000

Score = Callable[[Requests, slice], AnyArray]

DIGINETICA = SessionEncoderConfig(
    max_events=20, batch_events=4096, learning_rate=3e-3, dropout=0.3, hide_recent=0.0,
    loss="sampled_softmax", num_negatives=2048, epochs=10, patience=None,
)  # fmt: skip
ML_1M = SessionEncoderConfig(
    max_events=200, batch_events=3200, learning_rate=2e-3, hide_recent=0.0,
    loss="sampled_softmax", num_negatives=1024, epochs=16, patience=None,
)  # fmt: skip
SASREC = replace(ML_1M, is_normalized=False, loss="bce")
"""Kang and McAuley's loss on our network, without iALS: the control."""
GSASREC = replace(SASREC, loss="gbce", num_negatives=256)
GLOBO = SessionEncoderConfig(
    max_events=20, batch_events=512, learning_rate=3e-3, hide_recent=0.0, temperature=0.2,
    loss="sampled_softmax", num_negatives=2048, epochs=8, patience=None, half_life_hours=2.0,
)  # fmt: skip
"""Chosen on the validation windows of the first and the last cut."""
GLOBO_DAYS = 1.5
"""Older clicks than this hardly weigh with that half-life."""
GLOBO_COUNTS = VisitCountsConfig(half_life_days=2 / 24, backward=0.3, doubt=20.0)
"""The encoder's half-life; chosen on the validation windows of the first and the last cut."""
GLOBO_HISTORY_DAYS = 0.5
GLOBO_IALS = IalsConfig(64, 8, 0.03, 0.1, num_threads=THREADS)
SMALL = replace(ReleaseConfig().session_encoder, patience=None)
"""What the app trains with; chosen on the validation requests."""
SMALL_IALS = IalsConfig(64, 16, 0.3, 0.003, num_threads=THREADS)


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, seeds=SEEDS, intervals="extremes of the seeds; globo: of three cuts, each "
        "with its own seed",
    )  # fmt: skip
    torch.set_num_threads(THREADS)
    protocols: dict[str, Callable[[Options], Iterator[Row]]] = {
        "diginetica": run_diginetica,
        "ml-1m": run_ml_1m,
        "globo": run_globo,
        "ml-latest-small": run_small,
        "latency": run_latency,
    }
    for name, protocol in protocols.items():
        if not options.wants(name):
            continue
        if name != "latency" and not (options.data / name).exists():
            say(f"{name}: left out, {options.data / name} is not there")
            continue
        with with_threads(THREADS):
            yield from protocol(options)


def seeds(options: Options) -> tuple[int, ...]:
    return SEEDS[:1] if options.quick else SEEDS


def run_diginetica(options: Options) -> Iterator[Row]:
    task = diginetica(options.data)
    if options.quick:
        task = _shortened(task, 10)
    config = replace(DIGINETICA, epochs=3) if options.quick else DIGINETICA

    def ours(seed: int) -> Score:
        return fit_encoder(task.before_test, task.items, None, replace(config, seed=seed)).score

    systems = {**_neighbours(task.before_test, len(task.items)), "marquee:session-encoder": ours}
    yield from _judge("diginetica", systems, task.test, len(task.items), 20, options)


def run_ml_1m(options: Options) -> Iterator[Row]:
    task = ml_1m(options.data)
    if options.quick:
        task = _shortened(task, 6)

    def encoder(config: SessionEncoderConfig, use_ials: bool) -> Callable[[int], Score]:
        config = replace(config, epochs=2) if options.quick else config

        def fit(seed: int) -> Score:
            factors = None
            if use_ials:
                config_ials = replace(SMALL_IALS, seed=seed)
                factors = fit_ials(task.before_test, task.items, config_ials).item_factors
            own = replace(config, seed=seed)
            return fit_encoder(task.before_test, task.items, factors, own).score

        return fit

    systems = {
        "popularity": _popularity(task.before_test, len(task.items), None),
        "marquee:session-encoder": encoder(ML_1M, use_ials=True),
        "sasrec-bce": encoder(SASREC, use_ials=False),
        "gsasrec": encoder(GSASREC, use_ials=False),
    }
    yield from _judge("ml-1m", systems, task.test, len(task.items), 10, options, without_past=True)


def run_globo(options: Options) -> Iterator[Row]:
    """Each cut is a world of its own; a seed goes with each."""
    found: dict[str, list[dict[str, Float64]]] = {}
    inputs: list[FusionInputs] = []
    for seed, cut in list(zip(SEEDS, CUTS, strict=True))[: 1 if options.quick else None]:
        task = globo(options.data, cut, WINDOW_HOURS)
        if options.quick:
            task = _shortened(task, 4)
        unknown = float((task.test.targets == UNKNOWN).mean())
        say(f"globo {cut:%d %B}: {len(task.test)} clicks asked, {unknown:.1%} of unknown articles")
        config = replace(GLOBO, seed=seed)
        scorers = _fused(
            task, config, replace(GLOBO_IALS, seed=seed), GLOBO_DAYS, GLOBO_HISTORY_DAYS,
            counts=GLOBO_COUNTS,
        )  # fmt: skip
        num_items = len(task.items)
        for name, make in (
            *_neighbours(_newest(task.before_test, GLOBO_DAYS), num_items).items(),
            ("popularity-1h", _popularity(task.before_test, num_items, 1.0)),
            ("popularity-24h", _popularity(task.before_test, num_items, 24.0)),
        ):
            found.setdefault(name, []).append(next_item(make(seed), task.test, num_items, 20))
        for name, score in scorers.items():
            found.setdefault(name, []).append(next_item(score, task.test, num_items, 20))
        inputs.append(scorers.fused_inputs)
    yield from _table("globo", found, inputs, options)


def run_small(options: Options) -> Iterator[Row]:
    task = ml_latest_small(options.data)
    say(f"ml-latest-small: {len(task.test)} ratings asked")
    found: dict[str, list[dict[str, Float64]]] = {}
    inputs = []
    num_items = len(task.items)
    for seed in seeds(options):
        config = replace(SMALL, seed=seed, epochs=4 if options.quick else SMALL.epochs)
        scorers = _fused(
            task, config, replace(SMALL_IALS, seed=seed), None, None, without_past=True
        )
        for name, score in scorers.items():
            asked = next_item(score, task.test, num_items, 20, without_past=True)
            found.setdefault(name, []).append(asked)
        inputs.append(scorers.fused_inputs)
    for name, make in (
        *_neighbours(task.before_test, num_items).items(),
        ("popularity", _popularity(task.before_test, num_items, None)),
        ("popularity-1y", _popularity(task.before_test, num_items, 24.0 * 365)),
    ):
        asked = next_item(make(0), task.test, num_items, 20, without_past=True)
        found[name] = [asked] * len(inputs)
    yield from _table("ml-latest-small", found, inputs, options)


def run_latency(options: Options) -> Iterator[Row]:
    """One request after the other on one thread, as in a web process."""
    rng = np.random.default_rng(0)
    num_items, size = 20_000, 64
    people = np.repeat(np.arange(400), 21)
    sessions = Sessions.from_events(
        people, rng.integers(0, num_items, len(people)), np.tile(np.arange(21) * 60.0, 400)
    )
    ids = Vocabulary(np.arange(num_items))
    ials = Ials(IalsConfig(size, 1))
    ials.profiles, ials.items = Vocabulary(np.arange(1000)), ids
    ials.scale = 0.01
    ials.set_factors(
        rng.standard_normal((1000, size), dtype=np.float32) * 0.1,
        rng.standard_normal((num_items, size), dtype=np.float32) * 0.1,
    )
    config = SessionEncoderConfig(epochs=1, patience=None, loss="sampled_softmax")
    encoder = SessionEncoder(config).fit(sessions, ids, ials.item_factors)
    tastes = TasteModel(ials, encoder, FusionGate())
    requests = Requests(sessions, sessions.bounds[1:] - 1)
    viewers = [
        Viewer(
            liked_before=dict.fromkeys(rng.choice(num_items, 50, replace=False).tolist(), 1.0),
            events=[
                ViewerEvent(EventKind.OPEN, int(item), 60.0 * n)
                for n, item in enumerate(rng.integers(0, num_items, 20))
            ],
        )
        for _ in range(50)
    ]
    context = RequestContext(now=1300.0)
    torch.set_num_threads(1)
    with with_threads(1):
        recents = [requests.recent(slice(n, n + 1), 20) for n in range(50)]
        rounds = 400 if options.quick else 4000
        for name, ask, things in (
            ("marquee:encode 20 events", encoder.encode, recents),
            ("marquee:whole taste", lambda viewer: tastes.taste(viewer, context), viewers),
        ):
            took = _milliseconds(ask, things, rounds)
            for share in (50, 99):
                yield Row("latency", name, f"p{share} ms", float(np.percentile(took, share)))


class _Fused(dict[str, Score]):
    """The four ways to weigh both vectors, by name, and the vectors of the test requests."""

    fused_inputs: FusionInputs


def _fused(
    task: Task,
    encoder_config: SessionEncoderConfig,
    ials_config: IalsConfig,
    days: float | None,
    history_days: float | None,
    *,
    without_past: bool = False,
    counts: VisitCountsConfig | None = None,
) -> _Fused:
    """Train the gate on the validation requests, then both models again on all before the test.

    With settings of visit counts, the mixture of all three as well.
    """

    def models_trained_on(sessions: Sessions) -> tuple[Ials, SessionEncoder]:
        ials = fit_ials(_newest(sessions, history_days), task.items, ials_config)
        recent = _newest(sessions, days)
        return ials, fit_encoder(recent, task.items, ials.item_factors, encoder_config)

    ials, encoder = models_trained_on(task.before_validation)
    rng = np.random.default_rng(encoder_config.seed)
    drawn = rng.permutation(task.validation.events)[:GATE_REQUESTS]
    taught = Requests(task.validation.sessions, np.sort(drawn))
    gate = FusionGate(FusionConfig(seed=encoder_config.seed)).fit(
        fusion_inputs(taught, slice(None), ials, encoder),
        ials.item_factors,
        encoder.item_vectors,
        taught.targets,
        taught.sessions.met_before(taught.events, len(task.items)) if without_past else None,
    )
    mixture = None
    if counts is not None:
        counted = VisitCounts(counts).fit(_newest(task.before_validation, days), task.items)
        of_taught = fusion_inputs(taught, slice(None), ials, encoder)
        vectors = Vectors(of_taught, ials.item_factors, encoder.item_vectors)
        mixture = SessionMixture.fit(taught, vectors, counted)
    ials, encoder = models_trained_on(task.before_test)
    space = joint_space(ials.item_factors, encoder.item_vectors)
    fused_inputs = fusion_inputs(task.test, slice(None), ials, encoder)
    shares = np.percentile(gate.gate(fused_inputs), [5, 50, 95])
    say("the gate's 5, 50 and 95 % points: " + ", ".join(f"{share:.2f}" for share in shares))
    fused = _Fused()
    fused.fused_inputs = fused_inputs
    for name, share in SYSTEMS.items():
        fixed = None if share is None else np.full(len(task.test), share, np.float32)
        tastes = gate.fuse(fused_inputs, fixed)
        fused[f"marquee:{name}"] = _products(tastes, space)
    if mixture is not None and counts is not None:
        counted = VisitCounts(counts).fit(_newest(task.before_test, days), task.items)
        vectors = Vectors(fused_inputs, ials.item_factors, encoder.item_vectors)
        fused |= mixed(mixture.with_counts(counted), vectors)
    return fused


def mixed(mixture: SessionMixture, vectors: Vectors) -> dict[str, Score]:
    """Return the scorers of the mixture, and of its counts alone beside long-term taste."""
    weights = mixture.learned.mixture
    say(f"the mixture after 1, 2, 3 titles: {weights.of(1)}, {weights.of(2)}, {weights.of(3)}")
    alone = mixture.of_counts_alone()
    return {
        "marquee:mixture": lambda requests, rows: mixture.scores(requests, rows, vectors),
        "marquee:visit-counts": lambda requests, rows: alone.scores(requests, rows, vectors),
    }


def _products(tastes: Float32, space: Float32) -> Score:
    return lambda requests, rows: tastes[rows] @ space.T


def fit_ials(sessions: Sessions, items: Vocabulary, config: IalsConfig) -> Ials:
    """Fit on the positive events, and give every item of the vocabulary a place."""
    kept = np.isin(sessions.kinds, list(POSITIVE_KINDS)) & (sessions.items != UNKNOWN)
    people = sessions.viewers[sessions.viewer_of[kept]]
    pairs = Interactions.from_pairs(people, items.ids[sessions.items[kept]])
    fitted = Ials(config).fit(pairs)
    factors = np.zeros((len(items), config.embedding_size), dtype=np.float32)
    factors[items.items_of(fitted.items.ids)] = fitted.item_factors
    fitted.items = items
    fitted.set_factors(fitted.profile_factors, factors)
    return fitted


def fit_encoder(
    sessions: Sessions,
    items: Vocabulary,
    factors: Float32 | None,
    config: SessionEncoderConfig,
) -> SessionEncoder:
    def note(report: Any) -> None:
        say(f"  epoch {report.epoch}: loss {report.loss:.3f}, {report.seconds:.0f} s")

    return SessionEncoder(config).fit(sessions, items, factors, note)


def _newest(sessions: Sessions, days: float | None) -> Sessions:
    if days is None:
        return sessions
    return sessions.only(sessions.at >= sessions.at.max() - days * 24 * HOUR)


def _neighbours(sessions: Sessions, num_items: int) -> dict[str, Callable[[int], Score]]:
    return {
        "item-knn": lambda seed: ItemKnn().fit(sessions, num_items).score,
        "v-sknn": lambda seed: SessionKnn().fit(sessions, num_items).score,
    }


def _popularity(sessions: Sessions, num_items: int, hours: float | None) -> Callable[[int], Score]:
    """What was met most, at any time or in so many last hours."""
    since = -np.inf if hours is None else sessions.at.max() - hours * HOUR
    kept = (sessions.items != UNKNOWN) & (sessions.at >= since)
    counts = np.bincount(sessions.items[kept], minlength=num_items).astype(np.float32)
    return lambda seed: lambda requests, rows: np.tile(counts, (len(requests.events[rows]), 1))


def _judge(
    protocol: str,
    systems: dict[str, Callable[[int], Score]],
    test: Requests,
    num_items: int,
    k: int,
    options: Options,
    *,
    without_past: bool = False,
) -> Iterator[Row]:
    say(f"{protocol}: {len(test)} requests")
    for name, make in systems.items():
        is_seeded = name not in ("item-knn", "v-sknn", "popularity")
        values: dict[str, list[float]] = {}
        seconds = []
        for seed in seeds(options) if is_seeded else SEEDS[:1]:
            say(f"{protocol}: {name}, seed {seed}")
            began = time.perf_counter()
            score = make(seed)
            seconds.append(time.perf_counter() - began)
            found = means(next_item(score, test, num_items, k, without_past=without_past))
            for metric, value in found.items():
                values.setdefault(metric, []).append(value)
            say(f"{protocol}: {name}, seed {seed}: {found}")
        for metric, each in values.items():
            yield Row(protocol, name, metric, **of_seeds(each), seconds=float(np.median(seconds)))


def _table(
    protocol: str,
    found: dict[str, list[dict[str, Float64]]],
    inputs: list[FusionInputs],
    options: Options,
) -> Iterator[Row]:
    """Rows for all requests; by events in the visit and by history size in the settings too."""
    metrics = ("hr@20", "mrr@20")
    for name, runs in found.items():
        for metric in metrics:
            yield Row(
                protocol, name, metric, **of_seeds([float(run[metric].mean()) for run in runs])
            )
    long_term, gate = ([float(run["hr@20"].mean()) for run in found[f"marquee:{name}"]]
                       for name in ("long-term", "gate"))  # fmt: skip
    gains = [g / max(lt, 1e-9) - 1 for g, lt in zip(gate, long_term, strict=True)]
    yield Row(protocol, "marquee:gate over marquee:long-term", "hr@20 gain", **of_seeds(gains))
    for name, (low, high) in itertools.product(found, IN_VISIT):
        each = []
        for run, fused_inputs in zip(found[name], inputs, strict=True):
            events = fused_inputs.features.visit_events
            rows = (events >= low) & (events <= high)
            each.append(float(run["mrr@20"][rows].mean()) if rows.any() else float("nan"))
        label = f"{low}" if low == high else f"{low} to {high}" if high < 1000 else f"{low} and on"
        yield Row(protocol, name, f"mrr@20 after {label} in the visit", **of_seeds(each))
    options.settings[f"{protocol}: mrr@20 by history size, first run"] = {
        name: [
            [bucket.smallest, bucket.largest, round(bucket.means["mrr@20"], 4)]
            for bucket in by_history_size(
                {"mrr@20": runs[0]["mrr@20"]}, inputs[0].features.history_size
            )
        ]
        for name, runs in found.items()
    }


def _shortened(task: Task, share: int) -> Task:
    """Ask a part of the requests only, and learn from a part of the viewers."""
    return replace(
        task,
        before_test=task.before_test.of(np.arange(0, len(task.before_test), share)),
        test=Requests(task.test.sessions, task.test.events[::share]),
    )


def _milliseconds(ask: Callable[[Any], Any], things: list[Any], rounds: int) -> Float64:
    for thing in things:
        ask(thing)
    took = np.empty(rounds)
    for n in range(rounds):
        began = time.perf_counter()
        ask(things[n % len(things)])
        took[n] = time.perf_counter() - began
    return took * 1000

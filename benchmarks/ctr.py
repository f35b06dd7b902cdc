"""FiFa orders clicks as well as the models of two parts, and faster than a viewer can tell.

frappe    Frappe, reconstructed negatives: FiFa, FM, FmFM, DNN, DeepFM, DCN-V2 by one recipe
ablation  the same log: activation by width
ml-1m     stars above 3 against below: FiFa, DeepFM, DCN-V2
latency   300 and 100 candidates, features included, one thread
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy import sparse

from benchmarks.ctr_data import Log, frappe, ml_1m
from benchmarks.ctr_peers import Peer, Recipe
from benchmarks.harness import Options, Row, of_seeds, say, with_threads
from recommender.data.catalogue import Catalogue
from recommender.data.examples import Examples
from recommender.evaluation.clicks import auc, click_metrics
from recommender.models.fifa import ACTIVATIONS, Fifa, FifaConfig
from recommender.ranking.features import FIELDS, Positions, RankingFeatures, RankingRequest
from recommender.ranking.ranker import Ranker
from recommender.training.incremental import IncrementalConfig
from recommender.vocabulary import Vocabulary

THREADS = 1
SEEDS = (0, 1, 2)
SPLIT_SEED = 2022
FACTORS = (1.0, 2.0, 5.0)
QUICK_EPOCHS, QUICK_EXAMPLES = 2, 60_000

FRAPPE_SIZE, ML_SIZE = 40, 32
FRAPPE = FifaConfig(
    embedding_size=FRAPPE_SIZE, width_factor=1.0, normalise=True, embedding_penalty=0.05
)
"""Chosen on the validation part, as everything here."""
ML_1M = FifaConfig(
    embedding_size=ML_SIZE, width_factor=1.0, normalise=True, embedding_penalty=0.01,
    embedding_dropout=0.1, unit_dropout=0.2,
)  # fmt: skip
FM, FMFM = Recipe(1e-3, 5e-6, 0.0), Recipe(1e-3, 1e-5, 0.0)
DEEP, ML_DEEP = Recipe(1e-3, 0.05, 0.2), Recipe(1e-3, 0.01, 0.3)
FASTER = 3e-3
PUBLISHED_SIZE = 10
PEERS: dict[str, list[tuple[str, int, Recipe]]] = {
    "frappe": [
        *((name, PUBLISHED_SIZE, DEEP) for name in ("DeepFM", "DCN-V2", "DNN")),
        ("FM", PUBLISHED_SIZE, FM),
        ("FmFM", PUBLISHED_SIZE, FMFM),
        *((name, FRAPPE_SIZE, DEEP) for name in ("DeepFM", "DCN-V2", "DNN")),
        ("FM", FRAPPE_SIZE, replace(FM, learning_rate=FASTER)),
        ("FmFM", FRAPPE_SIZE, replace(FMFM, learning_rate=FASTER)),
    ],
    "ml-1m": [(name, ML_SIZE, ML_DEEP) for name in ("DeepFM", "DCN-V2")],
}
"""Name, embedding size and recipe. On Frappe each at the size, rate, penalty and dropout published
with the recipe, and once more at FiFa's size; there FM and FmFM learn faster, which suits them."""
CANDIDATES = (300, 100)
TITLES, PROFILES = 60_000, 20_000

Model = Fifa | Peer


@dataclass(frozen=True)
class Outcome:
    metrics: dict[str, float]
    epochs: int
    seconds: float
    parameters: int
    flops: int | None


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, split_seed=SPLIT_SEED, intervals="extremes of the seeds",
        recipe="Adam, 4,096 examples a step, a tenth of the rate after an epoch without a better "
        "AUC on validation, the end after two in a row, the best epoch kept",
    )  # fmt: skip
    torch.set_num_threads(THREADS)
    with with_threads(THREADS):
        if (options.data / "frappe").exists():
            if options.wants("frappe"):
                log = _shortened(frappe(options.data / "frappe"), options)
                yield from compared("frappe", log, FRAPPE, options)
            if options.wants("ablation"):
                log = _shortened(frappe(options.data / "frappe"), options)
                yield from ablation(log, options)
        else:
            say(f"frappe: left out, {options.data / 'frappe'} is not there")
        if options.wants("ml-1m"):
            if (options.data / "ml-1m").exists():
                log = _shortened(ml_1m(options.data / "ml-1m", SPLIT_SEED), options)
                yield from compared("ml-1m", log, ML_1M, options)
            else:
                say(f"ml-1m: left out, {options.data / 'ml-1m'} is not there")
        if options.wants("latency"):
            yield from latency(options)


def compared(name: str, log: Log, config: FifaConfig, options: Options) -> Iterator[Row]:
    """FiFa and its peers, medians of the seeds on the test part."""
    makers: dict[str, Callable[[int], Model]] = {
        f"marquee:fifa d={config.embedding_size}": lambda seed: Fifa(
            log.fields, _limited(replace(config, seed=seed), options)
        )
    }
    for peer, size, recipe in PEERS[name]:
        owner = "marquee" if peer == "FmFM" else "torch-rechub"
        limited = replace(recipe, epochs=QUICK_EPOCHS) if options.quick else recipe
        makers[f"{owner}:{peer.lower()} d={size}"] = partial(_peer, peer, log, size, limited)
    for system, make in makers.items():
        outcomes = []
        for seed in SEEDS[:1] if options.quick else SEEDS:
            outcomes.append(learned(make(seed), log))
            last = outcomes[-1]
            say(f"{name} {system} seed {seed}: {last.metrics} in {last.epochs} epochs")
        yield from _rows(name, system, outcomes)


def ablation(log: Log, options: Options) -> Iterator[Row]:
    """Each activation at each width, medians of the seeds on the test part."""
    for activation in ACTIVATIONS:
        for factor in FACTORS:
            system = f"marquee:fifa {activation} × {factor:g}"
            outcomes, regimes = [], []
            for seed in SEEDS[:1] if options.quick else SEEDS:
                config = replace(FRAPPE, activation=activation, width_factor=factor, seed=seed)
                model = Fifa(log.fields, _limited(config, options))
                outcomes.append(learned(model, log))
                regimes.append(model.regimes(log.validation).summary())
                say(f"ablation {system} seed {seed}: {outcomes[-1].metrics}")
            yield from _rows("ablation", system, outcomes)
            for regime in regimes[0]:
                shares = [by_regime[regime] for by_regime in regimes]
                yield Row("ablation", system, f"units {regime}", **of_seeds(shares))


def learned(model: Model, log: Log) -> Outcome:
    """Learn by the recipe and judge on the test part."""
    epochs = [0]

    def watch(asked: Any) -> float:
        epochs[0] += 1
        return auc(log.validation.labels, asked.probabilities(log.validation))

    began = time.perf_counter()
    model.fit(log.train, watch)
    seconds = time.perf_counter() - began
    metrics = click_metrics(log.test.labels, model.probabilities(log.test))
    flops = model.flops if isinstance(model, Fifa) else None
    return Outcome(metrics, epochs[0], seconds, model.num_parameters, flops)


def latency(options: Options) -> Iterator[Row]:
    """Features and chances of a request, over a catalogue of 60,000 titles."""
    rng = np.random.default_rng(0)
    features = RankingFeatures(_planted(rng), np.arange(TITLES))
    ranker = _any_ranker(features, rng)
    for count in CANDIDATES:
        took = []
        for _ in range(200 if options.quick else 2000):
            items = rng.choice(TITLES, count, replace=False)
            request = _request(rng)
            began = time.perf_counter()
            ranker.click_probabilities(features.examples(request, Positions.of(items, "top_picks")))
            took.append((time.perf_counter() - began) * 1000)
        for share in (50, 99):
            value = float(np.percentile(took[20:], share))
            yield Row("latency", "marquee:ranker", f"{count} candidates p{share} ms", value)


def _any_ranker(features: RankingFeatures, rng: np.random.Generator) -> Ranker:
    """A ranker as the app's teacher is, all titles and many profiles known, learned on noise."""
    config = IncrementalConfig().teacher
    parts = []
    for begin in range(0, TITLES, 3000):
        request = RankingRequest(profile_id=int(rng.integers(1, PROFILES)), now=1.7e9)
        parts.append(
            features.examples(request, Positions.of(np.arange(begin, begin + 3000), "genre"))
        )
    examples = Examples.joined(parts)
    examples.categories[:, 0] = rng.integers(1, PROFILES, len(examples))
    noise = replace(examples, labels=rng.integers(0, 2, len(examples)))
    once = replace(config, fifa=replace(config.fifa, epochs=1))
    return Ranker(FIELDS, once).learned(noise, np.zeros(len(noise)))


def _planted(rng: np.random.Generator) -> Catalogue:
    genres = (rng.random((TITLES, 20)) < 0.1).astype(np.float32)
    return Catalogue(
        Vocabulary(np.arange(1, TITLES + 1)),
        sparse.csr_array(genres),
        np.arange(1, 21),
        rng.uniform(1.6e9, 1.7e9, TITLES),
        rng.pareto(1.0, TITLES).astype(np.float32),
        rng.integers(1920, 2025, TITLES),
        np.zeros(TITLES, dtype=np.int64),
        sparse.csr_array(np.empty((TITLES, 0), dtype=np.float32)),
        np.empty(0, dtype=np.int64),
        np.ones(TITLES, dtype=bool),
    )


def _request(rng: np.random.Generator) -> RankingRequest:
    long, session, fused = rng.standard_normal((3, TITLES)).astype(np.float32)
    return RankingRequest(
        profile_id=int(rng.integers(1, PROFILES)), now=1.7e9, device="phone", visit_events=5,
        history_size=60, gate=0.4, long=long, session=session, fused=fused,
        met=rng.integers(0, TITLES, 30),
    )  # fmt: skip


def _rows(protocol: str, system: str, outcomes: list[Outcome]) -> Iterator[Row]:
    seconds = float(np.median([outcome.seconds for outcome in outcomes]))
    for metric in outcomes[0].metrics:
        values = [outcome.metrics[metric] for outcome in outcomes]
        yield Row(protocol, system, metric, **of_seeds(values), seconds=seconds)
    yield Row(protocol, system, "parameters", float(outcomes[0].parameters))
    if outcomes[0].flops is not None:
        yield Row(protocol, system, "flops", float(outcomes[0].flops))
    yield Row(protocol, system, "epochs", **of_seeds([float(o.epochs) for o in outcomes]))


def _peer(name: str, log: Log, size: int, recipe: Recipe, seed: int) -> Peer:
    return Peer(name, log.fields, size, recipe, seed)


def _limited(config: FifaConfig, options: Options) -> FifaConfig:
    return replace(config, epochs=QUICK_EPOCHS) if options.quick else config


def _shortened(log: Log, options: Options) -> Log:
    if not options.quick:
        return log
    return replace(log, train=log.train[:: max(len(log.train) // QUICK_EXAMPLES, 1)])

"""A ranker that learns each hour from the last one keeps up with one learned anew, and costs less.

globo    clicks of a news site by the hour against articles that others read in the same hour, five
         days: the hour is predicted, then learned from
guard    what the gate does with a window whose labels are wrong

Nothing counts clicks for the models: what is popular now must be learned from the ids.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from benchmarks.harness import Options, Row, of_seeds, say, with_threads
from recommender.arrays import Float32, Float64, Int64
from recommender.data.examples import Examples, Field
from recommender.evaluation.clicks import click_metrics
from recommender.models.fifa import FifaConfig
from recommender.ranking.ranker import Ranker, RankerConfig
from recommender.training.incremental import (
    IncrementalConfig,
    Window,
    learn_increment,
    run_cycle,
)

THREADS = 1
SEEDS = (0, 1, 2)
HOUR = 3600.0
NEGATIVES = 2
BEGIN = datetime(2017, 10, 5, 3, tzinfo=UTC).timestamp()
"""Four whole days after the first click; midnight in Brazil."""
DAYS, QUICK_HOURS = 5, 6
TEACHER_HOURS, REPLAY_HOURS = 72, 24
SCRATCH_HOURS = {"scratch, 24 hours": 24, "scratch, 8 hours": 8}
READERS = 4
"""One reader of so many is kept, for time's sake."""
NEW_HOURS, OLD_HOURS = 24.0, 48.0

FIELDS = (
    Field("user", is_growing=True),
    Field("item", is_growing=True),
    Field("last", is_growing=True),
    Field("hour", 25),
    Field("age", 16),
    Field("environment", 8),
    Field("device", 8),
    Field("os", 32),
    Field("country", 16),
    Field("region", 32),
    Field("referrer", 16),
)
CONTEXT = {
    "environment": "click_environment", "device": "click_deviceGroup", "os": "click_os",
    "country": "click_country", "region": "click_region", "referrer": "click_referrer_type",
}  # fmt: skip
SCRATCH = RankerConfig(
    FifaConfig(embedding_size=8, normalise=True, epochs=3, batch_examples=2048, learning_rate=2e-3)
)
CONFIG = IncrementalConfig(teacher=SCRATCH)
"""The app's, chosen on the day before."""
FRESH_ONLY = replace(CONFIG, distillation=0.1)
"""The teacher speaks of the newest window and of nothing else."""
ARMS = (
    "stale", *SCRATCH_HOURS, "warm", "warm+teacher", "warm+teacher, fresh only",
    "warm+teacher+replay",
)  # fmt: skip


@dataclass(frozen=True)
class Log:
    """Examples in time order, cut by the hour.

    Attributes:
        window: all of them.
        first_seen: (N,) when the example's item was first clicked.
    """

    window: Window
    first_seen: Float64

    def between(self, begin: float, end: float) -> slice:
        return slice(*np.searchsorted(self.window.at, [begin, end]).tolist())


def run(options: Options) -> Iterator[Row]:
    options.settings.update(
        threads=THREADS, negatives=NEGATIVES, hours=QUICK_HOURS if options.quick else DAYS * 24,
        windows_hours={"teacher": TEACHER_HOURS, "replay": REPLAY_HOURS}, readers=f"1 of {READERS}",
        intervals="extremes of the seeds",
    )  # fmt: skip
    torch.set_num_threads(THREADS)
    if not (options.data / "globo").exists():
        say(f"left out: {options.data / 'globo'} is not there")
        return
    with with_threads(THREADS):
        seeds = SEEDS[:1] if options.quick else SEEDS
        logs = {seed: globo(options.data / "globo", seed) for seed in seeds}
        if options.wants("globo"):
            yield from hour_by_hour(logs, options)
        if options.wants("guard"):
            yield from guard(logs[0])


def hour_by_hour(logs: dict[int, Log], options: Options) -> Iterator[Row]:
    """Medians over the seeds of each arm's metrics, pooled over all hours."""
    hours = QUICK_HOURS if options.quick else DAYS * 24
    found: dict[tuple[str, str], list[float]] = {}
    for seed, log in logs.items():
        for arm, metrics in play(log, BEGIN, hours, seed, CONFIG, ARMS).items():
            for name, value in metrics.items():
                found.setdefault((arm, name), []).append(value)
    for (arm, name), values in found.items():
        yield Row("globo", f"marquee:{arm}", name, **of_seeds(values))


def play(
    log: Log,
    begin: float,
    hours: int,
    seed: int,
    config: IncrementalConfig,
    arms: tuple[str, ...],
) -> dict[str, dict[str, float]]:
    """Predict each hour with the models of the hour before, then train on it."""
    scratch = replace(SCRATCH, fifa=replace(SCRATCH.fifa, seed=seed))
    began = time.perf_counter()
    first = learn(log, begin - TEACHER_HOURS * HOUR, begin, scratch)
    say(f"seed {seed}: the first model took {time.perf_counter() - began:.0f} s")
    models, teacher = dict.fromkeys(arms, first), first
    predicted: dict[str, list[Float32]] = {arm: [] for arm in arms}
    seconds: dict[str, list[float]] = {arm: [] for arm in arms}
    teacher_seconds: list[float] = []
    rng = np.random.default_rng(seed)
    for hour in range(hours):
        start = begin + hour * HOUR
        rows = log.between(start, start + HOUR)
        newest = log.window[rows]
        if not len(newest):
            say(f"hour {hour + 1} is missing from the log")
            continue
        for arm in arms:
            predicted[arm].append(models[arm].click_probabilities(newest.examples))
        if hour and hour % 24 == 0:
            clock = time.perf_counter()
            teacher = learn(log, start - TEACHER_HOURS * HOUR, start, scratch)
            teacher_seconds.append(time.perf_counter() - clock)
        learners = _learners(log, newest, start, config, scratch, teacher, rng)
        for arm in arms:
            clock = time.perf_counter()
            models[arm] = learners[arm](models[arm])
            seconds[arm].append(time.perf_counter() - clock)
        if hour % 12 == 11:
            say(f"seed {seed}: hour {hour + 1}")
    rows = log.between(begin, begin + hours * HOUR)
    part = log.window[rows]
    age = (part.at - log.first_seen[rows]) / HOUR
    slices = {"": age > -np.inf, " of new items": age < NEW_HOURS, " of old items": age > OLD_HOURS}
    results: dict[str, dict[str, float]] = {}
    for arm in arms:
        chances = np.concatenate(predicted[arm])
        results[arm] = {
            f"{name}{which}": value
            for which, chosen in slices.items()
            for name, value in click_metrics(part.examples.labels[chosen], chances[chosen]).items()
        }
        results[arm]["seconds a cycle"] = float(np.mean(seconds[arm]))
        if "teacher" in arm and teacher_seconds:
            daily = float(np.mean(teacher_seconds)) / 24
            results[arm]["seconds a cycle, teacher shared out"] = float(
                np.mean(seconds[arm]) + daily
            )
    return results


def _learners(
    log: Log,
    newest: Window,
    start: float,
    config: IncrementalConfig,
    scratch: RankerConfig,
    teacher: Ranker,
    rng: np.random.Generator,
) -> dict[str, Callable[[Ranker], Ranker]]:
    """Return what each arm does at the end of an hour: from its model to its next."""
    learners: dict[str, Callable[[Ranker], Ranker]] = {
        "stale": lambda model: model,
        "warm": partial(learn_increment, window=newest, config=config),
        "warm+teacher": partial(
            _with_earlier, newest=newest, config=config, teacher=teacher, log=log, start=start
        ),
        "warm+teacher, fresh only": partial(
            learn_increment, window=newest, config=FRESH_ONLY, teacher=teacher
        ),
        "warm+teacher+replay": partial(
            _with_replay, newest=newest, teacher=teacher, log=log, start=start, rng=rng
        ),
    }
    end = start + HOUR
    for name, length in SCRATCH_HOURS.items():
        learners[name] = partial(_anew, log=log, begin=end - length * HOUR, end=end, config=scratch)
    return learners


def _with_earlier(
    model: Ranker,
    newest: Window,
    config: IncrementalConfig,
    teacher: Ranker | None,
    log: Log,
    start: float,
) -> Ranker:
    earlier = log.window[log.between(start - TEACHER_HOURS * HOUR, start)]
    return learn_increment(model, newest, config, teacher, earlier=earlier)


def _with_replay(
    model: Ranker,
    newest: Window,
    teacher: Ranker | None,
    log: Log,
    start: float,
    rng: np.random.Generator,
) -> Ranker:
    return learn_increment(model, replayed(log, newest, start, rng), FRESH_ONLY, teacher)


def _anew(_: Ranker, log: Log, begin: float, end: float, config: RankerConfig) -> Ranker:
    return learn(log, begin, end, config)


def learn(log: Log, begin: float, end: float, config: RankerConfig) -> Ranker:
    """Learn from scratch between two moments."""
    window = log.window[log.between(begin, end)]
    return Ranker(FIELDS, config).learned(window.examples, window.at)


def replayed(log: Log, newest: Window, start: float, rng: np.random.Generator) -> Window:
    """Return the window and half as many examples of the hours before it."""
    past = log.between(start - REPLAY_HOURS * HOUR, start)
    count = len(newest) // 2
    chosen = np.sort(rng.choice(np.arange(past.start, past.stop), count, replace=False))
    parts = [log.window.examples[chosen], newest.examples]
    return Window(Examples.joined(parts), np.concatenate([log.window.at[chosen], newest.at]))


def guard(log: Log) -> Iterator[Row]:
    """A window with its labels turned round must not be deployed, the true one must."""
    live = learn(log, BEGIN - REPLAY_HOURS * HOUR, BEGIN, SCRATCH)
    window = log.window[log.between(BEGIN, BEGIN + HOUR)]
    examples = window.examples
    older, _ = window.cut(CONFIG.evaluation_share)
    labels = examples.labels.copy()
    labels[: len(older)] = 1 - labels[: len(older)]
    wrong = Window(replace(examples, labels=labels), window.at)
    for name, each in (("true labels", window), ("labels turned round", wrong)):
        cycle = run_cycle(live, each, CONFIG, fields=live)
        yield Row("guard", f"marquee:{name}", "passed", float(cycle.verdict.passed))
        say(f"{name}: {cycle.verdict.reason}")


def globo(folder: Path, seed: int) -> Log:
    """Each click, and for each `NEGATIVES` articles that others read in the same hour.

    An article is drawn from those read in the hour, each as likely as the next.
    """
    table = pq.read_table(folder / "clicks.parquet")
    at = table["click_timestamp"].to_numpy() / 1000.0
    order = np.argsort(at, kind="stable")
    order = order[at[order] < BEGIN + DAYS * 24 * HOUR]
    order = order[table["user_id"].to_numpy()[order] % READERS == 0]
    at = at[order]
    columns = {
        name: table[name].to_numpy()[order].astype(np.int64)
        for name in ("user_id", "click_article_id", *CONTEXT.values())
    }
    item = columns["click_article_id"]
    first = np.full(item.max() + 1, np.inf)
    np.minimum.at(first, item, at)
    rng = np.random.default_rng(seed)
    drawn = np.empty((len(item), NEGATIVES), dtype=np.int64)
    edges = np.append(np.flatnonzero(np.diff(at // HOUR, prepend=-1)), len(at))
    for begin, end in itertools.pairwise(edges):
        read = np.unique(item[begin:end])
        drawn[begin:end] = rng.choice(read, (end - begin, NEGATIVES))
    each = np.column_stack([item, drawn]).ravel()
    row = np.repeat(np.arange(len(item)), 1 + NEGATIVES)
    labels = np.tile(np.arange(1 + NEGATIVES) == 0, len(item)).astype(np.int64)
    honest = (labels == 1) | (each != item[row])
    each, row, labels = each[honest], row[honest], labels[honest]
    hours_old = np.maximum(at[row] - first[each], 0) / HOUR
    sizes = {field.name: field.num_values for field in FIELDS}
    known = {
        "user": columns["user_id"][row],
        "item": each,
        "last": _last(columns["user_id"], item)[row],
        "hour": 1 + (at[row] // HOUR % 24).astype(np.int64),
        "age": 1 + np.floor(np.log2(1 + hours_old)).astype(np.int64),
    } | {name: columns[source][row] for name, source in CONTEXT.items()}
    categories = np.column_stack(
        [
            known[field.name].clip(0, None if field.is_growing else sizes[field.name] - 1)
            for field in FIELDS
        ]
    )
    numbers = np.zeros((len(row), 0), dtype=np.float32)
    return Log(Window(Examples(categories, numbers, labels), at[row]), first[each])


def _last(users: Int64, items: Int64) -> Int64:
    """Return the article that each click's reader read before it, 0 where there was none."""
    order = np.argsort(users, kind="stable")
    before = np.zeros_like(items)
    same = users[order][1:] == users[order][:-1]
    before[order[1:][same]] = items[order[:-1][same]]
    return before

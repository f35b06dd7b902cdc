"""A table of searches written by hand, each with what answers it: `search_queries.tsv`.

A line has a kind, what is typed, and conditions that a film must meet, joined by "; ": `title`,
`genre`, `year`, `minutes`, `person`, `director` and `from` (the foremost country or language), each
`=` or `!=` values. Of values joined by "/" one is enough, of those joined by "+" all must hold; a
range is `1990-1999`, open at either end. A search is right if one of the first five films answers.
"""

import csv
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks.harness import Row, say
from benchmarks.search_evidence import demo
from benchmarks.search_questions import Judge
from recommender.arrays import Bool, Int64
from search.engine import SearchEngine
from search.synonyms import Synonyms
from search.text import fold

TABLE = Path(__file__).parent / "search_queries.tsv"
FIRST = 5
BAR = 0.95
MOST = 10**6
LEAST_OF_RANGE = 1


@dataclass(frozen=True)
class Search:
    """A line of the table."""

    kind: str
    text: str
    answer: str


@dataclass
class Outcome:
    """How the searches of a kind, or all, came out.

    Attributes:
        right: one of the first five answers, a value each.
        shares: of the first five, those that answer, of those that could.
        wrong: the searches that are not right.
    """

    right: list[bool] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    wrong: list[Search] = field(default_factory=list)

    def add(self, search: Search, answers: Bool, shown: Sequence[int]) -> None:
        count = int(answers[list(shown)].sum())
        self.right.append(count > 0)
        self.shares.append(count / min(FIRST, int(answers.sum())))
        self.wrong += [] if count else [search]


def searches() -> list[Search]:
    """Return the lines of the table."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Search(row["kind"], row["query"], row["answer"]) for row in rows]


def table() -> Iterator[Row]:
    """Yield the share of the table's searches that are right over the demo, by kind and in all."""
    outcomes = outcomes_of(searches())
    for kind, outcome in outcomes.items():
        size = f"of {len(outcome.right)}"
        yield Row(kind, "marquee", f"one of five answers {size}", float(np.mean(outcome.right)))
        share = float(np.mean(outcome.shares))
        yield Row(kind, "marquee", f"five that answer, of those that could, {size}", share)
    for search in outcomes["all"].wrong:
        say(f"wrong: {search.text}")


def outcomes_of(asked: Iterable[Search]) -> dict[str, Outcome]:
    """Ask the demo, as it is without operators' rules, and return what came out by kind."""
    films, liked = demo()
    engine, judge = SearchEngine.build(films), Judge(films)
    places = {film.id: place for place, film in enumerate(films)}
    synonyms = first_synonyms()
    outcomes: defaultdict[str, Outcome] = defaultdict(Outcome)
    for search in asked:
        answers = answers_to(search, judge)
        variants = synonyms.variants(search.text)
        result = engine.search(search.text, FIRST, popularity=liked, variants=variants)
        shown = [places[hit.id] for hit in (*result.hits, *result.near)][:FIRST]
        for kind in (search.kind, "all"):
            outcomes[kind].add(search, answers, shown)
    return dict(outcomes)


def first_synonyms() -> Synonyms:
    """Return the synonyms that a site begins with."""
    written: str = import_module("webapp.rules.migrations.0002_default_synonyms").WRITTEN
    return Synonyms(line.split(" = ") for line in written.strip().splitlines())


def answers_to(search: Search, judge: Judge) -> Bool:
    """Return (N,) True at the films that answer.

    Raises:
        ValueError: the conditions cannot be read, or no film meets them.
    """
    answers = np.ones(len(judge.films), dtype=bool)
    for condition in search.answer.split("; "):
        name, sign, value = condition.partition("=")
        if not sign:
            raise ValueError(f"{search.text}: {condition} is no condition")
        met = _met(name.removesuffix("!"), value, judge)
        answers &= ~met if name.endswith("!") else met
    if not answers.any():
        raise ValueError(f"{search.text}: no film is {search.answer}")
    return answers


def _met(name: str, value: str, judge: Judge) -> Bool:
    if name == "year":
        return _within(judge.years, value)
    if name == "minutes":
        return _within(judge.minutes, value)
    is_all = name != "title" and "+" in value
    masks = [_with(name, each, judge) for each in value.split("+" if is_all else "/")]
    join: Callable[[Bool, Bool], Bool] = operator.and_ if is_all else operator.or_
    return reduce(join, masks)


def _with(name: str, value: str, judge: Judge) -> Bool:
    if name == "title":
        return np.array([film.name == value for film in judge.films], dtype=bool)
    folded = fold(value)
    if name == "genre":
        return judge.genres[folded]
    if name == "from":
        return np.asarray((judge.countries == folded) | (judge.languages == folded))
    mask = np.zeros(len(judge.films), dtype=bool)
    mask[list({"person": judge.people, "director": judge.directors}[name].get(folded, ()))] = True
    return mask


def _within(numbers: Int64, span: str) -> Bool:
    """Return (N,) True where a known number lies in a range, 0 being unknown."""
    first, dash, last = span.partition("-")
    low = int(first) if first else LEAST_OF_RANGE
    high = (int(last) if last else MOST) if dash else low
    return np.asarray((numbers >= low) & (numbers <= high))

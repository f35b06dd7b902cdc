"""The click logs of the ctr benchmark: as they are published, cut as they are cut in print.

F fields; N examples, values from 1 up (0 is the one for what is not known).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from recommender.arrays import Int64
from recommender.data.examples import Examples, Field

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Log:
    fields: tuple[Field, ...]
    train: Examples
    validation: Examples
    test: Examples


def frappe(folder: Path) -> Log:
    """Read Frappe, reconstructed negatives; validation and test are the published files."""
    names = ("train_reconstructed", "valid", "test")
    tables = [pq.read_table(folder / f"{name}.parquet") for name in names]
    columns = {
        name: np.concatenate([table[name].to_numpy() for table in tables])
        for name in tables[0].column_names
    }
    labels = (columns.pop("label") > 0).astype(np.int64)
    part = np.repeat(np.arange(3), [len(table) for table in tables])
    return _log(columns, labels, part)


def ml_1m(folder: Path, seed: int) -> Log:
    """MovieLens-1M as AutoInt labels it: above 3 stars 1, below 0, 3 dropped; random 8 : 1 : 1."""
    ratings, users, movies = (
        pq.read_table(folder / f"{name}.parquet").to_pydict()
        for name in ("ratings", "users", "movies")
    )
    stars = np.array(ratings["rating"])
    kept = stars != 3
    who, what = (np.array(ratings[name])[kept] for name in ("user_id", "movie_id"))
    columns = {"user": who, "movie": what}
    for name in ("gender", "age", "occupation"):
        columns[name] = _looked_up(users["user_id"], users[name], who)
    years = [title.rpartition("(")[2].rstrip(") ") for title in movies["title"]]
    columns["year"] = _looked_up(movies["movie_id"], years, what)
    columns["genres"] = _looked_up(movies["movie_id"], movies["genres"], what)
    order = np.random.default_rng(seed).permutation(len(who))
    part = np.empty(len(who), dtype=np.int64)
    part[order] = np.minimum(np.arange(len(who)) * 10 // len(who), 9)
    part = np.where(part < 8, 0, part - 7)
    return _log(columns, (stars[kept] > 3).astype(np.int64), part)


def _looked_up(ids: ArrayLike, values: ArrayLike, wanted: Int64) -> Int64:
    """Return the number of each wanted id's value."""
    _, numbers = np.unique(np.asarray(values).astype(str), return_inverse=True)
    order = np.argsort(ids)
    return numbers[order][np.searchsorted(np.asarray(ids)[order], wanted)]


def _log(columns: dict[str, Int64], labels: Int64, part: Int64) -> Log:
    """Number each column's values; those that training does not have are 0."""
    fields, numbered = [], []
    for name, values in columns.items():
        known, back = np.unique(values, return_inverse=True)
        seen = np.zeros(len(known), dtype=bool)
        seen[back[part == 0]] = True
        place = np.where(seen, np.cumsum(seen), 0)
        fields.append(Field(name, int(seen.sum()) + 1))
        numbered.append(place[back])
    categories = np.stack(numbered, axis=1).astype(np.int64)
    numbers = np.zeros((len(labels), 0), dtype=np.float32)
    parts = [Examples(categories, numbers, labels)[part == n] for n in range(len(PARTS))]
    return Log(tuple(fields), *parts)

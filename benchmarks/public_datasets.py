"""Data sets by name: fetched from their publishers, or read from a folder.

    ml-1m, ml-20m, ml-25m   GroupLens, fetched where there is a network
    msd                     the Echo Nest Taste Profile, train_triplets.txt, read from a folder
    gowalla                 train.txt and test.txt of the LightGCN split, or gowalla.npz
    path:DIR                any folder in one of these forms

A folder holds one of: ratings.dat, ratings.csv, ratings.parquet, train_triplets.txt, gowalla.npz,
train.txt with test.txt, or the publisher's zip with one of them inside.

N ratings.
"""

import hashlib
import shutil
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from recommender.arrays import Float64, Int64
from recommender.data.interactions import Interactions
from recommender.errors import InvalidInputError

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Publication:
    """Where a data set is published and how its archive is known to be whole."""

    url: str
    md5: str


PUBLISHED = {
    "ml-1m": Publication(
        "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        "c4d9eecfca2ab87c1945afe126590906",
    ),
    "ml-20m": Publication(
        "https://files.grouplens.org/datasets/movielens/ml-20m.zip",
        "cd245b17a1ae2cc31bb14903e1204af3",
    ),
    "ml-25m": Publication(
        "https://files.grouplens.org/datasets/movielens/ml-25m.zip",
        "6b51fb2759a8657d3bfcbfc42b592ada",
    ),
}
READ_ONLY = {
    "msd": "train_triplets.txt of the Echo Nest Taste Profile subset",
    "gowalla": "train.txt and test.txt of the LightGCN split",
}
NAMES = (*PUBLISHED, *READ_ONLY)


@dataclass(frozen=True)
class Ratings:
    """Who rated what.

    Attributes:
        profiles: (N,) ids.
        items: (N,) ids.
        values: (N,) stars or play counts; 1 where the data set has none.
        at_seconds: (N,) since 1970; where the source knows only each profile's order, the place
            in it; None where neither is known.
        parts: (N,) 0 for training, 1 for test, None where the publisher parts nothing.
    """

    profiles: Int64
    items: Int64
    values: Float64
    at_seconds: Float64 | None = None
    parts: Int64 | None = None

    def likes(self, at_least: float, min_items: int = 1) -> Interactions:
        """Return the ratings of so many stars or more, of profiles with so many of them."""
        kept = self.values >= at_least
        ids, places, counts = np.unique(
            self.profiles[kept], return_inverse=True, return_counts=True
        )
        del ids
        enough = np.flatnonzero(kept)[counts[places] >= min_items]
        times = None if self.at_seconds is None else self.at_seconds[enough]
        return Interactions.from_pairs(self.profiles[enough], self.items[enough], times)


def load_ratings(name: str, data: Path, fetch: bool = True) -> Ratings:
    """Read a data set, fetching it first where it is published and not there yet.

    Args:
        name: one of `NAMES`, or `path:DIR`.
        data: the folder that holds a folder for each data set; not used for `path:DIR`.
        fetch: whether a missing data set may be fetched.

    Raises:
        InvalidInputError: the name is unknown, or the files are missing, changed or unreadable.
    """
    if name.startswith("path:"):
        return read_folder(Path(name.removeprefix("path:")))
    if name not in NAMES:
        raise InvalidInputError(f"no data set {name!r}; there are {', '.join(NAMES)} and path:DIR")
    folder = data / name
    if fetch and name in PUBLISHED and not _reader(folder):
        download(PUBLISHED[name], folder)
    if not _reader(folder):
        wanted = READ_ONLY.get(
            name, f"what {PUBLISHED[name].url} holds" if name in PUBLISHED else ""
        )
        raise InvalidInputError(f"{folder} holds no {name}: put {wanted} there")
    return read_folder(folder)


def read_folder(folder: Path) -> Ratings:
    """Read whatever form of ratings the folder holds.

    Raises:
        InvalidInputError: it holds none, or the file is not in its form.
    """
    found = _reader(folder)
    if found is None:
        raise InvalidInputError(f"{folder} holds no ratings: one of {', '.join(READERS)} is needed")
    path, read = found
    try:
        return read(path)
    except (pa.ArrowException, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise InvalidInputError(f"{path} is not in its publisher's form: {error}") from error


def download(publication: Publication, folder: Path) -> Path:
    """Fetch an archive into the folder; it appears there only when its checksum is right.

    Raises:
        InvalidInputError: the publisher cannot be reached, or sent something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / publication.url.rpartition("/")[2]
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as draft:
        path = Path(draft.name)
        try:
            with urllib.request.urlopen(publication.url, timeout=TIMEOUT_SECONDS) as source:  # noqa: S310
                shutil.copyfileobj(source, draft)
            draft.close()
            _check_md5(path, publication)
            path.rename(target)
        except (URLError, TimeoutError, ConnectionError) as error:
            raise InvalidInputError(
                f"{publication.url} cannot be fetched ({error}): put its files in {folder}"
            ) from error
        finally:
            path.unlink(missing_ok=True)
    return target


def _check_md5(path: Path, publication: Publication) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != publication.md5:
        raise InvalidInputError(
            f"{publication.url} sent a file with MD5 {found}, expected {publication.md5}"
        )


def _read_dat(path: Path) -> Ratings:
    """Read user::item::stars::seconds."""
    options = pacsv.ReadOptions(column_names=["profile", "a", "item", "b", "value", "c", "at"])
    table = pacsv.read_csv(path, options, pacsv.ParseOptions(delimiter=":"))
    return Ratings(
        _integers(table["profile"]), _integers(table["item"]),
        _reals(table["value"]), _reals(table["at"]),
    )  # fmt: skip


def _read_csv(path: Path) -> Ratings:
    """Read userId,movieId,rating,timestamp under a header."""
    return _from_columns(pacsv.read_csv(path))


def _read_parquet(path: Path) -> Ratings:
    return _from_columns(pq.read_table(path))


def _from_columns(table: pa.Table) -> Ratings:
    """Find the columns by any of the names in use for them."""
    known = {name.lower().replace("_", ""): name for name in table.column_names}

    def column(*names: str) -> Any:
        return next((table[known[name]] for name in names if name in known), None)

    profiles, items = column("userid", "user", "profileid"), column("movieid", "itemid", "item")
    if profiles is None or items is None:
        raise KeyError(f"a user and an item column among {', '.join(table.column_names)}")
    values = column("rating", "stars", "value")
    at = column("timestamp", "atseconds", "seqpos")
    return Ratings(
        _integers(profiles),
        _integers(items),
        np.ones(len(profiles)) if values is None else _reals(values),
        None if at is None else _reals(at),
    )


def _read_triplets(path: Path) -> Ratings:
    """Read user, song and play count, tab-separated; ids are words and numbered in their order."""
    options = pacsv.ReadOptions(column_names=["profile", "item", "value"])
    table = pacsv.read_csv(path, options, pacsv.ParseOptions(delimiter="\t"))

    def numbered(column: Any) -> Int64:
        words = pc.dictionary_encode(column.combine_chunks())
        rank = np.argsort(np.argsort(words.dictionary.to_numpy(zero_copy_only=False)))
        return np.asarray(rank[words.indices.to_numpy()], dtype=np.int64)

    return Ratings(numbered(table["profile"]), numbered(table["item"]), _reals(table["value"]))


def _read_npz(path: Path) -> Ratings:
    with np.load(path, allow_pickle=False) as arrays:
        return _two_parts(
            (arrays["train_user"], arrays["train_item"]), (arrays["test_user"], arrays["test_item"])
        )


def _read_lists(path: Path) -> Ratings:
    """Read lines of a user and its items, in train.txt and test.txt beside it."""

    def pairs(part: Path) -> tuple[Int64, Int64]:
        lines = [np.array(line.split(), dtype=np.int64) for line in part.read_text().splitlines()]
        lines = [line for line in lines if len(line) > 1]
        users = np.repeat([line[0] for line in lines], [len(line) - 1 for line in lines])
        return users.astype(np.int64), np.concatenate([line[1:] for line in lines])

    return _two_parts(pairs(path), pairs(path.with_name("test.txt")))


def _two_parts(train: tuple[Any, Any], test: tuple[Any, Any]) -> Ratings:
    profiles, items = (
        np.concatenate([a, b]).astype(np.int64) for a, b in zip(train, test, strict=True)
    )
    parts = np.repeat(np.array([0, 1]), [len(train[0]), len(test[0])])
    return Ratings(profiles, items, np.ones(len(items)), parts=parts)


def _read_zip(path: Path) -> Ratings:
    """Read the first file inside that some reader knows, unpacked next to nothing else."""
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for member in archive.namelist():
            name = Path(member).name
            if name in READERS and name != "train.txt":
                target = Path(folder) / name
                with archive.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                return READERS[name](target)
    raise ValueError(f"none of {', '.join(READERS)} is inside")


def _integers(column: Any) -> Int64:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _reals(column: Any) -> Float64:
    return np.asarray(column.to_numpy(), dtype=np.float64)


READERS: dict[str, Callable[[Path], Ratings]] = {
    "ratings.dat": _read_dat,
    "ratings.csv": _read_csv,
    "ratings.parquet": _read_parquet,
    "train_triplets.txt": _read_triplets,
    "gowalla.npz": _read_npz,
    "train.txt": _read_lists,
}


def _reader(folder: Path) -> tuple[Path, Callable[[Path], Ratings]] | None:
    for name, read in READERS.items():
        if (folder / name).is_file():
            return folder / name, read
    for archive in sorted(folder.glob("*.zip")):
        return archive, _read_zip
    return None

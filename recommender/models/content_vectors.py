"""Content vectors: a catalogue's features in, an item vector for every title out.

    v_i = n_i / (n_i + κ) h_i + κ / (n_i + κ) δ x_i B

h_i is iALS's vector of a title that n_i profiles liked, x_i its features and B a ridge regression
from features to vectors, learned at training: a title is weighted by √n_i, and one that nobody
liked, which iALS places at 0, by a constant, since B should know what remains unliked. A title
that nobody liked has δ x_i B alone. Features have names (a genre's id, a person's, a country), so
B places titles of a later catalogue without training.

Blocks of features, each row of each block at length 1 times the block's weight:

    genres   by idf                              pairs    two genres of a title
    people   by role and idf                     periods  a genre in a period
    years    Gaussians around every sixth year   facts    by idf: country, language, kind, age
    sizes    how many genres, people and facts a title has, as logarithms times `SIZE`
    votes    how many people rated the title elsewhere: hat functions of log(1 + votes) between
             quantiles of the catalogue learned from, or "unknown"
    reviews  the same, of how many critics reviewed it
    both     also times each genre and times each period
    plots    the plot's words, hashed, 1 + log of how often, by idf
    constant

What is well known has more of each, so sizes, votes and reviews predict how long a vector is.
A catalogue without votes or plots, and what was learned from one, have no such blocks.

I titles, G genres, P people, K facts, Y periods, N levels, W plot words, F features, D vectors.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender import checks
from recommender.arrays import AnyArray, Float32, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.catalogue import Catalogue
from recommender.errors import InvalidInputError, NotFittedError
from recommender.models.likeness import GENRE_IDF_LIMIT, idf_of, unit_sparse_rows
from recommender.vocabulary import UNKNOWN, Vocabulary

PERIODS = np.arange(1902, 2041, 6)
"""(Y,) the years around which the Gaussians stand."""
PERIOD_YEARS = 6.0
"""Their standard deviation."""
LEAST_PERIOD = 1e-2
"""What a Gaussian is at least where it counts."""
BLOCKS_BY_IDF = ("genres", "people", "facts", "plots")
COUNTS = ("votes", "reviews")
_NONE = np.empty(0, dtype=np.float32)
"""What the catalogue counts elsewhere."""
LEVELS = 8
"""Quantiles between which votes, and reviews, have their hat functions."""
CHOSEN_ON = 4000
"""Titles with likes that λ and κ were chosen on (docs/models/content_vectors.md)."""
SIZE = np.float32(0.5)
"""Of the block of sizes, whose rows have no common length."""


@dataclass(frozen=True)
class ContentVectorsConfig:
    regularization: float = 10.0
    """λ over the mean weight of a title."""
    people_weight: float = 2.0
    """Of the block of people, the others have 1."""
    shrinkage: float = 160.0
    """κ: a title that so many liked is placed half by its likers and half by its content."""
    damping: float = 1.0
    """δ; below 1 where artifacts from before `unliked_weight` were damped by it."""
    unliked_weight: float = 0.5
    """Of a title that nobody liked, which the regression places at 0; one that a single profile
    liked has 1."""
    min_titles: int = 2
    """People and facts of fewer titles have no feature."""
    min_plots: int = 5
    """Likewise words of plots."""
    iterations: int = 60
    """Most steps of conjugate gradients."""

    def scaled_to(self, titles: int) -> "ContentVectorsConfig":
        """Return these settings for a map learned from so many titles with likes.

        λ and κ hold for `CHOSEN_ON` titles and more. A map learned from fewer has less to be
        regularised, and is believed less: both are in proportion, λ not below 1 and κ not
        below 10.
        """
        part = min(titles / CHOSEN_ON, 1.0)
        return replace(
            self,
            regularization=max(min(1.0, self.regularization), self.regularization * part),
            shrinkage=max(min(10.0, self.shrinkage), self.shrinkage * part),
        )

    def __post_init__(self) -> None:
        checks.positive(regularization=self.regularization, people_weight=self.people_weight)
        checks.not_negative(shrinkage=self.shrinkage, unliked_weight=self.unliked_weight)
        checks.between(0, 1, damping=self.damping)
        checks.whole(1, min_titles=self.min_titles, min_plots=self.min_plots)
        checks.whole(1, iterations=self.iterations)


class ContentVectors:
    """Learns where titles lie in iALS's space by what they are."""

    kind = "content_vectors"

    def __init__(self, config: ContentVectorsConfig = ContentVectorsConfig()) -> None:
        self.config = config
        self.genre_ids = np.empty(0, dtype=np.int64)  # (G,)
        self.person_ids = np.empty(0, dtype=np.int64)  # (P,)
        self.fact_names: tuple[str, ...] = ()  # K
        self.plot_columns = np.empty(0, dtype=np.int64)  # (W,)
        self.idf: dict[str, Float32] = {}
        """(G,), (P,), (K,) and (W,) by block."""
        self.levels: dict[str, Float32] = {}
        """(N,) the quantiles of log(1 + votes), and of reviews; empty where too few are known."""
        self.weights = np.empty((0, 0), dtype=np.float32)  # B, (F, D)

    def fit(
        self, catalogue: Catalogue, items: Vocabulary, factors: Float32, support: Float32
    ) -> "ContentVectors":
        """Learn B.

        Args:
            catalogue: I titles.
            items: M titles that iALS knows.
            factors: (M, D) iALS's vectors of them.
            support: (M,) how many profiles liked each.

        Raises:
            InvalidInputError: no available title of the catalogue has a vector.
        """
        number = items.items_of(catalogue.titles.ids)  # (I,)
        is_liked = (number != UNKNOWN) & catalogue.is_available
        if not is_liked.any():
            raise InvalidInputError(
                "no available title of the catalogue has a vector to learn from"
            )
        self.name_features(catalogue)
        liked_weight = np.sqrt(np.maximum(support[number], 1)).astype(np.float32)
        weight = np.where(is_liked, liked_weight, np.float32(self.config.unliked_weight))
        penalty = np.float32(self.config.regularization * weight[is_liked].mean())
        targets = np.where(is_liked[:, None], factors[number], np.float32(0))
        rows = np.flatnonzero((weight > 0) & catalogue.is_available)
        self.weights = ridge(
            self.features(catalogue)[rows],
            weight[rows],
            targets[rows],
            penalty,
            self.config.iterations,
        )
        return self

    def place(self, catalogue: Catalogue) -> Float32:
        """Return (I, D) where the titles of any catalogue lie by their content: x B.

        Zeros where a title is not available.

        Raises:
            NotFittedError: before `fit`.
        """
        if not len(self.weights):
            raise NotFittedError("there are no content vectors: call fit(), or load an artifact")
        placed = np.asarray(self.features(catalogue) @ self.weights, dtype=np.float32)
        placed[~catalogue.is_available] = 0
        return placed

    def vectors(self, catalogue: Catalogue, factors: Float32, support: Float32) -> Float32:
        """Return (I, D) every title's vector: its likers' shrunk towards its content's.

        Args:
            catalogue: I titles.
            factors: (I, D) iALS's, zeros where a title has none.
            support: (I,) how many profiles liked each.
        """
        support = np.where(factors.any(axis=1), support, 0)
        own = (support / np.maximum(support + self.config.shrinkage, 1e-9)).astype(np.float32)
        predicted = np.float32(self.config.damping) * self.place(catalogue)
        blended = own[:, None] * factors + (1 - own)[:, None] * predicted
        return np.asarray(blended, dtype=np.float32)

    def placed(self, catalogue: Catalogue, items: Vocabulary, factors: Float32) -> Float32:
        """Return (I, D) every title's vector, from iALS's (M, D) factors of its own M items."""
        rows = items.items_of(catalogue.titles.ids)  # (I,)
        own = np.where((rows != UNKNOWN)[:, None], factors[rows], np.float32(0))
        return self.vectors(catalogue, own, catalogue.liked_by)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact.

        Raises:
            NotFittedError: before `fit`.
        """
        if not len(self.weights):
            raise NotFittedError("there are no content vectors: call fit() before save()")
        names = "\n".join(self.fact_names).encode()
        arrays: dict[str, AnyArray] = {
            "genre_ids": self.genre_ids,
            "person_ids": self.person_ids,
            "fact_names": np.frombuffer(names, dtype=np.uint8),
            "weights": self.weights,
        }
        if len(self.plot_columns):
            arrays["plot_columns"] = self.plot_columns
        arrays |= {f"idf_{name}": idf for name, idf in self.idf.items() if len(idf)}
        arrays |= {f"levels_{name}": levels for name, levels in self.levels.items() if len(levels)}
        return save_artifact(folder, self.kind, self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "ContentVectors":
        """Read the artifact; what a catalogue does not have, an artifact may lack.

        Raises:
            ArtifactError: it is broken, or of another kind or version.
        """
        with loading(folder):
            artifact = load_artifact(folder, cls.kind)
            model = cls(read_config(ContentVectorsConfig, artifact.manifest.config, {}))
            model.genre_ids = artifact.array("genre_ids", "i", None)
            model.person_ids = artifact.array("person_ids", "i", None)
            names = artifact.array("fact_names", "u", None).tobytes().decode()
            model.fact_names = tuple(names.split("\n")) if names else ()
            if "plot_columns" in artifact.arrays:
                model.plot_columns = artifact.array("plot_columns", "i", None)
            sizes = {
                "genres": len(model.genre_ids),
                "people": len(model.person_ids),
                "facts": len(model.fact_names),
                "plots": len(model.plot_columns),
            }
            for name in BLOCKS_BY_IDF:
                size = sizes[name]
                model.idf[name] = artifact.array(f"idf_{name}", "f", size) if size else _NONE
            for name in COUNTS:
                stored = f"levels_{name}"
                is_stored = stored in artifact.arrays
                model.levels[name] = artifact.array(stored, "f", None) if is_stored else _NONE
            model.weights = artifact.array("weights", "f", None, None)
            return model

    def name_features(self, catalogue: Catalogue) -> None:
        """Take the names and idf of features, and the quantiles of votes, from a catalogue."""
        people = np.flatnonzero(_titles_with(catalogue.people) >= self.config.min_titles)
        facts = np.flatnonzero(_titles_with(catalogue.facts) >= self.config.min_titles)
        self.plot_columns = np.flatnonzero(_titles_with(catalogue.plots) >= self.config.min_plots)
        self.genre_ids, self.person_ids = catalogue.genre_ids, catalogue.person_ids[people]
        self.fact_names = tuple(catalogue.fact_names[n] for n in facts)
        self.idf = {
            "genres": idf_of(catalogue.genres, GENRE_IDF_LIMIT),
            "people": idf_of(catalogue.people)[people],
            "facts": idf_of(catalogue.facts)[facts],
            "plots": idf_of(catalogue.plots)[self.plot_columns],
        }
        self.levels = {name: _quantiles(getattr(catalogue, name)) for name in COUNTS}

    def features(self, catalogue: Catalogue) -> sparse.csr_array:
        """Return (I, F) the features of a catalogue's titles, in the order of B's rows."""
        genres = _in_columns(catalogue.genres, catalogue.genre_ids, self.genre_ids)
        people = _in_columns(catalogue.people, catalogue.person_ids, self.person_ids)
        facts = _in_named_columns(catalogue, self.fact_names)
        years = _periods(catalogue.years)
        blocks = [
            _scaled(genres, self.idf["genres"]),
            np.float32(self.config.people_weight) * _scaled(people, self.idf["people"]),
            unit_sparse_rows(years),
            unit_sparse_rows(_row_products(genres, genres, is_symmetric=True)),
            unit_sparse_rows(_row_products(genres, years)),
            _scaled(facts, self.idf["facts"]),
            _sizes(catalogue),
            sparse.csr_array(np.ones((len(catalogue), 1), dtype=np.float32)),
        ]
        if len(self.plot_columns):
            blocks.append(self._plots(catalogue))
        for name, levels in self.levels.items():
            if len(levels):
                known_as = _hats(getattr(catalogue, name), levels)
                blocks += [
                    known_as,
                    unit_sparse_rows(_row_products(genres, known_as)),
                    unit_sparse_rows(_row_products(years, known_as)),
                ]
        return sparse.csr_array(sparse.hstack(blocks, format="csr"))

    def _plots(self, catalogue: Catalogue) -> sparse.csr_array:
        """Return (I, W) the tf-idf of the plots' words; a catalogue without plots has zeros."""
        columns = np.arange(catalogue.plots.shape[1])
        plots = _in_columns(catalogue.plots, columns, self.plot_columns)
        plots.data = 1 + np.log(np.maximum(plots.data, 1))
        return _scaled(plots, self.idf["plots"])


def ridge(
    features: sparse.csr_array,
    weight: Float32,
    targets: Float32,
    penalty: np.float32,
    iterations: int,
) -> Float32:
    """Return (F, D) B, the least of Σ w_i |x_i B - y_i|² + λ |B|², by conjugate gradients.

    Args:
        features: (N, F) x.
        weight: (N,) w.
        targets: (N, D) y; each column is a system of its own.
        penalty: λ.
        iterations: at most so many steps.
    """
    transposed = sparse.csr_array(features.T)
    solution = np.zeros((features.shape[1], targets.shape[1]), dtype=np.float32)
    residual = np.asarray(transposed @ (weight[:, None] * targets), dtype=np.float32)
    direction = residual.copy()
    squared = np.square(residual).sum(axis=0)  # (D,)
    enough = 1e-10 * squared
    for _ in range(iterations):
        if (squared <= enough).all():
            break
        product = transposed @ (weight[:, None] * (features @ direction)) + penalty * direction
        step = squared / np.maximum((direction * product).sum(axis=0), 1e-30)
        solution += step * direction
        residual -= step * product
        before, squared = squared, np.square(residual).sum(axis=0)
        direction = residual + squared / np.maximum(before, 1e-30) * direction
    return solution


def _sizes(catalogue: Catalogue) -> sparse.csr_array:
    """Return (I, 3) log(1 + how many) genres, people and facts each title has, times `SIZE`."""
    counts = [np.diff(m.indptr) for m in (catalogue.genres, catalogue.people, catalogue.facts)]
    return sparse.csr_array(SIZE * np.log1p(np.stack(counts, axis=1)).astype(np.float32))


def _quantiles(counts: Float32) -> Float32:
    """Return (N,) quantiles of log(1 + counts) of known counts; empty where fewer than two differ.

    Args:
        counts: (I,) NaN where one is unknown.
    """
    values = np.log1p(counts[~np.isnan(counts)])
    if not len(values):
        return np.empty(0, dtype=np.float32)
    levels = np.unique(np.quantile(values, np.linspace(0, 1, LEVELS)).astype(np.float32))
    return levels if len(levels) > 1 else np.empty(0, dtype=np.float32)


def _hats(counts: Float32, levels: Float32) -> sparse.csr_array:
    """Return (I, N + 1) how near log(1 + counts) is to each level, linearly; the last is "unknown".

    Each row has a sum of 1; counts beyond the levels stand at the nearest.

    Args:
        counts: (I,) NaN where one is unknown.
        levels: (N,) at least two, ascending.
    """
    unknown = np.isnan(counts)
    values = np.log1p(np.where(unknown, 0, counts)).clip(levels[0], levels[-1])
    left = (np.searchsorted(levels, values, side="right") - 1).clip(0, len(levels) - 2)
    right_part = (values - levels[left]) / (levels[left + 1] - levels[left])
    titles = np.arange(len(counts))
    hats = np.zeros((len(counts), len(levels) + 1), dtype=np.float32)
    hats[titles, left], hats[titles, left + 1] = 1 - right_part, right_part
    hats[unknown] = 0
    hats[unknown, -1] = 1
    return sparse.csr_array(hats)


def _titles_with(features: sparse.csr_array) -> Int64:
    return np.bincount(features.indices, minlength=features.shape[1])


def _scaled(features: sparse.csr_array, idf: Float32) -> sparse.csr_array:
    return unit_sparse_rows(sparse.csr_array(features @ sparse.diags_array(idf)))


def _in_columns(features: sparse.csr_array, ids: Int64, wanted: Int64) -> sparse.csr_array:
    """Return the features in the columns of other ids; ids that are not wanted are left out."""
    column = Vocabulary(wanted).items_of(ids)
    return _moved(features, column, len(wanted))


def _in_named_columns(catalogue: Catalogue, wanted: tuple[str, ...]) -> sparse.csr_array:
    number = {name: n for n, name in enumerate(wanted)}
    column = np.array([number.get(name, UNKNOWN) for name in catalogue.fact_names], dtype=np.int64)
    return _moved(catalogue.facts, column, len(wanted))


def _moved(features: sparse.csr_array, column: Int64, width: int) -> sparse.csr_array:
    kept = np.flatnonzero(column != UNKNOWN)
    ones = np.ones(len(kept), dtype=np.float32)
    move = sparse.csr_array((ones, (kept, column[kept])), shape=(features.shape[1], width))
    return sparse.csr_array(features @ move)


def _periods(years: Int64) -> sparse.csr_array:
    """Return (I, Y) how near each title's year is to each period; nothing where it is not known."""
    apart = (years[:, None] - PERIODS) / PERIOD_YEARS
    near = np.exp(-(apart**2) / 2).astype(np.float32)
    near[(near < LEAST_PERIOD) | (years[:, None] <= 0)] = 0
    return sparse.csr_array(near)


def _row_products(
    first: sparse.csr_array, second: sparse.csr_array, *, is_symmetric: bool = False
) -> sparse.csr_array:
    """Return (I, A · B) the products of each row's entries in (I, A) and (I, B).

    Args:
        first: (I, A).
        second: (I, B).
        is_symmetric: leave out what stands on and below the diagonal of A · B.
    """
    width = second.shape[1]
    lengths = np.diff(second.indptr)
    row = np.repeat(np.arange(first.shape[0]), np.diff(first.indptr))
    repeats = lengths[row]  # partners of each entry of `first`
    entry = np.repeat(np.arange(len(row)), repeats)
    offset = np.arange(len(entry)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    partner = second.indptr[row[entry]] + offset
    columns = first.indices[entry].astype(np.int64), second.indices[partner].astype(np.int64)
    kept = columns[0] < columns[1] if is_symmetric else np.ones(len(entry), dtype=bool)
    values = first.data[entry] * second.data[partner]
    return sparse.csr_array(
        (values[kept], (row[entry][kept], (columns[0] * width + columns[1])[kept])),
        shape=(first.shape[0], first.shape[1] * width),
    )

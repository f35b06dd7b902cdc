"""The catalogue's rows as the arrays and documents that the recommender and search hold."""

import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import numpy as np
from django.db.models import Count, Max, Model, Q, QuerySet
from scipy import sparse

from recommender.arrays import Bool, Float32, Int64
from recommender.data.catalogue import Catalogue
from recommender.vocabulary import UNKNOWN, Vocabulary
from search.engine import Document
from search.index.meaning import terms_of
from search.text import words
from webapp.catalog.models import UNRATED, Credit, Genre, Title, TitleQuerySet
from webapp.events.search_choices import choices_after_searches
from webapp.profiles.models import Rating

WEIGHT_OF_ROLE = {Credit.Role.DIRECTOR: 1.0, Credit.Role.CAST: 0.5, Credit.Role.WRITER: 0.25}
"""What the people of `Catalogue` are told apart by."""
PLOT_COLUMNS = 8192
"""Columns of `Catalogue.plots`: so many hashes may a plot's word have."""
Revision = tuple[int, str]
AnyModel = TypeVar("AnyModel", bound=Model)
OF_CATALOGUE = (
    "pk", "added_at", "year", "maturity", "kind", "country", "language", "is_available",
    "votes", "reviews", "plot",
)  # fmt: skip
OF_DOCUMENTS = (
    "pk", "name", "alternative_names", "characters", "language", "country", "kind",
    "maturity", "runtime_minutes", "year", "plot", "is_available",
)  # fmt: skip


def revision() -> Revision:
    """Return a value that changes whenever a title is added, changed or removed. One query."""
    found = Title.objects.aggregate(count=Count("pk"), latest=Max("updated_at"))
    return found["count"], str(found["latest"])


def titles_changed_since(before: Revision, most: int) -> list[int] | None:
    """Return the ids of titles added or changed after a revision; None if more than `most`.

    One query.
    """
    changed = (
        Title.objects.all()
        if before[1] == str(None)
        else Title.objects.filter(updated_at__gt=before[1])
    )
    ids = list(changed.order_by("pk").values_list("pk", flat=True)[: most + 1])
    return ids if len(ids) <= most else None


def export_catalogue(
    last_title: int | None = None, only: Collection[int] | None = None
) -> Catalogue:
    """Read the catalogue into arrays. Five queries over all titles.

    Args:
        last_title: leave out the titles with a higher number, those that came later.
        only: leave out all others; None reads all.
    """
    rows = _titles(last_title, only).values_list(*OF_CATALOGUE, named=True)
    by_id = {row.pk: row for row in rows.iterator(chunk_size=20_000)}
    titles = Vocabulary(np.fromiter(by_id, dtype=np.int64))
    ordered = [by_id[id_] for id_ in titles.ids.tolist()]
    is_available = np.array([row.is_available for row in ordered], dtype=bool)
    ages = [UNRATED if row.maturity is None else row.maturity for row in ordered]
    facts = [
        _facts_of(row.kind, row.country, row.language, row.maturity) if row.is_available else ()
        for row in ordered
    ]
    genres = Vocabulary(np.fromiter(Genre.objects.values_list("pk", flat=True), dtype=np.int64))
    likes = (
        _of(only, Rating.objects.filter(stars__gte=Rating.LIKED_FROM_STARS))
        .values("title_id")
        .annotate(count=Count("pk"))
        .values_list("title_id", "count")
    )
    likes_by_title = dict(likes.iterator(chunk_size=20_000))
    liked_by = np.array([likes_by_title.get(id_, 0) for id_ in titles.ids.tolist()], np.float32)
    return Catalogue(
        titles,
        _genre_matrix(titles, is_available, genres, only),
        genres.ids,
        np.array([row.added_at.timestamp() for row in ordered], dtype=np.float64),
        np.where(is_available, liked_by, np.float32(0)),
        np.array([row.year or 0 for row in ordered], dtype=np.int64),
        np.array(ages, dtype=np.int64),
        *_people_matrix(titles, is_available, only),
        is_available,
        *_fact_matrix(facts),
        votes=_counts([row.votes for row in ordered], is_available),
        reviews=_counts([row.reviews for row in ordered], is_available),
        plots=_plot_matrix([row.plot if row.is_available else "" for row in ordered]),
    )


def export_documents(
    last_title: int | None = None,
    chosen_until: datetime | None = None,
    only: Collection[int] | None = None,
) -> Iterator[Document]:
    """Yield each title as search reads it, by id. Four queries.

    Args:
        last_title: leave out the titles with a higher number, those that came later.
        chosen_until: what was chosen after searches until then counts; None leaves it out.
        only: leave out all other titles; None reads all.
    """
    people: dict[int, list[str]] = {}
    directors: dict[int, list[str]] = {}
    credits = (
        _of(only, Credit.objects.filter(~Q(role=Credit.Role.WRITER)))
        .order_by("title_id", "-role", "position")  # directors first
        .values_list("title_id", "person__name", "role")
    )
    for title_id, name, role in credits.iterator(chunk_size=20_000):
        people.setdefault(title_id, []).append(name)
        if role == Credit.Role.DIRECTOR:
            directors.setdefault(title_id, []).append(name)
    genres = _grouped(
        _of(only, Title.genres.through.objects.order_by("pk"))
        .values_list("title_id", "genre__name")
        .iterator(chunk_size=20_000)
    )
    chosen = {} if chosen_until is None else choices_after_searches(chosen_until)
    for title in _titles(last_title, only).values_list(*OF_DOCUMENTS, named=True).iterator(20_000):
        yield Document(
            id=title.pk,
            name=title.name,
            alternative_names=tuple(title.alternative_names),
            people=tuple(dict.fromkeys(people.get(title.pk, ()))),
            characters=tuple(title.characters),
            genres=tuple(genres.get(title.pk, ())),
            directors=tuple(directors.get(title.pk, ())),
            countries=tuple(_listed(title.country)),
            is_series=title.kind == Title.Kind.SERIES,
            age=title.maturity,
            minutes=title.runtime_minutes,
            languages=tuple(_listed(title.language)),
            year=title.year,
            plot=title.plot,
            chosen_after=tuple(chosen.get(title.pk, ())),
            is_available=title.is_available,
        )


def _counts(values: Sequence[int | None], is_available: Bool) -> Float32:
    """Return (I,) the counts, NaN where one is unknown or the title not available."""
    counts = np.array([np.nan if value is None else value for value in values], dtype=np.float32)
    return np.where(is_available, counts, np.float32(np.nan))


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"\s*[,|/]\s*", text) if part]


def _facts_of(kind: str, country: str, language: str, maturity: int | None) -> list[str]:
    facts = [f"kind:{kind}", *(f"country:{name.strip()}" for name in _listed(country))]
    facts += (f"language:{name.strip()}" for name in _listed(language))
    return facts if maturity is None else [*facts, f"maturity:{maturity}"]


def _fact_matrix(facts: Sequence[Sequence[str]]) -> tuple[sparse.csr_array, tuple[str, ...]]:
    """Return (I, K) 1 where a title has a fact, and the K facts in order."""
    names = tuple(sorted({name for of_title in facts for name in of_title}))
    column = {name: n for n, name in enumerate(names)}
    pairs = sorted({(n, column[name]) for n, of_title in enumerate(facts) for name in of_title})
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    ones = np.ones(len(pairs), dtype=np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=(len(facts), len(names))), names


def _plot_matrix(plots: Sequence[str]) -> sparse.csr_array:
    """Return (I, PLOT_COLUMNS) how often each plot has a word, in the column of the word's hash."""
    columns_of: dict[str, list[int]] = {}
    columns: list[int] = []
    ends = [0]
    for plot in plots:
        for word in words(plot) if plot else ():
            if word not in columns_of:
                terms = terms_of(word)
                columns_of[word] = [zlib.crc32(term.encode()) % PLOT_COLUMNS for term in terms]
            columns += columns_of[word]
        ends.append(len(columns))
    ones = np.ones(len(columns), dtype=np.float32)
    matrix = sparse.csr_array(
        (ones, np.array(columns, dtype=np.int64), np.array(ends)), shape=(len(plots), PLOT_COLUMNS)
    )
    matrix.sum_duplicates()
    return matrix


def _titles(last_title: int | None, only: Collection[int] | None) -> TitleQuerySet:
    titles = Title.objects.order_by("pk")
    if only is not None:
        titles = titles.filter(pk__in=only)
    return titles if last_title is None else titles.filter(pk__lte=last_title)


def _of(only: Collection[int] | None, rows: QuerySet[AnyModel]) -> QuerySet[AnyModel]:
    """Return the rows of these titles; None leaves all."""
    return rows if only is None else rows.filter(title_id__in=only)


def _grouped(pairs: Iterator[tuple[int, str]]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped


def _genre_matrix(
    titles: Vocabulary, is_available: Bool, genres: Vocabulary, only: Collection[int] | None
) -> sparse.csr_array:
    """Return (I, G) 1 where an available title has a genre; newer titles are left out."""
    through = _of(only, Title.genres.through.objects.all())
    pairs = np.array(list(through.values_list("title_id", "genre_id")), dtype=np.int64).reshape(
        -1, 2
    )
    items, columns = titles.items_of(pairs[:, 0]), genres.items_of(pairs[:, 1])
    has = _are_available(items, is_available) & (columns != UNKNOWN)
    return sparse.csr_array(
        (np.ones(has.sum(), dtype=np.float32), (items[has], columns[has])),
        shape=(len(titles), len(genres)),
    )


def _are_available(items: Int64, is_available: Bool) -> Bool:
    """Return (N,) True at items of available titles, False at `UNKNOWN`."""
    if not len(is_available):
        return np.zeros(len(items), dtype=bool)
    return np.asarray((items != UNKNOWN) & is_available[items])


def _people_matrix(
    titles: Vocabulary, is_available: Bool, only: Collection[int] | None
) -> tuple[sparse.csr_array, Int64]:
    """Return (I, P) what the foremost credit of a person on a title weighs; and (P,) ids."""
    credits = _of(only, Credit.objects.all()).values_list("title_id", "person_id", "role")
    table = np.array(
        [
            (title, person, list(WEIGHT_OF_ROLE).index(Credit.Role(role)))
            for title, person, role in credits.iterator(chunk_size=20_000)
        ],
        dtype=np.int64,
    ).reshape(-1, 3)
    items = titles.items_of(table[:, 0])
    has = _are_available(items, is_available)
    table, items = table[has], items[has]
    ids, columns = np.unique(table[:, 1], return_inverse=True)
    shape = (len(titles), len(ids))
    people = sparse.csr_array(shape, dtype=np.float32)
    for n, weight in enumerate(WEIGHT_OF_ROLE.values()):
        of_role = table[:, 2] == n
        weights = np.full(of_role.sum(), weight, dtype=np.float32)
        matrix = sparse.csr_array((weights, (items[of_role], columns[of_role])), shape=shape)
        people = people.maximum(matrix)
    return sparse.csr_array(people), ids

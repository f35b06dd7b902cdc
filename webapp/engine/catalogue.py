"""The catalogue's rows as the arrays and documents that the recommender and search hold."""

from collections.abc import Iterator

import numpy as np
from django.db.models import Count, Max, Q
from scipy import sparse

from recommender.data.catalogue import Catalogue
from recommender.vocabulary import UNKNOWN, Vocabulary
from search.engine import Document
from webapp.catalog.models import Credit, Genre, Title, TitleQuerySet
from webapp.profiles.models import Rating

Revision = tuple[int, str]


def revision() -> Revision:
    """Return a value that changes whenever a title is added, changed or removed. One query."""
    found = Title.objects.aggregate(count=Count("pk"), latest=Max("updated_at"))
    return found["count"], str(found["latest"])


def export_catalogue(last_title: int | None = None) -> Catalogue:
    """Read the catalogue into arrays. Four queries over all titles.

    Args:
        last_title: leave out the titles with a higher number, those that came later.
    """
    rows = _titles(last_title).values_list("pk", "added_at", "year")
    known = {id_: (at.timestamp(), year) for id_, at, year in rows.iterator(chunk_size=20_000)}
    titles = Vocabulary(np.fromiter(known, dtype=np.int64))
    genres = Vocabulary(np.fromiter(Genre.objects.values_list("pk", flat=True), dtype=np.int64))
    likes = (
        Rating.objects.filter(stars__gte=Rating.LIKED_FROM_STARS)
        .values("title_id")
        .annotate(count=Count("pk"))
        .values_list("title_id", "count")
    )
    liked_by = dict(likes.iterator(chunk_size=20_000))
    return Catalogue(
        titles,
        _genre_matrix(titles, genres),
        genres.ids,
        np.fromiter((known[id_][0] for id_ in titles.ids.tolist()), dtype=np.float64),
        np.fromiter((liked_by.get(id_, 0) for id_ in titles.ids.tolist()), dtype=np.float32),
        np.fromiter((known[id_][1] or 0 for id_ in titles.ids.tolist()), dtype=np.int64),
    )


def export_documents(last_title: int | None = None) -> Iterator[Document]:
    """Yield each title as search reads it, by id. Three queries.

    Args:
        last_title: leave out the titles with a higher number, those that came later.
    """
    people = _grouped(
        Credit.objects.filter(~Q(role=Credit.Role.WRITER))
        .order_by("title_id", "role", "position")
        .values_list("title_id", "person__name")
        .iterator(chunk_size=20_000)
    )
    genres = _grouped(
        Title.genres.through.objects.order_by("pk")
        .values_list("title_id", "genre__name")
        .iterator(chunk_size=20_000)
    )
    for id_, name, year in _titles(last_title).values_list("pk", "name", "year"):
        yield Document(
            id=id_,
            name=name,
            people=tuple(people.get(id_, ())),
            genres=tuple(genres.get(id_, ())),
            year=year,
        )


def _titles(last_title: int | None) -> TitleQuerySet:
    titles = Title.objects.order_by("pk")
    return titles if last_title is None else titles.filter(pk__lte=last_title)


def _grouped(pairs: Iterator[tuple[int, str]]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped


def _genre_matrix(titles: Vocabulary, genres: Vocabulary) -> sparse.csr_array:
    """Return (I, G) 1 where a title has a genre; a pair newer than the titles is left out."""
    pairs = np.array(
        list(Title.genres.through.objects.values_list("title_id", "genre_id")), dtype=np.int64
    ).reshape(-1, 2)
    items, columns = titles.items_of(pairs[:, 0]), genres.items_of(pairs[:, 1])
    known = (items != UNKNOWN) & (columns != UNKNOWN)
    return sparse.csr_array(
        (np.ones(known.sum(), dtype=np.float32), (items[known], columns[known])),
        shape=(len(titles), len(genres)),
    )

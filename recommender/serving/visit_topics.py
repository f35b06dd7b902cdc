"""Visit topics: this visit's titles and the posterior of its aspects in, genres and people out.

A genre or person x that c of the visit's n titles share scores

    s(x) = P(aspect) · c / n · log(I / I_x)

I_x the titles of the catalogue with x, P the posterior that the visit is about x's aspect
(`recommender.models.visit_intents`), 1 where none is inferred. Of several titles x must be shared
by at least two and by half of them; of one title only its genres count, for anyone may play in it.

I items of the catalogue, n titles of the visit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Int64
from recommender.data.catalogue import Catalogue
from recommender.serving.candidates import catalogue_items, columns_of
from recommender.serving.request import Viewer
from recommender.serving.taste import Taste

MAX_TOPICS = 3
GENRE, PERSON = "genre", "person"
ASPECTS = {GENRE: ("genres", "period", "overall"), PERSON: ("people", "overall")}
"""Aspects of likeness under which a visit is about a genre, or about a person."""


@dataclass(frozen=True)
class Topic:
    """Something that this visit is taken to be about: a genre or a person, by outside id."""

    kind: str
    id: int


def visit_topics(catalogue: Catalogue, viewer: Viewer, taste: Taste | None) -> list[Topic]:
    """Return at most `MAX_TOPICS`, the likeliest first; none where the visit says nothing.

    What was searched for counts as if all titles of the visit shared it.

    Args:
        catalogue: I titles.
        viewer: whose events of this visit are read; what they want not now is left out.
        taste: what was inferred from them.
    """
    if taste is None or taste.visit is None:
        return []
    items = catalogue_items(catalogue, viewer.positive_now())
    searches = [event for event in viewer.events if event.is_this_visit]
    genre_ids = [id_ for event in searches for id_ in event.genre_ids]
    person_ids = [id_ for event in searches for id_ in event.person_ids]
    refused = {GENRE: viewer.not_now_genres | viewer.refused_genres, PERSON: viewer.not_now_people}
    scored = [
        (score * _chance(kind, taste.aspects), Topic(kind, int(ids[column])))
        for kind, ids, shares, items_with in (
            (
                GENRE,
                catalogue.genre_ids,
                _shares(catalogue.genres, items, columns_of(catalogue.genre_ids, genre_ids), 1),
                catalogue.items_with_genre,
            ),
            (
                PERSON,
                catalogue.person_ids,
                _shares(catalogue.people, items, columns_of(catalogue.person_ids, person_ids), 2),
                catalogue.items_with_person,
            ),
        )
        for column, share in shares.items()
        if int(ids[column]) not in refused[kind]
        for score in [share * np.log(len(catalogue) / max(len(items_with(column)), 1))]
    ]
    scored.sort(key=lambda each: -each[0])
    return [topic for _, topic in scored[:MAX_TOPICS]]


def _chance(kind: str, aspects: Mapping[str, float]) -> float:
    """Return the posterior that the visit is about a genre, or a person; 1 where none is known."""
    return sum(aspects.get(name, 0.0) for name in ASPECTS[kind]) if aspects else 1.0


def _shares(
    features: sparse.csr_array, items: Int64, searched: list[int], least: int
) -> dict[int, float]:
    """Return the share of the items with each feature that enough have, by ascending column.

    Args:
        features: (I, F).
        items: (n,) of the visit.
        searched: columns of what was searched for: its share is 1.
        least: how many titles a visit has before their features count.
    """
    shares = dict.fromkeys(searched, 1.0)
    count = len(items)
    if count >= least:
        columns, having = np.unique(features[items].indices, return_counts=True)
        enough = having >= (1 if count == 1 else max(2, count / 2))
        for column, share in zip(columns[enough].tolist(), having[enough] / count, strict=True):
            shares[column] = max(float(share), shares.get(column, 0.0))
    return dict(sorted(shares.items()))


def not_now_mask(catalogue: Catalogue, viewer: Viewer) -> Bool:
    """Return (I,) True at titles of the genres and people that the viewer wants not now."""
    mask = np.zeros(len(catalogue), dtype=bool)
    for ids, refused, items_with in (
        (catalogue.genre_ids, viewer.not_now_genres, catalogue.items_with_genre),
        (catalogue.person_ids, viewer.not_now_people, catalogue.items_with_person),
    ):
        for column in columns_of(ids, refused):
            mask[items_with(column)] = True
    return mask

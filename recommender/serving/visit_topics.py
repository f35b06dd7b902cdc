"""Visit topics: this visit's titles and the posterior of its aspects in, genres and people out.

A genre or person x that c of the visit's n titles share scores

    s(x) = P(aspect) · c / n · log(I / I_x)

I_x the titles of the catalogue with x, P the posterior that the visit is about x's aspect
(`recommender.models.visit_intents`), 1 where none is inferred. Of several titles x must be shared
by at least two and by half of them; of one title only its genres count, for anyone may play in it.

I items of the catalogue, n titles of the visit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.arrays import Bool, Int64
from recommender.data.catalogue import Catalogue
from recommender.models.likeness import idf_of
from recommender.serving.candidates import catalogue_items
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

    Args:
        catalogue: I titles.
        viewer: whose events of this visit are read; what they want not now is left out.
        taste: what was inferred from them.
    """
    if taste is None or taste.visit is None:
        return []
    items = catalogue_items(catalogue, viewer.positive_now())
    scored = [
        *_scored(GENRE, catalogue.genres, catalogue.genre_ids, items, taste.aspects),
        *_scored(PERSON, catalogue.people, catalogue.person_ids, items, taste.aspects),
    ]
    refused = {GENRE: viewer.not_now_genres | viewer.refused_genres, PERSON: viewer.not_now_people}
    scored = [each for each in scored if each[1].id not in refused[each[1].kind]]
    scored.sort(key=lambda each: -each[0])
    return [topic for _, topic in scored[:MAX_TOPICS]]


def _scored(
    kind: str,
    features: sparse.csr_array,
    ids: Int64,
    items: Int64,
    aspects: Mapping[str, float],
) -> Iterator[tuple[float, Topic]]:
    """Yield the features, (I, F), that the items share, each with its score."""
    count = len(items)
    if not count or (count == 1 and kind == PERSON):
        return
    having = np.bincount(features[items].indices, minlength=features.shape[1])
    shared = np.flatnonzero(having >= (1 if count == 1 else max(2, count / 2)))
    chance = sum(aspects.get(name, 0.0) for name in ASPECTS[kind]) if aspects else 1.0
    scores = chance * having[shared] / count * idf_of(features)[shared]
    for column, score in zip(shared.tolist(), scores.tolist(), strict=True):
        yield score, Topic(kind, int(ids[column]))


def not_now_mask(catalogue: Catalogue, viewer: Viewer) -> Bool:
    """Return (I,) True at titles of the genres and people that the viewer wants not now."""
    mask = np.zeros(len(catalogue), dtype=bool)
    for features, ids, refused in (
        (catalogue.genres, catalogue.genre_ids, viewer.not_now_genres),
        (catalogue.people, catalogue.person_ids, viewer.not_now_people),
    ):
        columns = np.isin(ids, list(refused))
        if columns.any():
            mask |= features @ columns.astype(np.float32) > 0
    return mask

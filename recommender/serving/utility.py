"""Title utilities for one request, item similarity, and the request's random generator.

I items of the catalogue, D size of their similarity vectors, H of iALS's, G genres. A title's
utility is its relevance, a bonus while it is new, and an exploration bonus while few liked it:

    g_i = σ(z_i - 2) + f 2^{-age_i / half-life} + c / √(1 + n_i)

z the affinity in standard deviations over the catalogue (without a taste, the trend), age since the
title was added, n how many profiles liked it, f and c of `PageConfig`.
"""

from collections.abc import Callable

import numpy as np

from recommender.arrays import Float32, Int64, unit_rows
from recommender.data.catalogue import Catalogue
from recommender.serving.request import RequestContext, Viewer

FRESH_DAYS = 14.0
"""After so many days a title is half as fresh."""
MODEL_SHARE = np.float32(0.7)
"""The weight of the model in the similarity of two titles it knows; genres have the rest."""
_DAY = 86_400.0


def similarity_vectors(catalogue: Catalogue, factors: Float32 | None = None) -> Float32:
    """Return (I, D) vectors whose product is the similarity of two titles, at most 1.

    Args:
        catalogue: whose genres are compared.
        factors: (I, H) of iALS, zeros for titles it does not know: those have genres alone.
    """
    genres = unit_rows(catalogue.genres.toarray().astype(np.float32))
    if factors is None:
        return genres
    known = unit_rows(factors)
    share = np.where(known.any(axis=1), MODEL_SHARE, np.float32(0))[:, None]
    return np.hstack([np.sqrt(share) * known, np.sqrt(1 - share) * genres]).astype(np.float32)


def utilities(
    catalogue: Catalogue, affinity: Float32, context: RequestContext
) -> Callable[[Int64], Float32]:
    """Return what takes items of any shape and returns the utility of each for the viewer, above 0.

    Cost: the mean and deviation of the affinities.

    Args:
        catalogue: the titles.
        affinity: (I,) on any scale.
        context: the moment, and the weights of freshness and curiosity.
    """
    available = affinity[catalogue.available_items]
    mean = available.mean() if len(available) else np.float32(0)
    spread = max(float(available.std()), 1e-9) if len(available) else 1.0

    def of(items: Int64) -> Float32:
        relevance = 1 / (1 + np.exp(2 - (affinity[items] - mean) / spread))
        age = np.maximum(context.now - catalogue.added_at[items], 0) / _DAY
        fresh = context.page.freshness * np.exp2(-age / FRESH_DAYS)
        untried = context.page.curiosity / np.sqrt(1 + catalogue.liked_by[items])
        return np.asarray(relevance + fresh + untried, dtype=np.float32)

    return of


def request_rng(viewer: Viewer, context: RequestContext) -> np.random.Generator:
    """Return the generator that draws exploration slots; the same request draws the same."""
    return np.random.default_rng([int(context.now * 1e6), viewer.profile_id or 0])

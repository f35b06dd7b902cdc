"""What titles are worth to a viewer whatever the row, how alike they are, and the dice.

I items of the catalogue, D size of their vectors, H of iALS's, G genres.

    g_i = σ(z_i - 2) + f 2^{-age_i / half-life} + c / √(1 + n_i)

z how many standard deviations over the catalogue the taste (or, without one, the trend) puts a
title, age since it came in, n how many profiles liked it.
"""

import numpy as np

from recommender.arrays import Float32, unit_rows
from recommender.data.catalogue import Catalogue
from recommender.serving.request import RequestContext, Viewer

FRESH_DAYS = 14.0
"""After so many days a title is half as fresh."""
MODEL_SHARE = np.float32(0.7)
"""How much the model says of how alike two titles are that it knows; their genres say the rest."""
_DAY = 86_400.0


def similarity_vectors(catalogue: Catalogue, factors: Float32 | None = None) -> Float32:
    """Return (I, D): the product of two titles says how alike they are, 1 the same.

    Args:
        catalogue: whose genres are compared.
        factors: (I, H) of iALS, zeros where a title is not known: there genres alone speak.
    """
    genres = unit_rows(catalogue.genres.toarray().astype(np.float32))
    if factors is None:
        return genres
    known = unit_rows(factors)
    share = np.where(known.any(axis=1), MODEL_SHARE, np.float32(0))[:, None]
    return np.hstack([np.sqrt(share) * known, np.sqrt(1 - share) * genres]).astype(np.float32)


def utilities(catalogue: Catalogue, affinity: Float32, context: RequestContext) -> Float32:
    """Return (I,) what each title is worth to the viewer, above 0.

    Args:
        catalogue: the titles.
        affinity: (I,) how well each fits, on any scale.
        context: the moment, and what freshness and curiosity are worth.
    """
    if not len(affinity):
        return affinity.astype(np.float32)
    spread = max(float(affinity.std()), 1e-9)
    relevance = 1 / (1 + np.exp(2 - (affinity - affinity.mean()) / spread))
    age = np.maximum(context.now - catalogue.added_at, 0) / _DAY
    fresh = context.page.freshness * np.exp2(-age / FRESH_DAYS)
    untried = context.page.curiosity / np.sqrt(1 + catalogue.liked_by)
    return np.asarray(relevance + fresh + untried, dtype=np.float32)


def request_rng(viewer: Viewer, context: RequestContext) -> np.random.Generator:
    """Return what draws a page's chances: the same question draws the same."""
    return np.random.default_rng([int(context.now * 1e6), viewer.profile_id or 0])

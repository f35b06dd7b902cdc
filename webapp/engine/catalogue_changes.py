"""Titles saved since an index was built: the index with them as they are now, in milliseconds.

Every process makes this for itself between a change and the next index, always from the index and
never on top of earlier changes.
"""

from dataclasses import replace

import numpy as np

from webapp.engine.catalogue import export_catalogue, export_documents, titles_changed_since
from webapp.engine.catalogue_index import CatalogueIndex

MOST_CHANGED = 200
"""With more changed titles, such as by an import, the next index is waited for."""


def with_changes(index: CatalogueIndex) -> CatalogueIndex | None:
    """Return the index with what changed since, None where too much did. Eleven queries.

    Search finds changed titles as they are now; rows have them as `Recommender.with_changed` says.
    Where the release cannot take titles, added ones wait for the next index, as does one with an
    id below others.
    """
    titles, recommender = index.popular.catalogue.titles, index.recommender
    ids = titles_changed_since(index.revision, MOST_CHANGED)
    if ids is None:
        return None
    last = int(titles.ids[-1]) if len(titles) else 0
    takes_titles = recommender is None or recommender.takes_titles
    served = [id_ for id_ in ids if id_ in titles or (takes_titles and id_ > last)]
    changed = export_catalogue(only=served)
    popular = index.popular.with_changed(changed)
    search = index.search.with_changed(export_documents(only=served))
    if not np.array_equal(search.document_ids, popular.catalogue.titles.ids):
        return None  # a title went while it was read
    return replace(
        index,
        popular=popular,
        search=search,
        recommender=recommender.with_changed(changed) if recommender else None,
        num_changed=len(changed),
    )

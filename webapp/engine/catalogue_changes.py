"""Titles saved since an index was built: the index with them as they are now, in milliseconds.

Every process makes this for itself between a change and the next index, always from the index and
never on top of earlier changes.
"""

from dataclasses import replace

from webapp.engine.catalogue import export_catalogue, export_documents, titles_changed_since
from webapp.engine.catalogue_index import CatalogueIndex

MOST_CHANGED = 200
"""With more changed titles, such as by an import, the next index is waited for."""


def with_changes(index: CatalogueIndex) -> CatalogueIndex | None:
    """Return the index with what changed since, None where too much did. Eleven queries.

    Search finds changed titles as they are now; rows have them as `Recommender.with_changed` says.
    Added titles wait for the next index.
    """
    catalogue = index.popular.catalogue
    ids = titles_changed_since(index.revision, MOST_CHANGED)
    if ids is None:
        return None
    known = [id_ for id_ in ids if id_ in catalogue.titles]
    changed = export_catalogue(only=known)
    recommender = index.recommender
    return replace(
        index,
        popular=index.popular.with_changed(changed),
        search=index.search.with_changed(export_documents(only=known)),
        recommender=recommender.with_changed(changed) if recommender else None,
        num_changed=len(known),
    )

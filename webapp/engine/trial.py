"""The trial of a release or ranker before it serves: a recommender in, an error if it cannot serve.

An artifact can be whole, of the right shapes, and still fail at the first page. Two made-up viewers
ask for pages first, so that no real one has to.
"""

from collections.abc import Sequence

import numpy as np

from recommender.data.sessions import EventKind
from recommender.errors import ArtifactError
from recommender.ranking.page import Row
from recommender.serving.recommender import Recommender
from recommender.serving.request import RequestContext, Viewer, ViewerEvent
from webapp.engine.catalogue import export_catalogue
from webapp.releases.models import Release

LIKED = 3
"""Titles that the made-up viewer liked; the next one was opened in this visit."""


def try_out(recommender: Recommender) -> None:
    """Build the pages of an anonymous newcomer and of a viewer with a history.

    Cost: four lists of titles, as in two requests.

    Raises:
        Exception: whatever the recommender raises.
        ArtifactError: a score is not finite.
    """
    catalogue = recommender.catalogue
    ids = catalogue.titles.ids[np.flatnonzero(catalogue.is_available)[: LIKED + 1]].tolist()
    liked = dict.fromkeys(ids[:LIKED], 1.0)
    context = RequestContext()
    events = [ViewerEvent(EventKind.OPEN, id_, context.now) for id_ in ids[LIKED:]]
    for viewer in (Viewer(), Viewer(liked=liked, liked_before=liked, events=events)):
        taste = recommender.taste(viewer, context)
        rows = recommender.home(viewer, context, taste)
        more = recommender.more_like(ids[0], viewer, context, taste) if ids else None
        rows += [more] if more else []
        recommender.reasons(rows, viewer, taste)
        recommender.features(rows, viewer, context, taste)
        check_scores(rows)


def try_release(release: Release) -> None:
    """Load a release over today's catalogue and try it, before it is published by hand.

    Cost: the export of the catalogue, seconds.

    Raises:
        Exception: whatever loading it or the recommender raises.
    """
    try_out(Recommender.load(release.fetch(), export_catalogue()))


def check_scores(rows: Sequence[Row]) -> None:
    """Check that rows can be stored and compared.

    Raises:
        ArtifactError: a score or a propensity is not finite.
    """
    for row in rows:
        if not (np.isfinite(row.scores).all() and np.isfinite(row.propensities).all()):
            raise ArtifactError(f"row {row.kind} has a score that is not finite: train it again")

"""What this process serves: the live release, ranker and search over today's catalogue.

The poller checks every `RELEASE_POLL_SECONDS` whether a release or ranker was published or the
catalogue changed, maps the index that the worker built of it beside the old one, and swaps one
reference (`webapp.engine.catalogue_index`). Until that index is there, the old one serves with
what changed since (`webapp.engine.catalogue_changes`). If a release or ranker cannot be loaded, or
fails its trial (`webapp.engine.trial`), the process logs the error and keeps serving the previous
one; without a previous one it serves popular titles, or the order without a ranker. Reading an
artifact may raise anything: another version of Marquee may have written it.
"""

import logging
from dataclasses import dataclass, replace

import torch
from django.conf import settings

from recommender.arrays import Float32
from recommender.data.catalogue import Catalogue
from recommender.errors import ArtifactError
from recommender.ranking.features import FIELDS
from recommender.ranking.ranker import Ranker
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from search.engine import SearchEngine
from webapp.artifacts.store import StoreError
from webapp.engine.cards import Cards
from webapp.engine.catalogue import Revision, revision
from webapp.engine.catalogue_changes import with_changes
from webapp.engine.catalogue_index import CatalogueIndex, build_index, open_index
from webapp.engine.index_wait import index_wait
from webapp.engine.passage_vectors import with_embedder
from webapp.engine.search_subjects import SearchSubjects
from webapp.engine.trial import try_out
from webapp.refreshed import Refreshed
from webapp.releases.models import RankerVersion, Release

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Live:
    """One consistent state: everything a response is made with."""

    revision: Revision
    popular: PopularTitles
    """What is served where there is no recommender, or it fails."""
    cards: Cards
    """What is shown of titles in this state of the catalogue."""
    search: SearchEngine
    subjects: SearchSubjects
    """What its texts name."""
    release_id: int | None
    recommender: Recommender | None
    trouble: str = ""
    """Why there is no recommender, or why a newer release is not the one serving."""
    broken_release_id: int | None = None
    """A release that could not be loaded; it is not tried again until something changes. One that
    the artifact store did not give is."""
    ranker_id: int | None = None
    """What has the last word on the order of lists; None where the fused score has it."""
    broken_ranker_id: int | None = None
    shown: Revision | None = None
    """The revision that cards and changes are of, where this state waits for an index of it."""
    index: CatalogueIndex | None = None
    """What this state is of, without later changes; None in tests that make one by hand."""
    num_changed: int = 0
    """How many titles changed since that index was built and are served as they are now."""

    @property
    def catalogue(self) -> Catalogue:
        return self.popular.catalogue


def load_live(before: Live | None = None) -> Live:
    """Load what changed since the state before. Four queries when nothing did.

    Raises:
        django.db.Error: the database does not answer.
    """
    live = _with_ranker(_load(before), before)
    if before is not None and before.release_id != live.release_id:
        logger.info("release %s is live in this process now", live.release_id)
    if before is not None and before.ranker_id != live.ranker_id:
        logger.info("ranker %s is live in this process now", live.ranker_id)
    return live


def _load(before: Live | None) -> Live:
    release = Release.objects.filter(is_live=True).first()
    now = revision()
    if before is not None and before.revision == now:
        if release is not None and release.pk in (before.release_id, before.broken_release_id):
            return before
        if release is None and before.release_id is None:
            return before
        cards = before.cards
    release_id = release.pk if release else None
    index = open_index(now, release_id, before.revision if before else None)
    if index is None:
        if before is not None and holder.is_polled and index_wait.is_worth_waiting():
            return before if now in (before.revision, before.shown) else _with_changes(before, now)
        index = build_index(now, release)
    index_wait.end()
    is_shown = before is not None and now in (before.revision, before.shown)
    cards = before.cards if before is not None and is_shown else Cards()
    live = _of_index(index, release, cards, before)
    is_whole = live.index is not None and live.index.revision == now
    return live if is_whole else _with_changes(live, now)


def _with_changes(live: Live, now: Revision) -> Live:
    """Return the state with cards of now, and with what changed since its index was built.

    Where too much did, it keeps the changes that it has until there is an index.
    """
    live = replace(live, cards=Cards(), shown=now)
    index = with_changes(live.index) if live.index is not None else None
    if index is None:
        return live
    search, recommender = with_embedder(index.search), index.recommender
    if recommender is not None and live.recommender is not None:
        recommender = recommender.with_ranker(live.recommender.ranker)
        search = with_similarity_of(search, recommender)
    subjects = SearchSubjects(search, index.genres, index.people)
    return replace(
        live,
        popular=index.popular,
        search=search,
        subjects=subjects,
        recommender=recommender,
        num_changed=index.num_changed,
    )


def _of_index(
    index: CatalogueIndex, release: Release | None, cards: Cards, before: Live | None
) -> Live:
    """Return what is served from an index; a release that cannot be loaded leaves the old one."""
    popular, search = index.popular, with_embedder(index.search)
    subjects = SearchSubjects(search, index.genres, index.people)
    if release is None:
        words = "no release is published yet"
        return Live(
            index.revision, popular, cards, search, subjects, None, None, words, index=index
        )
    recommender = index.recommender
    try:
        if recommender is None:
            recommender = Recommender.load(release.fetch(), popular.catalogue)
        try_out(recommender)
        search = with_similarity_of(search, recommender)
    except Exception as error:
        logger.exception("release %s cannot be loaded, the old one goes on", release.pk)
        # the old recommender goes on with the search over its own item numbers
        serving = before or Live(index.revision, popular, cards, search, subjects, None, None)
        if serving.recommender is None:
            index = replace(index, recommender=None)
            serving = replace(
                serving, popular=popular, search=search, subjects=subjects, index=index
            )
        return replace(
            serving,
            revision=index.revision,
            cards=cards,
            trouble=f"release {release.pk} cannot be loaded: {error or type(error).__name__}",
            broken_release_id=None if isinstance(error, StoreError) else release.pk,
        )
    index = replace(index, recommender=recommender)
    return Live(
        index.revision, popular, cards, search, subjects, release.pk, recommender, index=index
    )


def with_similarity_of(search: SearchEngine, recommender: Recommender) -> SearchEngine:
    """Let search, in the recommender's space already, know which titles are alike.

    A title that cannot be shown is like others in meaning alone.
    """
    is_available = recommender.catalogue.is_available

    def similarity(item: int) -> Float32 | None:
        return recommender.similarity(item) if is_available[item] else None

    return search.with_similarity(similarity)


def _with_ranker(live: Live, before: Live | None) -> Live:
    """Give the last word to the live ranker; one that cannot be loaded leaves it to the score."""
    version = RankerVersion.objects.filter(is_live=True).first()
    if before is not None and live.index is before.index:  # the same release and its ranker
        wanted = version.pk if version else None
        if wanted in (live.ranker_id, live.broken_ranker_id):
            return live
    if live.recommender is None or version is None:
        recommender = live.recommender.with_ranker(None) if live.recommender else None
        return replace(live, recommender=recommender, ranker_id=None, broken_ranker_id=None)
    try:
        recommender = live.recommender.with_ranker(load_ranker(version))
        try_out(recommender)
    except Exception as error:
        logger.exception("ranker %s cannot be loaded, the fused score orders lists", version.pk)
        recommender = live.recommender.with_ranker(None)
        broken = None if isinstance(error, StoreError) else version.pk
        return replace(live, recommender=recommender, ranker_id=None, broken_ranker_id=broken)
    return replace(live, recommender=recommender, ranker_id=version.pk, broken_ranker_id=None)


def load_ranker(version: RankerVersion) -> Ranker:
    """Read a ranker.

    Raises:
        ArtifactError: it is broken, or was made for other fields than today's.
    """
    ranker = Ranker.load(version.fetch())
    if ranker.fields != FIELDS:
        raise ArtifactError(f"{version} knows other fields than this Marquee: train a new one")
    return ranker


def limit_threads() -> None:
    """Let a model's arithmetic use `MODEL_THREADS`: sums come out the same with as many."""
    torch.set_num_threads(settings.MODEL_THREADS)


holder: Refreshed[Live] = Refreshed("live release", load_live)
"""This process's state."""

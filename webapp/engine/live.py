"""What this process serves: the live release, ranker and search over today's catalogue.

The poller checks every `RELEASE_POLL_SECONDS` whether a release or ranker was published or the
catalogue changed, loads the new state beside the old one, and swaps one reference. If a release or
ranker cannot be loaded, the process logs the error and keeps serving the previous one.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from django.conf import settings

from recommender.arrays import Float32
from recommender.data.catalogue import Catalogue
from recommender.errors import ArtifactError, RecommenderError
from recommender.ranking.features import FIELDS
from recommender.ranking.ranker import Ranker
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from search.engine import SearchEngine
from webapp.catalog.models import Genre, Person
from webapp.engine.cards import Cards
from webapp.engine.catalogue import Revision, export_catalogue, export_documents, revision
from webapp.engine.search_subjects import SearchSubjects
from webapp.refreshed import Refreshed
from webapp.releases.models import RankerVersion, Release, Trained

logger = logging.getLogger(__name__)


EXPORT_ATTEMPTS = 5
"""How often catalogue and search are exported until both hold the same titles."""


class TitlesChangedError(Exception):
    """Titles came or went while catalogue and search were exported."""


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
    """A release that could not be loaded; it is not tried again until something changes."""
    ranker_id: int | None = None
    """What has the last word on the order of lists; None where the fused score has it."""
    broken_ranker_id: int | None = None

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
    else:
        cards = Cards()
    popular, search = _export(release)
    subjects = SearchSubjects(search, *_ids_by_name())
    if release is None:
        words = "no release is published yet"
        return Live(now, popular, cards, search, subjects, None, None, words)
    try:
        recommender = Recommender.load(folder_of(release), popular.catalogue)
    except RecommenderError as error:
        logger.exception("release %s cannot be loaded, the old one goes on", release.pk)
        # the old recommender goes on with the search over its own item numbers
        serving = before or Live(now, popular, cards, search, subjects, None, None)
        if serving.recommender is None:
            serving = replace(serving, popular=popular, search=search, subjects=subjects)
        return replace(
            serving,
            revision=now,
            cards=cards,
            trouble=f"release {release.pk} cannot be loaded: {error}",
            broken_release_id=release.pk,
        )
    search = in_space_of(search, recommender)
    return Live(now, popular, cards, search, subjects, release.pk, recommender)


def _export(release: Release | None) -> tuple[PopularTitles, SearchEngine]:
    """Return the catalogue and search over the same titles.

    Raises:
        TitlesChangedError: titles came or went between the two, time and again.
    """
    for _ in range(EXPORT_ATTEMPTS):
        catalogue = export_catalogue()
        documents = export_documents(chosen_until=release.created_at if release else None)
        search = SearchEngine.build(documents)
        if np.array_equal(search.document_ids, catalogue.titles.ids):
            return PopularTitles(catalogue), search
    raise TitlesChangedError("titles come and go faster than they can be exported: try again later")


def _ids_by_name() -> tuple[dict[str, int], dict[str, int]]:
    """Return the ids of genres and of people by name. Two queries."""
    return (
        dict(Genre.objects.values_list("name", "pk")),
        dict(Person.objects.values_list("name", "pk").iterator(chunk_size=20_000)),
    )


def in_space_of(search: SearchEngine, recommender: Recommender) -> SearchEngine:
    """Let search know which titles the same people like and which are alike; documents are items.

    A title that cannot be shown is like others in meaning alone.
    """
    is_available = recommender.catalogue.is_available

    def similarity(item: int) -> Float32 | None:
        return recommender.similarity(item) if is_available[item] else None

    return search.with_space(recommender.space).with_similarity(similarity)


def _with_ranker(live: Live, before: Live | None) -> Live:
    """Give the last word to the live ranker; one that cannot be loaded leaves it to the score."""
    version = RankerVersion.objects.filter(is_live=True).first()
    if live is before:
        wanted = version.pk if version else None
        if wanted in (live.ranker_id, live.broken_ranker_id):
            return live
    if live.recommender is None or version is None:
        recommender = live.recommender.with_ranker(None) if live.recommender else None
        return replace(live, recommender=recommender, ranker_id=None, broken_ranker_id=None)
    try:
        ranker = load_ranker(version)
    except RecommenderError:
        logger.exception("ranker %s cannot be loaded, the fused score orders lists", version.pk)
        recommender = live.recommender.with_ranker(None)
        return replace(live, recommender=recommender, ranker_id=None, broken_ranker_id=version.pk)
    recommender = live.recommender.with_ranker(ranker)
    return replace(live, recommender=recommender, ranker_id=version.pk, broken_ranker_id=None)


def load_ranker(version: RankerVersion) -> Ranker:
    """Read a ranker.

    Raises:
        ArtifactError: it is broken, or was made for other fields than today's.
    """
    ranker = Ranker.load(folder_of(version))
    if ranker.fields != FIELDS:
        raise ArtifactError(f"{version} knows other fields than this Marquee: train a new one")
    return ranker


def limit_threads() -> None:
    """Let a model's arithmetic use `MODEL_THREADS`: sums come out the same with as many."""
    torch.set_num_threads(settings.MODEL_THREADS)


def folder_of(trained: Trained) -> Path:
    """Return where the artifacts lie."""
    return Path(settings.MARQUEE_HOME) / trained.folder


holder: Refreshed[Live] = Refreshed("live release", load_live)
"""This process's state."""

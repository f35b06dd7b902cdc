"""What this process serves: the live release over the catalogue of now, swapped whole.

A background thread looks every `RELEASE_POLL_SECONDS` whether a new release was published or the
catalogue changed, loads beside what serves, and swaps one reference. What cannot be loaded is
logged and the old one goes on serving.
"""

import gc
import logging
import math
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import faiss
import torch
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from recommender.data.catalogue import Catalogue
from recommender.errors import ArtifactError, RecommenderError
from recommender.ranking.features import FIELDS
from recommender.ranking.ranker import Ranker
from recommender.serving.fallback import PopularTitles
from recommender.serving.recommender import Recommender
from search.engine import SearchEngine
from webapp.engine.cards import Cards
from webapp.engine.catalogue import Revision, export_catalogue, export_documents, revision
from webapp.events.popular_plays import most_played
from webapp.experiments.running import running
from webapp.releases.models import RankerVersion, Release, Trained

logger = logging.getLogger(__name__)

PLAYED_SECONDS = 60.0


@dataclass(frozen=True)
class Live:
    """One consistent state: everything a response is made with."""

    revision: Revision
    popular: PopularTitles
    """What is served where there is no recommender, or it fails."""
    cards: Cards
    """What is shown of titles in this state of the catalogue."""
    search: SearchEngine
    release_id: int | None
    recommender: Recommender | None
    trouble: str = ""
    """Why there is no recommender, or why a newer release is not the one serving."""
    broken_release_id: int | None = None
    """A release that could not be loaded; it is not tried again until something changes."""
    ranker_id: int | None = None
    """What has the last word on the order of lists; None where the fused score has it."""
    broken_ranker_id: int | None = None
    played_today: tuple[int, ...] = ()
    """Titles by how many here play them, most first; counted every `PLAYED_SECONDS`."""
    counted_at: float = -math.inf

    @property
    def catalogue(self) -> Catalogue:
        return self.popular.catalogue


class LiveHolder:
    """Holds the live state of one process and renews it."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._loading = threading.Lock()
        self._poller: threading.Thread | None = None
        self._looked_at = 0.0

    def get(self) -> Live:
        """Return the state; load it first where nothing is loaded yet.

        A process without the background thread (a shell, the development server) looks for
        news here instead.
        """
        overdue = time.monotonic() - self._looked_at > settings.RELEASE_POLL_SECONDS
        if self._live is None or (self._poller is None and overdue):
            self.refresh()
        assert self._live is not None  # noqa: S101 - refresh sets it or raises
        return self._live

    def peek(self) -> Live | None:
        """Return the state if one is loaded; no query."""
        return self._live

    def refresh(self) -> None:
        """Load what changed since the last look. Four queries when nothing did, one more a minute.

        Raises:
            django.db.Error: the database does not answer.
        """
        with self._loading:
            before = self._live
            self._live = _with_played(_with_ranker(_load(before), before), before)
            running.refresh()
            self._looked_at = time.monotonic()
            if before is not None and before.release_id != self._live.release_id:
                logger.info("release %s is live in this process now", self._live.release_id)
            if before is not None and before.ranker_id != self._live.ranker_id:
                logger.info("ranker %s is live in this process now", self._live.ranker_id)

    def start(self) -> None:
        """Load, then keep looking for news in a daemon thread."""
        limit_threads()
        self._refresh_or_log()
        self._poller = threading.Thread(target=self._poll, name="live-release", daemon=True)
        self._poller.start()

    def forget(self) -> None:
        """Drop the state, so that the next `get` loads it anew."""
        self._live = None
        running.forget()

    def _poll(self) -> None:
        while True:
            time.sleep(settings.RELEASE_POLL_SECONDS)
            self._refresh_or_log()

    def _refresh_or_log(self) -> None:
        before = self._live
        try:
            close_old_connections()
            self.refresh()
            if self._live and (before is None or self._live.search is not before.search):
                _keep_from_the_collector()
        except DatabaseError as error:
            logger.warning("no look at the live release, the database does not answer: %s", error)
            connection.close()
        except Exception:
            logger.exception("the live release could not be renewed; the old state goes on")


def _keep_from_the_collector() -> None:
    """Let Python's garbage collector pass by what stays: walking over it stops every request."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _load(before: Live | None) -> Live:
    release = Release.objects.filter(is_live=True).first()
    now = revision()
    if before is not None and before.revision == now:
        if release is not None and release.pk in (before.release_id, before.broken_release_id):
            return before
        if release is None and before.release_id is None:
            return before
        popular, cards = before.popular, before.cards
    else:
        popular, cards = PopularTitles(export_catalogue()), Cards()
    search = SearchEngine.build(
        export_documents(chosen_until=release.created_at if release else None)
    )
    if release is None:
        words = "no release is published yet"
        return Live(now, popular, cards, search, None, None, words)
    try:
        recommender = Recommender.load(folder_of(release), popular.catalogue)
    except RecommenderError as error:
        logger.exception("release %s cannot be loaded, the old one goes on", release.pk)
        return Live(
            now,
            popular,
            cards,
            search,
            before.release_id if before else None,
            before.recommender if before else None,
            trouble=f"release {release.pk} cannot be loaded: {error}",
            broken_release_id=release.pk,
        )
    search = in_space_of(search, recommender)
    return Live(now, popular, cards, search, release.pk, recommender)


def _with_played(live: Live, before: Live | None) -> Live:
    """Count anew what is played most today, at most once in `PLAYED_SECONDS`."""
    at = time.monotonic()
    if before is None or at - before.counted_at > PLAYED_SECONDS:
        return replace(live, played_today=most_played(datetime.now(UTC)), counted_at=at)
    return replace(live, played_today=before.played_today, counted_at=before.counted_at)


def in_space_of(search: SearchEngine, recommender: Recommender) -> SearchEngine:
    """Let search know which titles the same people like."""
    items = recommender.catalogue.titles.items_of(search.document_ids)  # (N,)
    return search.with_space(recommender.space_of(items))


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
    faiss.omp_set_num_threads(settings.MODEL_THREADS)
    torch.set_num_threads(settings.MODEL_THREADS)


def folder_of(trained: Trained) -> Path:
    """Return where the artifacts lie."""
    return Path(settings.MARQUEE_HOME) / trained.folder


holder = LiveHolder()
"""This process's state."""

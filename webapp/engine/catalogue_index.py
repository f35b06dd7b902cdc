"""The catalogue index: what every process serves from, built once and mapped by all of them.

The worker builds the catalogue's arrays, the search index and the recommender of the live release
(`publish_index`), and writes them below `MARQUEE_HOME`. A process opens the newest index that is
ahead of what it serves; one that finds none builds the same for itself.

    artifacts/catalogue/20261128T201530123456-6f0c/   an index, named by when its export began

With a bucket (`webapp.artifacts`) other hosts download it from there. Who builds one holds an
advisory lock, so that one worker of all hosts does.
"""

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from recommender.errors import ArtifactError
from recommender.mapped import about_mapped, code_fingerprint, load_mapped, save_mapped
from recommender.serving.fallback import PopularTitles
from recommender.serving.mapped import CLASSES as RECOMMENDER_CLASSES
from recommender.serving.recommender import Recommender
from search.engine import SearchEngine
from search.mapped import CLASSES as SEARCH_CLASSES
from webapp.artifacts.store import StoreError, artifact_store
from webapp.catalog.models import Genre, Person
from webapp.engine.catalogue import Revision, export_catalogue, export_documents, revision
from webapp.engine.passage_vectors import embedder_fingerprint, with_passages
from webapp.engine.search_subjects import IdsByName
from webapp.postgresql.session_locks import session_lock
from webapp.releases.models import ARTIFACTS, Release

logger = logging.getLogger(__name__)

FOLDER = f"{ARTIFACTS}/catalogue"
LOCK = (20_223, 1)
"""Our advisory lock of whoever builds an index."""
EXPORT_ATTEMPTS = 5
"""How often catalogue and search are exported until both hold the same titles."""
KEPT = 2
"""Indexes kept: a process may be about to open the one before."""
PACKAGES = ("recommender", "search", "webapp/engine")
"""An index is of use to the very code that built it."""


class TitlesChangedError(Exception):
    """Titles came or went while catalogue and search were exported."""


@dataclass(frozen=True)
class CatalogueIndex:
    """One consistent state of the catalogue, and of a release over it.

    Attributes:
        revision: of the catalogue before it was exported; it may hold later changes.
        release_id: None where no release is live.
        popular: the catalogue, and what is served without a recommender.
        search: over the same titles, in the recommender's space.
        genres: ids by name.
        people: the same.
        recommender: None without a release, where it cannot be loaded, and where it cannot be
            mapped (`recommender.serving.mapped`): each process then loads its own.
        num_changed: titles in another state than when it was built
            (`webapp.engine.catalogue_changes`).
    """

    revision: Revision
    release_id: int | None
    popular: PopularTitles
    search: SearchEngine
    genres: IdsByName
    people: IdsByName
    recommender: Recommender | None
    num_changed: int = 0


CLASSES = (*RECOMMENDER_CLASSES, *SEARCH_CLASSES, CatalogueIndex, IdsByName)


def build_index(now: Revision, release: Release | None, *, embeds: bool = False) -> CatalogueIndex:
    """Build an index in this process: seconds, and minutes for half a million titles.

    Args:
        now: the revision, read before.
        release: the live one.
        embeds: whether passages without a vector get one, where there is a text embedder; it takes
            much longer, the first time.

    Raises:
        TitlesChangedError: titles come and go faster than they can be exported.
        StoreError: the store of artifacts does not answer.
    """
    if release is not None:
        with suppress(ArtifactError):  # loading it says what is wrong
            release.fetch()  # before the export, which takes a while
    popular, search = _export(release, embeds)
    recommender = None
    if release is not None:
        try:
            recommender = Recommender.load(release.fetch(), popular.catalogue)
        except Exception:  # another version of Marquee may have written it
            logger.exception("release %s cannot be loaded", release.pk)
        else:
            search = search.with_space(recommender.space)
    genres = IdsByName(dict(Genre.objects.values_list("name", "pk")))
    people = IdsByName(dict(Person.objects.values_list("name", "pk").iterator(chunk_size=20_000)))
    release_id = release.pk if release else None
    return CatalogueIndex(now, release_id, popular, search, genres, people, recommender)


def _export(release: Release | None, embeds: bool) -> tuple[PopularTitles, SearchEngine]:
    """Return the catalogue and search over the same titles.

    Raises:
        TitlesChangedError: titles came or went between the two, time and again.
    """
    for _ in range(EXPORT_ATTEMPTS):
        catalogue = export_catalogue()
        documents = list(export_documents(chosen_until=release.created_at if release else None))
        search = SearchEngine.build(documents)
        if np.array_equal(search.document_ids, catalogue.titles.ids):
            return PopularTitles(catalogue), with_passages(search, documents, embeds=embeds)
    raise TitlesChangedError("titles come and go faster than they can be exported: try again later")


def open_index(
    now: Revision, release_id: int | None, behind: Revision | None = None
) -> CatalogueIndex | None:
    """Map the newest index of a release, None where none is of use.

    Args:
        now: the catalogue's revision.
        release_id: the live release's.
        behind: the revision this process serves; None takes an index of `now` alone. Where titles
            change without end, no index may be as new as they are: one ahead of this will do.
    """
    try:
        names = _newest()
    except StoreError as error:
        logger.warning("no index of the catalogue is looked for: %s", error)
        return None
    for name in names:
        try:
            folder = artifact_store().fetch(name)
            about = about_mapped(folder)
            found = _revision_of(about)
            is_of_use = about == _about(found, release_id) and (
                found == now or (behind is not None and behind[1] < found[1] <= now[1])
            )
            if is_of_use:
                index: CatalogueIndex = load_mapped(folder, CLASSES, about)
                return index
        except Exception as error:  # whatever is broken: there is another way to the same index
            logger.warning("the catalogue's index in %s is passed over: %s", name, error)
    return None


def publish_index() -> bool:
    """Build and publish the index of the catalogue and release of now, unless there is one.

    Safe to run twice and at once: whoever comes second leaves it to the first.

    Returns:
        Whether one was built.
    """
    with session_lock(*LOCK) as is_mine:
        if not is_mine:
            return False
        now = revision()
        release = Release.objects.filter(is_live=True).first()
        about = _about(now, release.pk if release else None)
        if any(_is_about(name, about) for name in _newest()):
            return False
        started = timezone.now()
        name = f"{FOLDER}/{started:%Y%m%dT%H%M%S%f}-{_short(about)}"
        store = artifact_store()
        _save(name, about, now, release)
        store.put(name)
        for old in set(store.names(FOLDER, with_unfinished=True)) - set(_newest()):
            store.delete(old)
        seconds = (timezone.now() - started).total_seconds()
        logger.info("the catalogue's index is published, built in %.1f s", seconds)
        return True


def is_being_built() -> bool:
    """Return whether some process on any machine builds one at the moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK)
        return not cursor.fetchone()[0]


def _save(name: str, about: dict[str, Any], now: Revision, release: Release | None) -> None:
    folder = settings.MARQUEE_HOME / name
    index = build_index(now, release, embeds=True)
    index.popular.catalogue.prepare()
    if index.recommender is not None:
        index.recommender.catalogue.prepare()
    try:
        save_mapped(folder, index, CLASSES, about)
    except ArtifactError as error:
        logger.info("every process loads the recommender itself: %s", error)
        save_mapped(folder, replace(index, recommender=None), CLASSES, about)


def _newest() -> list[str]:
    """Return the names of the published indexes that are kept, newest first."""
    return artifact_store().names(FOLDER)[::-1][:KEPT]


def _about(now: Revision, release_id: int | None) -> dict[str, Any]:
    about = {"revision": list(now), "release": release_id, "code": _code()}
    return about | {"embedder": embedder_fingerprint()}


def _revision_of(about: dict[str, Any]) -> Revision:
    count, latest = about["revision"]
    return int(count), str(latest)


def _is_about(name: str, about: dict[str, Any]) -> bool:
    try:
        return about_mapped(artifact_store().fetch(name)) == about
    except ArtifactError:
        return False


def _short(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]


@cache
def _code() -> str:
    return code_fingerprint(settings.BASE_DIR / package for package in PACKAGES)

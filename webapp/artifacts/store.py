"""The artifact store: folders of trained models and indexes by name, each written once and whole.

Without `MARQUEE_ARTIFACT_STORE` they lie below `MARQUEE_HOME` and nowhere else. With it, hosts
share them by a bucket (`webapp.artifacts.bucket`).
"""

import shutil
from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class StoreError(Exception):
    """The store did not answer, or refused; the same call may succeed later."""


class ArtifactStore(Protocol):
    """Folders by name; a name is a relative path such as `artifacts/run-7`."""

    def put(self, name: str) -> None:
        """Give other hosts a folder that lies below `MARQUEE_HOME`.

        Raises:
            StoreError: the store does not take it.
        """

    def fetch(self, name: str) -> Path:
        """Return where a folder lies on this machine, downloaded if need be.

        Raises:
            ArtifactError: the store has no such folder, or not as it was put there.
            StoreError: the store does not answer.
        """

    def names(self, parent: str, *, with_unfinished: bool = False) -> list[str]:
        """Return the names of the folders in a folder, in order.

        Args:
            parent: such as `artifacts`.
            with_unfinished: those too that are being put, or never came whole.

        Raises:
            StoreError: the store does not answer.
        """

    def delete(self, name: str) -> None:
        """Delete a folder, here and in the store, or what is there of it.

        Raises:
            StoreError: the store does not answer.
        """


class HomeStore:
    """Folders below a home, for one machine, or for several that share a file system."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def put(self, name: str) -> None:
        """Nothing is to be done."""

    def fetch(self, name: str) -> Path:
        """Return the folder's path, whether or not it is there; reading it says so."""
        return self._home / name

    def names(self, parent: str, *, with_unfinished: bool = False) -> list[str]:
        found = (self._home / parent).glob("*/" if with_unfinished else "[!.]*/")
        return sorted(f"{parent}/{folder.name}" for folder in found)

    def delete(self, name: str) -> None:
        shutil.rmtree(self._home / name, ignore_errors=True)


def artifact_store() -> ArtifactStore:
    """Return the store that the settings name.

    Raises:
        ImproperlyConfigured: it is a bucket, and obstore is not installed or knows no such address.
    """
    return _store(settings.ARTIFACT_STORE, settings.MARQUEE_HOME, settings.DOWNLOADED_BYTES)


@cache
def _store(url: str, home: Path, most_bytes: int) -> ArtifactStore:
    if not url:
        return HomeStore(home)
    try:
        bucket_store = import_string("webapp.artifacts.bucket.bucket_store")
    except ImportError as error:
        raise ImproperlyConfigured(
            "MARQUEE_ARTIFACT_STORE needs obstore: `pip install -r requirements-cluster.txt`."
        ) from error
    store: ArtifactStore = bucket_store(url, home, most_bytes)
    return store

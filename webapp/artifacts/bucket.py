"""A bucket by which hosts share artifacts: folders written on one, downloaded by those without.

    PREFIX/artifacts/run-7/ials/arrays.safetensors   one of its files
    PREFIX/artifacts/run-7.json                      all of them with their SHA-256; comes last
    MARQUEE_HOME/downloaded/artifacts--run-7/        what a host downloaded

A folder without its list does not exist. Downloads beyond `MARQUEE_DOWNLOADED_GB` are deleted, the
ones used longest ago first; a process that has a deleted one mapped keeps what it mapped.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import obstore
from django.core.exceptions import ImproperlyConfigured
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from recommender.errors import ArtifactError
from recommender.whole_folder import sha256_of, sync, whole_folder
from webapp.artifacts.store import HomeStore, StoreError

TIMEOUT_SECONDS, RETRIES, RETRY_SECONDS = 30, 3, 60
"""Of one request to a bucket, how often one that failed is repeated, and for how long in all."""
CHUNK_BYTES = 4 << 20
LIST = ".json"


class BucketStore:
    """Folders in a bucket, and copies of them below a home."""

    def __init__(self, bucket: ObjectStore, home: Path, most_bytes: int) -> None:
        """Prepare; nothing is asked yet.

        Args:
            bucket: with all that Marquee keeps there below its prefix.
            home: holds what this machine wrote, and `downloaded`, its copies of the rest.
            most_bytes: that the copies may take together.
        """
        self._bucket = bucket
        self._written = HomeStore(home)
        self._downloaded = home / "downloaded"
        self._most_bytes = most_bytes

    def put(self, name: str) -> None:
        folder = self._written.fetch(name)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        checksums = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
        with _asking(f"{name} cannot be put into the store"):
            for file in checksums:
                obstore.put(self._bucket, f"{name}/{file}", folder / file)
            obstore.put(self._bucket, name + LIST, json.dumps({"sha256": checksums}).encode())

    def fetch(self, name: str) -> Path:
        own, copy = self._written.fetch(name), self._copy(name)
        if own.exists():
            return own
        with self._downloading():
            if not copy.exists():
                self._download(name, copy)
                self._delete_unused(copy)
            now = time.time_ns()  # the file system's own clock ticks in milliseconds
            os.utime(copy, ns=(now, now))
        return copy

    def names(self, parent: str, *, with_unfinished: bool = False) -> list[str]:
        with _asking(f"{parent} cannot be listed"):
            found = obstore.list_with_delimiter(self._bucket, parent)
        files = [item["path"] for item in found["objects"]]
        names = {file.removesuffix(LIST) for file in files if file.endswith(LIST)}
        names |= set(found["common_prefixes"]) if with_unfinished else set()
        own = self._written.names(parent, with_unfinished=with_unfinished)
        return sorted(names.union(own))

    def delete(self, name: str) -> None:
        with _asking(f"{name} cannot be deleted"):
            with suppress(FileNotFoundError):
                obstore.delete(self._bucket, name + LIST)  # first: without it the folder is gone
            for batch in obstore.list(self._bucket, name):
                obstore.delete(self._bucket, [item["path"] for item in batch])
        self._written.delete(name)
        shutil.rmtree(self._copy(name), ignore_errors=True)

    def _download(self, name: str, copy: Path) -> None:
        """Write a copy whole, checked.

        Raises:
            ArtifactError: it is not in the bucket, or is not what was put there.
            StoreError: the bucket does not answer.
        """
        with _asking(f"{name} cannot be fetched"), whole_folder(copy) as draft:
            for file, checksum in self._checksums(name).items():
                path = draft / file
                if not path.resolve().is_relative_to(draft.resolve()):
                    raise ArtifactError(f"{name} in the store names the file {file}: train again")
                path.parent.mkdir(parents=True, exist_ok=True)
                answer = obstore.get(self._bucket, f"{name}/{file}")
                with path.open("wb") as target:
                    target.writelines(answer.stream(min_chunk_size=CHUNK_BYTES))
                sync(path)
                if sha256_of(path) != checksum:
                    raise ArtifactError(f"{name}/{file} in the store is not what was put there")

    def _checksums(self, name: str) -> dict[str, str]:
        """Return the SHA-256 of a folder's files by name, as its list has them."""
        text = bytes(obstore.get(self._bucket, name + LIST).bytes())
        try:
            return {str(file): str(sum_) for file, sum_ in json.loads(text)["sha256"].items()}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{name}{LIST} in the store cannot be read: {error}") from error

    @contextmanager
    def _downloading(self) -> Iterator[None]:
        """Let one process of this machine download at once; the others find what it brought."""
        self._downloaded.mkdir(parents=True, exist_ok=True)
        with (self._downloaded / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _delete_unused(self, new: Path) -> None:
        """Delete the copies used longest ago, until all take no more than they may."""
        copies = [folder for folder in self._downloaded.glob("[!.]*/") if folder != new]
        copies.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        total = _size(new)
        for folder in copies:
            total += _size(folder)
            if total > self._most_bytes:
                shutil.rmtree(folder, ignore_errors=True)

    def _copy(self, name: str) -> Path:
        return self._downloaded / name.replace("/", "--")


def bucket_store(url: str, home: Path, most_bytes: int) -> BucketStore:
    """Return the store of a bucket; nothing is asked yet.

    Access is set by the environment variables of its kind, such as `AWS_ACCESS_KEY_ID`.

    Args:
        url: of the bucket, with the prefix of all that Marquee keeps there.
        home: see `BucketStore`.
        most_bytes: the same.

    Raises:
        ImproperlyConfigured: obstore knows no such address.
    """
    is_plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    try:
        bucket = from_url(
            url,
            client_options={"timeout": f"{TIMEOUT_SECONDS} s", "allow_http": is_plain},
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            },
        )
    except (BaseError, ValueError) as error:
        raise ImproperlyConfigured(f"MARQUEE_ARTIFACT_STORE cannot be {url}: {error}.") from error
    return BucketStore(bucket, home, most_bytes)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turn what a bucket raises into our errors.

    Raises:
        ArtifactError: what was asked for is not there.
        StoreError: the bucket does not answer or refuses, or this machine's disk does.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise ArtifactError(f"{what}: the store has no such file") from error
    except (BaseError, OSError) as error:
        raise StoreError(f"{what}: {str(error).partition('Debug source')[0].strip()}") from error


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

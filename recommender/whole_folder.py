"""Folders that are written whole: a draft's files in, a folder under its name out.

The draft is on disk, its files and their names, before it gets its name, and the name is on disk
before anyone hears of it. So a power cut leaves the whole folder or none.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recommender.errors import ArtifactError


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty draft beside the folder; it becomes the folder when the block ends.

    A block that raises leaves nothing.

    Raises:
        ArtifactError: the folder exists already.
    """
    if folder.exists():
        raise ArtifactError(f"{folder} exists already: it is written once")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        draft.chmod(0o755)
        for path in [*draft.iterdir(), draft]:
            sync(path)
        os.replace(draft, folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def sha256_of(path: Path) -> str:
    """Return the checksum of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

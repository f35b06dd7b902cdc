"""Folders that a backup or a restore works in; a later one takes away what a kill left behind."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STALE_SECONDS = 24 * 3600.0


@contextmanager
def draft_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder, for its owner alone; it is gone after the block.

    Folders of the same prefix go first, if nothing was written in them for a day.

    Raises:
        OSError: it cannot be made.
    """
    _sweep(parent, prefix)
    draft = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sweep(parent: Path, prefix: str) -> None:
    oldest = time.time() - STALE_SECONDS
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # another one sweeps, or it is another account's
            if folder.is_dir() and not folder.is_symlink() and _written_at(folder) < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def _written_at(folder: Path) -> float:
    """Return when anything in a folder was written last; a long dump writes a file for hours."""
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))

"""Artifacts broken on purpose: each key of a manifest and each array, in every way we know.

What is broken gets a checksum of its own, so that the break reaches whoever reads the artifact.
"""

import copy
import hashlib
import json
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from recommender.arrays import AnyArray
from recommender.artifacts import ARRAYS, MANIFEST

OTHERS: tuple[Any, ...] = ("x", -1)
"""Values of other types than those that stand there, or far from them."""


def breakages(folder: Path, every: int = 1) -> Iterator[str]:
    """Break the artifacts below a folder, one break at a time, and yield what is broken now.

    Args:
        folder: of a release or ranker.
        every: one break of so many is made, always the same ones; the artifact gone always is.
    """
    for artifact in sorted(path.parent for path in folder.rglob(MANIFEST)):
        whole = artifact.with_name(f".{artifact.name}-whole")
        shutil.copytree(artifact, whole)
        name = str(artifact.relative_to(folder))
        try:
            for how in _broken(artifact, whole):
                if zlib.crc32(f"{name} {how}".encode()) % every == 0:
                    yield f"{name}: {how}"
                _restore(whole, artifact)
            shutil.rmtree(artifact)
            yield f"{name}: gone"
        finally:
            _restore(whole, artifact)
            shutil.rmtree(whole)


def _restore(whole: Path, artifact: Path) -> None:
    shutil.rmtree(artifact, ignore_errors=True)
    shutil.copytree(whole, artifact)


def _broken(artifact: Path, whole: Path) -> Iterator[str]:
    manifest = json.loads((whole / MANIFEST).read_text())
    for how, broken in _broken_manifests(manifest):
        (artifact / MANIFEST).write_text(json.dumps(broken))
        yield how
    arrays = load_file(whole / ARRAYS)
    for name in arrays:
        for how, changed in _broken_arrays(arrays[name]):
            others = {key: array for key, array in arrays.items() if key != name}
            _write(artifact, manifest, others | ({} if changed is None else {name: changed}))
            yield f"array {name} {how}"
    (artifact / ARRAYS).write_bytes((whole / ARRAYS).read_bytes()[:-7])
    yield "arrays cut off"


def _write(artifact: Path, manifest: dict[str, Any], arrays: dict[str, AnyArray]) -> None:
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, artifact / ARRAYS
    )
    checksum = hashlib.sha256((artifact / ARRAYS).read_bytes()).hexdigest()
    described = manifest | {"checksums": {ARRAYS: checksum}}
    (artifact / MANIFEST).write_text(json.dumps(described))


def _broken_manifests(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "a manifest that is a list", [manifest]
    yield "another format", manifest | {"format": 2}
    yield "an unknown key", manifest | {"unknown": 1}
    yield "an unknown setting", manifest | {"config": manifest["config"] | {"unknown": 1}}
    for path in _paths(manifest):
        is_read = path[0] not in ("versions", "created_at", "data", "metrics")
        if not (is_read or path in (("metrics",), ("metrics", "visit_side"))):
            continue  # by people alone
        broken = copy.deepcopy(manifest)
        *way, key = path
        parent: Any = broken
        for step in way:
            parent = parent[step]
        where = ".".join(map(str, path))
        old = parent.pop(key)
        yield f"no {where}", copy.deepcopy(broken)
        for other in OTHERS:
            parent[key] = other
            if other != old:
                yield f"{where} = {other!r}", copy.deepcopy(broken)


def _paths(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each key, two deep in settings and one deep elsewhere."""
    for key in value:
        yield (*way, key)
        if isinstance(value[key], dict) and (len(way) < 1 or way[0] == "config") and len(way) < 3:
            yield from _paths(value[key], (*way, key))


def _broken_arrays(array: AnyArray) -> Iterator[tuple[str, AnyArray | None]]:
    yield "missing", None
    yield "with an axis more", array[None]
    yield "empty", array[:0] if array.ndim else array.reshape(1)[:0]
    yield "of another type", array.astype(np.float32 if array.dtype.kind in "iub" else np.int64)
    if array.ndim and len(array) > 1:
        yield "a row short", array[:-1]
        yield "a row long", np.concatenate([array, array[-1:]])
    if array.dtype.kind == "f":
        yield "not a number", np.full_like(array, np.nan)
        yield "without end", np.full_like(array, np.inf)
        yield "far too large", np.full_like(array, np.finfo(array.dtype).max)
    if array.dtype.kind in "iu":
        yield "far too large", np.full_like(array, np.iinfo(array.dtype).max)
    if array.dtype.kind == "i":
        yield "below 0", np.full_like(array, -5)

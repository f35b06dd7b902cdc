"""Artifacts: a model's config and arrays in, a folder with manifest and checksums out; no pickle.

    FOLDER/manifest.json       what it is, from which data and config, its metrics, checksums
    FOLDER/arrays.safetensors  what was learned

A folder is written whole: it appears under its name only when everything in it is on disk.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recommender.arrays import AnyArray
from recommender.errors import ArtifactError

Config = TypeVar("Config")

MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"


@dataclass(frozen=True)
class Provenance:
    """Where an artifact comes from; everything in it is plain JSON."""

    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""


UNSTATED = Provenance()


@dataclass(frozen=True)
class Manifest:
    """An artifact's description of itself; plain JSON throughout."""

    model: str
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    metrics: Mapping[str, Any]
    versions: Mapping[str, str]
    created_at: str
    checksums: Mapping[str, str]


@dataclass(frozen=True)
class Artifact:
    manifest: Manifest
    arrays: Mapping[str, AnyArray]


def save_artifact(
    folder: Path,
    model: str,
    config: Any,
    arrays: Mapping[str, AnyArray],
    provenance: Provenance = UNSTATED,
) -> Manifest:
    """Write an artifact and return its manifest.

    Args:
        folder: created.
        model: the kind of model.
        config: a dataclass, the model's settings.
        arrays: what was learned, by name.
        provenance: goes into the manifest.

    Raises:
        ArtifactError: the folder exists already.
    """
    if folder.exists():
        raise ArtifactError(f"{folder} exists already: an artifact is written once")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, draft / ARRAYS)
        checksums = {ARRAYS: _sha256(draft / ARRAYS)}
        finished = Manifest(model, asdict(config), **asdict(provenance), checksums=checksums)
        (draft / MANIFEST).write_text(json.dumps(asdict(finished), indent=2, sort_keys=True))
        draft.chmod(0o755)
        os.replace(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return finished


def load_artifact(folder: Path, model: str | None = None) -> Artifact:
    """Read an artifact back and check it.

    Args:
        folder: where `save_artifact` wrote it.
        model: the kind of model expected, or None for any.

    Raises:
        ArtifactError: a file is missing or changed, or the artifact is another model's.
    """
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
        checksum = _sha256(folder / ARRAYS)
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"{folder} holds no readable artifact: {error}") from error
    if checksum != manifest.checksums.get(ARRAYS):
        raise ArtifactError(f"{folder / ARRAYS} changed since it was written: train it again")
    if model is not None and manifest.model != model:
        raise ArtifactError(f"{folder} holds a {manifest.model}, expected a {model}")
    try:
        return Artifact(manifest, load_file(folder / ARRAYS))
    except SafetensorError as error:
        raise ArtifactError(f"{folder / ARRAYS} cannot be read: {error}") from error


def read_config(
    config_class: type[Config], saved: Mapping[str, Any], retired: Mapping[str, Any]
) -> Config:
    """Return a model's settings as an artifact's manifest holds them.

    Args:
        config_class: of the settings.
        saved: by name, settings that have since been removed too.
        retired: the removed settings, each with the one value that the code still implements.

    Raises:
        ArtifactError: a removed setting has another value, or a setting is unknown.
    """
    for name, value in retired.items():
        if saved.get(name, value) != value:
            raise ArtifactError(
                f"{name} = {saved[name]!r} is no longer supported: train the model again"
            )
    try:
        return config_class(**{name: v for name, v in saved.items() if name not in retired})
    except TypeError as error:
        raise ArtifactError(f"the manifest has other settings than this model: {error}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

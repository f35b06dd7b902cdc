"""Artifacts: a model's config and arrays in, a folder with manifest and checksums out; no pickle.

    FOLDER/manifest.json       what it is, from which data and config, its metrics, checksums
    FOLDER/arrays.safetensors  what was learned

A folder is written whole: it appears under its name only when everything in it is on disk.

An artifact of another version of Marquee is read by this rule, or refused in words:

    format     another `FORMAT` is refused; an artifact without one has format 1
    settings   one that is missing has its default; one that was removed is accepted with the value
               the code still implements (`read_config`), and any other unknown one is refused
    arrays     each must have the shape that the others and the settings ask for, and be finite
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recommender.arrays import AnyArray
from recommender.errors import ArtifactError, RecommenderError
from recommender.whole_folder import sha256_of, whole_folder

Config = TypeVar("Config")

MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"
FORMAT = 1
"""Of the manifest and of what the arrays mean; a change that older code misreads raises it."""


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
    format: int = FORMAT


@dataclass(frozen=True)
class Artifact:
    manifest: Manifest
    arrays: Mapping[str, AnyArray]

    def array(self, name: str, kind: str, *shape: int | None) -> AnyArray:
        """Return an array after a check of its type and shape.

        Args:
            name: of the array.
            kind: of its numbers, as in `numpy.dtype.kind`; "iu" allows either.
            shape: one size for each axis, None where any will do.

        Raises:
            ArtifactError: it is missing, or of another type or shape.
        """
        if name not in self.arrays:
            raise ArtifactError(f"the {self.manifest.model} has no array {name}: train it again")
        array = self.arrays[name]
        is_shaped = array.ndim == len(shape) and all(
            size in (None, found) for size, found in zip(shape, array.shape, strict=True)
        )
        if array.dtype.kind not in kind or not is_shaped:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise ArtifactError(
                f"{name} of the {self.manifest.model} is {array.dtype} {array.shape}, expected "
                f"kind {kind} and shape ({wanted}): train it again"
            )
        return array

    def ids(self, name: str) -> AnyArray:
        """Return the ids of a vocabulary, (I,) int64, each larger than the one before.

        Raises:
            ArtifactError: they are missing, or others than a vocabulary saves.
        """
        ids = self.array(name, "i", None)
        if not (np.diff(ids) > 0).all():
            raise ArtifactError(
                f"{name} of the {self.manifest.model} must ascend, so the rest of it belongs to "
                "other ids: train it again"
            )
        return ids

    def indices(self, name: str, limit: int, *shape: int | None) -> AnyArray:
        """Return an array of whole numbers from 0 to below `limit`.

        Raises:
            ArtifactError: it is missing, of another type or shape, or holds another number.
        """
        array = self.array(name, "iu", *shape)
        if array.size and not (array.min() >= 0 and array.max() < limit):
            raise ArtifactError(
                f"{name} of the {self.manifest.model} must lie from 0 to {limit - 1}, got "
                f"{array.min()} to {array.max()}: train it again"
            )
        return array


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
    with whole_folder(folder) as draft:
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, draft / ARRAYS)
        checksums = {ARRAYS: sha256_of(draft / ARRAYS)}
        finished = Manifest(model, asdict(config), **asdict(provenance), checksums=checksums)
        (draft / MANIFEST).write_text(json.dumps(asdict(finished), indent=2, sort_keys=True))
    return finished


def load_artifact(folder: Path, model: str | None = None) -> Artifact:
    """Read an artifact back and check it.

    Args:
        folder: where `save_artifact` wrote it.
        model: the kind of model expected, or None for any.

    Raises:
        ArtifactError: a file is missing or changed, a number is not finite, or the artifact is
            another model's or of another format.
    """
    with loading(folder):
        described = json.loads((folder / MANIFEST).read_text())
        written = described.get("format", 1)
        if written != FORMAT:
            raise ArtifactError(
                f"{folder} has format {written}, and this version of Marquee reads format "
                f"{FORMAT}: train it again, or run the version that wrote it"
            )
        manifest = Manifest(**described)
        if sha256_of(folder / ARRAYS) != manifest.checksums.get(ARRAYS):
            raise ArtifactError(f"{folder / ARRAYS} changed since it was written: train it again")
        if model is not None and manifest.model != model:
            raise ArtifactError(f"{folder} holds a {manifest.model}, expected a {model}")
        arrays = load_file(folder / ARRAYS)
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ArtifactError(f"{name} in {folder} is not finite: train it again")
        return Artifact(manifest, arrays)


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Turn whatever reading an artifact raises into an ArtifactError that names the folder.

    A manifest can hold anything: another version of Marquee may have written it.

    Raises:
        ArtifactError: the block failed because of what it read.
    """
    try:
        yield
    except ArtifactError:
        raise
    except (
        ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError,
        SafetensorError, TypeError, ValueError, RecommenderError,
    ) as error:  # fmt: skip
        raise ArtifactError(
            f"{folder} holds no readable artifact, it is broken or another version's "
            f"({type(error).__name__}: {error}): train it again, or run the version that wrote it"
        ) from error


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
        raise ArtifactError(
            f"the manifest has other settings than this model ({error}): train it again, or run "
            "the version that wrote it"
        ) from error

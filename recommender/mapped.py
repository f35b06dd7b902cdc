"""Mapped objects: an object of known classes in, a folder that processes map into memory out.

    FOLDER/manifest.json   what it is, the objects and their fields, each file's size and checksum
    FOLDER/N.npy           one array each

Processes that load a folder share its pages. It is a cache of what can be built again, for the code
that built it (`code_fingerprint`), and no format for keeping. Nothing in it is run: whoever loads
it names the classes, whose fields are set without calling them. A folder appears under its name
only when everything in it is written.

A class with caches of its own lists their fields in `CACHES`; they are left out, and its
`start_caches` is called where an object was mapped.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy import sparse

from recommender.arrays import AnyArray
from recommender.errors import ArtifactError
from recommender.whole_folder import whole_folder

FORMAT = 1
MANIFEST = "manifest.json"
READ_BELOW_BYTES = 16_384
"""Smaller arrays are read: mapping them would cost more than it shares."""
ROOM_ROWS, ROOM_BYTES, MOST_ROOM_BYTES = 256, 2**16, 2**20
"""So many rows are left free behind an array, within these bounds: a hole for `grown`."""
_PLAIN = (type(None), bool, int, float, str)
_SPARSE = {"csr": sparse.csr_array, "csc": sparse.csc_array}


def code_fingerprint(folders: Iterable[Path]) -> str:
    """Return a checksum of the Python files in these folders and of the numeric libraries."""
    checksum = hashlib.sha256(f"{FORMAT} {np.__version__} {scipy.__version__}".encode())
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            checksum.update(str(path.relative_to(folder)).encode())
            checksum.update(path.read_bytes())
    return checksum.hexdigest()[:16]


def save_mapped(
    folder: Path, root: object, classes: Collection[type], about: Mapping[str, Any]
) -> None:
    """Write an object and all that it refers to.

    Args:
        folder: created.
        root: holds arrays, plain values, lists, tuples, dictionaries, sparse matrices and objects
            of `classes`; what two of them share stays shared.
        classes: the classes whose objects may be written.
        about: plain JSON; `load_mapped` refuses a folder that is about something else.

    Raises:
        ArtifactError: the folder exists already, or something else is referred to.
    """
    with whole_folder(folder) as draft:
        writer = _Writer(draft, classes)
        manifest = {"about": dict(about), "root": writer.encoded(root), **writer.contents()}
        text = json.dumps(manifest, sort_keys=True)
        (draft / MANIFEST).write_text(json.dumps([_checksum(text.encode()), text]))


def load_mapped(folder: Path, classes: Collection[type], about: Mapping[str, Any]) -> Any:
    """Map what `save_mapped` wrote; its arrays are read-only and shared between processes.

    Reads every byte once, for the checksums.

    Args:
        folder: where it is.
        classes: the classes whose objects may be made.
        about: what it must be about.

    Raises:
        ArtifactError: the folder is missing, broken, about something else, or holds an object of
            another class.
    """
    manifest = _manifest(folder)
    if manifest["about"] != json.loads(json.dumps(about)):
        raise ArtifactError(f"{folder} is about {manifest['about']}, expected {about}")
    try:
        return _Reader(folder, classes, manifest).decoded(manifest["root"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
        raise ArtifactError(f"{folder} holds no readable index: {error}") from error


def grown(array: AnyArray, rows: AnyArray) -> AnyArray:
    """Return `np.concatenate([array, rows])`; of a mapped array the pages stay shared.

    The file is mapped once more, with the room behind it: only pages that are written to belong to
    this process. Where there is no such room, or the file is gone, all is copied.
    """
    source: Any = array.base
    is_whole = (
        isinstance(source, np.memmap)
        and source.shape == array.shape
        and source.flags.c_contiguous
        and array.ctypes.data == source.ctypes.data
    )
    if is_whole:
        shape = (len(array) + len(rows), *array.shape[1:])
        try:
            more = np.memmap(
                source.filename, array.dtype, mode="c", offset=source.offset, shape=shape
            )
        except (OSError, ValueError):
            return np.concatenate([array, rows])
        more[len(array) :] = rows
        return np.asarray(more)
    return np.concatenate([array, rows.astype(array.dtype, copy=False)])


def grown_matrix(matrix: sparse.csr_array, rows: sparse.csr_array) -> sparse.csr_array:
    """Return `sparse.vstack([matrix, rows])` by `grown`, in sorted order."""
    rows = rows.copy()
    rows.sum_duplicates()
    bounds = np.concatenate([matrix.indptr, matrix.indptr[-1] + rows.indptr[1:]])
    joined = sparse.csr_array(
        (
            grown(matrix.data, rows.data.astype(matrix.data.dtype)),
            grown(matrix.indices, rows.indices.astype(matrix.indices.dtype)),
            bounds.astype(matrix.indptr.dtype),
        ),
        shape=(matrix.shape[0] + rows.shape[0], matrix.shape[1]),
        copy=False,
    )
    if matrix.has_canonical_format:
        joined.has_canonical_format = True  # so that nothing sorts its arrays
    return joined


def about_mapped(folder: Path) -> dict[str, Any]:
    """Return what a folder is about, without its arrays.

    Raises:
        ArtifactError: the folder is missing, or its manifest broken.
    """
    about: dict[str, Any] = _manifest(folder)["about"]
    return about


def _manifest(folder: Path) -> dict[str, Any]:
    """Read what describes a folder.

    Raises:
        ArtifactError: it is missing or broken.
    """
    try:
        checksum, text = json.loads((folder / MANIFEST).read_text())
        if checksum != _checksum(text.encode()):
            raise ArtifactError(f"{folder / MANIFEST} changed since it was written")
        manifest: dict[str, Any] = json.loads(text)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{folder} holds no readable index: {error}") from error
    return manifest


@dataclass
class _Writer:
    """Writes arrays as files, and describes everything else in JSON."""

    folder: Path
    classes: Collection[type]
    arrays: list[list[int]] = field(default_factory=list)
    """Bytes of file N, of the room behind them, and the checksum of the first."""
    objects: list[list[Any]] = field(default_factory=list)
    """Class and fields; those that an object refers to come before it."""
    written: dict[int, tuple[object, Any]] = field(default_factory=dict)
    """By id, kept alive so that no other object gets it; None while it is being written."""

    def contents(self) -> dict[str, Any]:
        return {"arrays": self.arrays, "objects": self.objects}

    def encoded(self, value: object) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, np.generic):
            return {"number": [value.dtype.str, value.item()]}
        if type(value) is list or type(value) is tuple:
            return {type(value).__name__: [self.encoded(each) for each in value]}
        if type(value) is dict:
            pairs = value.items()
            return {"dict": [[self.encoded(k), self.encoded(v)] for k, v in pairs]}
        if id(value) not in self.written:
            self.written[id(value)] = value, None
            self.written[id(value)] = value, self._new(value)
        code = self.written[id(value)][1]
        if code is None:
            raise ArtifactError(f"{type(value).__name__} refers to itself and cannot be mapped")
        return code

    def _new(self, value: object) -> dict[str, Any]:
        if isinstance(value, np.ndarray):
            return {"array": self._written(value)}
        if isinstance(value, sparse.csr_array | sparse.csc_array):
            matrix = value
            if not matrix.has_canonical_format:
                matrix = matrix.copy()
                matrix.sum_duplicates()
            arrays = matrix.data, matrix.indices, matrix.indptr
            return {"sparse": [matrix.format, list(matrix.shape), *map(self.encoded, arrays)]}
        if type(value) not in self.classes:
            raise ArtifactError(f"a {type(value).__name__} cannot be mapped: it is not listed")
        if isinstance(value, Enum):
            return {"enum": [_name(type(value)), value.value]}
        left_out = getattr(value, "CACHES", ())
        parts = {name: part for name, part in vars(value).items() if name not in left_out}
        fields = {name: self.encoded(part) for name, part in parts.items()}
        self.objects.append([_name(type(value)), fields])
        return {"object": len(self.objects) - 1}

    def _written(self, array: AnyArray) -> int:
        number = len(self.arrays)
        path = self.folder / f"{number}.npy"
        np.save(path, array, allow_pickle=False)
        size = path.stat().st_size
        room = _room(array) if size >= READ_BELOW_BYTES and array.ndim else 0
        self.arrays.append([size, room, _checksum(path.read_bytes())])
        os.truncate(path, size + room)
        return number


class _Reader:
    """Maps the arrays, then makes the objects in the order in which they were written."""

    def __init__(
        self, folder: Path, classes: Collection[type], manifest: Mapping[str, Any]
    ) -> None:
        self._classes = {_name(each): each for each in classes}
        self._arrays = [
            _mapped(folder / f"{number}.npy", *sizes)
            for number, sizes in enumerate(manifest["arrays"])
        ]
        self._sparse: dict[tuple[Any, ...], Any] = {}
        self._objects: list[Any] = []
        for name, fields in manifest["objects"]:
            class_ = self._listed(name)
            made: Any = object.__new__(class_)
            vars(made).update({field: self.decoded(part) for field, part in fields.items()})
            if hasattr(class_, "CACHES"):
                made.start_caches()
            self._objects.append(made)

    def _listed(self, name: str) -> type:
        if name not in self._classes:
            raise ArtifactError(f"it holds a {name}, which is not listed")
        return self._classes[name]

    def decoded(self, code: Any) -> Any:
        if not isinstance(code, dict):
            return code
        [(kind, value)] = code.items()
        match kind:
            case "array":
                return self._arrays[value]
            case "object":
                return self._objects[value]
            case "number":
                return np.dtype(value[0]).type(value[1])
            case "list":
                return [self.decoded(each) for each in value]
            case "tuple":
                return tuple(self.decoded(each) for each in value)
            case "dict":
                return {self.decoded(key): self.decoded(each) for key, each in value}
            case "enum":
                return self._listed(value[0])(value[1])
            case "sparse":
                return self._matrix(*value)
        raise ValueError(f"{kind} is no kind of value")

    def _matrix(self, format_: str, shape: list[int], *codes: Any) -> Any:
        key = (format_, *(code["array"] for code in codes))
        if key not in self._sparse:
            parts = tuple(self.decoded(code) for code in codes)
            matrix = _SPARSE[format_](parts, shape=tuple(shape), copy=False)
            matrix.has_canonical_format = True  # so that nothing sorts its read-only arrays
            self._sparse[key] = matrix
        return self._sparse[key]


def _room(array: AnyArray) -> int:
    wanted = ROOM_ROWS * (array.nbytes // max(len(array), 1))
    return min(max(wanted, ROOM_BYTES), MOST_ROOM_BYTES)


def _mapped(path: Path, size: int, room: int, checksum: int) -> AnyArray:
    """Return a file's array, read-only.

    Raises:
        ArtifactError: the file has another size or checksum.
    """
    if path.stat().st_size != size + room:
        raise ArtifactError(f"{path} has {path.stat().st_size} bytes, expected {size + room}")
    is_mapped = size >= READ_BELOW_BYTES
    content = (
        np.memmap(path, dtype=np.uint8, mode="r", shape=(size,)).data
        if is_mapped
        else path.read_bytes()
    )
    if _checksum(content) != checksum:
        raise ArtifactError(f"{path} changed since it was written")
    loaded = np.load(path, mmap_mode="r" if is_mapped else None, allow_pickle=False)
    array: AnyArray = np.asarray(loaded)
    array.flags.writeable = False
    return array


def _checksum(content: bytes | memoryview) -> int:
    return zlib.crc32(content)


def _name(class_: type) -> str:
    return f"{class_.__module__}.{class_.__qualname__}"

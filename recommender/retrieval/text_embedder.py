"""Text embedder: texts in, unit vectors out, near each other where texts mean the same.

Reads a local folder of a sentence-transformers model whose network is BERT (all-MiniLM-L6-v2,
bge-small, multilingual-e5-small, …):

    config.json, tokenizer.json, model.safetensors
    1_Pooling/config.json, sentence_bert_config.json,       where they are there
    config_sentence_transformers.json

Nothing is downloaded and no code of the folder is run.

The network is Devlin et al. 2019 (BERT), a text's vector the mean of its tokens' last states or the
first one's (Reimers & Gurevych 2019, Sentence-BERT).

B texts, T tokens, D embedding, H heads.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from recommender.arrays import Float32
from recommender.errors import ArtifactError

BATCH_SIZE = 32
LONGEST_TEXT = 256
"""Tokens, where the folder does not say."""
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
}


@dataclass(frozen=True)
class TextEmbedderConfig:
    """What a model's folder says of it.

    Attributes:
        layers: how many.
        heads: H.
        embedding_size: D.
        epsilon: of layer normalisation.
        activation: between the two layers of the feed-forward network.
        longest: T at most; what follows is cut off.
        pools_first: take the first token's state, not the mean.
        query_prompt: what is put before a text that asks.
        document_prompt: what is put before a text that is looked for.
    """

    layers: int
    heads: int
    embedding_size: int
    epsilon: float
    activation: str
    longest: int
    pools_first: bool
    query_prompt: str
    document_prompt: str

    @classmethod
    def read(cls, folder: Path) -> "TextEmbedderConfig":
        """Read the files of a folder.

        Raises:
            ArtifactError: one is missing or broken, or the network is no BERT.
        """
        network, pooling, sizes, prompts = (
            _json(folder / name, is_optional=n > 0)
            for n, name in enumerate(
                (
                    "config.json",
                    "1_Pooling/config.json",
                    "sentence_bert_config.json",
                    "config_sentence_transformers.json",
                )
            )
        )
        activation = network.get("hidden_act", "gelu")
        if network.get("model_type") != "bert" or activation not in ACTIVATIONS:
            raise ArtifactError(
                f"{folder} holds a model of type {network.get('model_type')} ({activation}): "
                "only BERT is read, such as all-MiniLM-L6-v2"
            )
        said = prompts.get("prompts") or {}
        try:
            return cls(
                layers=int(network["num_hidden_layers"]),
                heads=int(network["num_attention_heads"]),
                embedding_size=int(network["hidden_size"]),
                epsilon=float(network.get("layer_norm_eps", 1e-12)),
                activation=activation,
                longest=min(
                    int(sizes.get("max_seq_length") or LONGEST_TEXT),
                    int(network["max_position_embeddings"]),
                ),
                pools_first=bool(pooling.get("pooling_mode_cls_token", False)),
                query_prompt=str(said.get("query", "")),
                document_prompt=str(said.get("document", said.get("passage", ""))),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtifactError(f"{folder / 'config.json'} is not whole: {error!r}") from error


class TextEmbedder:
    """A loaded model; threads may share it."""

    def __init__(
        self, config: TextEmbedderConfig, tokenizer: Tokenizer, weights: Mapping[str, Tensor]
    ) -> None:
        self.config = config
        self._tokenizer, self._weights = tokenizer, weights
        tokenizer.enable_truncation(config.longest)
        tokenizer.enable_padding()

    @classmethod
    def load(cls, folder: Path) -> "TextEmbedder":
        """Read a folder; its weights are mapped into memory, so processes share them.

        Raises:
            ArtifactError: a file is missing or broken, or the network is no BERT.
        """
        config = TextEmbedderConfig.read(folder)
        try:
            weights = load_file(folder / "model.safetensors")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises Exception itself
            raise ArtifactError(f"{folder} holds no readable model: {error}") from error
        embedder = cls(
            config,
            tokenizer,
            {name.removeprefix("bert."): weight.float() for name, weight in weights.items()},
        )
        try:
            embedder.embed_query("one text")
        except (KeyError, RuntimeError) as error:
            raise ArtifactError(f"the weights in {folder} are not whole: {error!r}") from error
        return embedder

    def embed_query(self, text: str) -> Float32:
        """Return (D,) the vector of a text that asks."""
        found: Float32 = self._embed([self.config.query_prompt + text])[0]
        return found

    def embed_documents(self, texts: Sequence[str]) -> Float32:
        """Return (B, D) the vectors of texts that are looked for; those of like length together."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        vectors = np.empty((len(texts), self.config.embedding_size), dtype=np.float32)
        for begin in range(0, len(texts), BATCH_SIZE):
            batch = order[begin : begin + BATCH_SIZE]
            vectors[batch] = self._embed([self.config.document_prompt + texts[n] for n in batch])
        return vectors

    def _embed(self, texts: Sequence[str]) -> Float32:
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = torch.tensor([one.ids for one in encoded])  # (B, T)
        is_token = torch.tensor([one.attention_mask for one in encoded], dtype=torch.bool)
        with torch.inference_mode():
            states = self._states(ids, is_token)  # (B, T, D)
            if self.config.pools_first:
                pooled = states[:, 0]
            else:
                kept = is_token[:, :, None].float()
                pooled = (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)
            vectors: Float32 = functional.normalize(pooled, dim=1).numpy()  # (B, D)
        return vectors

    def _states(self, ids: Tensor, is_token: Tensor) -> Tensor:
        """Return (B, T, D) the last states of tokens."""
        config, weights = self.config, self._weights
        batch, tokens = ids.shape
        states = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][:tokens]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._normalised(states, "embeddings.LayerNorm")
        attended = is_token[:, None, None, :]
        for n in range(config.layers):
            layer = f"encoder.layer.{n}."
            query, key, value = (
                self._linear(states, f"{layer}attention.self.{part}")
                .view(batch, tokens, config.heads, -1)
                .transpose(1, 2)  # (B, H, T, D / H)
                for part in ("query", "key", "value")
            )
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=attended)
            mixed = mixed.transpose(1, 2).reshape(batch, tokens, -1)
            mixed = self._linear(mixed, f"{layer}attention.output.dense")
            states = self._normalised(states + mixed, f"{layer}attention.output.LayerNorm")
            inner = self._linear(states, f"{layer}intermediate.dense")
            inner = self._linear(ACTIVATIONS[config.activation](inner), f"{layer}output.dense")
            states = self._normalised(states + inner, f"{layer}output.LayerNorm")
        return states  # (B, T, D)

    def _linear(self, states: Tensor, name: str) -> Tensor:
        return functional.linear(
            states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        )

    def _normalised(self, states: Tensor, name: str) -> Tensor:
        size = [self.config.embedding_size]
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(states, size, weight, bias, self.config.epsilon)


def fingerprint(folder: Path) -> str:
    """Return a checksum of a model's files: vectors of two models are never compared.

    Raises:
        ArtifactError: one is missing.
    """
    checksum = hashlib.sha256()
    try:
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            with (folder / name).open("rb") as file:
                checksum.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise ArtifactError(f"{folder} holds no model: {error}") from error
    return checksum.hexdigest()[:16]


def _json(path: Path, *, is_optional: bool) -> dict[str, Any]:
    if is_optional and not path.exists():
        return {}
    try:
        read: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    return read

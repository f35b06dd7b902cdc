"""The click models we are measured against, learned by the very recipe that FiFa learns by.

FM, DNN, DeepFM and DCN-V2 are torch-rechub's layers and models; FmFM, which it does not have, is
ours on its embeddings.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_rechub.basic.features import SparseFeature
from torch_rechub.basic.layers import FM, MLP, EmbeddingLayer
from torch_rechub.models.ranking import DCNv2, DeepFM

from recommender.arrays import Float32
from recommender.data.examples import Examples, Field
from recommender.models.fifa import LEAST_RATE, RATE_DROP

HIDDEN = (400, 400, 400)
CROSS_LAYERS = 3


@dataclass(frozen=True)
class Recipe:
    """How a peer learns; names as in `FifaConfig`."""

    learning_rate: float
    embedding_penalty: float
    dropout: float
    batch_examples: int = 4096
    epochs: int = 100
    patience: int = 2
    clip_norm: float = 10.0


class Peer:
    """One of the models, learned like FiFa."""

    def __init__(
        self, name: str, fields: tuple[Field, ...], size: int, recipe: Recipe, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self._names, self._recipe, self._seed = [field.name for field in fields], recipe, seed
        self._network = MODELS[name](fields, size, recipe.dropout)

    def fit(self, examples: Examples, validation: Callable[["Peer"], float]) -> int:
        """Learn, keep the best epoch, and return how many there were."""
        recipe, network = self._recipe, self._network
        optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, fused=True)
        rng = np.random.default_rng(self._seed)
        best, state, worse_for, rate = -np.inf, {}, 0, recipe.learning_rate
        epoch = 0
        while epoch < recipe.epochs:
            epoch += 1
            self._epoch(examples, optimizer, rng)
            value = validation(self)
            if value > best:
                best, worse_for = value, 0
                state = {name: t.clone() for name, t in network.state_dict().items()}
                continue
            worse_for += 1
            if worse_for >= recipe.patience:
                break
            rate = max(rate * RATE_DROP, LEAST_RATE)
            for group in optimizer.param_groups:
                group["lr"] = rate
        network.load_state_dict(state)
        return epoch

    def probabilities(self, examples: Examples) -> Float32:
        self._network.eval()
        size = self._recipe.batch_examples
        with torch.inference_mode():
            parts = [
                self._network(self._named(examples[n : n + size]))
                for n in range(0, len(examples), size)
            ]
        return torch.cat(parts).numpy()

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self._network.parameters())

    def _epoch(
        self, examples: Examples, optimizer: torch.optim.Optimizer, rng: np.random.Generator
    ) -> None:
        network, recipe = self._network, self._recipe
        tables = [
            p for name, p in network.named_parameters() if "embed_dict" in name or "first" in name
        ]
        network.train()
        order = rng.permutation(len(examples))
        for begin in range(0, len(order), recipe.batch_examples):
            rows = examples[order[begin : begin + recipe.batch_examples]]
            loss = functional.binary_cross_entropy(
                network(self._named(rows)), torch.from_numpy(rows.labels).float()
            )
            for table in tables:
                loss = loss + recipe.embedding_penalty / 2 * table.square().sum()
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
            optimizer.step()

    def _named(self, examples: Examples) -> dict[str, Tensor]:
        columns = torch.from_numpy(examples.categories)
        return {name: columns[:, n] for n, name in enumerate(self._names)}


class _Factorised(nn.Module):
    """FM: first order by a weight of each value, second by embeddings."""

    def __init__(self, fields: tuple[Field, ...], size: int, dropout: float) -> None:
        super().__init__()
        self._embedded, self._weighed = _features(fields, size), _features(fields, 1)
        self.embedding, self.first = EmbeddingLayer(self._embedded), EmbeddingLayer(self._weighed)
        self.bias = nn.Parameter(torch.zeros(1))
        self.pairs = FM(reduce_sum=True)

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        first = self.first(x, self._weighed, squeeze_dim=True).sum(1)
        second = self.pairs(self.embedding(x, self._embedded))[:, 0]
        return torch.sigmoid(self.bias + first + second)


class _FieldMatrixed(_Factorised):
    """FmFM: a matrix between the embeddings of each pair of fields."""

    upper: Tensor
    """(F, F, 1, 1), 1 above the diagonal."""

    def __init__(self, fields: tuple[Field, ...], size: int, dropout: float) -> None:
        super().__init__(fields, size, dropout)
        count = len(fields)
        self.matrices = nn.Parameter(torch.eye(size).repeat(count, count, 1, 1))
        self.register_buffer("upper", torch.ones(count, count).triu(1)[:, :, None, None])

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        first = self.first(x, self._weighed, squeeze_dim=True).sum(1)
        v = self.embedding(x, self._embedded)  # (N, F, d)
        count, size = v.shape[1:]
        matrix = (self.matrices * self.upper).transpose(1, 2).reshape(count * size, count * size)
        flat = v.flatten(1)
        return torch.sigmoid(self.bias + first + ((flat @ matrix) * flat).sum(1))


class _Deep(nn.Module):
    """DNN: three hidden layers on the embeddings."""

    def __init__(self, fields: tuple[Field, ...], size: int, dropout: float) -> None:
        super().__init__()
        self._embedded = _features(fields, size)
        self.embedding = EmbeddingLayer(self._embedded)
        self.layers = MLP(len(fields) * size, dims=list(HIDDEN), dropout=dropout)

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        return torch.sigmoid(self.layers(self.embedding(x, self._embedded, squeeze_dim=True))[:, 0])


def _deep_fm(fields: tuple[Field, ...], size: int, dropout: float) -> nn.Module:
    features = _features(fields, size)
    model: nn.Module = DeepFM(features, features, {"dims": list(HIDDEN), "dropout": dropout})
    return model


def _dcn_v2(fields: tuple[Field, ...], size: int, dropout: float) -> nn.Module:
    model: nn.Module = DCNv2(
        _features(fields, size), CROSS_LAYERS, {"dims": list(HIDDEN), "dropout": dropout},
        use_low_rank_mixture=False,
    )  # fmt: skip
    return model


def _features(fields: tuple[Field, ...], size: int) -> list[SparseFeature]:
    return [SparseFeature(field.name, field.num_values, size) for field in fields]


MODELS: dict[str, Callable[[tuple[Field, ...], int, float], nn.Module]] = {
    "FM": _Factorised,
    "FmFM": _FieldMatrixed,
    "DNN": _Deep,
    "DeepFM": _deep_fm,
    "DCN-V2": _dcn_v2,
}

"""FiFa: one network that is a factorisation machine, a deep network, or what lies between.

Almagor & Hoshen, "You Say Factorization Machine, I Say Neural Network - It's All in the
Activation", RecSys 2022.

    z     = v_1 … v_F side by side           a row of an embedding table for each category; a small
                                             network of each number
    u     = U z + c                          U in F blocks, one a field: (m, F d)
    logit = w · z + b + w_out · σ(u)

    σ(u) = u²        zᵀ Uᵀ diag(w_out) U z: an FM with a matrix for each pair of fields (FmFM),
                     factorised; a plain FM for one U
    σ(u) = max(u, 0) a network of one hidden layer on the embeddings, with a linear part
    σ(u) = GELU(u)   u/2 + u²/√(2π) + O(u⁴): the FM where u is small, the network where it is large;
                     the scale of U, which is learned, decides for each unit
    "half"           the first half of the units squares, the second is ReLU

N examples, F fields, C of them categorical and R numeric, d embedding, m units, h hidden units of
a numeric field.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender import checks
from recommender.arrays import Float32, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.examples import Examples, Field
from recommender.errors import InvalidInputError, NotFittedError
from recommender.models.early_stopping import BestSoFar, EpochReport

logger = logging.getLogger(__name__)

ACTIVATIONS = ("quadratic", "relu", "gelu", "half")
INITS = ("published", "xavier")
QUADRATIC_BELOW, RELU_ABOVE = 0.6, 2.0
"""|u| at which GELU is within 5 % of u/2 + u²/√(2π), and from which it is within 5 % of ReLU."""
RATE_DROP, LEAST_RATE = 0.1, 1e-6


@dataclass(frozen=True)
class FifaConfig:
    embedding_size: int = 10
    """d."""
    width_factor: float = 2.0
    """m / (F d)."""
    activation: str = "gelu"
    numeric_hidden: int = 100
    """Hidden units of the network that turns a number into an embedding."""
    embedding_dropout: float = 0.0
    """On z before U."""
    unit_dropout: float = 0.0
    """On σ(u)."""
    normalise: bool = False
    """Batch normalisation of z and of u while learning. Both are affine, so they go into U, c, w
    and b when learning ends, and what is kept is the same network with or without."""
    init: str = "xavier"
    """`published`: normals of 0.2, and of 1 for w; `xavier`: Glorot's, and small embeddings."""
    linear_penalty: float = 0.0
    """Of ‖w‖²/2 and ‖w_out‖²/2; the penalties are taken of whole tables at every step."""
    embedding_penalty: float = 0.0
    """Of ‖v‖²/2 of every embedding."""
    field_penalty: float = 0.0
    """Of ‖U‖²/2."""
    learning_rate: float = 1e-3
    """Adam's; a tenth of it from each epoch on that does not improve validation."""
    clip_norm: float = 10.0
    """Longest gradient."""
    batch_examples: int = 4096
    epochs: int = 100
    patience: int = 2
    """Epochs in a row without improvement before stopping."""
    seed: int = 0

    def __post_init__(self) -> None:
        checks.one_of(ACTIVATIONS, activation=self.activation)
        checks.one_of(INITS, init=self.init)
        checks.whole(
            embedding_size=self.embedding_size,
            numeric_hidden=self.numeric_hidden,
            batch_examples=self.batch_examples,
            epochs=self.epochs,
            patience=self.patience,
        )
        checks.positive(
            width_factor=self.width_factor,
            learning_rate=self.learning_rate,
            clip_norm=self.clip_norm,
        )
        checks.not_negative(
            linear_penalty=self.linear_penalty,
            embedding_penalty=self.embedding_penalty,
            field_penalty=self.field_penalty,
        )
        checks.share(embedding_dropout=self.embedding_dropout, unit_dropout=self.unit_dropout)


@dataclass(frozen=True, kw_only=True)
class FifaEpochReport(EpochReport):
    """An epoch's report; its loss is the mean log loss of the updates, penalties excluded."""

    learning_rate: float


@dataclass(frozen=True)
class Regimes:
    """Where the units work.

    Attributes:
        quadratic: (m,) share of examples for which |u| is so small that GELU is a square.
        relu: (m,) share for which it is so large that GELU is ReLU.
    """

    quadratic: Float32
    relu: Float32

    def summary(self) -> dict[str, float]:
        """Return the shares of units that mostly square, mostly rectify, and do neither."""
        squares, rectifies = self.quadratic > 0.5, self.relu > 0.5
        return {
            "quadratic": float(squares.mean()),
            "relu": float(rectifies.mean()),
            "between": float((~squares & ~rectifies).mean()),
        }


class Fifa:
    """Predicts a label from fields."""

    def __init__(self, fields: Sequence[Field], config: FifaConfig = FifaConfig()) -> None:
        if not fields:
            raise InvalidInputError("FiFa needs one field or more")
        self.fields, self.config = tuple(fields), config
        self._network: _Network | None = None

    def fit(
        self,
        examples: Examples,
        validation: Callable[["Fifa"], float] | None = None,
        on_epoch: Callable[[FifaEpochReport], None] | None = None,
        warm_start: "Fifa | None" = None,
        targets: Float32 | None = None,
    ) -> "Fifa":
        """Learn by log loss.

        Args:
            examples: N of them.
            validation: returns a value after every epoch, higher is better. Where it does not
                improve, the learning rate falls to a tenth; after `config.patience` such epochs in
                a row training stops, and the best epoch is kept. Without it all epochs run.
            on_epoch: called with the report of every epoch.
            warm_start: a model of the same fields to go on from, with a fresh optimiser.
            targets: (N,) probabilities to learn in place of the labels. With
                (1 - α) label + α teacher this is distillation: log loss is linear in the label.

        Raises:
            InvalidInputError: there are no examples, they are not of these fields, the warm start
                is of another shape, or a target is not a probability.
        """
        config = self.config
        if not len(examples):
            raise InvalidInputError("there is nothing to learn from: no example")
        examples.checked(self.fields)
        if targets is None:
            targets = examples.labels.astype(np.float32)
        _check_targets(targets, len(examples))
        best = BestSoFar[dict[str, Tensor]](config.patience)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = self._network = self._start_from(warm_start)
            optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
            rng = np.random.default_rng(config.seed)
            seconds, rate = 0.0, config.learning_rate
            for epoch in range(1, config.epochs + 1):
                began = time.perf_counter()
                loss = self._epoch(network, examples, targets, optimizer, rng)
                seconds += time.perf_counter() - began
                value = validation(self) if validation is not None else None
                report = FifaEpochReport(
                    epoch=epoch, loss=loss, learning_rate=rate, seconds=seconds, validation=value
                )
                logger.info("FiFa %s", report)
                if on_epoch is not None:
                    on_epoch(report)
                if value is None or best.improved(value, lambda: _copied(network)):
                    continue
                if best.is_exhausted:
                    break
                rate = _set_rate(optimizer, max(rate * RATE_DROP, LEAST_RATE))
        if best.state is not None:
            network.load_state_dict(best.state)
        network.absorb_norm()
        return self

    def logits(self, examples: Examples) -> Float32:
        """Return the log odds of label 1, (N,)."""
        network = self._fitted()
        examples.checked(self.fields)
        network.eval()
        parts = [torch.empty(0)]
        with torch.inference_mode():
            for begin in range(0, len(examples), self.config.batch_examples):
                rows = examples[begin : begin + self.config.batch_examples]
                parts.append(network(*_tensors(rows)))
        logits: Float32 = torch.cat(parts).numpy()
        return logits

    def probabilities(self, examples: Examples) -> Float32:
        """Return the probability of label 1, (N,)."""
        return torch.from_numpy(self.logits(examples)).sigmoid().numpy()

    def regimes(self, examples: Examples) -> Regimes:
        """Return how often each unit squares and how often it rectifies."""
        network = self._fitted()
        network.eval()
        with torch.inference_mode():
            sizes = network.units(network.embed(*_tensors(examples))).abs()
            return Regimes(
                (sizes < QUADRATIC_BELOW).float().mean(0).numpy(),
                (sizes > RELU_ABOVE).float().mean(0).numpy(),
            )

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self._fitted().parameters())

    @property
    def flops(self) -> int:
        """Additions and multiplications for one example; looking a row up costs none."""
        config = self.config
        size, width = (
            self._fitted().in_units.weight.shape[1],
            self._fitted().in_units.weight.shape[0],
        )
        numeric = sum(not field.num_values for field in self.fields)
        of_numbers = numeric * 2 * config.numeric_hidden * (1 + config.embedding_size)
        return of_numbers + 2 * width * size + 2 * (size + width)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact; its config holds the fields."""
        state = {name: t.numpy() for name, t in self._fitted().state_dict().items()}
        return save_artifact(
            folder, "fifa", _Described(self.fields, self.config), state, provenance
        )

    @classmethod
    def load(cls, folder: Path) -> "Fifa":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or no FiFa.
        """
        with loading(folder):
            artifact = load_artifact(folder, "fifa")
            described = artifact.manifest.config
            fields = tuple(Field(**field) for field in described["fields"])
            model = cls(fields, read_config(FifaConfig, described["settings"], {"num_classes": 2}))
            model._network = _Network(model.fields, replace(model.config, normalise=False))
            model._network.load_state_dict(
                {name: torch.from_numpy(array) for name, array in artifact.arrays.items()}
            )
            return model

    def with_rows(self, sources: Sequence[Int64]) -> "Fifa":
        """Return the model with the embeddings of its categorical fields chosen anew.

        Args:
            sources: for each categorical field (V',) the row whose embedding each value has from
                now on: values may come, go and change places.
        """
        network = self._fitted()
        categorical = iter(sources)
        fields = [
            replace(field, num_values=len(next(categorical))) if field.num_values else field
            for field in self.fields
        ]
        model = Fifa(fields, self.config)
        model._network = _Network(model.fields, replace(self.config, normalise=False))
        state = network.state_dict()
        rows = np.concatenate(
            [offset + rows for offset, rows in zip(state["offsets"].numpy(), sources, strict=True)]
        )
        state["table"] = state["table"][torch.from_numpy(rows)]
        state["offsets"] = model._network.offsets
        model._network.load_state_dict(state)
        return model

    def _start_from(self, other: "Fifa | None") -> "_Network":
        if other is None:
            return _Network(self.fields, self.config)
        network = _Network(self.fields, replace(self.config, normalise=False))
        try:
            network.load_state_dict(other._fitted().state_dict())
        except RuntimeError as error:
            raise InvalidInputError(f"cannot go on from another shape: {error}") from error
        return network

    def _epoch(
        self,
        network: "_Network",
        examples: Examples,
        targets: Float32,
        optimizer: torch.optim.Optimizer,
        rng: np.random.Generator,
    ) -> float:
        network.train()
        order, size = rng.permutation(len(examples)), self.config.batch_examples
        total = 0.0
        for begin in range(0, len(order), size):
            chosen = order[begin : begin + size]
            rows = examples[chosen]
            loss = functional.binary_cross_entropy_with_logits(
                network(*_tensors(rows)), torch.from_numpy(targets[chosen])
            )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss + network.penalty())
            nn.utils.clip_grad_norm_(network.parameters(), self.config.clip_norm)
            optimizer.step()
            total += loss.item() * len(rows)
        return total / len(examples)

    def _fitted(self) -> "_Network":
        if self._network is None:
            raise NotFittedError("FiFa has learned nothing: fit or load it first")
        return self._network


@dataclass(frozen=True)
class _Described:
    """The config of an artifact."""

    fields: tuple[Field, ...]
    settings: FifaConfig


class _Network(nn.Module):
    """The parameters and the way from fields to logits."""

    offsets: Tensor
    """(C,) the row of the table at which each categorical field begins."""

    def __init__(self, fields: Sequence[Field], config: FifaConfig) -> None:
        super().__init__()
        self._config = config
        size, hidden = config.embedding_size, config.numeric_hidden
        sizes = [field.num_values for field in fields if field.num_values]
        self.register_buffer("offsets", torch.tensor([0, *np.cumsum(sizes)[:-1]])[: len(sizes)])
        self.table = nn.Parameter(torch.empty(sum(sizes), size))
        numeric = len(fields) - len(sizes)
        self.number_in = nn.Parameter(torch.empty(numeric, hidden))
        self.number_bias = nn.Parameter(torch.zeros(numeric, hidden))
        self.number_out = nn.Parameter(torch.empty(numeric, hidden, size))
        width = max(2, round(config.width_factor * len(fields) * size))
        self.in_units = nn.Linear(len(fields) * size, width)
        self.norm_embedded: nn.Module = nn.Identity()
        self.norm_units: nn.Module = nn.Identity()
        if config.normalise:
            self.norm_embedded = nn.BatchNorm1d(len(fields) * size)
            self.norm_units = nn.BatchNorm1d(width)
        self.out_units = nn.Linear(width, 1, bias=False)
        self.out_linear = nn.Linear(len(fields) * size, 1)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.unit_dropout = nn.Dropout(config.unit_dropout)
        self._start()

    def _start(self) -> None:
        for matrix in (self.number_in, self.number_out):
            nn.init.normal_(matrix, std=math.sqrt(2 / max(matrix[:1].numel(), 1)))
        if self._config.init == "published":
            for part in (self.table, self.in_units.weight, self.in_units.bias,
                         self.out_units.weight):  # fmt: skip
                nn.init.normal_(part, std=0.2)
            nn.init.normal_(self.out_linear.weight, std=1.0)
        else:
            nn.init.normal_(self.table, std=1e-4 if self._config.normalise else 1e-2)
            for linear in (self.in_units, self.out_units, self.out_linear):
                nn.init.xavier_normal_(linear.weight)
            nn.init.zeros_(self.in_units.bias)
        nn.init.zeros_(self.out_linear.bias)

    def embed(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Return z, (N, F d): categorical fields first."""
        looked_up = functional.embedding(categories + self.offsets, self.table)  # (N, C, d)
        hidden = (numbers[:, :, None] * self.number_in + self.number_bias).relu()  # (N, R, h)
        projected = torch.einsum("nrh,rhd->nrd", hidden, self.number_out)  # (N, R, d)
        z = torch.cat([looked_up, projected], dim=1).flatten(1)  # (N, F d)
        embedded: Tensor = self.norm_embedded(z)  # (N, F d)
        return embedded

    def units(self, embedded: Tensor) -> Tensor:
        """Return u, (N, m)."""
        units: Tensor = self.norm_units(self.in_units(embedded))  # (N, m)
        return units

    @torch.no_grad()
    def absorb_norm(self) -> None:
        """Put what the normalisations do into U, c, w and b."""
        if isinstance(self.norm_embedded, nn.BatchNorm1d):
            scale, shift = _affine(self.norm_embedded)
            for linear in (self.in_units, self.out_linear):
                linear.bias.add_(linear.weight @ shift)
                linear.weight.mul_(scale)
        if isinstance(self.norm_units, nn.BatchNorm1d):
            scale, shift = _affine(self.norm_units)
            self.in_units.weight.mul_(scale[:, None])
            self.in_units.bias.mul_(scale).add_(shift)
        self.norm_embedded = self.norm_units = nn.Identity()

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Return logits, (N,)."""
        embedded = self.embed(categories, numbers)  # (N, F d)
        units = self.units(self.embedding_dropout(embedded))  # (N, m)
        active = activate(units, self._config.activation)  # (N, m)
        from_units = self.out_units(self.unit_dropout(active))  # (N, 1)
        logits: Tensor = self.out_linear(embedded) + from_units  # (N, 1)
        return logits[:, 0]  # (N,)

    def penalty(self) -> Tensor:
        """Return the penalties, each of half a squared norm."""
        config = self._config
        total = torch.zeros(())
        for strength, parts in (
            (config.linear_penalty, (self.out_linear.weight, self.out_units.weight)),
            (config.embedding_penalty, (self.table, self.number_out)),
            (config.field_penalty, (self.in_units.weight,)),
        ):
            if strength:
                for part in parts:
                    total = total + strength / 2 * part.square().sum()
        return total


def _affine(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """Return by what a normalisation that has learned multiplies, and what it adds."""
    mean, variance = torch.as_tensor(norm.running_mean), torch.as_tensor(norm.running_var)
    scale = norm.weight / (variance + norm.eps).sqrt()
    return scale, norm.bias - mean * scale


def activate(units: Tensor, activation: str) -> Tensor:
    """Return σ(u) of one of `ACTIVATIONS`, same shape; the last axis holds the units."""
    if activation == "quadratic":
        return units.square()
    if activation == "relu":
        return units.relu()
    if activation == "gelu":
        return functional.gelu(units)
    half = units.shape[-1] // 2
    return torch.cat([units[..., :half].square(), units[..., half:].relu()], dim=-1)


def _tensors(examples: Examples) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(examples.categories), torch.from_numpy(examples.numbers)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> float:
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate


def _check_targets(targets: Float32, count: int) -> None:
    if targets.shape != (count,):
        raise InvalidInputError(f"targets must be ({count},), got {targets.shape}")
    if not ((targets >= 0) & (targets <= 1)).all():
        raise InvalidInputError("every target must be from 0 to 1")


def _copied(network: _Network) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}

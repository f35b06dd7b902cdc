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

N examples, F fields, d embedding, m units, K outputs: 1 for two classes, else one a class.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.arrays import AnyArray, Float32, Int64
from recommender.artifacts import UNSTATED, Manifest, Provenance, load_artifact, save_artifact
from recommender.data.examples import Examples, Field
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError

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
    num_classes: int = 2
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
        for name, allowed in (("activation", ACTIVATIONS), ("init", INITS)):
            if getattr(self, name) not in allowed:
                raise InvalidInputError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        self._check_numbers()

    def _check_numbers(self) -> None:
        for name, least in (
            ("embedding_size", 1), ("numeric_hidden", 1), ("num_classes", 2),
            ("batch_examples", 1), ("epochs", 1), ("patience", 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if value < least or int(value) != value:
                raise InvalidInputError(
                    f"{name} must be a whole number from {least} up, got {value}"
                )
        for name in ("width_factor", "learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidInputError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("linear_penalty", "embedding_penalty", "field_penalty"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidInputError(f"{name} must be 0 or more, got {getattr(self, name)}")
        for name in ("embedding_dropout", "unit_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidInputError(
                    f"{name} must be from 0 to below 1, got {getattr(self, name)}"
                )


@dataclass(frozen=True)
class EpochReport:
    epoch: int
    loss: float
    """Mean log loss over the epoch's updates, penalties left out."""
    learning_rate: float
    seconds: float
    """Since the first epoch began, validation left out."""
    validation: float | None = None


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
    """Foretells a label from fields."""

    def __init__(self, fields: Sequence[Field], config: FifaConfig = FifaConfig()) -> None:
        if not fields:
            raise InvalidInputError("FiFa needs one field or more")
        self.fields, self.config = tuple(fields), config
        self._network: _Network | None = None

    def fit(
        self,
        examples: Examples,
        validation: Callable[["Fifa"], float] | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None,
        warm_start: "Fifa | None" = None,
        targets: Float32 | None = None,
    ) -> "Fifa":
        """Learn by log loss.

        Args:
            examples: N of them.
            validation: asked for a value after every epoch, higher is better. Where it does not
                improve the learning rate falls to a tenth, after `config.patience` such epochs in a
                row training stops, and the best epoch is kept. Without it all epochs are run.
            on_epoch: told of every epoch.
            warm_start: a model of the same fields to go on from, with a fresh optimiser.
            targets: (N,) chances of class 1 to learn in place of the labels, for two classes. With
                (1 - α) label + α teacher this is distillation: log loss is linear in the label.

        Raises:
            InvalidInputError: there are no examples, they are not of these fields, the warm start
                is of another shape, or the targets are no chances.
        """
        config = self.config
        if not len(examples):
            raise InvalidInputError("there is nothing to learn from: no example")
        examples.checked(self.fields, config.num_classes)
        wanted = examples.labels if targets is None else self._checked(targets, len(examples))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = self._network = self._start_from(warm_start)
            optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
            rng = np.random.default_rng(config.seed)
            best: tuple[float, dict[str, Tensor]] | None = None
            worse_for, seconds, rate = 0, 0.0, config.learning_rate
            for epoch in range(1, config.epochs + 1):
                began = time.perf_counter()
                loss = self._epoch(network, examples, wanted, optimizer, rng)
                seconds += time.perf_counter() - began
                value = validation(self) if validation is not None else None
                if on_epoch is not None:
                    on_epoch(EpochReport(epoch, loss, rate, seconds, value))
                if value is None:
                    continue
                if best is None or value > best[0]:
                    state = {name: t.clone() for name, t in network.state_dict().items()}
                    best, worse_for = (value, state), 0
                    continue
                worse_for += 1
                if worse_for >= config.patience:
                    break
                rate = max(rate * RATE_DROP, LEAST_RATE)
                for group in optimizer.param_groups:
                    group["lr"] = rate
        if best is not None:
            network.load_state_dict(best[1])
        network.absorb_norm()
        return self

    def logits(self, examples: Examples) -> Float32:
        """Return (N,) for two classes, else (N, K)."""
        network = self._fitted()
        examples.checked(self.fields, self.config.num_classes)
        network.eval()
        parts = []
        with torch.inference_mode():
            for begin in range(0, len(examples), self.config.batch_examples):
                rows = examples[begin : begin + self.config.batch_examples]
                parts.append(network(*_tensors(rows)))
        if not parts:
            return np.empty((0,) if self.config.num_classes == 2 else (0, self.config.num_classes),
                            dtype=np.float32)  # fmt: skip
        logits: Float32 = torch.cat(parts).numpy()
        return logits[:, 0] if self.config.num_classes == 2 else logits

    def probabilities(self, examples: Examples) -> Float32:
        """Return (N,) the chance of class 1 of two, else (N, K) of each."""
        logits = torch.from_numpy(self.logits(examples))
        chances = logits.sigmoid() if self.config.num_classes == 2 else logits.softmax(dim=1)
        return chances.numpy()

    def regimes(self, examples: Examples) -> Regimes:
        """Return how often each unit squares and how often it rectifies, over some examples."""
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
        outputs = self._fitted().out_linear.weight.shape[0]
        numeric = sum(not field.num_values for field in self.fields)
        of_numbers = numeric * 2 * config.numeric_hidden * (1 + config.embedding_size)
        return of_numbers + 2 * width * size + 2 * outputs * (size + width)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact; the fields stand in its config."""
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
        artifact = load_artifact(folder, "fifa")
        described = artifact.manifest.config
        fields = tuple(Field(**field) for field in described["fields"])
        model = cls(fields, FifaConfig(**described["settings"]))
        model._network = _Network(model.fields, replace(model.config, normalise=False))
        try:
            model._network.load_state_dict(
                {name: torch.from_numpy(array) for name, array in artifact.arrays.items()}
            )
        except RuntimeError as error:
            raise ArtifactError(f"{folder} does not fit its own config: {error}") from error
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

    def _checked(self, targets: Float32, count: int) -> Float32:
        if self.config.num_classes != 2 or targets.shape != (count,):
            raise InvalidInputError(
                f"targets must be ({count},) and of two classes, got {targets.shape} and "
                f"{self.config.num_classes}"
            )
        if not ((targets >= 0) & (targets <= 1)).all():
            raise InvalidInputError("every target must be from 0 to 1")
        return targets

    def _epoch(
        self,
        network: "_Network",
        examples: Examples,
        targets: AnyArray,
        optimizer: torch.optim.Optimizer,
        rng: np.random.Generator,
    ) -> float:
        network.train()
        order, size = rng.permutation(len(examples)), self.config.batch_examples
        total = 0.0
        for begin in range(0, len(order), size):
            chosen = order[begin : begin + size]
            rows = examples[chosen]
            loss = _log_loss(network(*_tensors(rows)), torch.from_numpy(targets[chosen]))
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
    """What an artifact's config says."""

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
        outputs = 1 if config.num_classes == 2 else config.num_classes
        self.in_units = nn.Linear(len(fields) * size, width)
        self.norm_embedded: nn.Module = nn.Identity()
        self.norm_units: nn.Module = nn.Identity()
        if config.normalise:
            self.norm_embedded = nn.BatchNorm1d(len(fields) * size)
            self.norm_units = nn.BatchNorm1d(width)
        self.out_units = nn.Linear(width, outputs, bias=False)
        self.out_linear = nn.Linear(len(fields) * size, outputs)
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
        inner = (numbers[:, :, None] * self.number_in + self.number_bias).relu()  # (N, R, h)
        turned = torch.einsum("nrh,rhd->nrd", inner, self.number_out)
        embedded: Tensor = self.norm_embedded(torch.cat([looked_up, turned], dim=1).flatten(1))
        return embedded

    def units(self, embedded: Tensor) -> Tensor:
        """Return u, (N, m)."""
        units: Tensor = self.norm_units(self.in_units(embedded))
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
        """Return logits, (N, K)."""
        embedded = self.embed(categories, numbers)
        active = activate(self.units(self.embedding_dropout(embedded)), self._config.activation)
        logits: Tensor = self.out_linear(embedded) + self.out_units(self.unit_dropout(active))
        return logits

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


def _log_loss(logits: Tensor, labels: Tensor) -> Tensor:
    if logits.shape[1] == 1:
        return functional.binary_cross_entropy_with_logits(logits[:, 0], labels.float())
    return functional.cross_entropy(logits, labels)

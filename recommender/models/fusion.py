"""Fusion: a learned gate that weighs the long-term vector against this visit's vector.

    y_i = (1 - g) β_l ⟨u, h_i⟩ + g β_s ⟨s, v_i⟩          u long-term, s this visit
    g   = σ(MLP(history size, events in the visit, seconds since the last, agreement, surface))

Both sides keep their own coordinates: an item of the joint space is [h_i, v_i], a fused taste is
[(1 - g) β_l u, g β_s s], and one inner-product search retrieves. g is 0 where the visit has no
events and 1 where there is no history; where both are missing there is no taste.

B requests, I items, D iALS embedding, d width of the session encoder, F features.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from recommender import checks
from recommender.arrays import Float32, Float64, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.sessions import POSITIVE_KINDS, Requests, is_positive_in_visit
from recommender.errors import InvalidInputError
from recommender.models.early_stopping import EpochReport
from recommender.models.ials import Ials
from recommender.models.session_encoder import SessionEncoder

logger = logging.getLogger(__name__)

ENCODER = "encoder"
"""What a release's gate notes as `visit_side` where the session encoder reads the visits."""
SURFACES = ("home", "prequery", "search", "title")
NUMBERS = ("history size", "events in the visit", "seconds since the last", "agreement")


@dataclass(frozen=True)
class FusionConfig:
    hidden: int = 16
    candidates: int = 20
    """C, of either side."""
    epochs: int = 8
    batch_requests: int = 256
    learning_rate: float = 1e-2
    seed: int = 0

    def __post_init__(self) -> None:
        checks.whole(
            hidden=self.hidden,
            candidates=self.candidates,
            epochs=self.epochs,
            batch_requests=self.batch_requests,
        )
        checks.positive(learning_rate=self.learning_rate)


@dataclass(frozen=True)
class GateFeatures:
    """Features of each request that the gate reads.

    Attributes:
        history_size: (B,) titles the long-term vector is folded from.
        visit_events: (B,) events of this visit.
        idle_seconds: (B,) since the last of them.
        agreement: (B,) cosine of the long-term vector, seen from the encoder's space, with the
            session's; 0 where one is missing.
        surfaces: (B,) numbers of `SURFACES`.
    """

    history_size: Int64
    visit_events: Int64
    idle_seconds: Float64
    agreement: Float32
    surfaces: Int64

    def matrix(self) -> Float32:
        """(B, F), the numbers first, then the surface one-hot."""
        numbers = (
            np.log1p(self.history_size),
            np.log1p(self.visit_events),
            np.log1p(np.maximum(self.idle_seconds, 0.0)),
            self.agreement,
        )
        one_hot = np.eye(len(SURFACES), dtype=np.float32)[self.surfaces]
        features: Float32 = np.empty((len(one_hot), len(NUMBERS) + len(SURFACES)), np.float32)
        features[:, : len(NUMBERS)] = np.stack(numbers, axis=1)
        features[:, len(NUMBERS) :] = one_hot
        return features


@dataclass(frozen=True)
class FusionInputs:
    """The two vectors of each request, and its features.

    Attributes:
        long: (B, D), zeros where there is no history.
        short: (B, d + 1), zeros where the visit has no events.
        features: of the same requests.
    """

    long: Float32
    short: Float32
    features: GateFeatures


def fusion_inputs(
    requests: Requests,
    rows: slice,
    ials: Ials,
    encoder: SessionEncoder,
    histories: sparse.csr_array | None = None,
) -> FusionInputs:
    """Return both vectors of some requests: long from before this visit, short from its events.

    Args:
        requests: over the item numbers that both models know.
        rows: which of them, B.
        ials: folds the history in.
        encoder: reads this visit's events and those of the visits before.
        histories: (B, I) 1 where the viewer liked an item before the visit; None takes the positive
            events of the visits before.
    """
    if histories is None:
        visits, visit_of = np.unique(requests.visit_starts()[rows], return_inverse=True)
        met = requests.sessions.met_before(visits, len(ials.items), POSITIVE_KINDS)
        histories = sparse.csr_array(met[visit_of])
    long = ials.fold_in(histories)
    recent = requests.recent(rows, encoder.config.max_events)
    in_visit = is_positive_in_visit(recent).sum(axis=1)
    short = encoder.encode(recent)
    short[in_visit == 0] = 0.0
    newest = recent.at[np.arange(len(short)), np.maximum(recent.is_there.sum(axis=1) - 1, 0)]
    features = GateFeatures(
        history_size=np.diff(histories.indptr),
        visit_events=in_visit,
        idle_seconds=np.where(in_visit > 0, recent.now - newest, 0.0),
        agreement=encoder.agreement(long, short),
        surfaces=np.full(len(short), SURFACES.index("home")),
    )
    return FusionInputs(long, short, features)


def joint_space(item_factors: Float32, item_vectors: Float32) -> Float32:
    """Return (I, D + d + 1) what fused tastes are multiplied with."""
    return np.concatenate([item_factors, item_vectors], axis=1)


class FusionGate:
    """Learns g, β_l and β_s on requests that neither side was trained on."""

    def __init__(self, config: FusionConfig = FusionConfig()) -> None:
        self.config = config
        size = len(NUMBERS) + len(SURFACES)
        self.mean = np.zeros(size, dtype=np.float32)
        self.spread = np.ones(size, dtype=np.float32)
        self.into_hidden = np.zeros((size, config.hidden), dtype=np.float32)
        self.hidden_bias = np.zeros(config.hidden, dtype=np.float32)
        self.out_of_hidden = np.zeros(config.hidden, dtype=np.float32)
        self.bias = np.float32(0.0)
        self.long_scale = np.float32(10.0)
        """β_l."""
        self.short_scale = np.float32(1.0)
        """β_s."""

    def fit(
        self,
        inputs: FusionInputs,
        item_factors: Float32,
        item_vectors: Float32,
        targets: Int64,
        excluded: sparse.csr_array | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None,
    ) -> "FusionGate":
        """Learn by the softmax of the fused scores; the two models are not changed.

        The softmax is over the `candidates` best items of each model, and over the requests whose
        target is among them: the end of the list, and requests that no gate could get right, do
        not show how to weigh the top.

        Args:
            inputs: of B requests.
            item_factors: (I, D).
            item_vectors: (I, d + 1).
            targets: (B,) items; requests with an unknown target (below 0) are left out.
            excluded: (B, I) nonzero where an item is not ranked, as those the viewer met before
                where these are not shown again; None ranks all.
            on_epoch: called with the report of every epoch.

        Raises:
            InvalidInputError: no request has a known target.
        """
        rows = np.flatnonzero(targets >= 0)
        if not len(rows):
            raise InvalidInputError("the gate needs a request whose target is known")
        self._learn_spread(inputs.features.matrix()[rows, : len(NUMBERS)])
        trainer = _Trainer(self.config, self._standardised(inputs), inputs)
        rng = np.random.default_rng(self.config.seed)
        factors, vectors = torch.from_numpy(item_factors), torch.from_numpy(item_vectors)
        seconds = 0.0
        for epoch in range(1, self.config.epochs + 1):
            began = time.perf_counter()
            losses = []
            order = rng.permutation(rows)
            for begin in range(0, len(order), self.config.batch_requests):
                batch = order[begin : begin + self.config.batch_requests]
                mask = None if excluded is None else excluded[batch].toarray() != 0
                candidates = _Candidates.of(
                    trainer.long[batch] @ factors.T,
                    trainer.short[batch] @ vectors.T,
                    torch.from_numpy(targets[batch]),
                    None if mask is None else torch.from_numpy(mask),
                    self.config.candidates,
                )
                if candidates.is_winnable.any():
                    losses.append(trainer.update(torch.from_numpy(batch), candidates))
            seconds += time.perf_counter() - began
            loss = float(np.mean(losses)) if losses else math.nan
            report = EpochReport(epoch=epoch, loss=loss, seconds=seconds)
            logger.info("fusion gate %s", report)
            if on_epoch is not None:
                on_epoch(report)
        self._take(trainer.network, trainer.log_scales)
        return self

    def gate(self, inputs: FusionInputs) -> Float32:
        """Return (B,) the share of this visit in the taste, 0 to 1."""
        standardised = self._standardised(inputs)  # (B, F)
        hidden = np.maximum(standardised @ self.into_hidden + self.hidden_bias, 0.0)
        logits = hidden @ self.out_of_hidden + self.bias  # (B,)
        gate = 1.0 / (1.0 + np.exp(-logits))
        gate[~inputs.short.any(axis=1)] = 0.0
        gate[~inputs.long.any(axis=1) & inputs.short.any(axis=1)] = 1.0
        return np.asarray(gate, dtype=np.float32)

    def fuse(self, inputs: FusionInputs, gate: Float32 | None = None) -> Float32:
        """Return (B, D + d + 1) the fused tastes; `gate` (B,) replaces the learned one."""
        g = (self.gate(inputs) if gate is None else gate)[:, None]
        return np.concatenate(
            [(1 - g) * self.long_scale * inputs.long, g * self.short_scale * inputs.short], axis=1
        ).astype(np.float32)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        arrays = {name: np.atleast_1d(getattr(self, name)) for name in _ARRAYS}
        return save_artifact(folder, "fusion", self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "FusionGate":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind or version.
        """
        with loading(folder):
            artifact = load_artifact(folder, "fusion")
            gate = cls(read_config(FusionConfig, artifact.manifest.config, {}))
            for name in _ARRAYS:
                shape = np.shape(getattr(gate, name))
                array = artifact.array(name, "f", *(shape or (1,)))
                setattr(gate, name, array if shape else array[0])
            return gate

    def _learn_spread(self, numbers: Float32) -> None:
        self.mean[: len(NUMBERS)] = numbers.mean(axis=0)
        self.spread[: len(NUMBERS)] = np.maximum(numbers.std(axis=0), 1e-3)

    def _standardised(self, inputs: FusionInputs) -> Float32:
        """Return the features, (B, F), with mean 0 and deviation 1 over the training requests."""
        return np.asarray((inputs.features.matrix() - self.mean) / self.spread)

    def _take(self, network: "_GateNetwork", log_scales: nn.ParameterList) -> None:
        """Copy the parameters into arrays: a gate is a few hundred numbers."""
        with torch.no_grad():
            self.into_hidden = network.inner.weight.numpy().T.copy()
            self.hidden_bias = network.inner.bias.numpy().copy()
            self.out_of_hidden = network.outer.weight.numpy()[0].copy()
            self.bias = network.outer.bias.numpy()[0]
            self.long_scale, self.short_scale = (
                np.float32(math.exp(scale.item())) for scale in log_scales
            )


_ARRAYS = (
    "mean", "spread", "into_hidden", "hidden_bias", "out_of_hidden", "bias", "long_scale",
    "short_scale",
)  # fmt: skip


class _GateNetwork(nn.Module):
    """Two layers, from features to g."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(size, hidden), nn.Linear(hidden, 1)
        nn.init.zeros_(self.inner.weight[:, len(NUMBERS) :])  # a surface never seen has no effect
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return g, (B,), of features (B, F)."""
        hidden = functional.relu(self.inner(features))  # (B, h)
        logits: Tensor = self.outer(hidden)  # (B, 1)
        return logits[:, 0].sigmoid()  # (B,)


@dataclass(frozen=True)
class _Candidates:
    """Items that compete in the softmax: the target, then the C best of either model.

    Attributes:
        long: (B, 2 C + 1) their long-term scores.
        short: (B, 2 C + 1) their session scores.
        is_ignored: (B, 2 C + 1) excluded items, and those among the best of both the second time.
        is_winnable: (B,) whether the target is among the C best of a model.
    """

    long: Tensor
    short: Tensor
    is_ignored: Tensor
    is_winnable: Tensor

    @classmethod
    def of(
        cls, long: Tensor, short: Tensor, targets: Tensor, excluded: Tensor | None, size: int
    ) -> "_Candidates":
        """Choose from all scores (B, I), targets (B,) and items not ranked (B, I)."""
        size = min(size, long.shape[1] - 1)  # C
        column = targets[:, None]  # (B, 1)
        best = []
        for scores in (long, short):
            others = scores.scatter(1, column, -torch.inf)  # (B, I)
            if excluded is not None:
                others = others.masked_fill(excluded, -torch.inf)
            best.append(others.topk(size))  # (B, C)
        in_first = torch.zeros_like(long, dtype=torch.bool).scatter(1, best[0].indices, True)
        is_repeated = in_first.gather(1, best[1].indices)  # (B, C)
        is_ignored = torch.cat(
            [
                torch.zeros_like(column, dtype=torch.bool),
                best[0].values.isneginf(),
                best[1].values.isneginf() | is_repeated,
            ],
            dim=1,
        )  # (B, 2 C + 1)
        items = torch.cat([column, best[0].indices, best[1].indices], dim=1)  # (B, 2 C + 1)
        lasts = best[0].indices[:, -1:], best[1].indices[:, -1:]  # (B, 1)
        is_winnable = torch.stack(
            [
                scores.gather(1, column) > scores.gather(1, last)
                for scores, last in zip((long, short), lasts, strict=True)
            ]
        ).any(0)[:, 0]  # (B,)
        return cls(long.gather(1, items), short.gather(1, items), is_ignored, is_winnable)


class _Trainer:
    """The network, the scales of both models' scores, and their optimiser."""

    def __init__(self, config: FusionConfig, features: Float32, inputs: FusionInputs) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = _GateNetwork(features.shape[1], config.hidden)
        self.log_scales = nn.ParameterList(
            [nn.Parameter(torch.tensor(math.log(scale))) for scale in (10.0, 1.0)]
        )
        """log β_l and log β_s."""
        self._optimizer = torch.optim.Adam(
            [*self.network.parameters(), *self.log_scales], lr=config.learning_rate
        )
        self._features = torch.from_numpy(features)
        self.long, self.short = torch.from_numpy(inputs.long), torch.from_numpy(inputs.short)
        self._has_long, self._has_short = self.long.any(dim=1), self.short.any(dim=1)

    def update(self, batch: Tensor, candidates: _Candidates) -> float:
        """Take one step on some requests (B,) and return the loss before it."""
        gate = self.network(self._features[batch])  # (B,)
        gate = torch.where(self._has_short[batch], gate, 0.0)
        gate = torch.where(self._has_long[batch] | ~self._has_short[batch], gate, 1.0)
        long_scale, short_scale = (scale.exp() for scale in self.log_scales)
        scores = (1 - gate)[:, None] * long_scale * candidates.long  # (B, 2 C + 1)
        scores = scores + gate[:, None] * short_scale * candidates.short
        scores = scores.masked_fill(candidates.is_ignored, -torch.inf)[candidates.is_winnable]
        loss = functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.int64))
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self._optimizer.step()
        return loss.item()

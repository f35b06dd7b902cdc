"""Fusion: a learned gate that weighs who the viewer is against what this visit is about.

    y_i = (1 - g) β_l ⟨u, h_i⟩ + g β_s ⟨s, v_i⟩          u long-term, s this visit
    g   = σ(MLP(history size, events in the visit, seconds since the last, agreement, surface))

Both sides keep their own coordinates: an item of the joint space is [h_i, v_i], a fused taste is
[(1 - g) β_l u, g β_s s], and one inner-product search retrieves. g is 0 where the visit has no
events and 1 where there is no history; where both are missing there is no taste.

B requests, I items, D iALS embedding, d width of the session encoder, F features.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from recommender.arrays import Float32, Float64, Int64
from recommender.artifacts import UNSTATED, Manifest, Provenance, load_artifact, save_artifact
from recommender.data.sessions import POSITIVE_KINDS, Requests, speaks_for_itself
from recommender.errors import InvalidInputError
from recommender.models.ials import Ials
from recommender.models.session_encoder import SessionEncoder

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
        for name in ("hidden", "candidates", "epochs", "batch_requests"):
            value = getattr(self, name)
            if value < 1 or int(value) != value:
                raise InvalidInputError(f"{name} must be a whole number from 1 up, got {value}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InvalidInputError(f"learning_rate must be positive, got {self.learning_rate}")


@dataclass(frozen=True)
class Circumstances:
    """What the gate looks at.

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

    def features(self) -> Float32:
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
class Sides:
    """The two vectors of each request, with the circumstances.

    Attributes:
        long: (B, D), zeros where there is no history.
        short: (B, d + 1), zeros where the visit has no events.
        circumstances: of the same requests.
    """

    long: Float32
    short: Float32
    circumstances: Circumstances


def sides_of(requests: Requests, rows: slice, ials: Ials, encoder: SessionEncoder) -> Sides:
    """Return both vectors of some requests: long from before this visit, short from its events.

    Args:
        requests: over the item numbers that both models know.
        rows: which of them, B.
        ials: folds the history in.
        encoder: reads this visit's events and those of the visits before.
    """
    visits, back = np.unique(requests.visit_starts()[rows], return_inverse=True)
    histories = requests.sessions.met_before(visits, len(ials.items), POSITIVE_KINDS)
    long = ials.fold_in(histories)[back]
    sizes = np.diff(histories.indptr)[back]
    recent = requests.recent(rows, encoder.config.max_events)
    in_visit = speaks_for_itself(recent).sum(axis=1)
    short = encoder.encode(recent)
    short[in_visit == 0] = 0.0
    newest = recent.at[np.arange(len(short)), np.maximum(recent.is_there.sum(axis=1) - 1, 0)]
    return Sides(
        long,
        short,
        Circumstances(
            sizes,
            in_visit,
            np.where(in_visit > 0, recent.now - newest, 0.0),
            encoder.agreement(long, short),
            np.full(len(short), SURFACES.index("home")),
        ),
    )


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
        sides: Sides,
        item_factors: Float32,
        item_vectors: Float32,
        targets: Int64,
        not_ranked: sparse.csr_array | None = None,
        on_epoch: Callable[[int, float], None] | None = None,
    ) -> "FusionGate":
        """Learn by the softmax of the fused scores; both sides stay as they are.

        It is taken over what could come first, the `candidates` best items of either side, for the
        requests whose answer is among them: the far end of the list, and requests that no weight
        could win, say nothing of how to weigh the top.

        Args:
            sides: (B) requests.
            item_factors: (I, D).
            item_vectors: (I, d + 1).
            targets: (B,) what was wanted; requests with none known (below 0) are left out.
            not_ranked: (B, I) nonzero where an item is no answer, as what the viewer met before
                where that is not shown again; None ranks all.
            on_epoch: told of every epoch and its mean loss.

        Raises:
            InvalidInputError: no request has a known target.
        """
        features = sides.circumstances.features()
        rows = np.flatnonzero(targets >= 0)
        if not len(rows):
            raise InvalidInputError("the gate needs a request whose target is known")
        numbers = len(NUMBERS)
        self.mean[:numbers] = features[rows, :numbers].mean(axis=0)
        self.spread[:numbers] = np.maximum(features[rows, :numbers].std(axis=0), 1e-3)
        config = self.config
        rng = np.random.default_rng(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = _Gate(len(self.mean), config.hidden)
        temperatures = nn.ParameterList(
            [nn.Parameter(torch.tensor(math.log(v))) for v in (10.0, 1.0)]
        )
        optimizer = torch.optim.Adam(
            [*network.parameters(), *temperatures], lr=config.learning_rate
        )
        inputs = torch.from_numpy((features - self.mean) / self.spread)
        has_long, has_short = (
            torch.from_numpy(side.any(axis=1)) for side in (sides.long, sides.short)
        )
        factors, vectors = torch.from_numpy(item_factors), torch.from_numpy(item_vectors)
        for epoch in range(1, config.epochs + 1):
            losses = []
            order = rng.permutation(rows)
            for begin in range(0, len(order), config.batch_requests):
                batch = torch.from_numpy(order[begin : begin + config.batch_requests])
                gate = _bounded(network(inputs[batch]), has_long[batch], has_short[batch])
                long = torch.from_numpy(sides.long)[batch] @ factors.T  # (B, I)
                short = torch.from_numpy(sides.short)[batch] @ vectors.T
                wanted = torch.from_numpy(targets)[batch]
                barred = None
                if not_ranked is not None:
                    barred = torch.from_numpy(not_ranked[batch.numpy()].toarray() != 0)
                    barred[torch.arange(len(batch)), wanted] = False
                among, ignored = _candidates(long, short, wanted, barred, config.candidates)
                scores = (1 - gate)[:, None] * temperatures[0].exp() * long.gather(1, among)
                scores = scores + gate[:, None] * temperatures[1].exp() * short.gather(1, among)
                scores = scores.masked_fill(ignored, -torch.inf)
                winnable = _is_winnable(long, short, wanted, among, ignored)
                if not winnable.any():
                    continue
                loss = functional.cross_entropy(
                    scores[winnable], torch.zeros_like(wanted)[winnable]
                )
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimizer.step()
                losses.append(loss.item())
            if on_epoch is not None:
                on_epoch(epoch, float(np.mean(losses)))
        self._take(network, temperatures)
        return self

    def gate(self, sides: Sides) -> Float32:
        """Return (B,) the share of this visit in the taste, 0 to 1."""
        inputs = (sides.circumstances.features() - self.mean) / self.spread
        hidden = np.maximum(inputs @ self.into_hidden + self.hidden_bias, 0.0)
        logits = hidden @ self.out_of_hidden + self.bias
        gate = 1.0 / (1.0 + np.exp(-logits))
        gate[~sides.short.any(axis=1)] = 0.0
        gate[~sides.long.any(axis=1) & sides.short.any(axis=1)] = 1.0
        return np.asarray(gate, dtype=np.float32)

    def fuse(self, sides: Sides, gate: Float32 | None = None) -> Float32:
        """Return (B, D + d + 1) the fused tastes; `gate` (B,) replaces what was learned."""
        g = (self.gate(sides) if gate is None else gate)[:, None]
        return np.concatenate(
            [(1 - g) * self.long_scale * sides.long, g * self.short_scale * sides.short], axis=1
        ).astype(np.float32)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        arrays = {name: np.atleast_1d(getattr(self, name)) for name in _ARRAYS}
        return save_artifact(folder, "fusion", self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "FusionGate":
        artifact = load_artifact(folder, "fusion")
        gate = cls(FusionConfig(**artifact.manifest.config))
        for name in _ARRAYS:
            array = artifact.arrays[name]
            setattr(gate, name, array if np.ndim(getattr(gate, name)) else array[0])
        return gate

    def _take(self, network: "_Gate", temperatures: nn.ParameterList) -> None:
        """Keep what was learned as arrays: a gate is a few hundred numbers."""
        with torch.no_grad():
            self.into_hidden = network.inner.weight.numpy().T.copy()
            self.hidden_bias = network.inner.bias.numpy().copy()
            self.out_of_hidden = network.outer.weight.numpy()[0].copy()
            self.bias = network.outer.bias.numpy()[0]
            self.long_scale, self.short_scale = (
                np.float32(math.exp(t.item())) for t in temperatures
            )


_ARRAYS = (
    "mean", "spread", "into_hidden", "hidden_bias", "out_of_hidden", "bias", "long_scale",
    "short_scale",
)  # fmt: skip


class _Gate(nn.Module):
    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(size, hidden), nn.Linear(hidden, 1)
        nn.init.zeros_(self.inner.weight[:, len(NUMBERS) :])  # a surface never seen says nothing
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.outer(functional.relu(self.inner(inputs)))
        return logits[:, 0].sigmoid()


def _candidates(
    long: Tensor, short: Tensor, wanted: Tensor, barred: Tensor | None, size: int
) -> tuple[Tensor, Tensor]:
    """Return (B, 2 C + 1) what is wanted, then the C best of either side; and which do not count.

    An item that is barred, or among the best of both, does not count (again).
    """
    size = min(size, long.shape[1] - 1)
    best = []
    for side in (long, short):
        side = side.scatter(1, wanted[:, None], -torch.inf)
        if barred is not None:
            side = side.masked_fill(barred, -torch.inf)
        best.append(side.topk(size))
    among_first = torch.zeros_like(long, dtype=torch.bool).scatter(1, best[0].indices, True)
    is_again = among_first.gather(1, best[1].indices)
    ignored = torch.cat(
        [
            torch.zeros_like(wanted[:, None], dtype=torch.bool),
            best[0].values.isneginf(),
            best[1].values.isneginf() | is_again,
        ],
        dim=1,
    )
    return torch.cat([wanted[:, None], *(side.indices for side in best)], dim=1), ignored


def _is_winnable(
    long: Tensor, short: Tensor, wanted: Tensor, among: Tensor, ignored: Tensor
) -> Tensor:
    """Return (B,) whether what is wanted is among the C best of a side."""
    size = (among.shape[1] - 1) // 2
    last = among[:, [size]], among[:, [2 * size]]
    return torch.stack(
        [
            side.gather(1, wanted[:, None]) > side.gather(1, end)
            for side, end in zip((long, short), last, strict=True)
        ]
    ).any(0)[:, 0]


def _bounded(gate: Tensor, has_long: Tensor, has_short: Tensor) -> Tensor:
    gate = torch.where(has_short, gate, 0.0)
    return torch.where(has_long | ~has_short, gate, 1.0)

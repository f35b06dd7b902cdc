"""Session encoder: what a viewer is after now, as a vector in the item space.

A causal transformer over the newest events of this visit and the visits before (or a GRU, the
small alternative), trained to foretell the next positive event:

    v_i = P h_i + e_i                             an item: its iALS factor projected, and more
    x_t = g_k v_i + k + gap + silence + words     an event: its kind k, and the time around it
    s_t = norm(transformer(x_1 … x_t))            what was wanted after event t
    y_i = s_t · v_i + b_i                         cosines over τ where `is_normalized`

The bias is one more coordinate, so that scores stay inner products: an item is [v_i, b_i], a
session [s, 1]. An item published after training has no e_i: its vector is P h_i, with h_i folded
in, and its bias the mean of all.

B requests, L events, I items, D iALS embedding, d width, N moments to learn from.
"""

import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.artifacts import UNSTATED, Manifest, Provenance, load_artifact, save_artifact
from recommender.data.sessions import (
    POSITIVE_KINDS,
    VISIT_GAP_SECONDS,
    EventKind,
    RecentEvents,
    Requests,
    Sessions,
)
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.session_loss import LOSSES, average_logit, make_loss
from recommender.vocabulary import UNKNOWN, Vocabulary

ARCHITECTURES = ("transformer", "gru")
STARTING_GAIN: Mapping[EventKind, float] = {
    EventKind.OPEN: 0.7,
    EventKind.CHOOSE: 0.7,
    EventKind.PLAY: 1.0,
    EventKind.PROGRESS: 1.0,
    EventKind.STOP: 0.3,
    EventKind.FINISH: 1.0,
    EventKind.LIKE: 1.0,
    EventKind.DISLIKE: -0.5,
    EventKind.LIST: 1.0,
    EventKind.UNLIST: -0.3,
    EventKind.HIDE: -0.5,
    EventKind.SEARCH: 0.0,
}
"""How strongly an event of each kind points to its title before anything is learned.

Training moves the gains of the kinds it sees; a kind it never saw keeps this value.
"""
GAP_BUCKETS = 24
"""Seconds since the event before, by powers of 2: the last bucket holds 97 days and more."""
SILENCE_BUCKETS = 16
"""Half-hours of silence after which a new visit began, by powers of 2; 0 within a visit."""


@dataclass(frozen=True)
class SessionEncoderConfig:
    architecture: str = "transformer"
    width: int = 64
    """d."""
    num_blocks: int = 2
    num_heads: int = 1
    max_events: int = 50
    """L: how many of the newest events are read."""
    dropout: float = 0.2
    is_normalized: bool = True
    """Whether vectors have length 1 and scores are cosines over `temperature`."""
    temperature: float = 0.07
    """τ at the start; it is learned."""
    loss: str = "softmax"
    num_negatives: int = 1024
    gbce_calibration: float = 0.75
    learning_rate: float = 1e-3
    """At the start; it falls linearly to a fiftieth over all epochs."""
    weight_decay: float = 0.0
    batch_events: int = 8192
    """How many events, free places included, an update is computed from."""
    epochs: int = 20
    patience: int | None = 3
    """Epochs without a better validation value before stopping; None runs them all."""
    hide_recent: float = 0.1
    """How often the newest one or more events are hidden in training, so that one click does not
    turn the page around."""
    half_life_hours: float | None = None
    """An event so much older than the newest is learned from in every other epoch only; None
    learns from all alike."""
    query_buckets: int = 2048
    """Words typed are hashed into so many."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("architecture", ARCHITECTURES), ("loss", LOSSES)):
            if getattr(self, name) not in allowed:
                raise InvalidInputError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        for name in (
            "width", "num_blocks", "num_heads", "max_events", "num_negatives", "batch_events",
            "epochs", "patience", "query_buckets",
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and (value < 1 or int(value) != value):
                raise InvalidInputError(f"{name} must be a whole number from 1 up, got {value}")
        for name in ("dropout", "hide_recent"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidInputError(
                    f"{name} must be from 0 to below 1, got {getattr(self, name)}"
                )
        for name in ("temperature", "learning_rate", "half_life_hours"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InvalidInputError(f"{name} must be positive and finite, got {value}")
        if self.width % (2 * self.num_heads):
            raise InvalidInputError(
                f"width must be a multiple of 2 x num_heads, got {self.width} and {self.num_heads}"
            )


@dataclass(frozen=True)
class EpochReport:
    epoch: int
    loss: float
    """Mean over the epoch's updates."""
    seconds: float
    """Since the first epoch began, validation left out."""
    validation: float | None = None


class SessionEncoder:
    """Encodes in-session events; scores are inner products with the item vectors."""

    def __init__(self, config: SessionEncoderConfig = SessionEncoderConfig()) -> None:
        self.config = config
        self.items = Vocabulary([])
        self._network: _Network | None = None
        self._vectors = torch.empty(0)

    def fit(
        self,
        sessions: Sessions,
        items: Vocabulary,
        item_factors: Float32 | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None,
        validation: Callable[["SessionEncoder"], float] | None = None,
    ) -> "SessionEncoder":
        """Learn to foretell each next positive event.

        Args:
            sessions: over the item numbers of `items`.
            items: what the numbers mean.
            item_factors: (I, D) of iALS; None learns every item from its events alone.
            on_epoch: told of every epoch.
            validation: asked for a value after every epoch, higher is better. With
                `config.patience` it decides when to stop, and the best epoch is kept.

        Raises:
            InvalidInputError: no event follows another, or the factors are not the items'.
        """
        config = self.config
        windows = _Windows.of(sessions, config.max_events, config.half_life_hours)
        if not windows.num_targets:
            raise InvalidInputError(
                "there is nothing to learn from: no viewer has two events with known titles"
            )
        if item_factors is not None and len(item_factors) != len(items):
            raise InvalidInputError(
                f"there must be a factor for each of {len(items)} items, got {len(item_factors)}"
            )
        self.items = items
        generator = torch.Generator().manual_seed(config.seed)
        rng = np.random.default_rng(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = _Network(config, len(items), item_factors)
            network.start_bias(
                windows.target_counts(len(items)),
                average_logit(
                    config.loss, len(items), config.num_negatives, config.gbce_calibration
                ),
            )
            self._network = network
            loss_of = make_loss(
                config.loss,
                len(items),
                num_negatives=config.num_negatives,
                calibration=config.gbce_calibration,
                counts=torch.from_numpy(windows.target_counts(len(items))),
                generator=generator,
            )
            optimizer = torch.optim.AdamW(
                network.parameter_groups(config.weight_decay),
                lr=config.learning_rate,
                betas=(0.9, 0.98),
                fused=True,
            )
            steps = config.epochs * windows.num_batches(config.batch_events)
            schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, steps)
            best: tuple[float, dict[str, Tensor]] | None = None
            worse_for, seconds = 0, 0.0
            for epoch in range(1, config.epochs + 1):
                began = time.perf_counter()
                loss = self._epoch(network, windows, loss_of, optimizer, schedule, rng)
                seconds += time.perf_counter() - began
                self._place_items()
                value = validation(self) if validation is not None else None
                if on_epoch is not None:
                    on_epoch(EpochReport(epoch, loss, seconds, value))
                if value is None or config.patience is None:
                    continue
                if best is None or value > best[0]:
                    state = {name: t.clone() for name, t in network.state_dict().items()}
                    best, worse_for = (value, state), 0
                else:
                    worse_for += 1
                if worse_for >= config.patience:
                    break
        if best is not None:
            network.load_state_dict(best[1])
            self._place_items()
        return self

    def encode(self, recent: RecentEvents) -> Float32:
        """Return what each request is after, (B, d + 1); zeros where nothing is remembered."""
        network = self._fitted()
        with torch.inference_mode():
            known = _Events.of(recent, self.config)
            states = network(known, self._vectors)  # (B, L, d)
            last = torch.from_numpy(recent.is_there.sum(axis=1) - 1).clamp(min=0)
            vectors = network.queries(states[torch.arange(len(last)), last])
            vectors[~torch.from_numpy(recent.is_there.any(axis=1))] = 0.0
        return vectors.numpy()

    @property
    def item_vectors(self) -> Float32:
        """(I, d + 1), what encoded requests are multiplied with."""
        self._fitted()
        return self._vectors.numpy()

    def vectors_of_new(self, item_factors: Float32) -> Float32:
        """Return the vectors of items published after training, (B, d + 1), from factors (B, D)."""
        network = self._fitted()
        with torch.inference_mode():
            projected = network.project(torch.from_numpy(item_factors))
            bias = network.bias.mean().expand(len(projected), 1)
            return torch.cat([projected, bias], dim=1).numpy()

    def agreement(self, tastes: Float32, encoded: Float32) -> Float32:
        """Return (B,) the cosine of long-term tastes (B, D), projected, with what `encode` gave.

        It is 0 where one of them is zero, and where items have no factors.
        """
        with torch.inference_mode():
            projected = self._fitted().project(torch.from_numpy(tastes))
            cosine = functional.cosine_similarity(projected, torch.from_numpy(encoded[:, :-1]))
        return cosine.numpy()

    def score(self, requests: Requests, rows: slice, *, this_visit_only: bool = False) -> Float32:
        """Score all items for some requests, (B, I)."""
        recent = requests.recent(rows, self.config.max_events, this_visit_only=this_visit_only)
        return np.asarray(self.encode(recent) @ self.item_vectors.T)

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        state = {name: t.numpy() for name, t in self._fitted().state_dict().items()}
        return save_artifact(
            folder,
            "session_encoder",
            self.config,
            {"item_ids": self.items.ids, **state},
            provenance,
        )

    @classmethod
    def load(cls, folder: Path) -> "SessionEncoder":
        artifact = load_artifact(folder, "session_encoder")
        encoder = cls(SessionEncoderConfig(**artifact.manifest.config))
        arrays = dict(artifact.arrays)
        encoder.items = Vocabulary(arrays.pop("item_ids"))
        encoder._network = _Network(encoder.config, len(encoder.items), arrays.get("item_factors"))
        try:
            encoder._network.load_state_dict(
                {name: torch.from_numpy(array) for name, array in arrays.items()}
            )
        except RuntimeError as error:
            raise ArtifactError(f"{folder} does not fit its own config: {error}") from error
        encoder._place_items()
        return encoder

    def _epoch(
        self,
        network: "_Network",
        windows: "_Windows",
        loss_of: Callable[[Tensor, Tensor, Tensor], Tensor],
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        rng: np.random.Generator,
    ) -> float:
        network.train()
        losses = []
        for rows in windows.batches(self.config.batch_events, rng):
            known, targets, is_target = windows.batch(rows, self.config, rng)
            if not is_target.any():
                continue
            vectors = network.vectors()
            states = network(known, vectors)[is_target]  # (N, d)
            loss = loss_of(network.queries(states), vectors, targets[is_target])
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        network.eval()
        return float(np.mean(losses))

    def _place_items(self) -> None:
        network = self._fitted()
        network.eval()
        with torch.inference_mode():
            self._vectors = network.vectors().clone()

    def _fitted(self) -> "_Network":
        if self._network is None:
            raise NotFittedError("the session encoder has learned nothing: fit or load it first")
        return self._network


@dataclass(frozen=True)
class _Events:
    """Events as the network reads them; each (B, L)."""

    items: Tensor
    kinds: Tensor
    gaps: Tensor
    silences: Tensor
    words: Tensor | None = None
    """(B, L, d) is looked up from (B, L, W) hashed words, 0 for none."""

    @classmethod
    def of(cls, recent: RecentEvents, config: SessionEncoderConfig) -> "_Events":
        later = np.where(recent.is_there[:, 1:], recent.at[:, 1:], recent.now[:, None])
        until = np.concatenate([later, recent.now[:, None]], axis=1) - recent.at
        last = np.maximum(recent.is_there.sum(axis=1) - 1, 0)
        rows = np.arange(len(last))
        goes_on = recent.is_this_visit[rows, last]
        until[rows[goes_on], last[goes_on]] = 0.0
        return cls(
            torch.from_numpy(recent.items),
            torch.from_numpy(recent.kinds.astype(np.int64)),
            torch.from_numpy(gap_buckets(recent.at)),
            torch.from_numpy(silence_buckets(until)),
            _hashed_words(recent, config.query_buckets),
        )


def gap_buckets(at: Float64) -> Int64:
    """Return (B, L) how long before each event the one before it was, 0 for the first."""
    gaps = np.diff(at, axis=1, prepend=at[:, :1])
    return np.minimum(np.log2(np.maximum(gaps, 0.0) + 1.0).astype(np.int64), GAP_BUCKETS - 1)


def silence_buckets(until: Float64) -> Int64:
    """Return the bucket of the silence after an event; 0 where it is too short to end a visit."""
    ratio = np.maximum(until / VISIT_GAP_SECONDS, 0.5)
    bucket = np.floor(np.log2(ratio)).astype(np.int64) + 1
    return np.minimum(np.where(until > VISIT_GAP_SECONDS, bucket, 0), SILENCE_BUCKETS - 1)


def _hashed_words(recent: RecentEvents, buckets: int) -> Tensor | None:
    """Return (B, L, W) hashed words from 1 up, 0 for none; None where nothing was typed."""
    if not recent.queries:
        return None
    split = {place: text.casefold().split() for place, text in recent.queries.items()}
    most = max(map(len, split.values()), default=0) or 1
    words = torch.zeros((*recent.items.shape, most), dtype=torch.int64)
    for (row, place), typed in split.items():
        for n, word in enumerate(typed):
            words[row, place, n] = 1 + zlib.crc32(word.encode()) % buckets
    return words


@dataclass(frozen=True)
class _Windows:
    """Stretches of events to learn from, each of at most L + 1: L to read, the last to foretell."""

    sessions: Sessions
    first: Int64
    length: Int64
    is_target: Bool
    """(E,) whether an event is to be foretold."""
    share: Float64
    """(W,) of the epochs that learn from each window."""

    @classmethod
    def of(
        cls, sessions: Sessions, max_events: int, half_life_hours: float | None = None
    ) -> "_Windows":
        first, length = [], []
        for begin, end in zip(sessions.bounds[:-1], sessions.bounds[1:], strict=True):
            # from the newest back; neighbours share the event that one foretells, the other reads
            for stop in range(int(end), int(begin) + 1, -max_events):
                start = max(int(begin), stop - max_events - 1)
                first.append(start)
                length.append(stop - start)
        positive = np.isin(sessions.kinds, list(POSITIVE_KINDS)) & (sessions.items != UNKNOWN)
        begins, lengths = np.array(first, np.int64), np.array(length, np.int64)
        share = np.ones(len(begins))
        if half_life_hours is not None and len(begins):
            ends = sessions.at[begins + lengths - 1]
            share = 0.5 ** ((ends.max() - ends) / (3600 * half_life_hours))
        return cls(sessions, begins, lengths, positive, share)

    @property
    def num_targets(self) -> int:
        follows = np.ones(len(self.is_target), dtype=bool)
        follows[self.sessions.bounds[:-1]] = False
        return int((self.is_target & follows).sum())

    def target_counts(self, num_items: int) -> Float64:
        """Return (I,) how often an epoch foretells each item, on average."""
        share = np.zeros(len(self.is_target))
        for_each = np.repeat(self.share, self.length)
        begins = np.cumsum(self.length) - self.length
        place = np.arange(self.length.sum()) - np.repeat(begins - self.first, self.length)
        share[place] = for_each
        wanted = self.sessions.items[self.is_target]
        counts = np.bincount(wanted, share[self.is_target], minlength=num_items)
        return counts.astype(np.float64)

    def num_batches(self, batch_events: int) -> int:
        """About how many batches an epoch has."""
        return max(1, -(-int((self.share * self.length).sum()) // batch_events))

    def batches(self, batch_events: int, rng: np.random.Generator) -> Iterator[Int64]:
        """Yield rows of windows alike in length, in random order."""
        chosen = np.flatnonzero(rng.random(len(self.share)) < self.share)
        noise = rng.uniform(0.9, 1.1, len(chosen))
        order = chosen[np.argsort(self.length[chosen] * noise, kind="stable")]
        begins, widest = [0], 0
        for n, row in enumerate(order):
            widest = max(widest, int(self.length[row]))
            if (n - begins[-1] + 1) * widest > batch_events and n > begins[-1]:
                begins.append(n)
                widest = int(self.length[row])
        begins.append(len(order))
        for b in rng.permutation(len(begins) - 1):
            yield order[begins[b] : begins[b + 1]]

    def batch(
        self, rows: Int64, config: SessionEncoderConfig, rng: np.random.Generator
    ) -> tuple[_Events, Tensor, Tensor]:
        """Return what is read (B, L), and the targets (B, L) with a mask of where there is one."""
        first, length = self.first[rows], self.length[rows]
        place = first[:, None] + np.arange(int(length.max()))
        there = place < (first + length)[:, None]
        place = np.where(there, place, first[:, None])
        sessions = self.sessions
        at = np.where(there, sessions.at[place], sessions.at[place].max(axis=1, keepdims=True))
        known = _Events(
            torch.from_numpy(np.where(there, sessions.items[place], UNKNOWN)[:, :-1]),
            torch.from_numpy(sessions.kinds[place][:, :-1].astype(np.int64)),
            torch.from_numpy(gap_buckets(at)[:, :-1]),
            torch.from_numpy(silence_buckets(np.diff(at, axis=1))),
        )
        # hiding the newest events is foretelling a later one from what is left
        hidden = np.where(
            rng.random(len(rows)) < config.hide_recent, rng.geometric(0.5, len(rows)), 0
        )
        ahead = np.arange(1, place.shape[1]) + hidden[:, None]
        inside = ahead < length[:, None]
        target = np.take_along_axis(place, np.where(inside, ahead, 0), axis=1)
        is_target = inside & self.is_target[target]
        return (
            known,
            torch.from_numpy(sessions.items[target]),
            torch.from_numpy(is_target),
        )


class _Network(nn.Module):
    """The parameters and the way from events to vectors."""

    def __init__(
        self, config: SessionEncoderConfig, num_items: int, item_factors: Float32 | None
    ) -> None:
        super().__init__()
        width = config.width
        self.is_normalized = config.is_normalized
        self.head_size = width // config.num_heads
        self.embedding = nn.Parameter(torch.randn(num_items, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(num_items))
        self.projection: nn.Linear | None = None
        if item_factors is not None:
            factors = torch.as_tensor(item_factors)
            self.register_buffer("item_factors", factors)
            self.projection = nn.Linear(factors.shape[1], width, bias=False)
            size = factors.pow(2).sum(1).mean().sqrt()
            nn.init.orthogonal_(self.projection.weight, gain=float(0.3 / size.clamp(min=1e-6)))
        gains = torch.tensor([STARTING_GAIN[kind] for kind in EventKind])
        self.kind_gain = nn.Parameter(gains)
        self.kind_embedding = nn.Parameter(torch.zeros(len(EventKind), width))
        self.gap_embedding = nn.Parameter(torch.zeros(GAP_BUCKETS, width))
        self.silence_embedding = nn.Parameter(torch.zeros(SILENCE_BUCKETS, width))
        self.word_embedding = nn.Embedding(config.query_buckets + 1, width, padding_idx=0)
        nn.init.normal_(self.word_embedding.weight, std=0.02)
        self.input_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.recurrent: nn.GRU | None = None
        self.blocks = nn.ModuleList()
        if config.architecture == "gru":
            self.recurrent = nn.GRU(width, width, config.num_blocks, batch_first=True)
        else:
            self.blocks.extend(
                _Block(width, config.num_heads, config.dropout) for _ in range(config.num_blocks)
            )
        self.output_norm = nn.LayerNorm(width)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Decay matrices, and neither norms nor gains."""
        named = list(self.named_parameters())
        return [
            {"params": [p for _, p in named if p.dim() > 1], "weight_decay": weight_decay},
            {"params": [p for _, p in named if p.dim() <= 1], "weight_decay": 0.0},
        ]

    def start_bias(self, counts: Float64, average: float) -> None:
        """Begin with how often each item is wanted; what is learned then is the rest."""
        with torch.no_grad():
            bias = torch.from_numpy(np.log(counts + 1.0)).float()
            self.bias.copy_(bias - bias.mean() + average)

    def vectors(self) -> Tensor:
        """(I, d + 1), to score with; the bias comes last."""
        return torch.cat([self._scaled(self._raw_vectors()), self.bias[:, None]], dim=1)

    def project(self, factors: Tensor) -> Tensor:
        """Return factors (B, D) in the encoder's space, (B, d); zeros where items have none."""
        if self.projection is None:
            return factors.new_zeros(len(factors), self.embedding.shape[1])
        return self._scaled(self.projection(factors))

    def _raw_vectors(self) -> Tensor:
        if self.projection is None:
            return self.embedding
        projected: Tensor = self.projection(self.item_factors)
        return self.embedding + projected

    def queries(self, states: Tensor) -> Tensor:
        """Turn states (N, d) into what item vectors are multiplied with, (N, d + 1)."""
        if self.is_normalized:
            states = functional.normalize(states, dim=-1) * self.log_scale.exp()
        return torch.cat([states, torch.ones_like(states[:, :1])], dim=1)

    def forward(self, events: _Events, vectors: Tensor) -> Tensor:
        """Return a state for every event, (B, L, d), given the items' vectors (I, d + 1)."""
        known = events.items != UNKNOWN
        gains = self.kind_gain[events.kinds] * known
        if self.is_normalized:
            gains = gains * math.sqrt(vectors.shape[-1] - 1)
        items = functional.embedding(events.items.clamp(min=0), vectors[:, :-1])
        x = items * gains[..., None]
        x = x + self.kind_embedding[events.kinds] + self.gap_embedding[events.gaps]
        x = x + self.silence_embedding[events.silences]
        if events.words is not None:
            x = x + self.word_embedding(events.words).sum(2)
        x = self.dropout(self.input_norm(x))
        if self.recurrent is not None:
            x = x + self.recurrent(x)[0]
        else:
            rotation = _rotation(x.shape[1], self.head_size)
            for block in self.blocks:
                x = block(x, rotation)
        normed: Tensor = self.output_norm(x)
        return normed

    def _scaled(self, vectors: Tensor) -> Tensor:
        return functional.normalize(vectors, dim=-1) if self.is_normalized else vectors


class _Block(nn.Module):
    """Causal self-attention with rotary positions, then a feed-forward layer; norms come first."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.head_size, self.dropout = num_heads, width // num_heads, dropout
        self.attention_norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width, bias=False)
        self.merge = nn.Linear(width, width, bias=False)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        batch, length, width = x.shape
        shape = (batch, length, 3, self.num_heads, self.head_size)
        query, key, value = self.attention(self.attention_norm(x)).view(shape).unbind(2)
        seen = functional.scaled_dot_product_attention(
            _rotate(query, rotation).transpose(1, 2),
            _rotate(key, rotation).transpose(1, 2),
            value.transpose(1, 2),
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=True,
        )
        x = x + self.drop(self.merge(seen.transpose(1, 2).reshape(batch, length, width)))
        fed: Tensor = self.drop(self.feed(self.feed_norm(x)))
        return x + fed


def _rotation(length: int, size: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (L, 1, size / 2) of rotary positions (Su et al. 2021)."""
    speeds = 10_000.0 ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(length)[:, None] * speeds
    return angles.cos()[:, None], angles.sin()[:, None]


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair of coordinates of (B, L, H, size) by its angle."""
    cosines, sines = rotation
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack([even * cosines - odd * sines, even * sines + odd * cosines], dim=-1)
    return turned.flatten(-2)

"""Session network: event features and item vectors in, a state after each event out.

A causal transformer with rotary positions, normalised first (pre-norm).

B requests, L events, W words, d width, H heads, s = d / H, I items, D iALS embedding, N states.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.arrays import Float32, Float64
from recommender.data.sessions import EventKind
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_events import GAP_BUCKETS, SILENCE_BUCKETS, EventFeatures
from recommender.vocabulary import UNKNOWN

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


class SessionNetwork(nn.Module):
    """The parameters, and the way from events to states."""

    item_factors: Tensor
    """(I, D), only where items have factors."""

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
        self.blocks = nn.ModuleList(
            Block(width, config.num_heads, config.dropout) for _ in range(config.num_blocks)
        )
        self.output_norm = nn.LayerNorm(width)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))

    def forward(self, events: EventFeatures, vectors: Tensor) -> Tensor:
        """Return the state after each event, (B, L, d), given item vectors (I, d + 1)."""
        is_known = events.items != UNKNOWN  # (B, L)
        gains = self.kind_gain[events.kinds] * is_known  # (B, L)
        if self.is_normalized:
            gains = gains * math.sqrt(vectors.shape[-1] - 1)  # (B, L)
        items = functional.embedding(events.items.clamp(min=0), vectors[:, :-1])  # (B, L, d)
        x = items * gains[..., None]  # (B, L, d)
        x = x + self.kind_embedding[events.kinds] + self.gap_embedding[events.gaps]  # (B, L, d)
        x = x + self.silence_embedding[events.silences]  # (B, L, d)
        if events.words is not None:
            x = x + self.word_embedding(events.words).sum(2)  # (B, L, W, d) -> (B, L, d)
        x = self.dropout(self.input_norm(x))  # (B, L, d)
        rotation = _rotation(x.shape[1], self.head_size)  # 2 x (L, 1, s / 2)
        for block in self.blocks:
            x = block(x, rotation)  # (B, L, d)
        states: Tensor = self.output_norm(x)  # (B, L, d)
        return states

    def vectors(self) -> Tensor:
        """Return the item vectors to score with, (I, d + 1); the bias is the last coordinate."""
        raw: Tensor = self.embedding  # (I, d)
        if self.projection is not None:
            raw = raw + self.projection(self.item_factors)  # (I, d)
        return torch.cat([self._scaled(raw), self.bias[:, None]], dim=1)  # (I, d + 1)

    def queries(self, states: Tensor) -> Tensor:
        """Return what item vectors are multiplied with, (N, d + 1), from states (N, d)."""
        if self.is_normalized:
            states = functional.normalize(states, dim=-1) * self.log_scale.exp()  # (N, d)
        return torch.cat([states, torch.ones_like(states[:, :1])], dim=1)  # (N, d + 1)

    def project(self, factors: Tensor) -> Tensor:
        """Return factors (B, D) in the encoder's space, (B, d); zeros where items have none."""
        if self.projection is None:
            return factors.new_zeros(len(factors), self.embedding.shape[1])
        return self._scaled(self.projection(factors))

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Return the groups for an optimiser: matrices decay, norms and gains do not."""
        parameters = list(self.parameters())
        return [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ]

    def start_bias(self, counts: Float64, average: float) -> None:
        """Start the bias at the log of each item's count, (I,), with this average."""
        with torch.no_grad():
            bias = torch.from_numpy(np.log(counts + 1.0)).float()
            self.bias.copy_(bias - bias.mean() + average)

    def _scaled(self, vectors: Tensor) -> Tensor:
        return functional.normalize(vectors, dim=-1) if self.is_normalized else vectors


class Block(nn.Module):
    """Causal self-attention, then an MLP; each normalises its input and adds to the residual."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalSelfAttention(width, num_heads, dropout)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Return (B, L, d), of (B, L, d)."""
        x = x + self.dropout(self.attention(self.attention_norm(x), rotation))  # (B, L, d)
        y: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))  # (B, L, d)
        return y


class CausalSelfAttention(nn.Module):
    """Attention of each event to itself and those before it (Vaswani et al. 2017)."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Return (B, L, d), of (B, L, d)."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.num_heads, -1)).unbind(2)  # (B,L,H,s)
        query, key = _rotate(query, rotation), _rotate(key, rotation)  # (B, L, H, s)
        attended = functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2),
            dropout_p=self.dropout if self.training else 0.0, is_causal=True,
        )  # (B, H, L, s)  # fmt: skip
        merged = attended.transpose(1, 2).flatten(2)  # (B, L, d)
        projected: Tensor = self.out_proj(merged)  # (B, L, d)
        return projected


def _rotation(length: int, size: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (L, 1, s / 2) of rotary positions (Su et al. 2021)."""
    speeds = 10_000.0 ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(length)[:, None] * speeds
    return angles.cos()[:, None], angles.sin()[:, None]


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate each pair of coordinates of (B, L, H, s) by its angle."""
    cosines, sines = rotation  # (L, 1, s / 2)
    even, odd = x[..., 0::2], x[..., 1::2]  # (B, L, H, s / 2)
    pairs = [even * cosines - odd * sines, even * sines + odd * cosines]  # 2 x (B, L, H, s / 2)
    return torch.stack(pairs, dim=-1).flatten(-2)  # (B, L, H, s)

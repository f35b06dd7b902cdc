"""Session encoder: recent events in, a vector in the item space out that predicts the next title.

A causal transformer over the newest events of this visit and the visits before, trained for
next-item prediction on positive events:

    v_i = P h_i + e_i                             an item: its iALS factor projected, and its own
                                                  embedding
    x_t = g_k v_i + k + gap + silence + words     an event: its kind k, and the time around it
    s_t = norm(transformer(x_1 … x_t))            the state after event t
    y_i = s_t · v_i + b_i                         cosines over τ where `is_normalized`

The bias is one more coordinate, so that scores stay inner products: an item is [v_i, b_i], a
session [s, 1]. An item published after training has no vector until the next training.

B requests, L events, I items, D iALS embedding, d width, N predictions in a batch.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recommender.arrays import Float32
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)
from recommender.data.sessions import RecentEvents, Requests, Sessions
from recommender.errors import InvalidInputError, NotFittedError
from recommender.models.early_stopping import BestSoFar, EpochReport
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_events import EventFeatures
from recommender.models.session_loss import average_logit, make_loss
from recommender.models.session_network import SessionNetwork
from recommender.models.session_windows import Windows
from recommender.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

RETIRED_CONFIG = {"architecture": "transformer"}
RENAMED_PARAMETERS = (
    (".attention.weight", ".attention.qkv.weight"),
    (".merge.weight", ".attention.out_proj.weight"),
    (".feed_norm.", ".mlp_norm."),
    (".feed.", ".mlp."),
)
"""Names in artifacts written before the parameters had their present names."""


class SessionEncoder:
    """Encodes in-session events; scores are inner products with the item vectors."""

    def __init__(self, config: SessionEncoderConfig = SessionEncoderConfig()) -> None:
        self.config = config
        self.items = Vocabulary([])
        self._network: SessionNetwork | None = None
        self._vectors = torch.empty(0)

    def fit(
        self,
        sessions: Sessions,
        items: Vocabulary,
        item_factors: Float32 | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None,
        validation: Callable[["SessionEncoder"], float] | None = None,
    ) -> "SessionEncoder":
        """Learn to predict each next positive event.

        Args:
            sessions: over the item numbers of `items`.
            items: what the numbers mean.
            item_factors: (I, D) of iALS; None learns every item from its events alone.
            on_epoch: called with the report of every epoch; its loss is the mean of the updates.
            validation: returns a value after every epoch, higher is better. With
                `config.patience` it decides when to stop, and the best epoch is kept.

        Raises:
            InvalidInputError: no event follows another, or the factors are not the items'.
        """
        config = self.config
        windows = Windows.of(sessions, config.max_events, config.half_life_hours)
        if not windows.num_targets:
            raise InvalidInputError(
                "there is nothing to learn from: no viewer has two events with known titles"
            )
        if item_factors is not None and len(item_factors) != len(items):
            raise InvalidInputError(
                f"there must be a factor for each of {len(items)} items, got {len(item_factors)}"
            )
        self.items = items
        best = BestSoFar[dict[str, Tensor]](config.patience)
        seconds = 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = self._network = SessionNetwork(config, len(items), item_factors)
            trainer = _Trainer(network, config, windows, len(items))
            for epoch in range(1, config.epochs + 1):
                began = time.perf_counter()
                loss = trainer.epoch()
                seconds += time.perf_counter() - began
                self._compute_vectors()
                value = validation(self) if validation is not None else None
                report = EpochReport(epoch=epoch, loss=loss, seconds=seconds, validation=value)
                logger.info("session encoder %s", report)
                if on_epoch is not None:
                    on_epoch(report)
                best.improved(value, lambda: _copied(network))
                if best.is_exhausted:
                    break
        if best.state is not None:
            network.load_state_dict(best.state)
            self._compute_vectors()
        return self

    def encode(self, recent: RecentEvents) -> Float32:
        """Return the session vector of each request, (B, d + 1); zeros without events."""
        network = self._fitted()
        with torch.inference_mode():
            features = EventFeatures.of(recent, self.config.query_buckets)
            states = network(features, self._vectors)  # (B, L, d)
            last = torch.from_numpy(recent.is_there.sum(axis=1) - 1).clamp(min=0)  # (B,)
            vectors = network.queries(states[torch.arange(len(last)), last])  # (B, d + 1)
            vectors[~torch.from_numpy(recent.is_there.any(axis=1))] = 0.0
        return vectors.numpy()

    @property
    def item_vectors(self) -> Float32:
        """(I, d + 1), what encoded requests are multiplied with."""
        self._fitted()
        return self._vectors.numpy()

    def agreement(self, tastes: Float32, encoded: Float32) -> Float32:
        """Return (B,) the cosine of long-term tastes (B, D), projected, with encoded requests.

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
        """Read the artifact, one with earlier parameter names too.

        Raises:
            ArtifactError: it is broken, no session encoder, or of a removed architecture.
        """
        with loading(folder):
            artifact = load_artifact(folder, "session_encoder")
            config = read_config(SessionEncoderConfig, artifact.manifest.config, RETIRED_CONFIG)
            encoder = cls(config)
            encoder.items = Vocabulary(artifact.ids("item_ids"))
            arrays = {name: a for name, a in artifact.arrays.items() if name != "item_ids"}
            network = SessionNetwork(config, len(encoder.items), arrays.get("item_factors"))
            network.load_state_dict(
                {_current_name(name): torch.from_numpy(array) for name, array in arrays.items()}
            )
            encoder._network = network
            encoder._compute_vectors()
            return encoder

    def _compute_vectors(self) -> None:
        network = self._fitted()
        network.eval()
        with torch.inference_mode():
            self._vectors = network.vectors().clone()

    def _fitted(self) -> SessionNetwork:
        if self._network is None:
            raise NotFittedError("the session encoder has learned nothing: fit or load it first")
        return self._network


class _Trainer:
    """One run of training: the loss, the optimiser and its schedule over the windows."""

    def __init__(
        self,
        network: SessionNetwork,
        config: SessionEncoderConfig,
        windows: Windows,
        num_items: int,
    ) -> None:
        self._network, self._config, self._windows = network, config, windows
        self._rng = np.random.default_rng(config.seed)
        counts = windows.target_counts(num_items)
        network.start_bias(
            counts,
            average_logit(config.loss, num_items, config.num_negatives, config.gbce_calibration),
        )
        self._loss_of = make_loss(
            config.loss,
            num_items,
            num_negatives=config.num_negatives,
            calibration=config.gbce_calibration,
            counts=torch.from_numpy(counts),
            generator=torch.Generator().manual_seed(config.seed),
        )
        self._optimizer = torch.optim.AdamW(
            network.parameter_groups(config.weight_decay),
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        steps = config.epochs * windows.num_batches(config.batch_events)
        self._schedule = torch.optim.lr_scheduler.LinearLR(self._optimizer, 1.0, 0.02, steps)

    def epoch(self) -> float:
        """Run one epoch and return the mean loss of its updates."""
        network, config = self._network, self._config
        network.train()
        losses = []
        for rows in self._windows.batches(config.batch_events, self._rng):
            features, targets, is_target = self._windows.batch(rows, config.hide_recent, self._rng)
            if not is_target.any():
                continue
            vectors = network.vectors()  # (I, d + 1)
            states = network(features, vectors)[is_target]  # (N, d)
            loss = self._loss_of(network.queries(states), vectors, targets[is_target])
            self._optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            self._optimizer.step()
            self._schedule.step()
            losses.append(loss.item())
        network.eval()
        return float(np.mean(losses))


def _current_name(name: str) -> str:
    """Return the present name of a parameter in an artifact."""
    for old, new in RENAMED_PARAMETERS:
        if name.startswith("blocks.") and old in name:
            return name.replace(old, new)
    return name


def _copied(network: SessionNetwork) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}

"""Settings of the session encoder: its size, its loss and how it is trained."""

from dataclasses import dataclass

from recommender import checks
from recommender.errors import InvalidInputError
from recommender.models.session_loss import LOSSES


@dataclass(frozen=True)
class SessionEncoderConfig:
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
    """Events in one update, padding included."""
    epochs: int = 20
    patience: int | None = 3
    """Epochs without a better validation value before stopping; None runs them all."""
    hide_recent: float = 0.1
    """How often the newest one or more events are hidden in training, so that one click does not
    turn the page around."""
    half_life_hours: float | None = None
    """An event so much older than the newest takes part in every other epoch only; None uses all
    events in all epochs."""
    query_buckets: int = 2048
    """Words typed are hashed into so many."""
    seed: int = 0

    def __post_init__(self) -> None:
        checks.one_of(LOSSES, loss=self.loss)
        checks.whole(
            width=self.width,
            num_blocks=self.num_blocks,
            num_heads=self.num_heads,
            max_events=self.max_events,
            num_negatives=self.num_negatives,
            batch_events=self.batch_events,
            epochs=self.epochs,
            patience=self.patience,
            query_buckets=self.query_buckets,
        )
        checks.share(dropout=self.dropout, hide_recent=self.hide_recent)
        checks.positive(
            temperature=self.temperature,
            learning_rate=self.learning_rate,
            half_life_hours=self.half_life_hours,
        )
        checks.not_negative(weight_decay=self.weight_decay)
        if self.width % (2 * self.num_heads):
            raise InvalidInputError(
                f"width must be a multiple of 2 x num_heads, got {self.width} and {self.num_heads}"
            )

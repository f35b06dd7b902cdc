"""Settings of a release: those of its models and of the evaluation split."""

from dataclasses import dataclass

from recommender import checks
from recommender.models.content_vectors import ContentVectorsConfig
from recommender.models.fusion import FusionConfig
from recommender.models.ials import IalsConfig
from recommender.models.larm import LarmConfig
from recommender.models.popularity import PopularityConfig
from recommender.models.session_config import SessionEncoderConfig


@dataclass(frozen=True)
class ReleaseConfig:
    """The models' settings and the evaluation split."""

    ials: IalsConfig = IalsConfig(embedding_size=64, unobserved_weight=0.3, regularization=0.003)
    """Chosen on held-out profiles of the demo's ratings (docs/models/ials.md)."""
    content_vectors: ContentVectorsConfig = ContentVectorsConfig()
    """Chosen on the demo (docs/models/content_vectors.md)."""
    larm: LarmConfig | None = LarmConfig(
        regularization=100.0, adversary_penalty=0.3, max_items=4000, rounds=6, patience=None
    )
    """Chosen on ml-latest-small, whose size the demo has (docs/models/larm.md). None leaves the
    neighbours to iALS. The titles beyond `max_items`, those that fewest like, are left to it
    anyway: in closed form a round takes N³ operations."""
    neighbours: int = 200
    """How many neighbours of each title are published (docs/models/larm.md)."""
    popularity: PopularityConfig = PopularityConfig()
    session_encoder: SessionEncoderConfig = SessionEncoderConfig(
        width=32, num_blocks=1, dropout=0.4, loss="sampled_softmax", num_negatives=512,
        learning_rate=3e-3, batch_events=2048, epochs=6,
    )  # fmt: skip
    """Chosen on ml-latest-small, whose size the demo has (docs/models/session_encoder.md)."""
    fusion: FusionConfig = FusionConfig()
    held_out_share: float = 0.1
    """The share of profiles held out to evaluate the release."""
    max_held_out: int = 2000

    def __post_init__(self) -> None:
        checks.share(held_out_share=self.held_out_share)
        checks.whole(neighbours=self.neighbours)
        checks.whole(0, max_held_out=self.max_held_out)

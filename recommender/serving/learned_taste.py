"""What a release has learned from visits: its artifacts in, the experts of a catalogue out.

I items of a catalogue.
"""

from dataclasses import dataclass
from pathlib import Path

from recommender.artifacts import load_artifact
from recommender.data.catalogue import Catalogue
from recommender.models.learned_visits import CatalogueEncoder, LearnedVisits, SessionScores
from recommender.models.session_encoder import SessionEncoder
from recommender.models.visit_counts import VisitCounts
from recommender.models.visit_mixture import MIXTURE, VisitMixture
from recommender.serving.request import Viewer
from recommender.serving.taste import recent_events


@dataclass(frozen=True)
class LearnedRelease:
    """The learned weights of a release and its experts, over their own vocabularies."""

    mixture: VisitMixture
    counts: VisitCounts
    encoder: SessionEncoder | None = None

    @classmethod
    def load(cls, folder: Path) -> "LearnedRelease | None":
        """Read a release's; None where it has none, or they did not win.

        Raises:
            ArtifactError: one is broken.
        """
        if not (folder / "visit_mixture").exists():
            return None
        manifest = load_artifact(folder / "visit_mixture").manifest
        if manifest.metrics.get("visit_side") != MIXTURE:
            return None
        encoder = None
        if (folder / "session_encoder").exists():
            encoder = SessionEncoder.load(folder / "session_encoder")
        return cls(
            VisitMixture.load(folder / "visit_mixture"),
            VisitCounts.load(folder / "visit_counts"),
            encoder,
        )

    def over(self, catalogue: Catalogue) -> "LearnedVisits":
        """Return the weights and the counts in the catalogue's item numbers."""
        return LearnedVisits(
            self.mixture, self.counts.over(catalogue.titles, catalogue.is_available)
        )


class EncodedVisit:
    """What a session encoder says of viewers, over one catalogue. Immutable."""

    def __init__(self, encoder: SessionEncoder, catalogue: Catalogue) -> None:
        self._over = CatalogueEncoder(encoder, catalogue.titles)

    def scores(self, viewer: Viewer) -> SessionScores | None:
        """Return what it says; None where this visit has no positive event of a known title.

        How long ago the visit's last event was does not count: the encoder reads no silence there.
        """
        encoder, events = self._over.encoder, viewer.events
        if not events:
            return None
        recent = recent_events(events, events[-1].at, encoder.items, encoder.config.max_events)
        return self._over.scores(recent)[0]

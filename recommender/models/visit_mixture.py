"""Visit mixture: how likely each expert found what was wanted next in, the experts' weights out.

What is wanted has the distribution q_i ∝ Σ_f π_f D_f(i) over the experts f of
`recommender.models.visit_intents`: nothing in particular, the aspects of likeness, the counts of
recorded visits, the session encoder. An expert's masses may sum to z_f = Σ_i D_f(i) other than 1:
the better events hang together in an aspect, the more of it. π maximises

    Σ_n log (Σ_f π_f D_nf / Σ_f π_f z_nf) + C Σ_f π⁰_f log π_f       of requests n, D of the target

C requests' worth of the stated weights π⁰ (a Dirichlet prior), so that few requests change little.
The normaliser's logarithm is bounded by its tangent, as in conditional EM (Jebara and Pentland,
NIPS 1998), which leaves each round in closed form and never lowers the objective:

    π_f ← (Σ_n ρ_nf + C π⁰_f) / (Σ_n z_nf / Σ_g π_g z_ng + C)        ρ the responsibilities

Where every z is 1 that is the EM of mixture weights (Dempster, Laird and Rubin, JRSS B 39, 1977).

N requests, F experts, S stages of a visit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender import checks
from recommender.arrays import Float64, Int64
from recommender.artifacts import (
    UNSTATED,
    Manifest,
    Provenance,
    load_artifact,
    loading,
    read_config,
    save_artifact,
)

KIND = "visit_mixture"
MIXTURE = "mixture"
"""What a release's mixture notes as `visit_side` where learned weights read the visits."""


@dataclass(frozen=True)
class VisitMixtureConfig:
    concentration: float = 100.0
    """C."""
    stages: tuple[int, ...] = (1, 2, 3)
    """The least titles of each stage of a visit: stages have weights of their own."""
    rounds: int = 300

    def __post_init__(self) -> None:
        checks.positive(concentration=self.concentration)
        checks.whole(1, rounds=self.rounds)
        checks.whole(1, **{f"stages[{n}]": least for n, least in enumerate(self.stages)})


class VisitMixture:
    """The weights of the experts, by how many titles the visit has opened or played."""

    def __init__(self, config: VisitMixtureConfig = VisitMixtureConfig()) -> None:
        self.config = config
        self.experts: tuple[str, ...] = ()
        self.weights = np.empty((len(config.stages), 0))
        """π, (S, F)."""

    def fit(
        self,
        experts: Sequence[str],
        stated: Mapping[str, float],
        targets: Float64,
        masses: Float64,
        titles: Int64,
    ) -> "VisitMixture":
        """Learn the weights of all requests, and from them those of each stage.

        Args:
            experts: F names.
            stated: π⁰ by name.
            targets: (N, F) D of each request's target; 0 where an expert says nothing.
            masses: (N, F) z; 0 where an expert says nothing.
            titles: (N,) of the visit before each request.
        """
        self.experts = tuple(experts)
        start = np.array([stated[name] for name in experts])
        found = targets.max(axis=1, initial=0) > 0  # what nobody finds teaches nothing
        targets, masses, titles = targets[found], masses[found], titles[found]
        overall = fitted_weights(targets, masses, start / start.sum(), self.config)
        stage = self._stage(titles)
        self.weights = np.array(
            [
                fitted_weights(targets[stage == n], masses[stage == n], overall, self.config)
                for n in range(len(self.config.stages))
            ]
        )
        return self

    def of(self, titles: int) -> dict[str, float]:
        """Return the experts' weights after so many titles of the visit."""
        stage = int(self._stage(np.array([titles]))[0])
        return dict(zip(self.experts, self.weights[stage].tolist(), strict=True))

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> Manifest:
        """Write the artifact."""
        names = np.array([*"\n".join(self.experts).encode()], dtype=np.int64)
        arrays = {"experts": names, "weights": self.weights}
        return save_artifact(folder, KIND, self.config, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "VisitMixture":
        """Read the artifact.

        Raises:
            ArtifactError: it is broken, or of another kind.
        """
        with loading(folder):
            artifact = load_artifact(folder, KIND)
            saved = artifact.manifest.config
            saved = {**saved, "stages": tuple(saved["stages"])}
            mixture = cls(read_config(VisitMixtureConfig, saved, {}))
            names = bytes(artifact.array("experts", "i", None).tolist()).decode()
            mixture.experts = tuple(names.split("\n"))
            shape = len(mixture.config.stages), len(mixture.experts)
            mixture.weights = artifact.array("weights", "f", *shape)
            return mixture

    def _stage(self, titles: Int64) -> Int64:
        """Return (N,) the stage of a visit with so many titles."""
        stage = np.searchsorted(self.config.stages, titles, side="right") - 1
        return np.asarray(np.maximum(stage, 0), dtype=np.int64)


def fitted_weights(
    targets: Float64, masses: Float64, stated: Float64, config: VisitMixtureConfig
) -> Float64:
    """Return (F,) π, from the stated π⁰ (F,); they sum to 1."""
    weights = stated
    for _ in range(config.rounds):
        joint = weights * targets  # (N, F)
        responsibilities = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        expected = masses / np.maximum((masses @ weights)[:, None], 1e-300)
        wanted = responsibilities.sum(axis=0) + config.concentration * stated
        weights = wanted / (expected.sum(axis=0) + config.concentration)
        weights = weights / weights.sum()
    return np.asarray(weights)

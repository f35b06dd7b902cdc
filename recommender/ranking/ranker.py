"""The ranker: predicts the probability of a click on each title shown, from fields of outside ids.

    growing ids → embedding rows → FiFa → logit → σ(scale · logit + shift)

N examples.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender import checks
from recommender.arrays import Bool, Float32, Float64, Int64
from recommender.artifacts import (
    UNSTATED,
    Artifact,
    Provenance,
    load_artifact,
    loading,
    save_artifact,
)
from recommender.data.examples import Examples, Field
from recommender.data.growing import GrowingVocabulary, shared_row
from recommender.errors import ArtifactError, NotFittedError
from recommender.models.early_stopping import EpochReport
from recommender.models.fifa import Fifa, FifaConfig
from recommender.vocabulary import Vocabulary

KIND = "ranker"


@dataclass(frozen=True)
class RankerConfig:
    """How the ranker learns; `fifa` holds the network's settings."""

    fifa: FifaConfig = FifaConfig(embedding_size=8, init="published", learning_rate=1e-3)
    share_unknown: float = 0.05
    """How many growing ids are learned as if nobody knew them, so that the shared rows fit."""

    def __post_init__(self) -> None:
        checks.share(share_unknown=self.share_unknown)


@dataclass(frozen=True)
class Calibration:
    """Platt's: turns logits into probabilities that match observed frequencies."""

    scale: float = 1.0
    shift: float = 0.0

    @classmethod
    def fitted(cls, logits: Float32, labels: Int64) -> "Calibration":
        """Return the one of least log loss over examples that were not learned from.

        Where only one label is there, or a better order would be the reverse, it changes nothing.
        """
        if len(np.unique(labels)) < 2:
            return cls()
        signs = np.where(labels > 0, 1.0, -1.0)
        x = logits.astype(np.float64)

        def loss(parameters: Float64) -> tuple[float, Float64]:
            margins = signs * (parameters[0] * x + parameters[1])
            slopes = -signs * expit(-margins)
            gradient = np.array([np.mean(slopes * x), np.mean(slopes)])
            return float(np.logaddexp(0, -margins).mean()), gradient

        found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
        scale, shift = (float(value) for value in found.x)
        return cls(scale, shift) if scale > 0 and math.isfinite(scale + shift) else cls()

    def probabilities(self, logits: Float32) -> Float32:
        return np.asarray(expit(self.scale * logits + self.shift), dtype=np.float32)


class Ranker:
    """FiFa over fields whose ids may grow; immutable once made, so threads may share it."""

    def __init__(
        self,
        fields: Sequence[Field],
        config: RankerConfig = RankerConfig(),
        fifa: Fifa | None = None,
        vocabularies: Sequence[GrowingVocabulary] = (),
        calibration: Calibration = Calibration(),
    ) -> None:
        self.fields, self.config, self.calibration = tuple(fields), config, calibration
        self._categorical = [field for field in self.fields if not field.is_numeric]
        self._growing = [n for n, field in enumerate(self._categorical) if field.is_growing]
        self._fifa = fifa
        self._vocabularies = tuple(vocabularies) or tuple(
            GrowingVocabulary.empty() for _ in self._growing
        )

    @property
    def fifa(self) -> Fifa:
        if self._fifa is None:
            raise NotFittedError("the ranker has learned nothing: learn or load it first")
        return self._fifa

    def learned(
        self,
        examples: Examples,
        at: Float64,
        *,
        forget_before: float = -math.inf,
        is_warm: bool = True,
        targets: Float32 | None = None,
        validation: Callable[["Ranker"], float] | None = None,
        on_epoch: Callable[[EpochReport], None] | None = None,
    ) -> "Ranker":
        """Return a ranker that learned from examples, this one unchanged.

        Args:
            examples: of the fields, growing ones by outside ids.
            at: (N,) seconds since 1970.
            forget_before: ids last met before this give up their rows.
            is_warm: whether to go on from this ranker's network; else only what ids are known.
            targets: see `Fifa.fit`.
            validation: asked for a value after every epoch, see `Fifa.fit`.
            on_epoch: called after every epoch.

        Raises:
            InvalidInputError: there is no example, or they are not of these fields.
        """
        examples.checked(self.fields)
        grown = [
            vocabulary.met(examples.categories[:, column], at, forget_before)
            for column, vocabulary in zip(self._growing, self._vocabularies, strict=True)
        ]
        vocabularies = [vocabulary for vocabulary, _ in grown]
        start = None
        if is_warm and self._fifa is not None:
            rows = [np.arange(field.num_values) for field in self._categorical]
            for column, (_, sources) in zip(self._growing, grown, strict=True):
                rows[column] = sources
            start = self._fifa.with_rows(rows)
        fifa = Fifa(self._sized(vocabularies), self.config.fifa)
        after = Ranker(self.fields, self.config, fifa, vocabularies, self.calibration)
        judge = None if validation is None else lambda _: validation(after)
        fifa.fit(after._learnable(examples), judge, on_epoch, start, targets)
        return after

    def configured(self, config: RankerConfig) -> "Ranker":
        """Return the ranker with other settings of learning; the network stays as it is."""
        return Ranker(self.fields, config, self._fifa, self._vocabularies, self.calibration)

    def calibrated(self, examples: Examples) -> "Ranker":
        """Return the ranker calibrated on examples it did not learn from."""
        fitted = Calibration.fitted(self.logits(examples), examples.labels)
        return Ranker(self.fields, self.config, self.fifa, self._vocabularies, fitted)

    def logits(self, examples: Examples) -> Float32:
        """Return (N,), before calibration."""
        return self.fifa.logits(self._encoded(examples))

    def click_probabilities(self, examples: Examples) -> Float32:
        """Return (N,) calibrated probabilities of a click, class 1."""
        return self.calibration.probabilities(self.logits(examples))

    def predict(self, examples: Examples) -> tuple[Float32, Float32]:
        """Return (N,) logits, which order finely, and (N,) calibrated click probabilities."""
        logits = self.logits(examples)
        return logits, self.calibration.probabilities(logits)

    def knows(self, field: str, examples: Examples) -> Bool:
        """Return (N,) whether a growing field's id has a row of its own."""
        column = self.place_of(field)
        vocabulary = self._vocabularies[self._growing.index(column)]
        return vocabulary.knows(examples.categories[:, column])

    def place_of(self, field: str) -> int:
        """Return the column of a field in `Examples.categories`, a number's in `numbers`."""
        is_numeric = next(each.is_numeric for each in self.fields if each.name == field)
        kin = [each.name for each in self.fields if each.is_numeric == is_numeric]
        return kin.index(field)

    def num_known(self) -> dict[str, int]:
        """Return how many ids of each growing field have rows of their own."""
        return {
            self._categorical[column].name: len(vocabulary.known)
            for column, vocabulary in zip(self._growing, self._vocabularies, strict=True)
        }

    def regimes(self, examples: Examples) -> dict[str, float]:
        """Return where the network's units work over some examples, see `fifa.Regimes`."""
        return self.fifa.regimes(self._encoded(examples)).summary()

    def save(self, folder: Path, provenance: Provenance = UNSTATED) -> None:
        """Write two artifacts below the folder: the network, and what surrounds it.

        Raises:
            ArtifactError: they exist already.
        """
        self.fifa.save(folder / "fifa", provenance)
        arrays: dict[str, NDArray[np.generic]] = {}
        for column, vocabulary in zip(self._growing, self._vocabularies, strict=True):
            arrays[f"{self._categorical[column].name}.ids"] = vocabulary.known.ids
            arrays[f"{self._categorical[column].name}.last_met"] = vocabulary.last_met
        described = _Described(self.fields, self.config.share_unknown, self.calibration)
        save_artifact(folder / KIND, KIND, described, arrays, provenance)

    @classmethod
    def load(cls, folder: Path) -> "Ranker":
        """Read what `save` wrote.

        Raises:
            ArtifactError: one of the artifacts is missing or broken.
        """
        fifa = Fifa.load(folder / "fifa")
        with loading(folder / KIND):
            artifact = load_artifact(folder / KIND, KIND)
            described = artifact.manifest.config
            fields = [Field(**field) for field in described["fields"]]
            vocabularies = [
                _vocabulary(artifact, field.name) for field in fields if field.is_growing
            ]
            config = RankerConfig(fifa.config, described["share_unknown"])
            calibration = Calibration(**described["calibration"])
            ranker = cls(fields, config, fifa, vocabularies, calibration)
            if ranker._sized(vocabularies) != list(fifa.fields):
                raise ArtifactError(f"{folder} holds a ranker and a network of other fields")
            return ranker

    def _sized(self, vocabularies: Sequence[GrowingVocabulary]) -> list[Field]:
        """The fields as FiFa has them: values are rows."""
        sizes = {
            self._categorical[column].name: vocabulary.num_rows
            for column, vocabulary in zip(self._growing, vocabularies, strict=True)
        }
        return [Field(field.name, sizes.get(field.name, field.num_values)) for field in self.fields]

    def _encoded(self, examples: Examples) -> Examples:
        categories = examples.categories.copy()
        for column, vocabulary in zip(self._growing, self._vocabularies, strict=True):
            categories[:, column] = vocabulary.rows_of(categories[:, column])
        return replace(examples, categories=categories)

    def _learnable(self, examples: Examples) -> Examples:
        """Encode, some ids as if nobody knew them."""
        encoded = self._encoded(examples)
        rng = np.random.default_rng(self.config.fifa.seed)
        for column in self._growing:
            hidden = rng.random(len(examples)) < self.config.share_unknown
            encoded.categories[hidden, column] = shared_row(examples.categories[hidden, column])
        return encoded


@dataclass(frozen=True)
class _Described:
    """What the artifact's config says."""

    fields: tuple[Field, ...]
    share_unknown: float
    calibration: Calibration


def _vocabulary(artifact: Artifact, field: str) -> GrowingVocabulary:
    known = Vocabulary(artifact.ids(f"{field}.ids"))
    return GrowingVocabulary(known, artifact.array(f"{field}.last_met", "f", len(known)))

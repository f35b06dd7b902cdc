"""Outcome of a publishing gate: may a candidate replace what is live, and by which comparison."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What a gate decided on a release or a ranker.

    Attributes:
        passed: whether the candidate may be published.
        reason: the comparison and its outcome, a sentence for operators.
        candidate: the candidate's metrics by name.
        live: those of what is live, or of the baseline where nothing is; empty where none count.
        required: the least that the gate demanded, by metric; empty where it demanded nothing.
        examples: on how many examples they were compared; 0 where it is not counted.
    """

    passed: bool
    reason: str
    candidate: Mapping[str, float] = field(default_factory=dict)
    live: Mapping[str, float] = field(default_factory=dict)
    required: Mapping[str, float] = field(default_factory=dict)
    examples: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON, which `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Verdict":
        """Return the stored verdict.

        Raises:
            TypeError: it is not one.
        """
        return cls(**stored)

"""Releases: the gate before one is published."""

from collections.abc import Mapping
from typing import Any

GATE_METRIC = "ndcg@100"
GATED = {"ials": "iALS", "larm": "R-LARM"}
"""Models that may not fall behind the live release's, and what they are called in words."""


def gate(
    new: Mapping[str, Mapping[str, Any]],
    live: Mapping[str, Mapping[str, Any]] | None,
    tolerance: float,
) -> dict[str, Any]:
    """Decide whether a release may replace the live one.

    Both are judged on held-out profiles by NDCG@100 of each of `GATED`. The new one passes if
    nothing is live, or if each model reaches the live value less `tolerance` of it. A model that
    one of the two releases does not have keeps nothing back; nor is anything kept back where there
    are so few profiles that none is held out.

    Returns:
        Plain JSON: `passed`, `metric`, `words`, and iALS's `new`, `live` and `needed`.
    """
    value = new["ials"].get(GATE_METRIC)
    if live is None:
        words = "Nothing was live to compare with."
        return _verdict(True, value, None, None, words)
    before = live["ials"].get(GATE_METRIC)
    if value is None or before is None:
        words = "Too few profiles to hold some out and compare; published."
        return _verdict(True, value, before, None, words)
    said, passes = [], []
    for name, label in GATED.items():
        reached, was = (each.get(name, {}).get(GATE_METRIC) for each in (new, live))
        if reached is None or was is None:
            continue
        needed = was * (1 - tolerance)
        passes.append(reached >= needed)
        said.append(
            f"{label}'s {GATE_METRIC} is {reached:.4f}, the live release has {was:.4f}, "
            f"at least {needed:.4f} is needed"
        )
    passed = all(passes)
    words = f"{'; '.join(said)}: {'published' if passed else 'kept back'}."
    return _verdict(passed, value, before, before * (1 - tolerance), words)


def _verdict(
    passed: bool, new: float | None, live: float | None, needed: float | None, words: str
) -> dict[str, Any]:
    return {
        "passed": passed,
        "metric": GATE_METRIC,
        "new": new,
        "live": live,
        "needed": needed,
        "words": words,
    }

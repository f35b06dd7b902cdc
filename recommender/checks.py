"""Checks of settings and arguments: values by name in, `InvalidInputError` out where one is wrong.

    checks.whole(epochs=self.epochs, patience=self.patience)
    checks.share(dropout=self.dropout)

Each check takes any number of values by their names. None means "not set" and passes.
"""

import math
from collections.abc import Collection

from recommender.errors import InvalidInputError


def whole(least: int = 1, /, **values: float | None) -> None:
    """Refuse what is not a whole number from `least` up."""
    for name, value in values.items():
        if value is not None and not (value >= least and math.isfinite(value) and value % 1 == 0):
            raise _refusal(name, f"a whole number from {least} up", value)


def positive(**values: float | None) -> None:
    """Refuse what is not above 0 and finite."""
    for name, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise _refusal(name, "positive and finite", value)


def not_negative(**values: float | None) -> None:
    """Refuse what is not 0 or more and finite."""
    for name, value in values.items():
        if value is not None and not 0 <= value < math.inf:
            raise _refusal(name, "0 or more and finite", value)


def share(**values: float | None) -> None:
    """Refuse what is not in [0, 1): a dropout, a part held out."""
    for name, value in values.items():
        if value is not None and not 0 <= value < 1:
            raise _refusal(name, "from 0 to below 1", value)


def between(least: float, most: float, /, **values: float | None) -> None:
    """Refuse what is not in [least, most]."""
    for name, value in values.items():
        if value is not None and not least <= value <= most:
            raise _refusal(name, f"from {least:g} to {most:g}", value)


def inside(low: float, high: float, /, **values: float | None) -> None:
    """Refuse what is not strictly between `low` and `high`: a confidence level."""
    for name, value in values.items():
        if value is not None and not low < value < high:
            raise _refusal(name, f"between {low:g} and {high:g}", value)


def one_of(allowed: Collection[str], /, **values: str | None) -> None:
    """Refuse what is not among the allowed names."""
    for name, value in values.items():
        if value is not None and value not in allowed:
            raise _refusal(name, f"one of {', '.join(allowed)}", repr(value))


def _refusal(name: str, allowed: str, value: object) -> InvalidInputError:
    return InvalidInputError(f"{name} must be {allowed}, got {value}")

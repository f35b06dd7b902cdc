"""Early stopping: an epoch's report and validation value in, the best epoch's state out.

best = BestSoFar[State](config.patience)
for epoch in range(1, config.epochs + 1):
...
best.improved(value, copy_state)
if best.is_exhausted:
break
if best.state is not None:
restore(best.state)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """Result of one training epoch; models with more to report extend it.

    Attributes:
        epoch: from 1 up.
        loss: of the model's own kind.
        seconds: training time since the first epoch began, validation and reporting excluded.
        validation: the value that decides when to stop, higher is better; None without validation.
    """

    epoch: int
    loss: float
    seconds: float
    validation: float | None = None

    def __str__(self) -> str:
        """Return one line for a log."""
        value = "" if self.validation is None else f", validation {self.validation:.5g}"
        return f"epoch {self.epoch}: loss {self.loss:.5g}{value}, {self.seconds:.1f} s"


class BestSoFar(Generic[State]):
    """Keeps the state of the best epoch and counts the epochs since.

    Without a patience nothing is kept and training is never stopped.
    """

    def __init__(self, patience: int | None) -> None:
        self.state: State | None = None
        """Of the best epoch; None before a value was reported."""
        self._patience = patience
        self._value: float | None = None
        self._epochs_since = 0

    def improved(self, value: float | None, copy_state: Callable[[], State]) -> bool:
        """Take an epoch's validation value, and its state if that is the best so far.

        Args:
            value: higher is better; None, an epoch without validation, changes nothing.
            copy_state: called only where the value is the best so far; returns a copy.
        """
        if value is None or self._patience is None:
            return False
        if self._value is None or value > self._value:
            self.state, self._value, self._epochs_since = copy_state(), value, 0
            return True
        self._epochs_since += 1
        return False

    @property
    def is_exhausted(self) -> bool:
        """Whether `patience` epochs in a row brought no better value."""
        return self._patience is not None and self._epochs_since >= self._patience

"""The experiments that run, as this process knows them, and the arm of a visit."""

from webapp.events.visits import CurrentVisit
from webapp.experiments.models import Experiment


class Running:
    """Holds the running experiments; looked for anew with the live release."""

    def __init__(self) -> None:
        self._found: dict[bool, Experiment] | None = None

    def get(self, *, is_simulated: bool) -> Experiment | None:
        """Return that of people or of simulated viewers; one query at a process's first look."""
        if self._found is None:
            self._found = _running()
        return self._found.get(is_simulated)

    def refresh(self) -> None:
        """Look for them. One query."""
        self._found = _running()

    def forget(self) -> None:
        self._found = None


def _running() -> dict[bool, Experiment]:
    found = Experiment.objects.filter(status=Experiment.Status.RUNNING)
    return {experiment.is_simulated: experiment for experiment in found}


running = Running()
"""This process's."""


def allocated(visit: CurrentVisit) -> CurrentVisit:
    """Return the visit with its arm: a profile's by the profile, a stranger's by the visit.

    Programs, profiles that want no personal picks, and paused ones take no part.
    """
    experiment = running.get(is_simulated=visit.is_simulated)
    takes_part = visit.is_personal and not visit.is_paused and not visit.is_bot
    if experiment is None or not takes_part or not experiment.covers(visit.started_at):
        return visit
    unit = f"profile:{visit.profile.pk}" if visit.profile else f"visit:{visit.id}"
    arm = experiment.arm_of(unit)
    return visit.in_arm(experiment.name, arm.name, arm.treatment)

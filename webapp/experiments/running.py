"""The experiment that runs, as this process knows it, and the arm of a visit."""

from webapp.events.visits import CurrentVisit
from webapp.experiments.models import Experiment


class Running:
    """Holds the running experiment; looked for anew with the live release."""

    def __init__(self) -> None:
        self._experiment: Experiment | None = None
        self._was_looked_for = False

    def get(self) -> Experiment | None:
        """Return it; one query where this process has not looked yet."""
        if not self._was_looked_for:
            self.refresh()
        return self._experiment

    def refresh(self) -> None:
        """Look for it. One query."""
        self._experiment = Experiment.objects.filter(status=Experiment.Status.RUNNING).first()
        self._was_looked_for = True

    def forget(self) -> None:
        self._experiment, self._was_looked_for = None, False


running = Running()
"""This process's."""


def allocated(visit: CurrentVisit) -> CurrentVisit:
    """Return the visit with its arm: a profile's by the profile, a stranger's by the visit.

    Programs, profiles that want no personal picks, and paused ones take no part.
    """
    experiment = running.get()
    takes_part = visit.is_personal and not visit.is_paused and not visit.is_bot
    if experiment is None or not takes_part or not experiment.covers(visit.started_at):
        return visit
    unit = f"profile:{visit.profile.pk}" if visit.profile else f"visit:{visit.id}"
    arm = experiment.arm_of(unit)
    return visit.in_arm(experiment.name, arm.name, arm.treatment)

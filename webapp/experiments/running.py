"""Running experiments of this process, and the arm of a visit."""

from webapp.events.visits import CurrentVisit
from webapp.experiments.models import Experiment
from webapp.refreshed import Refreshed


def _running(_: dict[bool, Experiment] | None) -> dict[bool, Experiment]:
    """Return the running experiments by whether they are of simulated viewers. One query."""
    experiments = Experiment.objects.filter(status=Experiment.Status.RUNNING)
    return {experiment.is_simulated: experiment for experiment in experiments}


running: Refreshed[dict[bool, Experiment]] = Refreshed(
    "running experiments", _running, otherwise={}
)


def allocated(visit: CurrentVisit) -> CurrentVisit:
    """Return the visit with its arm: a profile's by the profile, a stranger's by the visit.

    Where the experiment's unit is the visit, everyone's is by the visit.

    Programs, profiles that want no personal picks, and paused ones take no part.
    """
    experiment = running.get().get(visit.is_simulated)
    takes_part = visit.is_personal and not visit.is_paused and not visit.is_bot
    if experiment is None or not takes_part or not experiment.covers(visit.started_at):
        return visit
    unit = f"visit:{visit.id}"
    if visit.profile and experiment.unit == Experiment.Unit.PROFILE:
        unit = f"profile:{visit.profile.pk}"
    arm = experiment.arm_of(unit)
    return visit.in_arm(experiment.name, arm.name, arm.treatment)

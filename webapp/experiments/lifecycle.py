"""Create, start and stop an experiment: each a guarded change, each safe to ask for twice."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from webapp.experiments.models import (
    BUILT_IN,
    BUILT_IN_ARMS,
    BUILT_IN_QUESTION,
    BUILT_IN_SIMULATED,
    Arm,
    Experiment,
    check_arms,
)

Status = Experiment.Status


class ExperimentRefused(Exception):
    """An experiment cannot be created, started or stopped; the message says why."""


def create(
    name: str,
    arms: Sequence[Arm],
    question: str = "",
    *,
    is_simulated: bool = False,
    unit: str = Experiment.Unit.PROFILE,
) -> Experiment:
    """Create a draft, for people or for simulated viewers.

    Args:
        name: a slug.
        arms: the last one is compared with.
        question: what it should answer.
        is_simulated: whether simulated viewers take part, or people.
        unit: of `Experiment.Unit`: what is in one arm as a whole.

    Raises:
        ExperimentRefused: the arms cannot be compared, or the name is taken.
    """
    try:
        check_arms(list(arms))
    except ValidationError as error:
        raise ExperimentRefused("; ".join(error.messages)) from error
    experiment, is_new = Experiment.objects.get_or_create(
        name=name,
        defaults={
            "arms": [asdict(arm) for arm in arms],
            "question": question,
            "is_simulated": is_simulated,
            "unit": unit,
        },
    )
    there = (experiment.the_arms, experiment.is_simulated, experiment.unit)
    if not is_new and there != (list(arms), is_simulated, unit):
        raise ExperimentRefused(f"{name} is there already and is another; choose another name")
    return experiment


def built_in(*, is_simulated: bool = False) -> Experiment:
    """Return the first experiment: session-aware against long-term only."""
    name = BUILT_IN_SIMULATED if is_simulated else BUILT_IN
    arms = [Arm(**arm) for arm in BUILT_IN_ARMS]
    return create(name, arms, BUILT_IN_QUESTION, is_simulated=is_simulated)


def start(experiment: Experiment, at: datetime) -> None:
    """Let a draft run.

    Raises:
        ExperimentRefused: it has run already, or another one runs.
    """
    try:
        with transaction.atomic():
            started = Experiment.objects.filter(pk=experiment.pk, status=Status.DRAFT).update(
                status=Status.RUNNING, started_at=at
            )
    except IntegrityError:
        other = Experiment.objects.filter(
            status=Status.RUNNING, is_simulated=experiment.is_simulated
        ).first()
        raise ExperimentRefused(f"{other} runs; stop it first: one experiment at a time") from None
    experiment.refresh_from_db()
    if not started and experiment.status != Status.RUNNING:
        raise ExperimentRefused(f"{experiment} has run and is {experiment.status}: make a new one")


def stop(experiment: Experiment, at: datetime) -> None:
    """End a running experiment: everyone is served as usual from the next look on.

    Raises:
        ExperimentRefused: it does not run.
    """
    stopped = Experiment.objects.filter(pk=experiment.pk, status=Status.RUNNING).update(
        status=Status.STOPPED, stopped_at=at
    )
    experiment.refresh_from_db()
    if not stopped and experiment.status != Status.STOPPED:
        raise ExperimentRefused(f"{experiment} does not run: it is a {experiment.status}")

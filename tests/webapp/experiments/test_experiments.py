"""Who is in which arm, what the arm changes, and that a running experiment is the only one."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from webapp.discovery.treatments import Treatment
from webapp.events.clock import TOKEN_HEADER
from webapp.events.models import Visit
from webapp.experiments.models import BUILT_IN_ARMS, Arm, Experiment, check_arms
from webapp.experiments.running import running
from webapp.slates.models import Slate

Status = Experiment.Status


def halves(name="session-aware", **fields):
    return Experiment(name=name, arms=BUILT_IN_ARMS, **fields)


def only(treatment):
    """Arms of which practically everyone is in the first."""
    arms = [Arm("this", treatment, 1 - 1e-12), Arm("that", Treatment.USUAL, 1e-12)]
    return [asdict(arm) for arm in arms]


def test_a_profile_is_always_in_the_same_arm_and_about_half_are_in_each():
    arms = [halves().arm_of(f"profile:{n}").name for n in range(4000)]
    assert arms == [halves().arm_of(f"profile:{n}").name for n in range(4000)]
    assert 1880 < arms.count("session-aware") < 2120


def test_another_experiment_shuffles_anew():
    same = sum(
        halves().arm_of(f"profile:{n}") == halves("another").arm_of(f"profile:{n}")
        for n in range(4000)
    )
    assert 1880 < same < 2120


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ([Arm("a", "usual", 1.0)], "two arms or more"),
        ([Arm("a", "interleaved", 0.5)], "or one interleaved:1, got 1"),
        ([Arm("a", "usual", 0.5), Arm("a", "usual", 0.5)], "names of their own"),
        ([Arm("a", "usual", 0.5), Arm("b", "usual", 0.4)], "sum up to 1, got 0.9"),
        ([Arm("a", "usual", 0.5), Arm("b", "magic", 0.5)], "got magic"),
        ([Arm("a", "usual", 1.5), Arm("b", "usual", -0.5)], "between 0 and 1, got 1.5"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(arms, words):
    with pytest.raises(ValidationError, match=words):
        check_arms(arms)


@pytest.mark.django_db
def test_one_experiment_runs_at_a_time(now):
    halves(status=Status.RUNNING, started_at=now).save()
    halves("simulated", status=Status.RUNNING, started_at=now, is_simulated=True).save()
    with pytest.raises(IntegrityError):
        halves("another", status=Status.RUNNING, started_at=now).save()


@pytest.mark.django_db
def test_the_arm_is_kept_on_the_visit_whatever_is_asked_first(client, films, now):
    halves(status=Status.RUNNING, started_at=now - timedelta(days=1)).save()
    client.get(films[0].get_absolute_url())
    visit = Visit.objects.get()
    assert visit.experiment == "session-aware"
    assert visit.arm == halves().arm_of(f"visit:{visit.pk}").name


@pytest.mark.django_db
def test_by_visit_each_visit_of_a_profile_has_an_arm_of_its_own(owner_client, films, now):
    began = now - timedelta(days=1)
    halves(status=Status.RUNNING, started_at=began, unit=Experiment.Unit.VISIT).save()
    running.forget()
    for _ in range(12):
        owner_client.cookies.pop("marquee_visit", None)
        owner_client.get(films[0].get_absolute_url())
    visits = Visit.objects.exclude(profile=None)
    assert len(visits) == 12
    assert all(visit.arm == halves().arm_of(f"visit:{visit.pk}").name for visit in visits)
    assert len({visit.arm for visit in visits}) == 2


@pytest.mark.django_db
def test_people_are_in_no_experiment_of_simulated_viewers_nor_the_other_way(
    client, films, now, settings
):
    settings.SIMULATION_TOKEN = "a token of more than thirty-two characters"
    began = now - timedelta(days=1)
    halves("simulated", status=Status.RUNNING, started_at=began, is_simulated=True).save()
    client.get("/")
    assert Visit.objects.get().experiment == ""
    client.cookies.clear()
    client.get("/", headers={TOKEN_HEADER: settings.SIMULATION_TOKEN})
    assert Visit.objects.get(is_simulated=True).experiment == "simulated"


@pytest.mark.django_db
def test_a_visit_that_had_begun_before_the_start_takes_no_part(client, films, now):
    client.get("/")
    halves(status=Status.RUNNING, started_at=now + timedelta(minutes=1)).save()
    running.forget()
    client.get("/")
    assert Visit.objects.get().experiment == ""


@pytest.mark.django_db
def test_who_wants_no_personal_picks_and_programs_take_no_part(owner_client, cast, films, now):
    halves(status=Status.RUNNING, started_at=now - timedelta(days=1)).save()
    cast.owner.is_personalized = False
    cast.owner.save()
    owner_client.get("/")
    owner_client.get("/", headers={"user-agent": "curl/8"})
    owner_client.logout()
    owner_client.get("/", headers={"user-agent": "curl/8"})
    assert {visit.experiment for visit in Visit.objects.all()} == {""}


@pytest.mark.django_db
@pytest.mark.parametrize("treatment", list(Treatment))
def test_long_term_only_does_not_see_what_this_visit_opened(
    client, visit_release, films, now, treatment
):
    Experiment.objects.create(
        name="x", arms=only(treatment), status=Status.RUNNING, started_at=now - timedelta(days=1)
    )
    client.get("/")
    client.get(films[3].get_absolute_url())
    client.get("/")
    slate = Slate.objects.order_by("created_at").last()
    assert slate is not None
    is_usual = treatment != Treatment.LONG_TERM_ONLY
    assert any(row["kind"] == "this_visit" for row in slate.rows) == is_usual
    assert bool(slate.snapshot["viewer"]["events"]) == is_usual
    assert bool(slate.visit_share) == is_usual
    assert slate.visit.arm == "this"

"""A worker that is dead or busy is seen, and no minute task piles up or waits for a training."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from webapp.celery import app
from webapp.metrics.health_snapshot import worker_trouble
from webapp.metrics.models import HealthSnapshot
from webapp.releases.models import TrainingRun

pytestmark = pytest.mark.django_db


def looked_after(minutes_ago):
    at = timezone.now() - timedelta(minutes=minutes_ago)
    HealthSnapshot.objects.update_or_create(pk=1, defaults={"at": at, "values": {"stages": {}}})


def test_a_silent_worker_is_named(now):
    assert worker_trouble(now).startswith("The worker has not reported yet")
    looked_after(2)
    assert worker_trouble(timezone.now()) == ""
    looked_after(4)
    assert worker_trouble(timezone.now()).startswith("The worker has not reported since")


def test_a_training_that_nobody_takes_up_is_named():
    looked_after(0)
    run = TrainingRun.objects.create()
    assert worker_trouble(timezone.now()) == ""
    TrainingRun.objects.update(queued_at=timezone.now() - timedelta(minutes=20))
    assert worker_trouble(timezone.now()).startswith("A training is waiting")
    TrainingRun.objects.create(status="running")
    assert worker_trouble(timezone.now()) == "", "it waits for the one that runs"
    run.delete()
    assert worker_trouble(timezone.now()) == ""


def test_a_deep_look_at_readiness_sees_the_worker(client, release):
    looked_after(10)
    assert client.get("/readyz").status_code == 200
    deep = client.get("/readyz?deep=1")
    assert (deep.status_code, b"The worker" in deep.content) == (503, True)
    looked_after(0)
    assert client.get("/readyz?deep=1").status_code == 200


def test_every_dashboard_says_so(client):
    client.force_login(User.objects.create_superuser("operator"))
    looked_after(10)
    assert "The worker has not reported" in client.get("/staff/").content.decode()
    looked_after(0)
    assert "The worker has not reported" not in client.get("/staff/").content.decode()


def test_trainings_have_a_queue_of_their_own():
    def queue(task):
        return app.amqp.router.route({}, f"webapp.jobs.tasks.{task}")["queue"].name

    assert queue("train") == "train"
    for name in app.tasks:
        if name.startswith("webapp.") and not name.endswith(".train"):
            assert queue(name.rpartition(".")[2]) == "celery"


def test_every_task_has_an_end_and_frequent_messages_expire():
    for name, task in app.tasks.items():
        if name.startswith("webapp."):
            soft = task.soft_time_limit or app.conf.task_soft_time_limit
            assert 0 < soft < (task.time_limit or app.conf.task_time_limit) <= 6 * 3600
    for entry in app.conf.beat_schedule.values():
        schedule = entry["schedule"]
        is_frequent = isinstance(schedule, float) or len(schedule.hour) == 24
        assert bool(entry.get("options", {}).get("expires")) == is_frequent, entry

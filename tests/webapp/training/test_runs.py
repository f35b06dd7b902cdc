"""A training run from the asking to its end, and what happens when its worker is lost."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from webapp.engine.live import holder
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import previous, publish
from webapp.training import runs


@pytest.mark.django_db
def test_a_run_is_trained_once_judged_and_published(people):
    run = runs.queue_training(lambda run_id: None)
    ended = runs.run_training(run.pk)
    assert (ended.status, ended.error) == ("succeeded", "")
    assert ended.metrics["ials"]["ndcg@100"] > 0.3
    assert len(ended.metrics["ials"]["curve"]) >= 1
    assert {"observed_loss", "unobserved_loss", "regularization"} <= set(
        ended.metrics["ials"]["curve"][0]
    )
    live = Release.objects.get(is_live=True)
    assert live.run == run
    assert (live.fetch() / "ials" / "manifest.json").exists()
    assert runs.run_training(run.pk) is None


@pytest.mark.django_db
def test_a_run_without_history_fails_in_words(db):
    run = runs.queue_training(lambda run_id: None)
    ended = runs.run_training(run.pk)
    assert ended.status == "failed"
    assert "nothing to learn from" in ended.error
    assert not Release.objects.exists()


@pytest.mark.django_db
def test_a_run_whose_worker_is_gone_is_marked_failed_and_the_old_release_serves(release):
    lost = TrainingRun.objects.create(status="running", started_at=timezone.now())
    assert runs.end_lost_runs(timezone.now()) == 1
    lost.refresh_from_db()
    assert lost.status == "failed"
    assert "worker was lost" in lost.error
    assert Release.objects.get(is_live=True) == release


@pytest.mark.django_db
def test_a_run_that_still_holds_its_lock_is_left_alone():
    running = TrainingRun.objects.create(status="running", started_at=timezone.now())
    settings = connection.get_connection_params()
    wanted = {
        k: settings[k] for k in ("dbname", "user", "password", "host", "port") if k in settings
    }
    with psycopg.connect(**wanted) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s)", [runs.LOCK_SPACE, running.pk])
        assert runs.end_lost_runs(timezone.now()) == 0
    running.refresh_from_db()
    assert running.status == "running"


@pytest.mark.django_db
def test_a_run_queued_for_long_is_sent_again():
    run = TrainingRun.objects.create()
    assert runs.overdue_runs(timezone.now()) == []
    assert runs.overdue_runs(timezone.now() + timedelta(minutes=11)) == [run.pk]


@pytest.mark.django_db
def test_publishing_leaves_one_live_release_and_rolling_back_returns_to_the_one_before(release):
    run = TrainingRun.objects.create(status="succeeded")
    newer = Release.objects.create(run=run, folder="artifacts/newer")
    publish(newer, timezone.now())
    assert Release.objects.get(is_live=True) == newer
    assert previous(Release) == release
    before = previous(Release)
    assert before is not None
    publish(before, timezone.now())
    assert Release.objects.get(is_live=True) == release


@pytest.mark.django_db
def test_a_broken_release_leaves_the_old_one_serving(release, caplog):
    assert holder.get().release_id == release.pk
    run = TrainingRun.objects.create(status="succeeded")
    publish(Release.objects.create(run=run, folder="artifacts/missing"), timezone.now())
    holder.refresh()
    live = holder.get()
    assert live.release_id == release.pk
    assert live.recommender is not None
    assert "missing" in live.trouble
    caplog.clear()
    holder.refresh()
    assert not caplog.records


@pytest.mark.django_db
def test_a_release_published_meanwhile_is_compared_with_too(release, monkeypatch):
    """Training takes long enough for an operator to roll back, or another training to end."""
    compared, live_metrics = [], runs._live_metrics

    def metrics(*args):
        compared.append(Release.objects.get(is_live=True).pk)
        if len(compared) == 1:
            run = TrainingRun.objects.create(status="succeeded")
            publish(Release.objects.create(run=run, folder=release.folder + "/"), timezone.now())
        return live_metrics(*args)

    monkeypatch.setattr(runs, "_live_metrics", metrics)
    ended = runs.run_training(runs.queue_training(lambda run_id: None).pk)
    assert (ended.status, ended.error) == ("succeeded", "")
    assert compared[0] == release.pk
    assert len(compared) == 2
    assert compared[1] not in (release.pk, ended.release.pk)


@pytest.mark.django_db
def test_a_live_release_that_raises_anything_is_replaced(release, monkeypatch):
    def evaluate(*args, **kwargs):
        raise TypeError("a setting of another version")

    monkeypatch.setattr(runs, "evaluate_release", evaluate)
    ended = runs.run_training(runs.queue_training(lambda run_id: None).pk)
    assert (ended.status, ended.error) == ("succeeded", "")
    assert Release.objects.get(is_live=True) == ended.release


@pytest.mark.django_db
def test_a_cluster_that_is_not_there_fails_the_run_in_words(release, settings):
    pytest.importorskip("ray", reason="needs requirements-cluster.txt")
    settings.RAY_ADDRESS = "127.0.0.1:9"
    ended = runs.run_training(runs.queue_training(lambda run_id: None).pk)
    assert ended.status == "failed"
    assert "127.0.0.1:9 does not answer" in ended.error
    assert Release.objects.get(is_live=True) == release

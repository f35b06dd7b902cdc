"""Who publishes at once, and what a training publishes over."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from webapp.releases.models import RankerVersion, Release, TrainingRun
from webapp.releases.publishing import live_id, publish, publish_over


def new_release():
    run = TrainingRun.objects.create(status="succeeded")
    return Release.objects.create(run=run, folder=f"artifacts/run-{run.pk}")


@pytest.mark.django_db(transaction=True)
def test_many_publish_at_once_and_exactly_one_is_live(now):
    releases = [new_release() for _ in range(8)]

    def publish_all(turn):
        try:
            for release in releases[turn:] + releases[:turn]:
                publish(Release.objects.get(pk=release.pk), now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(publish_all, range(8)))  # raises what a thread raised
    assert Release.objects.filter(is_live=True).count() == 1


@pytest.mark.django_db
def test_nobody_is_published_over_who_went_live_meanwhile(now):
    live, rolled_back_to, trained = new_release(), new_release(), new_release()
    publish(live, now)
    compared_with = live_id(Release)
    publish(rolled_back_to, now)
    assert not publish_over(compared_with, trained, now)
    assert live_id(Release) == rolled_back_to.pk
    assert publish_over(rolled_back_to.pk, trained, now)
    assert live_id(Release) == trained.pk


@pytest.mark.django_db
def test_the_first_is_published_over_none(now):
    first = new_release()
    assert live_id(Release) is None
    assert publish_over(None, first, now)
    assert first.is_live


@pytest.mark.django_db
def test_releases_and_rankers_have_locks_of_their_own(now):
    """A ranker's hourly publication does not wait for a release's."""
    publish(new_release(), now)
    run = TrainingRun.objects.create(kind="teacher")
    publish(RankerVersion.objects.create(run=run, folder="artifacts/r", learned_until=now), now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT objid) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone()[0] == 2


@pytest.mark.django_db
def test_a_release_that_fails_its_trial_is_not_published_by_hand(release, now):
    broken = new_release()
    with pytest.raises(CommandError, match=f"Release {broken.pk} is not published"):
        call_command("releases", "--publish", str(broken.pk))
    assert live_id(Release) == release.pk
    call_command("releases", "--publish", str(release.pk))
    assert live_id(Release) == release.pk

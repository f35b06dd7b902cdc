"""What grows goes again: slates, events, visits, sessions and artifacts, in batches."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from webapp.events.models import Event, Visit
from webapp.jobs.tasks import prune_sessions
from webapp.profiles.models import Session
from webapp.releases.models import RankerVersion, Release, TrainingRun
from webapp.releases.retention import prune_artifacts
from webapp.slates import retention
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(retention, "SLATES_AT_ONCE", 3)
    monkeypatch.setattr(retention, "VISITS_AT_ONCE", 3)


def shown(now, days, profile=None, film=None, **fields):
    """A visit of so many days ago, with a slate and, of a film, an event of it."""
    at = now - timedelta(days=days)
    visit = Visit.objects.create(profile=profile, started_at=at)
    slate = Slate.objects.create(
        visit=visit, surface="home", created_at=at, rows=[], took_ms=1, **fields
    )
    if film:
        Event.objects.create(
            id=uuid.uuid4(), visit=visit, profile=profile, title=film, kind="open", slate=slate,
            occurred_at=at, received_at=at,
        )  # fmt: skip
    return slate


def test_old_slates_go_and_their_events_stay(films, cast, now):
    old = [shown(now, 91, cast.owner, films[n]) for n in range(10)]
    below = shown(now, 89, cast.owner, continues=old[0])
    assert retention.prune_slates(now) == 10
    assert Slate.objects.get() == below
    assert Slate.objects.get().continues is None
    assert Event.objects.filter(slate=None).count() == 10


def test_a_keystroke_that_came_to_nothing_goes_after_a_day(films, cast, now):
    kept = [
        shown(now, 2, cast.owner, films[0], is_keystroke=True),
        shown(now, 0.5, cast.owner, is_keystroke=True),
        shown(now, 2, cast.owner),
    ]
    for _ in range(7):
        shown(now, 2, cast.owner, is_keystroke=True)
    assert retention.prune_slates(now) == 7
    assert set(Slate.objects.all()) == set(kept)


def test_a_batch_reads_no_slate_whole(films, cast, now, django_assert_max_num_queries):
    """Only ids leave the database, however large rows, snapshots and features are."""
    for _ in range(7):
        shown(now, 91, cast.owner)
    with django_assert_max_num_queries(40) as queries:
        retention.prune_slates(now)
    read = [query["sql"] for query in queries.captured_queries if "SELECT" in query["sql"]]
    assert not any("snapshot" in sql or "features" in sql for sql in read)


def test_visits_of_nobody_go_with_all_they_hold(films, cast, now, settings):
    settings.ANONYMOUS_DAYS = 30
    old = [shown(now, 31, None, films[0]) for _ in range(8)]
    kept = [shown(now, 29, None, films[0]), shown(now, 31, cast.owner, films[0])]
    late = Event.objects.create(
        id=uuid.uuid4(), visit=kept[0].visit, title=films[1], kind="open", slate=old[0],
        occurred_at=now, received_at=now,
    )  # fmt: skip
    assert retention.prune_visits(now) == 0
    assert set(Slate.objects.all()) == set(kept)
    assert set(Visit.objects.all()) == {slate.visit for slate in kept}
    assert Event.objects.count() == 3
    late.refresh_from_db()
    assert late.slate is None


def test_events_go_by_the_operators_rule(films, cast, now, settings):
    for days in (10, 40, 40, 40, 40):
        shown(now, days, cast.owner, films[0])
    assert retention.prune_visits(now) == 0
    settings.EVENT_DAYS = 30
    assert retention.prune_visits(now) == 4
    assert (Event.objects.count(), Visit.objects.count()) == (1, 5)
    Slate.objects.all().delete()
    assert retention.prune_visits(now) == 0
    assert Visit.objects.count() == 1


def test_expired_sessions_go(cast, client, now):
    client.force_login(cast.owner.account)
    Session.objects.create(
        session_key="old", session_data="", expire_date=timezone.now() - timedelta(1)
    )
    prune_sessions()
    assert [session.account_id for session in Session.objects.all()] == [cast.owner.account_id]


def test_artifacts_that_nothing_goes_back_to_are_deleted(settings, now):
    settings.KEPT_RELEASES, settings.KEPT_RANKERS = 2, 2
    kinds = ["release"] * 6 + ["teacher"] * 4 + ["increment"] * 4
    made = {}
    for n, kind in enumerate(kinds):
        run = TrainingRun.objects.create(kind=kind, status="succeeded")
        folder = settings.MARQUEE_HOME / "artifacts" / f"run-{run.pk}"
        folder.mkdir(parents=True)
        (folder / "weights").write_text("1")
        fields = {"run": run, "folder": f"artifacts/run-{run.pk}"}
        if kind == "release":
            published = now - timedelta(days=n) if n in (0, 1) else None
            Release.objects.create(**fields, is_live=n == 0, published_at=published)
        else:
            RankerVersion.objects.create(**fields, learned_until=now, is_live=n == 6)
        made[n] = folder
    failed = TrainingRun.objects.create(status="failed")
    running = TrainingRun.objects.create(status="running")
    for run in (failed, running):
        (settings.MARQUEE_HOME / "artifacts" / f"run-{run.pk}").mkdir()
    (settings.MARQUEE_HOME / "artifacts" / "catalogue").mkdir()
    assert prune_artifacts() == 2 + 1 + 2 + 1
    left = {n for n, folder in made.items() if folder.exists()}
    assert left == {0, 1, 4, 5} | {6, 8, 9} | {12, 13}
    names = {path.name for path in (settings.MARQUEE_HOME / "artifacts").iterdir()}
    assert {f"run-{running.pk}", "catalogue"} <= names
    assert f"run-{failed.pk}" not in names


PAGES = ["/", "/search/?q=noon", "/title/{}/the-good-the-bad-and-the-ugly/", "/genre/western/"]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(
    ("browser", "rows"), [("Googlebot/2.1", 0), ("Mozilla/5.0 (X11; Linux x86_64)", 1)]
)
def test_a_bot_that_looks_at_pages_leaves_no_row(address, browser, rows, release, films):
    client = Client(headers={"User-Agent": browser})
    for _ in range(2):
        assert client.get(address.format(films[0].pk)).status_code == 200
    assert Visit.objects.count() == rows
    assert bool(Slate.objects.exists()) == bool(rows)
    assert Event.objects.exists() == (bool(rows) and "genre" not in address and address != "/")


def test_a_library_that_calls_the_api_is_written_down(release, films):
    """Whoever sends an event was promised that it is kept."""
    client = Client(headers={"User-Agent": "python-requests/2.32"})
    at = timezone.now().isoformat()
    event = {"id": str(uuid.uuid4()), "kind": "open", "title": films[0].pk, "occurred_at": at}
    body = {"events": [event]}
    answer = client.post("/api/v1/events", body, content_type="application/json")
    assert answer.json()["accepted"] == 1
    assert Visit.objects.get().is_bot

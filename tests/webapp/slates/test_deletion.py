"""A profile is deleted while its pages and tabs go on: all of it goes, and they are answered."""

import threading
import time
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction

from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.visits import CurrentVisit
from webapp.profiles.locks import lock_profiles
from webapp.profiles.models import Profile
from webapp.slates import deletion
from webapp.slates.models import Slate
from webapp.slates.writing import write_slate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAITING = """
SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""
pytestmark = pytest.mark.django_db(transaction=True)


class Meanwhile:
    """Does something in a thread with a connection of its own."""

    def __init__(self, work):
        self.outcome = None
        self._thread = threading.Thread(target=self._do, args=[work])

    def start(self):
        """Return when it waits for a lock of ours."""
        self._thread.start()
        deadline = time.monotonic() + 20
        with connection.cursor() as cursor:
            while time.monotonic() < deadline:
                cursor.execute(WAITING)
                if cursor.fetchone()[0]:
                    return
                time.sleep(0.02)
        raise AssertionError(f"it does not wait: {self.outcome}")

    def end(self):
        self._thread.join(30)
        return self.outcome

    def _do(self, work):
        try:
            self.outcome = work()
        except Exception as error:
            self.outcome = error
        finally:
            connections.close_all()


def slate_of(visit):
    return Slate(visit_id=visit.id, surface="home", created_at=NOW, rows=[], took_ms=1)


def marks(film):
    return [
        EventDraft(uuid.uuid4(), kind, film.pk, NOW, value=value)
        for kind, value in [("open", ""), ("list", "add"), ("thumb", "up")]
    ]


def test_deletion_waits_for_a_batch_and_takes_it_along(films, cast):
    visit = CurrentVisit(uuid.uuid4(), cast.owner, NOW)
    delete = Meanwhile(lambda: deletion.delete_profile(cast.owner.pk))
    with transaction.atomic():
        record_events(visit, marks(films[0]), NOW)
        delete.start()
    assert delete.end() is None
    assert not Profile.objects.filter(pk=cast.owner.pk).exists()
    assert not Event.objects.exists()
    assert not Visit.objects.exists()


def test_deletion_takes_slates_and_leaves_other_profiles_alone(films, cast):
    for profile in (cast.owner, cast.sibling):
        visit = CurrentVisit(uuid.uuid4(), profile, NOW)
        slate = slate_of(visit)
        write_slate(visit, slate, is_visit_recorded=False)
        write_slate(visit, slate_of(visit), is_visit_recorded=True)
        record_events(visit, marks(films[0]), NOW)
        shown = [EventDraft(uuid.uuid4(), "open", films[1].pk, NOW, slate_id=slate.pk)]
        assert record_events(visit, shown, NOW).accepted == 1
    deletion.delete_profile(cast.owner.pk)
    assert set(Visit.objects.values_list("profile", flat=True)) == {cast.sibling.pk}
    assert (Slate.objects.count(), Event.objects.count()) == (2, 4)


def test_a_batch_that_waits_for_the_deletion_finds_nobody(films, cast):
    visit = CurrentVisit(uuid.uuid4(), cast.owner, NOW)
    record = Meanwhile(lambda: record_events(visit, marks(films[0]), NOW))
    with transaction.atomic():
        deletion.delete_profile(cast.owner.pk)
        record.start()
    report = record.end()
    assert report.is_profile_gone
    assert [refusal.reason for refusal in report.errors] == [
        "the profile was deleted: choose another"
    ] * 3
    assert not Event.objects.exists()


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_page_that_waits_for_the_deletion_writes_nothing(is_recorded, cast):
    """Whether or not its visit had a row when the page was made."""
    visit = CurrentVisit(uuid.uuid4(), cast.owner, NOW)
    if is_recorded:
        write_slate(visit, slate_of(visit), is_visit_recorded=False)
    write = Meanwhile(lambda: write_slate(visit, slate_of(visit), is_visit_recorded=is_recorded))
    with transaction.atomic():
        deletion.delete_profile(cast.owner.pk)
        write.start()
    assert write.end() is None
    assert not Slate.objects.exists()
    assert not Visit.objects.exists()


def test_a_slate_outlives_the_visit_and_the_release_it_was_made_with(cast):
    """Both were deleted since the page read them."""
    visit = CurrentVisit(uuid.uuid4(), cast.owner, NOW)
    slate = slate_of(visit)
    slate.release_id, slate.ranker_id, slate.continues_id = 999, 999, uuid.uuid4()
    write_slate(visit, slate, is_visit_recorded=True)
    stored = Slate.objects.get()
    assert stored.visit.profile == cast.owner
    assert (stored.release, stored.ranker, stored.continues) == (None, None, None)


def test_an_account_goes_with_its_profiles(films, cast):
    visit = CurrentVisit(uuid.uuid4(), cast.sibling, NOW)
    record_events(visit, marks(films[0]), NOW)
    deletion.delete_account(cast.owner.account_id)
    assert set(Profile.objects.values_list("account__username", flat=True)) == {
        cast.stranger.account.username
    }
    assert not Event.objects.exists()


def test_a_deleted_profile_does_not_come_back_by_a_change(cast, client, monkeypatch):
    """Another tab saves its form after the deletion."""
    client.force_login(cast.owner.account)
    address = f"/profiles/{cast.owner.pk}/"

    def gone(request, pk):
        chosen = Profile.objects.get(pk=pk)
        deletion.delete_profile(pk)
        return chosen

    monkeypatch.setattr("webapp.pages.settings._own", gone)
    response = client.post(address, {"name": "Back again"})
    assert (response.status_code, response["Location"]) == (302, "/profiles/")
    assert not Profile.objects.filter(pk=cast.owner.pk).exists()


def test_an_action_of_a_deleted_profile_leads_to_the_choice(films, cast, client, monkeypatch):
    client.force_login(cast.owner.account)
    client.post(f"/profiles/{cast.owner.pk}/choose/")
    deletion.delete_profile(cast.owner.pk)
    monkeypatch.setattr("webapp.events.middleware.chosen_profile", lambda request: cast.owner)
    response = client.post(f"/list/{films[0].pk}/", {"value": "add"})
    assert (response.status_code, response["Location"]) == (302, "/profiles/")


@pytest.mark.parametrize("way", ["profile", "profiles chosen", "account"])
def test_the_admin_deletes_by_the_same_locks(admin_client, cast, films, way):
    """It waits for a tab of the profile, then deletes what that has written, too."""
    owner = cast.owner
    visit = CurrentVisit(uuid.uuid4(), owner, NOW)
    draft = EventDraft(uuid.uuid4(), "open", films[0].pk, NOW)

    def delete():
        if way == "profiles chosen":
            data = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
            return admin_client.post("/admin/profiles/profile/", data).status_code
        model, pk = ("auth/user", owner.account_id) if way == "account" else (
            "profiles/profile", owner.pk)  # fmt: skip
        asked = admin_client.get(f"/admin/{model}/{pk}/delete/")
        assert "events" in asked.content.decode() or way == "account"
        return admin_client.post(f"/admin/{model}/{pk}/delete/", {"post": "yes"}).status_code

    meanwhile = Meanwhile(delete)
    with transaction.atomic():
        lock_profiles([owner.pk])
        meanwhile.start()
        assert not record_events(visit, [draft], NOW).errors
    assert meanwhile.end() == 302
    assert not Profile.objects.filter(pk=owner.pk).exists()
    assert not Event.objects.filter(pk=draft.id).exists()
    assert Profile.objects.filter(pk=cast.stranger.pk).exists()

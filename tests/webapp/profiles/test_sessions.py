"""One query reads a session with its account and profile; Django's rules of sessions hold."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import connection
from django.utils import timezone

from webapp.events.evidence import evidence_of
from webapp.events.middleware import find_visit
from webapp.profiles.middleware import SessionAccountMiddleware
from webapp.profiles.models import EvidenceVersion, Profile, Session
from webapp.profiles.session_store import SessionStore

pytestmark = pytest.mark.django_db
copying = import_module("webapp.profiles.migrations.0007_sessions_and_versions")


@pytest.fixture
def request_of(rf):
    """A function that makes the request of a client's browser, its session unread."""

    def request_of(client, method="get"):
        request = getattr(rf, method)("/")
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        request.session = SessionStore(key)
        request.COOKIES = {settings.SESSION_COOKIE_NAME: key}
        SessionAccountMiddleware(lambda _: None).process_request(request)  # type: ignore[arg-type]
        return request

    return request_of


def test_session_account_profile_and_version_are_one_query(
    owner_client, request_of, cast, django_assert_num_queries
):
    EvidenceVersion.objects.create(profile=cast.owner, version=-5)
    request = request_of(owner_client)
    with django_assert_num_queries(1):
        visit = find_visit(request)
        assert request.user.username == "ana"
        assert (visit.version.number, visit.version.is_known) == (-5, True)
    for read, stored in (
        (visit.profile, cast.owner),
        (request.session.viewer.account, User.objects.get(username="ana")),
    ):
        stored.refresh_from_db()
        names = [field.attname for field in stored._meta.concrete_fields]
        assert [getattr(read, n) for n in names] == [getattr(stored, n) for n in names]


def test_the_row_names_what_the_data_name(owner_client, cast):
    session = Session.objects.get()
    assert (session.account_id, session.profile_id) == (cast.owner.account_id, cast.owner.pk)
    owner_client.post(f"/profiles/{cast.sibling.pk}/choose/")
    assert Session.objects.get().profile_id == cast.sibling.pk
    owner_client.logout()
    assert not Session.objects.exists()


def test_a_changed_password_ends_the_session(owner_client, request_of, cast):
    cast.owner.account.set_password("another long password")
    cast.owner.account.save()
    assert not request_of(owner_client).user.is_authenticated
    assert not Session.objects.exists()


def test_who_may_not_log_in_any_more_is_nobody(owner_client, request_of, cast):
    User.objects.filter(pk=cast.owner.account_id).update(is_active=False)
    request = request_of(owner_client)
    assert not request.user.is_authenticated
    assert find_visit(request).profile is None


def test_an_account_that_is_gone_is_nobody(owner_client, request_of, cast):
    cast.owner.account.delete()
    request = request_of(owner_client)
    assert not request.user.is_authenticated
    assert find_visit(request).profile is None


@pytest.mark.parametrize("how", ["deleted", "given away"])
def test_a_profile_that_is_gone_is_not_chosen(owner_client, request_of, cast, how):
    if how == "deleted":
        Profile.objects.get(pk=cast.owner.pk).delete()
    else:
        Profile.objects.filter(pk=cast.owner.pk).update(account=cast.stranger.account)
    assert find_visit(request_of(owner_client)).profile is None


def test_what_the_row_names_counts_for_nothing_against_the_data(owner_client, request_of, cast):
    Session.objects.update(account=cast.stranger.account, profile=cast.stranger)
    request = request_of(owner_client)
    assert request.user.username == "ana"
    assert find_visit(request).profile == cast.owner


def test_a_session_that_is_over_is_not_read(owner_client, request_of):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not request_of(owner_client).user.is_authenticated


def test_another_backend_is_left_to_django(owner_client, request_of, settings):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
    assert not request_of(owner_client).user.is_authenticated


def test_a_page_that_may_write_reads_the_version_when_it_asks(owner_client, request_of, cast):
    EvidenceVersion.objects.create(profile=cast.owner, version=-5)
    visit = find_visit(request_of(owner_client, "post"))
    assert not visit.version.is_known
    EvidenceVersion.objects.update(version=-4)
    evidence_of(visit)
    assert (visit.version.number, visit.version.is_known) == (-4, True)


def test_sessions_of_before_stay_logged_in(owner_client, request_of, cast):
    Session.objects.all().delete()
    old = DatabaseSessionStore()
    old.update({"_auth_user_id": str(cast.owner.account_id), "profile_id": cast.owner.pk})
    old.create()
    copying.copy_sessions(apps, connection.schema_editor())
    [session] = Session.objects.all()
    assert session.session_key == old.session_key
    assert (session.account_id, session.profile_id) == (cast.owner.account_id, cast.owner.pk)
    assert SessionStore(session.session_key)["profile_id"] == cast.owner.pk
    assert not DatabaseSessionStore().exists(old.session_key)
    copying.put_sessions_back(apps, connection.schema_editor())
    assert DatabaseSessionStore(old.session_key)["profile_id"] == cast.owner.pk

"""What an operator may do is what was given by name; being staff alone opens nothing."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from webapp.pages.dashboards.serving import PAGES
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import publish

pytestmark = pytest.mark.django_db

ADDRESSES = [
    *(reverse(name) for name in PAGES if name != "staff-people"),
    "/staff/training/",
    "/metrics",
]


@pytest.fixture
def operator(client):
    """A function that logs an operator with some permissions in."""

    def log_in(*permissions):
        account = User.objects.create_user("operator", is_staff=True)
        account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        assert account.user_permissions.count() == len(permissions)
        client.force_login(account)
        return client

    return log_in


@pytest.fixture
def releases():
    made = []
    for n in range(2):
        run = TrainingRun.objects.create()
        made.append(Release.objects.create(run=run, folder=f"artifacts/{n}"))
        publish(made[-1], timezone.now())
    return made


def of_visits(cast):
    return ["/staff/people/", f"/staff/people/{cast.owner.pk}/"]


def test_staff_without_a_permission_read_and_do_nothing(operator, cast, releases):
    client = operator()
    addresses = [*ADDRESSES, *of_visits(cast)]
    assert {client.get(address).status_code for address in addresses} == {403}
    roll_back = {"live": releases[1].pk, "release": releases[0].pk}
    assert client.post("/staff/models/roll-back/", roll_back).status_code == 403
    assert "/staff/" not in client.get("/profiles/").content.decode()


def test_who_reads_dashboards_reads_no_single_visits_and_publishes_nothing(
    operator, cast, releases
):
    client = operator("view_dashboards")
    assert {client.get(address).status_code for address in ADDRESSES} == {200}
    assert {client.get(address).status_code for address in of_visits(cast)} == {403}
    page = client.get("/staff/models/").content.decode()
    assert "/staff/people/" not in page
    assert 'class="roll-back"' not in page
    assert "Send a test alert" not in client.get("/staff/system/").content.decode()
    assert client.post("/staff/system/test-alert/").status_code == 403
    roll_back = {"live": releases[1].pk, "release": releases[0].pk}
    assert client.post("/staff/models/roll-back/", roll_back).status_code == 403
    assert Release.objects.get(is_live=True) == releases[1]


def test_who_reads_visits_reads_no_dashboards(operator, cast):
    client = operator("view_visits")
    assert {client.get(address).status_code for address in of_visits(cast)} == {200}
    assert {client.get(address).status_code for address in ADDRESSES} == {403}
    assert "/staff/people/" in client.get("/profiles/").content.decode()


def test_who_publishes_releases_may_do_that_alone(operator, cast, releases):
    client = operator("publish_release")
    roll_back = {"live": releases[1].pk, "release": releases[0].pk}
    assert client.post("/staff/models/roll-back/", roll_back).status_code == 302
    assert Release.objects.get(is_live=True) == releases[0]


def test_who_may_send_a_test_alert_asks_the_worker_for_it(operator, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "webapp.celery.app.send_task", lambda task, args, **_: asked.append((task, args))
    )
    client = operator("view_dashboards", "send_test_alert")
    page = client.post("/staff/system/test-alert/", follow=True).content.decode()
    assert "Send a test alert" in page
    assert "Sent. The worker" in page
    assert asked == [("webapp.jobs.tasks.send_test_alert", ("operator",))]


def test_a_test_alert_without_a_broker_is_answered_in_words(operator, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("nobody there")

    monkeypatch.setattr("webapp.celery.app.send_task", refuse)
    client = operator("view_dashboards", "send_test_alert")
    page = client.post("/staff/system/test-alert/", follow=True).content.decode()
    assert "the broker does not answer" in page


def test_a_permission_without_being_staff_opens_nothing(client, cast):
    account = cast.owner.account
    account.user_permissions.set(Permission.objects.filter(content_type__app_label="metrics"))
    client.force_login(account)
    addresses = [*ADDRESSES, *of_visits(cast)]
    assert {client.get(address).status_code for address in addresses} == {403}

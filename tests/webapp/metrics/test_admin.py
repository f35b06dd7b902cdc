"""The admin shows what is kept of days and operators, and lets nobody write it."""

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from webapp.metrics.audit import record_act
from webapp.metrics.models import Alert, AuditEntry, CountedDay

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    operator = User.objects.create_superuser("operator")
    now = timezone.now()
    record_act(operator, AuditEntry.Act.VISITS_READ, "profile 7", now)
    Alert.objects.create(name="model_age_hours", value=80, threshold=72, raised_at=now, seen_at=now)
    CountedDay.objects.create(day=now.date(), counted_at=now, visits=3, events=9, took_seconds=1)
    client.force_login(operator)
    return client


@pytest.mark.parametrize(
    ("name", "told"),
    [("auditentry", "profile 7"), ("alert", "model_age_hours"), ("countedday", "9")],
)
def test_lists_can_be_read_and_not_written(admin, name, told):
    assert told in admin.get(f"/admin/metrics/{name}/").content.decode()
    assert admin.get(f"/admin/metrics/{name}/add/").status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/admin/metrics/alert/1/delete/?_to_field=",
        "/admin/catalog/title/x/change/?_to_field=no_such_field",
        "/admin/r/{events}/34/",
    ],
)
def test_an_address_that_names_nothing_is_no_fault_of_ours(admin, address):
    """Django lets errors of fields through here, of a text that is no UUID, say."""
    events = ContentType.objects.get(app_label="events", model="event").pk
    assert admin.get(address.format(events=events)).status_code in (400, 404)


def test_not_even_a_superuser_deletes_from_the_audit_log(admin):
    entry = AuditEntry.objects.get()
    assert (
        admin.post(f"/admin/metrics/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    assert AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "address", ["catalog/title/", "catalog/genre/", "profiles/profile/", "auth/user/"]
)
def test_catalogue_and_accounts_are_in_the_admin(admin, address):
    assert admin.get(f"/admin/{address}").status_code == 200

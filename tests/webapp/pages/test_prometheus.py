"""What Prometheus scrapes: who may, and that it reads."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.webapp.metrics.conftest import Sitting
from webapp.metrics.daily import refresh
from webapp.metrics.health_snapshot import take_snapshot
from webapp.metrics.models import Alert

TOKEN = "a-token-of-twenty-characters"
pytestmark = pytest.mark.django_db


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def samples(response):
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_strangers_viewers_and_wrong_tokens_are_refused(client, cast, settings):
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers=bearer("")).status_code == 403, "no token is set"
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers=bearer("another")).status_code == 403
    assert client.get("/metrics", headers={"authorization": TOKEN}).status_code == 403
    client.force_login(cast.owner.account)
    assert client.get("/metrics").status_code == 403


def test_staff_and_the_token_read_it(client, settings):
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers=bearer(TOKEN)).status_code == 200
    client.force_login(User.objects.create_user("operator", is_staff=True, is_superuser=True))
    assert client.get("/metrics").status_code == 200


def test_it_has_the_health_the_days_and_the_alerts(client, settings, films):
    settings.METRICS_TOKEN = TOKEN
    now = timezone.now()
    Sitting(None, now - timedelta(days=1)).see(films[0])
    Sitting(None, now).slate(-30, took_ms=20)
    Alert.objects.create(name="model_age_hours", value=90, threshold=72, raised_at=now, seen_at=now)
    refresh(now)
    take_snapshot(now)
    response = client.get("/metrics", headers=bearer(TOKEN))
    values = samples(response)
    assert response["Content-Type"].startswith("text/plain")
    assert values["marquee_metric", "abandonment", "real"] == 1
    assert ("marquee_metric", "abandonment", "simulated") not in values, "null is not 0"
    assert values["marquee_response_seconds", "0.95", "home"] == pytest.approx(0.02)
    assert values["marquee_alert", "model_age_hours"] == 1
    assert values["marquee_alert", "abandonment"] == 0
    assert values["marquee_pulse_timestamp_seconds",] == pytest.approx(now.timestamp(), abs=1)


def test_it_reads_no_events(client, settings, django_assert_max_num_queries):
    settings.METRICS_TOKEN = TOKEN
    with django_assert_max_num_queries(8) as asked:
        client.get("/metrics", headers=bearer(TOKEN))
    assert not [q for q in asked if '"events_' in q["sql"]]

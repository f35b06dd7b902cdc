"""Simulated viewers live in the past and are marked; nobody else can be either."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.events.clock import NOW_HEADER, TOKEN_HEADER
from webapp.events.models import Event, Visit
from webapp.slates.models import Slate

TOKEN = "a token of more than thirty-two characters"
LAST_WEEK = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)


@pytest.fixture(autouse=True)
def _token(settings):
    settings.SIMULATION_TOKEN = TOKEN


def headers(moment, token=TOKEN):
    return {TOKEN_HEADER: token, NOW_HEADER: moment}


@pytest.mark.django_db
def test_a_simulated_viewer_is_marked_and_lives_in_the_past(client, films):
    client.get("/", headers=headers(LAST_WEEK.isoformat()))
    client.get(
        films[0].get_absolute_url(), headers=headers((LAST_WEEK + timedelta(minutes=1)).isoformat())
    )
    visit = Visit.objects.get()
    assert visit.is_simulated
    assert visit.started_at == LAST_WEEK
    assert {slate.created_at for slate in Slate.objects.all()} == {
        LAST_WEEK,
        LAST_WEEK + timedelta(minutes=1),
    }
    assert Event.objects.get().occurred_at == LAST_WEEK + timedelta(minutes=1)


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "guessed", TOKEN[:-1]])
def test_who_does_not_know_the_token_is_a_real_viewer_of_today(client, films, token):
    client.get("/", headers=headers(LAST_WEEK.isoformat(), token))
    visit = Visit.objects.get()
    assert not visit.is_simulated
    assert visit.started_at > LAST_WEEK + timedelta(days=6)


@pytest.mark.django_db
def test_without_the_setting_nobody_is_simulated(client, films, settings):
    settings.SIMULATION_TOKEN = ""
    client.get("/", headers=headers(LAST_WEEK.isoformat(), ""))
    assert not Visit.objects.get().is_simulated


@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment",
    ["yesterday", "2999-01-01T00:00:00+00:00", "2026-01-01T00:00", "0001-01-01T00:00:00+00:00",
     "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"],
)  # fmt: skip
def test_a_moment_that_is_none_is_refused(client, films, moment):
    assert client.get("/", headers=headers(moment)).status_code == 400


@pytest.mark.django_db
def test_simulated_viewers_have_no_rate_limit(client, settings, monkeypatch):
    monkeypatch.setattr("webapp.api.throttling.EventsThrottle.rate", "1/hour", raising=False)
    event = {"id": "8e1a3c56-0000-4000-8000-000000000001", "kind": "search", "query": "x"}
    body = {"events": [event | {"occurred_at": LAST_WEEK.isoformat()}]}
    send = {"path": "/api/v1/events", "data": body, "content_type": "application/json"}
    told = headers(LAST_WEEK.isoformat())
    assert [client.post(**send, headers=told).status_code for _ in range(3)] == [200] * 3
    assert [client.post(**send).status_code for _ in range(2)] == [200, 429]

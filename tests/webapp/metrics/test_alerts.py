"""Alerts: raised once, told once, over when the value is back; and the pulse they look at."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webapp.metrics.conftest import Sitting
from webapp.metrics.alerts import raised, watch
from webapp.metrics.daily import refresh
from webapp.metrics.models import Alert, Pulse
from webapp.metrics.vitals import Stage, Vitals, latest, take
from webapp.releases.models import Release, TrainingRun

NOW = timezone.now()
WELL = Vitals(NOW, {"home": Stage(100, 1, 5, 9, 12)}, 50, 2.0, 1, 10.0, 0)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _thresholds(settings):
    settings.ALERT_THRESHOLDS = {
        "abandonment": 0.5, "fallback_share": 0.05, "event_lag_seconds": 60, "model_age_hours": 48,
    }  # fmt: skip
    settings.ALERT_EMAIL = ["ops@example.org"]
    settings.ALERT_WEBHOOK = ""
    settings.ALERT_REPEAT_HOURS = 24


def names(alerts):
    return {alert.name for alert in alerts}


def test_a_house_that_is_well_raises_nothing(mailoutbox):
    assert watch(WELL, NOW) == []
    assert mailoutbox == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"stages": {"home": Stage(100, 6, 5, 9, 12)}}, "fallback_share"),
        ({"event_lag_seconds": 61.0}, "event_lag_seconds"),
        ({"model_age_hours": 49.0}, "model_age_hours"),
    ],
)
def test_what_crosses_its_threshold_is_raised_logged_and_sent(change, name, mailoutbox, caplog):
    with caplog.at_level(logging.WARNING):
        assert names(watch(replace(WELL, **change), NOW)) == {name}
    (alert,) = raised()
    assert alert.label in caplog.text
    (mail,) = mailoutbox
    assert mail.to == ["ops@example.org"]
    assert alert.words in mail.body


@pytest.mark.parametrize(
    "change",
    [
        {"stages": {"home": Stage(19, 19, 5, 9, 12)}},
        {"event_lag_seconds": None},
        {"model_age_hours": None},
        {"event_lag_seconds": 60.0},
    ],
)
def test_too_little_to_tell_and_the_threshold_itself_raise_nothing(change):
    assert watch(replace(WELL, **change), NOW) == []


def test_who_was_told_is_not_told_again_before_a_day_is_over(mailoutbox):
    bad = replace(WELL, event_lag_seconds=100.0)
    for hours in (0, 1, 23):
        watch(bad, NOW + timedelta(hours=hours))
    assert len(mailoutbox) == 1
    watch(bad, NOW + timedelta(hours=24))
    assert len(mailoutbox) == 2
    assert Alert.objects.count() == 1


def test_it_is_over_when_the_value_is_back_and_may_come_again(mailoutbox):
    bad = replace(WELL, event_lag_seconds=100.0)
    watch(bad, NOW)
    assert watch(WELL, NOW + timedelta(hours=1)) == []
    assert raised() == []
    assert Alert.objects.get().ended_at == NOW + timedelta(hours=1)
    watch(bad, NOW + timedelta(hours=2))
    assert len(mailoutbox) == 2
    assert Alert.objects.count() == 2


def test_what_is_not_known_any_more_stands():
    watch(replace(WELL, event_lag_seconds=100.0), NOW)
    assert names(watch(replace(WELL, event_lag_seconds=None), NOW)) == {"event_lag_seconds"}


@pytest.mark.parametrize(("viewers", "is_raised"), [(3, False), (40, True)])
def test_abandonment_is_raised_only_where_chance_is_ruled_out(films, viewers, is_raised):
    for _ in range(viewers):
        Sitting(None, NOW - timedelta(days=1)).see(films[0])
    refresh(NOW)
    assert names(watch(WELL, NOW)) == ({"abandonment"} if is_raised else set())


def test_simulated_visits_raise_nothing(films):
    for _ in range(40):
        Sitting(None, NOW - timedelta(days=1), is_simulated=True).see(films[0])
    refresh(NOW)
    assert watch(WELL, NOW) == []


def test_the_webhook_gets_the_words_and_one_that_fails_keeps_no_mail_back(
    settings, monkeypatch, mailoutbox, caplog
):
    sent = []

    def answer(request, timeout):
        sent.append(json.loads(request.data))
        raise OSError("no route")

    monkeypatch.setattr("urllib.request.urlopen", answer)
    settings.ALERT_WEBHOOK = "https://example.org/hook"
    watch(replace(WELL, model_age_hours=50.0), NOW)
    assert "50 hours" in sent[0]["text"]
    assert len(mailoutbox) == 1
    assert "could not be sent to the webhook" in caplog.text


def test_the_pulse_is_of_the_last_hour_of_real_viewers(films):
    visit = Sitting(None, NOW)
    visit.slate(-60, took_ms=20)
    visit.slate(-50, took_ms=40, fallback_reason="x")
    visit.slate(-40, surface="search", is_keystroke=True, took_ms=3)
    visit.slate(-7200, took_ms=999)
    Sitting(None, NOW, is_simulated=True).slate(-60, took_ms=999)
    visit.event("open", films[0], -70, lag=8)
    release = Release.objects.create(run=TrainingRun.objects.create(), folder="a", is_live=True)
    taken = take(NOW)
    assert taken.stages["home"] == Stage(2, 1, 30, 39, pytest.approx(39.8))
    assert taken.stages["typing"].responses == 1
    assert taken.fallback_share == pytest.approx(1 / 3)
    assert (taken.events, taken.event_lag_seconds) == (1, 8)
    assert taken.release == release.pk
    assert taken.runs == {"queued": 1}
    assert latest() == taken
    take(NOW)
    assert Pulse.objects.count() == 1


def test_an_empty_house_has_a_pulse(db, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    taken = take(NOW)
    assert (taken.responses, taken.fallback_share, taken.event_lag_seconds) == (0, None, None)
    assert taken.queue is None
    assert latest() == taken


def test_before_anybody_looked_nothing_is_known():
    assert latest() == Vitals()

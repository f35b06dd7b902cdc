"""Alerts: raised once, sent once, over when the value is back; and the snapshot they read."""

import importlib
import json
import logging
import threading
from dataclasses import astuple, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.apps import apps
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.webapp.metrics.conftest import Sitting
from webapp.jobs.tasks import send_test_alert
from webapp.metrics.alerts import check_alerts
from webapp.metrics.daily import refresh
from webapp.metrics.health_snapshot import Health, Stage, latest_health, take_snapshot
from webapp.metrics.models import Alert, HealthSnapshot
from webapp.metrics.notifications import destinations, notify, unsupported_urls
from webapp.releases.models import Release, TrainingRun

NOW = timezone.now()
WELL = Health(NOW, {"home": Stage(100, 1, 5, 9, 12)}, 50, 2.0, 1, 10.0, 0)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _thresholds(settings):
    settings.ALERT_THRESHOLDS = {
        "abandonment": 0.5, "fallback_share": 0.05, "event_lag_seconds": 60, "model_age_hours": 48,
    }  # fmt: skip
    settings.ALERT_EMAIL = ["ops@example.org"]
    settings.ALERT_URLS = []
    settings.ALERT_REPEAT_HOURS = 24


def send_to_all(line):
    """Whether each destination took the line, the log first."""
    return notify([(destination, [line]) for destination in destinations()])


def names(alerts):
    return {alert.name for alert in alerts}


def test_a_healthy_site_raises_nothing(mailoutbox):
    assert check_alerts(WELL, NOW) == []
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
        assert names(check_alerts(replace(WELL, **change), NOW)) == {name}
    (alert,) = Alert.objects.raised()
    assert alert.label in caplog.text
    (mail,) = mailoutbox
    assert mail.to == ["ops@example.org"]
    assert alert.sentence in mail.body


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
    assert check_alerts(replace(WELL, **change), NOW) == []


def test_nobody_is_notified_again_before_a_day_is_over(mailoutbox):
    bad = replace(WELL, event_lag_seconds=100.0)
    for hours in (0, 1, 23):
        check_alerts(bad, NOW + timedelta(hours=hours))
    assert len(mailoutbox) == 1
    check_alerts(bad, NOW + timedelta(hours=24))
    assert len(mailoutbox) == 2
    assert Alert.objects.count() == 1


def test_it_is_over_when_the_value_is_back_and_may_come_again(mailoutbox):
    bad = replace(WELL, event_lag_seconds=100.0)
    check_alerts(bad, NOW)
    assert check_alerts(WELL, NOW + timedelta(hours=1)) == []
    assert not Alert.objects.raised()
    assert Alert.objects.get().ended_at == NOW + timedelta(hours=1)
    check_alerts(bad, NOW + timedelta(hours=2))
    assert len(mailoutbox) == 2
    assert Alert.objects.count() == 2


def test_an_unknown_value_ends_no_alert():
    check_alerts(replace(WELL, event_lag_seconds=100.0), NOW)
    assert names(check_alerts(replace(WELL, event_lag_seconds=None), NOW)) == {"event_lag_seconds"}


@pytest.mark.parametrize(("viewers", "is_raised"), [(3, False), (40, True)])
def test_abandonment_is_raised_only_where_chance_is_ruled_out(films, viewers, is_raised):
    for _ in range(viewers):
        Sitting(None, NOW - timedelta(days=1)).see(films[0])
    refresh(NOW)
    assert names(check_alerts(WELL, NOW)) == ({"abandonment"} if is_raised else set())


def test_simulated_visits_raise_nothing(films):
    for _ in range(40):
        Sitting(None, NOW - timedelta(days=1), is_simulated=True).see(films[0])
    refresh(NOW)
    assert check_alerts(WELL, NOW) == []


@pytest.fixture
def receiver():
    """A server on this machine, and the bodies it is sent, as JSON."""
    bodies = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            """Keep the test's output quiet."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/alerts", bodies
        server.shutdown()
        thread.join()


def test_every_url_and_address_is_notified_whichever_fails(
    settings, receiver, mailoutbox, caplog, monkeypatch
):
    url, bodies = receiver
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    settings.ALERT_URLS = [
        "json://127.0.0.1:1/nobody?token=hush", "nonsense://x", f"{url}?:message=text"
    ]  # fmt: skip
    check_alerts(replace(WELL, model_age_hours=50.0), NOW)
    (body,) = bodies
    assert "50 hours" in body["text"]
    assert body["title"].startswith("Marquee: Model age")
    assert len(mailoutbox) == 1
    failures = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert "the alert could not be sent to URL 1 of MARQUEE_ALERT_URLS" in failures
    assert "the alert could not be sent to URL 2 of MARQUEE_ALERT_URLS" in failures
    assert not any("URL 3" in failure for failure in failures)


def test_a_failing_mail_server_is_logged_and_stops_nothing(settings, receiver, caplog, monkeypatch):
    url, bodies = receiver
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    settings.ALERT_URLS = [url]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send_to_all("Model age: too old") == [True, True, False]
    assert len(bodies) == 1
    assert "could not be sent to ops@example.org" in caplog.text


def test_slack_teams_ntfy_and_mail_are_supported_and_nonsense_is_not(settings):
    settings.ALERT_URLS = [
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "ntfy://marquee-alerts",
        "nonsense://x",
        "mailtos://user:password@example.org",
        "workflows://prod-00.westeurope.logic.azure.com:443/643e69f83c8944438d68119179a10a64/signature",
    ]
    assert unsupported_urls() == [3]


def test_beats_entry_follows_the_renamed_task_once():
    rename = importlib.import_module("webapp.metrics.migrations.0003_health_snapshot").rename_task
    interval = IntervalSchedule.objects.create(every=60, period="seconds")
    old = PeriodicTask.objects.create(
        name="take the pulse and watch it", task="webapp.jobs.tasks.watch", interval=interval
    )
    rename(apps, None)
    old.refresh_from_db()
    assert (old.name, old.task) == (
        "check health and alerts", "webapp.jobs.tasks.check_alerts",
    )  # fmt: skip
    PeriodicTask.objects.create(
        name="take the pulse and watch it", task="webapp.jobs.tasks.watch", interval=interval
    )
    rename(apps, None)
    assert PeriodicTask.objects.get().pk == old.pk


def test_the_snapshot_is_of_the_last_hour_of_real_viewers(films):
    visit = Sitting(None, NOW)
    visit.slate(-60, took_ms=20)
    visit.slate(-50, took_ms=40, fallback_reason="x")
    visit.slate(-40, surface="search", is_keystroke=True, took_ms=3)
    visit.slate(-7200, took_ms=999)
    Sitting(None, NOW, is_simulated=True).slate(-60, took_ms=999)
    visit.event("open", films[0], -70, lag=8)
    release = Release.objects.create(run=TrainingRun.objects.create(), folder="a", is_live=True)
    health = take_snapshot(NOW)
    assert astuple(health.stages["home"]) == pytest.approx((2, 1, 30, 39, 39.8))
    assert health.stages["typing"].responses == 1
    assert health.fallback_share == pytest.approx(1 / 3)
    assert (health.events, health.event_lag_seconds) == (1, 8)
    assert health.release == release.pk
    assert health.runs == {"queued": 1}
    assert latest_health() == health
    take_snapshot(NOW)
    assert HealthSnapshot.objects.count() == 1


def test_an_empty_site_has_a_snapshot(db, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    health = take_snapshot(NOW)
    assert (health.responses, health.fallback_share, health.event_lag_seconds) == (0, None, None)
    assert health.queue is None
    assert latest_health() == health


def test_before_the_first_snapshot_nothing_is_known():
    assert latest_health() == Health()


@pytest.mark.parametrize(
    "error",
    [ValueError("a garbled answer"), UnicodeEncodeError("ascii", "x", 0, 1, "no"), KeyError()],
)
def test_whatever_a_destination_raises_the_others_are_notified_once(
    settings, mailoutbox, monkeypatch, error
):
    """One that answered garbage once ended the check, and the mail went out every minute."""

    def send(self, *args, **kwargs):
        raise error

    monkeypatch.setattr("webapp.metrics.notifications.Apprise.notify", send)
    settings.ALERT_URLS = ["json://127.0.0.1:1/", "json://127.0.0.1:2/"]
    bad = replace(WELL, event_lag_seconds=100.0)
    for minute in range(3):
        assert check_alerts(bad, NOW + timedelta(minutes=minute))
    assert len(mailoutbox) == 1


def test_what_nobody_took_is_sent_again_in_an_hour(settings, monkeypatch):
    sent = []
    settings.ALERT_EMAIL = []
    settings.ALERT_URLS = ["json://127.0.0.1:1/"]
    monkeypatch.setattr("webapp.metrics.notifications._send", lambda *args: bool(sent.append(args)))
    bad = replace(WELL, event_lag_seconds=100.0)
    for minutes in (0, 1, 30, 59, 60, 61):
        check_alerts(bad, NOW + timedelta(minutes=minutes))
    assert len(sent) == 2


def test_who_refused_it_gets_it_again_and_who_took_it_does_not(settings, mailoutbox, monkeypatch):
    answers = iter([False, True])
    sent = []
    settings.ALERT_URLS = ["json://127.0.0.1:1/"]
    monkeypatch.setattr(
        "webapp.metrics.notifications._send",
        lambda *args: sent.append(args) or next(answers),
    )
    bad = replace(WELL, event_lag_seconds=100.0)
    for minutes in (0, 59, 60, 61, 180):
        check_alerts(bad, NOW + timedelta(minutes=minutes))
    assert (len(sent), len(mailoutbox)) == (2, 1)


def test_a_destination_that_is_new_is_told_of_what_is_raised_already(settings, mailoutbox):
    settings.ALERT_EMAIL = []
    bad = replace(WELL, event_lag_seconds=100.0)
    check_alerts(bad, NOW)
    settings.ALERT_EMAIL = ["ops@example.org"]
    check_alerts(bad, NOW + timedelta(minutes=1))
    assert len(mailoutbox) == 1


def test_a_destination_that_never_ends_its_answer_does_not_hold_the_worker(
    settings, mailoutbox, monkeypatch, caplog
):
    never = threading.Event()
    monkeypatch.setattr("webapp.metrics.notifications.DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr("webapp.metrics.notifications._send", lambda *args: never.wait(30))
    settings.ALERT_URLS = ["json://127.0.0.1:1/"]
    try:
        assert all(send_to_all("Model age: too old"))
        assert "URL 1 of MARQUEE_ALERT_URLS is still answering" in caplog.text
        assert len(mailoutbox) == 1
    finally:
        never.set()


def test_a_destination_sends_us_nowhere_else(settings, receiver, monkeypatch):
    url, bodies = receiver
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Redirects(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", url.replace("json://", "http://"))
            self.end_headers()

        def log_message(self, *words):
            """Keep the test's output quiet."""

    with HTTPServer(("127.0.0.1", 0), Redirects) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        settings.ALERT_EMAIL = []
        settings.ALERT_URLS = [f"json://127.0.0.1:{server.server_port}/"]
        assert send_to_all("Model age: too old") == [True, False]
        server.shutdown()
        thread.join()
    assert bodies == []


def test_a_test_alert_goes_to_every_destination_and_raises_nothing(mailoutbox):
    send_test_alert("robin")
    (mail,) = mailoutbox
    assert mail.body == "Test by robin: alerts arrive here"
    assert not Alert.objects.exists()


def test_a_title_of_two_lines_is_mailed_as_one(mailoutbox):
    assert all(send_to_all("Model age:\r\nBcc: all@example.org"))
    assert mailoutbox[0].subject == "Marquee: Model age: Bcc: all@example.org"

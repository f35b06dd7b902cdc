"""POST /api/v1/events, as a browser and as a troublemaker would call it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from webapp.api.events import TOO_MANY_TODAY
from webapp.api.throttling import EventsADayThrottle, EventsThrottle
from webapp.events.models import Event, Visit
from webapp.profiles.models import HiddenTitle, ListEntry, Rating
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


def event(kind, title=None, **fields):
    at = fields.pop("occurred_at", datetime.now(UTC).isoformat())
    return {"id": str(uuid4()), "kind": kind, "title": title, "occurred_at": at, **fields}


def post(client, *events):
    return client.post("/api/v1/events", {"events": events}, content_type="application/json")


def test_a_batch_is_stored_with_its_visit_and_profile(owner_client, cast, films):
    response = post(
        owner_client,
        event("open", films[0].pk, surface="home", row="top_picks", slot=3),
        event("play", films[0].pk, position_seconds=0, duration_seconds=6000),
    )
    assert response.status_code == 200
    assert response.json() == {"accepted": 2, "repeated": 0, "paused": 0, "errors": []}
    stored = Event.objects.order_by("kind")
    assert [e.kind for e in stored] == ["open", "play"]
    assert {e.profile for e in stored} == {cast.owner}
    assert len({e.visit_id for e in stored}) == 1
    assert (stored[0].row, stored[0].slot) == ("top_picks", 3)


def test_the_same_batch_twice_is_stored_once(owner_client, films):
    again = event("open", films[0].pk)
    assert post(owner_client, again, again).json()["repeated"] == 1
    body = post(owner_client, again).json()
    assert body == {"accepted": 0, "repeated": 1, "paused": 0, "errors": []}
    assert Event.objects.count() == 1


def test_a_bad_event_is_named_and_the_rest_is_kept(owner_client, films):
    unknown = films[-1].pk + 1000
    late = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    old = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    response = post(
        owner_client,
        event("open", films[0].pk),
        event("nap", films[0].pk),
        event("open", unknown),
        event("open", films[0].pk, occurred_at=late),
        event("open", films[0].pk, occurred_at=old),
        event("play"),
        event("thumb", films[0].pk, value="sideways"),
        event("open", films[0].pk, slate=str(uuid4())),
        {"kind": "open"},
        event("open", films[1].pk),
    )
    body = response.json()
    assert (response.status_code, body["accepted"]) == (200, 2)
    reasons = {error["index"]: error["reason"] for error in body["errors"]}
    assert reasons.keys() == {1, 2, 3, 4, 5, 6, 7, 8}
    assert "nap" in reasons[1]
    assert f"no title {unknown}" in reasons[2]
    assert "future" in reasons[3]
    assert "7 days" in reasons[4]
    assert "needs a title" in reasons[5]
    assert "up, down, love, clear" in reasons[6]
    assert "not shown to this viewer" in reasons[7]
    assert "id: " in reasons[8]


@pytest.mark.parametrize("body", ["[]", "{}", '{"events": []}', '{"events": 3}', "nonsense", ""])
def test_a_body_that_is_no_batch_is_refused(owner_client, body):
    response = owner_client.post("/api/v1/events", body, content_type="application/json")
    assert response.status_code == 400
    assert Event.objects.count() == 0


def test_a_batch_over_the_limit_is_refused_whole(owner_client, films):
    response = post(owner_client, *(event("open", films[0].pk) for _ in range(501)))
    assert response.status_code == 400
    assert "500" in response.content.decode()


def test_thumbs_list_and_hiding_change_the_profile(owner_client, cast, films):
    post(
        owner_client,
        event("thumb", films[0].pk, value="love"),
        event("list", films[1].pk, value="add"),
        event("hide", films[2].pk, value="hide"),
    )
    assert Rating.objects.get(profile=cast.owner).stars == 5
    assert ListEntry.objects.get(profile=cast.owner).title == films[1]
    assert HiddenTitle.objects.get(profile=cast.owner).title == films[2]
    post(
        owner_client,
        event("thumb", films[0].pk, value="clear"),
        event("list", films[1].pk, value="remove"),
        event("hide", films[2].pk, value="show"),
    )
    assert not Rating.objects.exists()
    assert not ListEntry.objects.exists()
    assert not HiddenTitle.objects.exists()


def test_a_thumb_that_comes_late_does_not_undo_a_newer_one(owner_client, films):
    before = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    post(owner_client, event("thumb", films[0].pk, value="love"))
    post(owner_client, event("thumb", films[0].pk, value="down", occurred_at=before))
    assert Rating.objects.get().stars == 5


def test_a_stranger_may_browse_but_not_rate(client, films):
    client.get("/login/")
    body = post(client, event("open", films[0].pk), event("thumb", films[0].pk, value="up")).json()
    assert body["accepted"] == 1
    assert "log in" in body["errors"][0]["reason"]
    assert Event.objects.get().profile is None
    assert Visit.objects.get().profile is None


def test_a_slate_of_another_viewer_is_refused(client, cast, films, log_in, now):
    visit = Visit.objects.create(profile=cast.stranger, started_at=now)
    slate = Slate.objects.create(visit=visit, surface="home", created_at=now, rows=[], took_ms=1)
    mine = event("open", films[0].pk, slate=str(slate.pk))
    assert "not shown" in post(log_in(client, cast.owner), mine).json()["errors"][0]["reason"]
    assert post(log_in(client, cast.stranger), mine).json()["accepted"] == 1


def test_a_request_without_the_csrf_token_is_refused(films):
    client = Client(enforce_csrf_checks=True)
    assert post(client, event("open", films[0].pk)).status_code == 403
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    response = client.post(
        "/api/v1/events",
        {"events": [event("open", films[0].pk)]},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert response.json()["accepted"] == 1


def test_a_batch_costs_the_same_queries_whatever_its_size(
    owner_client, films, django_assert_max_num_queries
):
    post(owner_client, event("open", films[0].pk))
    with django_assert_max_num_queries(11):
        post(owner_client, *(event("impression", film.pk) for film in films))


def test_the_flood_is_stopped(client, films, monkeypatch):
    assert EventsThrottle().rate == "600/min"
    monkeypatch.setattr(EventsThrottle, "rate", "5/min", raising=False)
    codes = [post(client, event("open", films[0].pk)).status_code for _ in range(7)]
    assert codes == [200] * 5 + [429] * 2


def test_a_day_holds_so_many_events(owner_client, films, monkeypatch):
    """What one account sends beyond them is refused one by one, and others go on."""
    monkeypatch.setattr(EventsADayThrottle, "THROTTLE_RATES", {"events_a_day": "3/day"})
    assert post(owner_client, event("open", films[0].pk), event("open", films[1].pk)).json() == {
        "accepted": 2, "repeated": 0, "paused": 0, "errors": [],
    }  # fmt: skip
    refused = post(owner_client, event("open", films[0].pk), event("open", films[1].pk))
    assert refused.status_code == 200
    assert [error["reason"] for error in refused.json()["errors"]] == [TOO_MANY_TODAY] * 2
    assert post(Client(), event("open", films[0].pk)).json()["accepted"] == 1
    assert Event.objects.count() == 3


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=-400), timedelta(0)])
def test_a_browser_whose_clock_is_wrong_loses_nothing(owner_client, films, ahead):
    """What it says of its own clock as it sends is corrected for."""
    now = datetime.now(UTC)
    opened = event(
        "open", films[0].pk, occurred_at=(now + ahead - timedelta(minutes=2)).isoformat()
    )
    body = {"sent_at": (now + ahead).isoformat(), "events": [opened]}
    answer = owner_client.post("/api/v1/events", body, content_type="application/json")
    assert answer.json()["accepted"] == 1
    assert abs(Event.objects.get().occurred_at - (now - timedelta(minutes=2))) < timedelta(
        minutes=1
    )


@pytest.mark.parametrize("sent_at", [None, 7, "yesterday", "0001-01-01T00:00:00Z", "2026-01-01"])
def test_a_clock_that_says_nothing_is_not_believed(owner_client, films, sent_at):
    body = {"sent_at": sent_at, "events": [event("open", films[0].pk)]}
    answer = owner_client.post("/api/v1/events", body, content_type="application/json")
    assert answer.status_code == 200

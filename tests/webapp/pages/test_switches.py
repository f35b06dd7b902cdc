"""A paused history and picks that are not personal: obeyed by the very next answer."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event
from webapp.events.visits import current_visit
from webapp.profiles.models import HiddenTitle, ListEntry, Profile, Rating
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


def switch(client, profile, **on):
    return client.post(f"/profiles/{profile.pk}/switches/", on)


def tell(client, kind, title, **fields):
    event = {"id": str(uuid4()), "kind": kind, "title": title.pk, **fields}
    event["occurred_at"] = datetime.now(UTC).isoformat()
    body = {"events": [event]}
    return client.post("/api/v1/events", body, content_type="application/json").json()


def rows(client, address="/"):
    """Heading, reason and titles of each row."""
    text = client.get(address).content.decode()
    return [
        (
            re.search(r"<h2[^>]*>(.*?)</h2>", row, re.DOTALL)[1],
            (re.search(r'<p class="reason">(.*?)</p>', row) or ("", ""))[1],
            re.findall(r'data-title="(\d+)"', row),
        )
        for row in text.split('<section class="row"')[1:]
    ]


def titles(client, address="/"):
    return [shown for _, _, shown in rows(client, address)]


@pytest.fixture
def earlier(cast, films, now):
    """What the owner did in a visit before."""
    Rating.objects.create(profile=cast.owner, title=films[0], stars=5, rated_at=now)
    watched = EventDraft(uuid4(), "progress", films[1].pk, now, position_seconds=900)
    assert record_events(current_visit(None, cast.owner, now), [watched], now).accepted


def test_the_form_is_there_without_any_script_and_says_how_things_stand(owner_client, cast):
    assert switch(owner_client, cast.owner, is_history_paused="on").status_code == 302
    saved = Profile.objects.get(pk=cast.owner.pk)
    assert (saved.is_history_paused, saved.is_personalized) == (True, False)
    text = owner_client.get("/profiles/").content.decode()
    assert f'action="/profiles/{cast.owner.pk}/switches/"' in text
    assert text.count("History is paused") == 1
    assert text.count("checked") == 2  # Ana pauses, Kim keeps personal picks
    assert "Saved for Ana." in text


def test_a_profile_is_switched_by_its_own_account_only(client, cast, log_in):
    log_in(client, cast.stranger)
    assert switch(client, cast.owner, is_history_paused="on").status_code == 404
    client.logout()
    assert switch(client, cast.owner, is_history_paused="on").url.startswith("/login/")
    assert client.get(f"/profiles/{cast.owner.pk}/switches/").status_code in (302, 405)
    assert not Profile.objects.filter(is_history_paused=True).exists()


def test_while_paused_events_are_taken_and_not_kept(owner_client, cast, films):
    switch(owner_client, cast.owner, is_history_paused="on", is_personalized="on")
    answer = tell(owner_client, "open", films[0])
    assert answer == {"accepted": 0, "repeated": 0, "paused": 1, "errors": []}
    tell(owner_client, "thumb", films[0], value="love")
    tell(owner_client, "list", films[1], value="add")
    tell(owner_client, "hide", films[2], value="hide")
    owner_client.get(films[3].get_absolute_url())
    back = owner_client.post(f"/thumb/{films[0].pk}/", {"value": "up"}, follow=True)
    assert "this was not kept" in back.content.decode()
    assert "/thumb/" not in back.content.decode()
    assert not Event.objects.exists()
    assert not Rating.objects.exists()
    assert not ListEntry.objects.exists()
    assert not HiddenTitle.objects.exists()


def test_while_paused_this_visit_changes_nothing_and_the_history_before_still_counts(
    owner_client, cast, films, release, earlier
):
    before = titles(owner_client)
    assert f"{films[1].pk}" in before[0]
    switch(owner_client, cast.owner, is_history_paused="on", is_personalized="on")
    for film in films[40:46]:
        tell(owner_client, "play", film)
    assert titles(owner_client) == before
    assert "history is paused" in owner_client.get("/").content.decode()


def test_what_this_visit_told_before_the_pause_has_no_say_either(
    owner_client, cast, films, release, earlier, settings
):
    settings.ROW_SIZE = 6
    tell(owner_client, "open", films[40])
    assert any("Because you opened" in heading for heading, *_ in rows(owner_client))
    switch(owner_client, cast.owner, is_history_paused="on", is_personalized="on")
    assert not any("Because you opened" in heading for heading, *_ in rows(owner_client))
    assert Slate.objects.latest("created_at").snapshot["viewer"]["events"][-1]["is_this_visit"] is (
        False
    )
    switch(owner_client, cast.owner, is_personalized="on")
    tell(owner_client, "open", films[41])
    assert any("Because you opened" in heading for heading, *_ in rows(owner_client))


def test_without_personal_picks_everyone_is_shown_the_same(
    client, cast, films, release, log_in, now
):
    for profile, film in ((cast.owner, films[0]), (cast.sibling, films[20])):
        Rating.objects.create(profile=profile, title=film, stars=5, rated_at=now)
    tell(log_in(client, cast.owner), "open", films[40])
    tell(client, "thumb", films[1], value="down")
    shown = []
    for profile in (cast.owner, cast.sibling):
        switch(log_in(client, profile), profile)
        shown.append(rows(client))
        assert f"Personal picks are off for {profile.name}" in client.get("/").content.decode()
    assert shown[0] == shown[1]
    for _, reason, _ in shown[0]:
        assert reason.endswith("Personal picks are off.")


def test_without_personal_picks_what_is_kept_and_what_is_hidden_stays_so(
    owner_client, cast, films, release, now
):
    ListEntry.objects.create(profile=cast.owner, title=films[0], at=now)
    HiddenTitle.objects.create(profile=cast.owner, title=films[20], at=now)
    assert any(str(films[20].pk) in shown for shown in titles(owner_client)) is False
    switch(owner_client, cast.owner)
    shown = {heading: ids for heading, _, ids in rows(owner_client)}
    assert shown["My list"] == [str(films[0].pk)]
    assert not any(str(films[20].pk) in ids for ids in shown.values())
    assert Slate.objects.latest("created_at").snapshot["viewer"]["liked"] == []


def test_without_personal_picks_taste_orders_no_search_and_no_suggestion(
    owner_client, client, cast, films, release, earlier
):
    def found(address):
        body = owner_client.get(address).json()
        return [title["id"] for title in body["titles"] or body["suggestions"]]

    switch(owner_client, cast.owner)
    both = "/api/v1/search?q=number", "/api/v1/search"
    before = [found(address) for address in both]
    for film in films[40:46]:
        tell(owner_client, "play", film)
    assert [found(address) for address in both] == before
    switch(owner_client, cast.owner, is_personalized="on")
    assert [found(address) for address in both] != before
